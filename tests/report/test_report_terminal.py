import io
import re

import pytest
from report_scripts import NUMPY, SCRIPTS, Script, detector, speed
from rich.cells import cell_len
from rich.console import Console

from xpcs_bench.records import Variant
from xpcs_bench.report import export, print_crossovers, print_summary
from xpcs_bench.report.tables import describe
from xpcs_bench.report.terminal import COLUMNS, MOST_ROWS, WIDTH

# ruff: noqa: E501 - a terminal of the promised width
SMALL = """\
detectors-on-this-workstation
Cases: 8 ok, 1 skipped. Run complete. Controls: none. Measured: kernels qmap; detectors eiger-500k,
lambda-750k; geometries saxs; variants numpy/cpu/float64, jax/cpu/float64.

Fastest variant per problem
Judgement                                            Speedup           Break-even calls  Would see
qmap/eiger-500k/saxs
  jax/cpu/float64 faster than             3.00x [2.91, 3.09]                21 [17, 25]      4.2 %
  numpy/cpu/float64
qmap/lambda-750k/saxs
  jax/cpu/float64 cannot tell against    1.01x [0.976, 1.04]       whether a call saves      4.2 %
  numpy/cpu/float64                                             anything cannot be told

First and cached call
Variant                        First call           Cached call      First / cached
qmap/eiger-500k/saxs
  numpy/cpu/float64  31.0 ms [27.9, 34.1]  12.0 ms [11.8, 12.2]  2.58x [2.28, 2.90]
  jax/cpu/float64       186 ms [167, 205]  4.00 ms [3.92, 4.08]  46.5x [41.0, 52.2]
qmap/lambda-750k/saxs
  numpy/cpu/float64  35.0 ms [31.5, 38.5]  20.0 ms [19.6, 20.4]  1.75x [1.54, 1.96]
  jax/cpu/float64       190 ms [171, 209]  19.9 ms [19.5, 20.3]  9.55x [8.42, 10.7]

Skipped cases by reason
Reason                           Cases
device gpu: none visible to jax      1
"""


def stripped(shown):
    return "\n".join(line.rstrip() for line in shown.splitlines())


def test_a_small_record_reads_like_this(record_of):
    shown = stripped(export(record_of("small"), "terminal"))
    assert shown == stripped(SMALL)


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_fits_the_promised_width_and_is_plain(name):
    shown = export(SCRIPTS[name]().record(), "terminal")
    assert max(map(cell_len, shown.splitlines())) <= WIDTH
    assert not set(shown) & {"\x1b", "\x07", "\x00", "\r", "\u202e"}


def test_a_terminal_gets_colour(record_of):
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=True, color_system="standard", width=120
    )
    print_summary(record_of("parity_failed"), console)
    assert "\x1b[1;31mparity failed" in file.getvalue()


def test_markup_in_names_is_not_obeyed(record_of):
    record = record_of("small")
    header = record.header.model_copy(update={"name": "[bold red]name[/]"})
    record = record.model_copy(update={"header": header})
    assert export(record, "terminal").startswith("[bold red]name[/]")


def test_long_tables_end_with_how_much_is_left_out(record_of):
    shown = export(record_of("many"), "terminal")
    assert f"{75 - MOST_ROWS} more rows are in the report." in shown


def test_the_two_first_calls_leave_no_room_for_what_follows_from_the_numbers(record_of):
    shown = export(record_of("complete"), "terminal").splitlines()
    (head,) = (line for line in shown if "Cached call" in line)
    assert re.split(r"\s{2,}", head.strip()) == [
        *("Variant", "First call", "Warm-process recompile", "Cached call")
    ]


def test_a_name_that_is_too_long_breaks_where_one_of_its_parts_ends():
    script = Script()
    both = Variant(backend="jax", device="cpu", dtype="float64", converts="both")
    eiger = detector("eiger-500k", 514, 1030)
    speed(script, eiger, {NUMPY: (1.0, 1.0), both: (1.0, 0.5)}, {})
    shown = export(script.record(), "terminal")
    after = [line.strip() for line in shown.split("Cached call")[1].splitlines()]
    (at,) = (n for n, line in enumerate(after) if line.startswith("jax/"))
    assert after[at].split()[0] == "jax/cpu/float64/"
    assert after[at + 1].split()[0] == "converts-both"


def test_every_column_it_shows_exists(record_of):
    # a table may lack what a run did not ask for: here everything was
    labels = {
        table.name: {column.label for column in table.columns}
        for section in describe(record_of("complete"))
        for table in section.tables
    }
    for name, shown in COLUMNS.items():
        assert set(shown) <= labels[name]


def test_a_search_is_told_in_a_line_a_candidate():
    file = io.StringIO()
    record = SCRIPTS["searched"]().record()
    print_crossovers(record, Console(file=file, width=WIDTH))
    first, second, *others = file.getvalue().splitlines()
    assert first == (
        "qmap/saxs: jax/cpu/float64 against numpy/cpu/float64: faster above 100 "
        "[96, 104]; cannot tell between 104 and 1 024; 1 sizes could not be compared "
        "(pixels a side); 7 sizes measured, where a fixed grid has 64"
    )
    assert "could not be compared" not in second
    assert len(others) == 3


def test_without_candidates_a_search_says_so():
    file = io.StringIO()
    print_crossovers(SCRIPTS["nothing"]().record(), Console(file=file))
    assert file.getvalue() == "No candidate could be compared at any size.\n"
