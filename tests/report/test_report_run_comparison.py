"""How a comparison of runs reads, and that whatever was said is safe to print."""

import io

import pytest
from making import agreement, case, environment, experiment, measurement
from rich.console import Console
from stored_runs import JAX, NUMPY, digest, once, stored, timed

from xpcs_bench.analysis.between_runs import compare_runs
from xpcs_bench.records import Status
from xpcs_bench.report.run_comparison import (
    comparison_markdown,
    difference_lines,
    print_comparison,
)

COUNTERS = case("jax", "counters")
PEAK = case("jax", "peak_memory")
WRITE = case("jax", "conversion", boundary="hdf5_write")
PARITY = case("numpy", "parity")
THERE = environment(host="there", memory_bytes=2**33)
CASES = (NUMPY, JAX, COUNTERS, PEAK, WRITE, PARITY)


def rows(jax, flops, peak, sha256, *, wrong, where):
    check = agreement(passed=not wrong)
    status = Status.PARITY_FAILED if wrong else Status.OK
    return [
        *timed(NUMPY, 100_000, 100_000, where=where),
        *timed(JAX, jax, jax, where=where),
        measurement(COUNTERS, counters={"flops": flops}),
        *once(PEAK, peak, unit="bytes", where=where),
        *timed(WRITE, 7_000, 7_000, clock="least_disturbed", where=where),
        measurement(
            PARITY, status=status, checks=(check,), outputs=(digest(sha256 * 64),)
        ),
    ]


HERE = environment()
EARLIER = stored(
    CASES,
    rows(50_000, 1e6, 100 * 2**20, "a", wrong=False, where=HERE),
    run_id="earlier",
)
LATER = stored(
    (*CASES[:5], PARITY),
    rows(80_000, 2e6, 200 * 2**20, "b", wrong=True, where=THERE),
    (THERE,),
    run_id="later",
    experiment=experiment(efficiency=True),
)

SHOWN = """\
earlier -> later
Values of 1 case were right and are wrong.
Circumstances differ (host): times tell of these as well as of code.
3 ratios: 0 faster, 0 same, 2 slower, 1 cannot tell.

Cases that were not right in both
case                                baseline  candidate      reason
toy/small/numpy/cpu/float64/parity  ok        parity failed  a reason

Circumstances that differ
circumstance  baseline  candidate  workers
times of such runs do not mix
host          here      there      jax, numpy
leaves times as they are
efficiency    False     True
memory        16.0 GiB  8.00 GiB   jax, numpy
"""


def shown(width=100, one=EARLIER, other=LATER):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=False)
    cases = {each.id: each for each in (*one.header.cases, *other.header.cases)}
    print_comparison(compare_runs(one, other), cases, console)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def words(lines):
    return " ".join(" ".join(lines).split())


def test_what_went_wrong_and_what_differs_is_said_above_the_times():
    lines = shown()
    top = lines[: lines.index("Cached calls")]
    assert "\n".join(top) == SHOWN


def test_a_ratio_stands_between_both_times_and_its_judgement():
    lines = shown()
    at = lines.index("Cached calls")
    assert lines[at + 1].split() == [
        *("variant", "baseline", "candidate", "ratio", "judgement"),
        *("would", "see"),
    ]
    assert lines[at + 2] == "toy/small"
    assert lines[at + 3].startswith(
        "jax/cpu/float64   50.0 us    80.0 us  1.60x [1.40, 1.82]  slower"
    )


def test_memory_is_more_and_not_slower():
    lines = shown()
    row = lines[lines.index("Peak memory") + 3]
    assert row.split()[:8] == [
        *("jax/cpu/float64", "100", "MiB", "200", "MiB", "2.00x"),
        *("[1.87,", "2.13]"),
    ]
    assert row.split()[8] == "more"


def test_what_cannot_be_told_names_its_reason_and_its_cases():
    said = words(shown())
    assert "jax/cpu/float64 hdf5_write 7.00 us 7.00 us 1.00x" in said
    assert "Cannot tell: Nearly all samples were disturbed in 2 of 2 processes" in said
    assert "(toy/small/jax/cpu/float64/conversion.hdf5_write)" in said


def test_what_is_exact_is_counted_and_changes_are_shown():
    said = words(shown())
    assert "1 counters: 0 equal, 1 changed, 0 cannot be told." in said
    assert "flops 1 000 000 2 000 000 jax/cpu/float64" in said
    assert "1 outputs: 0 equal bit by bit, 1 changed, 0 cannot be told." in said
    assert "changed: not the same bits. (q of toy/small/numpy/cpu/float64)" in said


def test_what_was_not_compared_is_listed_by_reason():
    said = words(shown())
    assert (
        "Not compared its variant returned wrong values in another measure of the "
        "candidate: without parity there is no speed. "
        "(toy/small/numpy/cpu/float64/steady_state)"
    ) in said


def test_a_run_beside_itself_says_little():
    said = shown(one=EARLIER, other=EARLIER)
    assert "Circumstances that differ" not in said
    assert "Cases that were not right in both" not in said
    assert "Not compared" not in said
    assert "1 outputs: 1 equal bit by bit, 0 changed, 0 cannot be told." in said


def test_runs_without_a_time_say_so():
    one = stored((PARITY,), [measurement(PARITY, outputs=(digest(),))])
    said = shown(one=one, other=one)
    assert "No time was compared." in said
    assert "How to read it" not in said


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal_or_100_columns(width):
    assert max(map(len, shown(width))) <= min(width, 100)


def test_control_characters_do_not_reach_the_terminal():
    evil = environment(host="there\x1b[31m\n[red]")
    other = stored((NUMPY,), timed(NUMPY, 1, 1, where=evil), (evil,))
    found = compare_runs(stored((NUMPY,), timed(NUMPY, 1, 1)), other)
    (line,) = difference_lines(found.refusals)
    assert "\x1b" not in line
    assert "\x1b" not in "".join(
        shown(one=stored((NUMPY,), timed(NUMPY, 1, 1)), other=other)
    )


def test_a_difference_is_a_line():
    found = compare_runs(EARLIER, LATER)
    assert list(difference_lines(found.refusals)) == [
        "host: here -> there (jax, numpy)"
    ]
    assert list(difference_lines(found.differences))[1] == "efficiency: False -> True"


def test_markdown_holds_the_same_and_no_markup_of_records():
    cases = {each.id: each for each in CASES}
    text = comparison_markdown(compare_runs(EARLIER, LATER), cases)
    assert text.startswith("# earlier -\\> later\n\nValues of 1 case were right")
    assert (
        "| of | variant | baseline | candidate | ratio | judgement | would see |"
        in (text)
    )
    assert (
        "| toy/small | jax/cpu/float64 | 50.0 us | 80.0 us | 1.60x \\[1.40, 1.82\\]"
        in (text)
    )
    evil = environment(host="a|b <img> @everyone")
    other = stored((NUMPY,), timed(NUMPY, 1, 1, where=evil), (evil,))
    one = stored((NUMPY,), timed(NUMPY, 1, 1))
    text = comparison_markdown(compare_runs(one, other), cases)
    assert "a\\|b \\<img\\> @<!-- -->everyone" in text
