import re

import pytest
from report_scripts import SCRIPTS, Script

from xpcs_bench.records import Skip
from xpcs_bench.report.exporters import export
from xpcs_bench.report.markdown import MOST_ROWS, TABLES
from xpcs_bench.report.tables import describe

# ruff: noqa: E501 - a row of a table is one line
SMALL = """\
# detectors-on-this-workstation

Cases: 8 **ok**, 1 **skipped**. Run **complete**. Controls: **none**. Measured: kernels `qmap`; detectors `eiger-500k`, `lambda-750k`; geometries `saxs`; variants `numpy/cpu/float64`, `jax/cpu/float64`.

## Which variant to use

Problems by the judgement on their best candidate: 1 **faster**, 1 **cannot tell**. Speedup is the reference's cached call over the candidate's; intervals at 95.0 % confidence.

| Problem | Fastest | Speedup | Judgement | Would see | Break-even calls |
| --- | --- | ---: | --- | ---: | ---: |
| `qmap/eiger-500k/saxs` | `jax/cpu/float64` | 3.00x [2.91, 3.09] | `jax/cpu/float64` **faster** than `numpy/cpu/float64` | 4.2 % | 21 [17, 25] |
| `qmap/lambda-750k/saxs` | **cannot tell** | 1.01x [0.976, 1.04] | `jax/cpu/float64` **cannot tell** against `numpy/cpu/float64` | 4.2 % | whether a call saves anything cannot be told |

## First call against cached call

| Problem | Variant | First call | Cached call | First / cached | Processes | Samples | Sampled |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
| `qmap/eiger-500k/saxs` | `numpy/cpu/float64` | 31.0 ms [27.9, 34.1] | 12.0 ms [11.8, 12.2] | 2.58x [2.28, 2.90] | 3 | 120 | in turn |
| `qmap/eiger-500k/saxs` | `jax/cpu/float64` | 186 ms [167, 205] | 4.00 ms [3.92, 4.08] | 46.5x [41.0, 52.2] | 3 | 120 | in turn |
| `qmap/lambda-750k/saxs` | `numpy/cpu/float64` | 35.0 ms [31.5, 38.5] | 20.0 ms [19.6, 20.4] | 1.75x [1.54, 1.96] | 3 | 120 | in turn |
| `qmap/lambda-750k/saxs` | `jax/cpu/float64` | 190 ms [171, 209] | 19.9 ms [19.5, 20.3] | 9.55x [8.42, 10.7] | 3 | 120 | in turn |

## Skipped and failed

| Reason | Cases | Which |
| --- | ---: | --- |
| device gpu: none visible to jax | 1 | `qmap/eiger-500k/saxs/jax/gpu/float64/steady_state` |

## Circumstances

**Where the time went**

|  |  |
| --- | --- |
| Wall time | 130 s |
| Inside warm-ups, samples and first calls | 109 s |
| Starting workers | 14.5 s |
| Measuring share | 84.0 % |
| Overhead per sample | 412 ns |

**How to get it again**

|  |  |
| --- | --- |
| Command | xpcs-bench run configs/detectors.yaml |
| Configuration | `configs/detectors.yaml` |
"""


def test_a_small_record_reads_like_this(record_of):
    shown = export(record_of("small"), "markdown")
    assert shown[: len(SMALL)] == SMALL


def columns(line):
    return len(re.findall(r"(?<!\\)\|", line)) - 1


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_row_has_the_columns_of_its_head(name):
    lines = export(SCRIPTS[name]().record(), "markdown").splitlines()
    width = None
    for line in lines:
        if not line.startswith("|"):
            width = None
            continue
        width = width or columns(line)
        assert columns(line) == width, line


def test_names_cannot_become_markup_or_mentions(record_of):
    shown = export(record_of("hostile"), "markdown")
    title = shown.splitlines()[0]
    assert title == (
        r"# \<script\>alert(1)\</script\> \& \"quoted\" \| \`tick\` @<!-- -->all $x^2$"
    ).replace(r"\"", '"')
    outside_code = re.sub(r"(`+).*?[^`]\1(?!`)", "", shown)
    assert not re.search(r"(?<!\\)<(?!!-- -->)", outside_code)
    assert not re.search(r"@\w", outside_code)


def test_long_tables_end_with_how_much_is_left_out(record_of):
    shown = export(record_of("many"), "markdown")
    assert f"{75 - MOST_ROWS} more rows are in report.html." in shown
    assert f"{150 - MOST_ROWS} more rows are in report.html." in shown


def test_long_lists_end_with_how_much_is_left_out():
    script = Script()
    script.skipped += [Skip(case=f"c{at}", reason="why") for at in range(5)]
    shown = export(script.record(), "markdown")
    assert "| `why` | 5 | `c0`; `c1`; `c2`; and 2 more |" in shown


def test_every_table_it_shows_exists(record_of):
    names = {
        table.name
        for section in describe(record_of("nothing"))
        for table in section.tables
    }
    assert set(TABLES) <= names
