import dataclasses

import pytest
from report_scripts import (
    JAX,
    JAX32,
    NUMPY,
    SCRIPTS,
    UNSEEN,
    Script,
    agreement,
    counted,
    detector,
    efficient,
    estimate,
    speed,
)

from xpcs_bench.records import (
    Effort,
    Judgement,
    Outcome,
    Skip,
    Status,
    Variant,
    Verdict,
)
from xpcs_bench.report import export
from xpcs_bench.report.cells import Section, plain
from xpcs_bench.report.tables import SECTIONS, describe

EIGER = detector("eiger-500k", 514, 1030)


def tables(record):
    return {
        table.name: table for section in describe(record) for table in section.tables
    }


def rows(record, name):
    """What a table says, by group heading."""
    return [
        [*([plain(group.heading)] if group.heading else []), *map(plain, row.cells)]
        for group in tables(record)[name].groups
        for row in group.rows
    ]


def lead(record, name):
    (section,) = (each for each in describe(record) if each.name == name)
    return plain(section.lead)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_row_is_as_wide_as_its_table(name):
    for table in tables(SCRIPTS[name]().record()).values():
        for group in table.groups:
            for row in group.rows:
                assert len(row.cells) == len(table.columns), table.name


def test_sections_come_in_the_order_people_ask(record_of):
    names = [section.name for section in describe(record_of("complete"))]
    assert len(names) == len(SECTIONS)
    assert names == [
        "verdict",
        "gate",
        "claims",
        "crossover",
        "answers",
        "calls",
        "conversions",
        "parity",
        "memory",
        "work",
        "efficiency",
        "losses",
        "circumstances",
    ]
    assert all(isinstance(each, Section) for each in describe(record_of("nothing")))


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("complete", "Cases: 132 ok. Run complete."),
        ("parity_failed", "Cases: 5 ok, 1 parity failed. Run complete."),
        (
            "failures",
            "Cases: 1 invalid, 1 raised, 1 crashed, 1 timed out, 1 out of memory, ",
        ),
        ("skips_only", "Cases: 9 skipped. Run complete."),
        ("nothing", "No case was planned. Run complete."),
    ],
)
def test_the_verdict_counts_cases_by_how_they_ended(record_of, name, verdict):
    assert lead(record_of(name), "verdict").startswith(verdict)


def test_the_answer_names_the_fastest_variant_and_both_sides(record_of):
    assert rows(record_of("small"), "answers") == [
        [
            "qmap/eiger-500k/saxs",
            "jax/cpu/float64",
            "3.00x [2.91, 3.09]",
            "jax/cpu/float64 faster than numpy/cpu/float64",
            "4.2 %",
            "21 [17, 25]",
        ],
        [
            "qmap/lambda-750k/saxs",
            "cannot tell",
            "1.01x [0.976, 1.04]",
            "jax/cpu/float64 cannot tell against numpy/cpu/float64",
            "4.2 %",
            "whether a call saves anything cannot be told",
        ],
    ]


@pytest.mark.parametrize(
    ("judgement", "cached", "fastest"),
    [
        (Judgement.FASTER, 0.5, "jax/cpu/float64"),
        (Judgement.SLOWER, 2.0, "numpy/cpu/float64"),
        (Judgement.SAME, 1.0, "no difference to numpy/cpu/float64"),
        (Judgement.INCONCLUSIVE, 0.9, "cannot tell"),
    ],
)
def test_every_judgement_has_its_answer(judgement, cached, fastest):
    script = Script()
    speed(script, EIGER, {NUMPY: (1.0, 1.0), JAX: (1.0, cached)}, {JAX: judgement})
    assert rows(script.record(), "answers")[0][1] == fastest


def test_two_fast_candidates_that_overlap_are_both_named():
    script = Script()
    speed(
        script,
        EIGER,
        {NUMPY: (1.0, 1.0), JAX: (1.0, 0.50), JAX32: (1.0, 0.51)},
        {JAX: Judgement.FASTER, JAX32: Judgement.FASTER},
    )
    assert rows(script.record(), "answers")[0][1] == (
        "jax/cpu/float64, not told apart from jax/cpu/float32"
    )


def carrying(*ways):
    return [
        Variant(backend="jax", device="cpu", dtype="float64", converts=way)
        for way in ways
    ]


def test_every_problem_is_asked_once_for_each_way_of_converting():
    script = Script()
    both, into = carrying("both", "input")
    speed(
        script,
        EIGER,
        {NUMPY: (1.0, 1.0), JAX: (1.0, 0.5), into: (1.0, 0.9), both: (1.0, 2.0)},
        {JAX: Judgement.FASTER, into: Judgement.FASTER, both: Judgement.SLOWER},
    )
    record = script.record()
    table = rows(record, "answers")
    problem = "qmap/eiger-500k/saxs"
    assert columns(record, "answers")[:3] == ["Problem", "Converts", "Fastest"]
    assert [row[:3] for row in table] == [
        [problem, "nothing", JAX.id],
        [problem, "input", into.id],
        [problem, "both", NUMPY.id],
    ]
    assert lead(record, "answers").startswith(
        "Problems, each once for every way in which calls convert, by the judgement "
    )
    assert "2 faster, 1 slower" in lead(record, "answers")
    assert "carries across" in plain(tables(record)["answers"].note)
    assert "is given NumPy's arrays" in plain(tables(record)["calls"].note)
    # one candidate to a question: the first table has said it all
    assert "comparisons" not in tables(record)


def test_a_problem_without_an_answer_is_one_row_whatever_was_asked_of_others():
    script = Script()
    (both,) = carrying("both")
    speed(
        script, EIGER, {NUMPY: (1.0, 1.0), both: (1.0, 0.5)}, {both: Judgement.FASTER}
    )
    script.case(JAX, on=detector("other", 8, 8), status=Status.CRASHED)
    answered, other = rows(script.record(), "answers")
    assert answered[1] == "both"
    assert other[:3] == ["qmap/other/saxs", "none", "cannot tell"]
    assert "jax/cpu/float64 crashed" in other[4]


def test_where_nothing_is_converted_nothing_is_said_of_it(record_of):
    record = record_of("small")
    assert "Converts" not in columns(record, "answers")
    for name in ("answers", "calls"):
        assert "onvert" not in plain(tables(record)[name].note)


def test_one_variant_has_nothing_to_be_compared_with():
    script = Script()
    speed(script, EIGER, {NUMPY: (1.0, 1.0)}, {})
    record = script.record()
    assert "one variant" in lead(record, "answers")
    assert rows(record, "answers")[0][1] == "cannot tell"


def test_a_wrong_variant_is_named_and_not_timed(record_of):
    record = record_of("parity_failed")
    assert rows(record, "calls") == [
        [
            "qmap/eiger-500k/saxs",
            "numpy/cpu/float64",
            "31.0 ms [27.9, 34.1]",
            "12.0 ms [11.8, 12.2]",
            "2.58x [2.28, 2.90]",
            "3",
            "120",
            "in turn",
        ],
        [
            "qmap/eiger-500k/saxs",
            "jax/cpu/float64",
            "parity failed",
            "parity failed",
            "none",
            "none",
            "none",
            "none",
        ],
    ]
    assert rows(record, "answers")[0][1:4] == [
        "cannot tell",
        "none",
        "jax/cpu/float64 parity failed",
    ]


def test_wrong_values_of_one_conversion_leave_the_kernel_its_times():
    script = Script()
    speed(script, EIGER, {NUMPY: (1.0, 1.0), JAX: (1.0, 0.5)}, {JAX: Judgement.FASTER})
    bad = script.case(
        JAX, "conversion", on=EIGER, boundary="hdf5_write", status=Status.PARITY_FAILED
    )
    script.conclude(bad, "conversion", estimate(1e-3))
    good = script.case(JAX, "conversion", on=EIGER, boundary="to_host_view")
    script.conclude(good, "conversion", estimate(1e-6))
    record = script.record()
    assert [row[-1] for row in rows(record, "conversions")] == [
        "parity failed",
        "1.00 us [980 ns, 1.02 us]",
    ]
    assert rows(record, "answers")[0][1] == "jax/cpu/float64"


def test_a_failed_check_counts_even_where_the_status_does_not_say_so():
    script = Script()
    case = script.case(checks=[agreement(passed=False, reason="off")])
    script.conclude(case, "steady_state", estimate(1.0))
    assert "1 parity failed" in lead(script.record(), "verdict")


def test_parity_shows_the_worst_process_and_who_is_nearer_the_truth():
    script = Script()
    script.case(NUMPY, on=EIGER, checks=[agreement(against="truth", max_abs=1e-9)])
    for worst in 1e-16, 3e-16:
        script.case(
            JAX,
            on=EIGER,
            checks=[
                agreement(max_abs=worst),
                agreement(against="truth", max_abs=worst),
            ],
        )
    found = {
        (row[1], row[3]): (row[5], row[10]) for row in rows(script.record(), "parity")
    }
    assert found == {
        ("numpy/cpu/float64", "truth"): ("1e-09", "is the reference"),
        ("jax/cpu/float64", "reference"): ("3e-16", "jax/cpu/float64"),
        ("jax/cpu/float64", "truth"): ("3e-16", "jax/cpu/float64"),
    }


def test_a_failure_to_compare_is_worse_than_any_number():
    script = Script()
    script.case(NUMPY, on=EIGER, checks=[agreement(max_abs=1e9)])
    script.case(NUMPY, on=EIGER, checks=[agreement(passed=False, max_abs=None)])
    assert rows(script.record(), "parity")[0][4:6] == [
        "failed: every element is within tolerance",
        "not known",
    ]


def test_failures_come_with_reason_and_log(record_of):
    failed = rows(record_of("failures"), "failures")
    assert [row[1] for row in failed] == [
        "crashed",
        "timed out",
        "out of memory",
        "raised",
        "invalid",
    ]
    assert all("worker 4711" in row[3] and "Traceback" in row[4] for row in failed)
    assert [row[1] for row in rows(record_of("failures"), "unreached")] == [
        "not measured"
    ]


def test_skips_are_counted_by_reason(record_of):
    (row,) = rows(record_of("skips_only"), "skips")
    assert row[:2] == ["device gpu: none", "9"]
    assert row[2].count("qmap/det-") == 9


def test_environments_say_what_is_shared_once_and_what_differs_apart(record_of):
    record = record_of("small")
    shared = dict(rows(record, "machine"))
    assert shared["Host"] == "beamline-3"
    assert "Packages" not in shared
    own = [row for row in rows(record, "environments") if row[1] == "Packages"]
    assert len(own) == 3
    assert "jax 0.10.2" in own[2][2]


def test_what_was_sampled_alone_is_said():
    script = Script()
    speed(script, EIGER, {NUMPY: (1.0, 1.0)}, {})
    script.measurements = [
        seen.model_copy(update={"interleaved": seen.process == 0})
        for seen in script.measurements
    ]
    assert rows(script.record(), "calls")[0][-1] == "partly alone"


def test_describing_changes_nothing(record_of):
    record = record_of("complete")
    before = record.model_dump_json()
    first = describe(record)
    assert describe(record) == first
    assert record.model_dump_json() == before
    assert dataclasses.is_dataclass(first[0])


def test_broken_rules_come_first_and_kept_ones_last(record_of):
    record = record_of("complete")
    sections = {section.name: section for section in describe(record)}
    assert [table.name for table in sections["verdict"].tables] == ["rules"]
    assert [row[1] for row in rows(record, "rules")] == ["cannot tell"]
    assert [row[1] for row in rows(record, "rules_kept")] == ["pass"]


def test_subjects_of_one_finding_share_a_row():
    script = Script()
    script.verdicts += [
        Verdict(rule="r", subject=f"s{at}", outcome=Outcome.FAIL, reason="slow")
        for at in range(3)
    ]
    (row,) = rows(script.record(), "rules")
    assert row == ["r", "fail", "3", "slow", "s0; s1; s2", "none"]


def test_the_reference_against_itself_is_shown_only_where_it_disagrees():
    for passed, shown in ((True, 0), (False, 1)):
        script = Script()
        script.case(NUMPY, on=EIGER, checks=[agreement(passed=passed)])
        assert len(rows(script.record(), "parity")) == shown


def test_a_tolerance_gives_its_reason_once():
    script = Script()
    for variant in NUMPY, JAX, JAX32:
        script.case(
            variant,
            on=EIGER,
            checks=[agreement(against="truth"), agreement(output="phi")],
        )
    (row,) = rows(script.record(), "tolerances")
    assert row == ["q, phi", "1e-12", "0", "two square roots and one division"]


def test_memory_is_less_or_more_and_conversions_name_their_boundary():
    script = Script()
    for measure, boundary in (("peak_memory", None), ("conversion", "hdf5_write")):
        base = script.case(NUMPY, measure, on=EIGER, boundary=boundary)
        case = script.case(JAX, measure, on=EIGER, boundary=boundary)
        ratio = estimate(0.5, "x")
        script.compare(base, case, ratio, Judgement.FASTER, measure)
    found = [(row[3], row[5]) for row in rows(script.record(), "comparisons")]
    assert found == [("peak_memory", "less"), ("conversion hdf5_write", "faster")]


def test_how_well_a_time_is_known_is_told_with_the_reason_why_no_better():
    script = Script("known")
    case = speed(script, EIGER, {NUMPY: (0.1, 12e-3)}, {})[NUMPY]
    known = estimate(12e-3, kept_share=0.75, p90=15e-3, statistic="median CPU time")
    script.estimates[:] = [
        row.model_copy(update={"estimate": known}) if row.case == case.id else row
        for row in script.estimates
    ]
    effort = Effort(
        case=case.id,
        metric="steady_state",
        half_width=0.02,
        target=0.01,
        stopped="budget",
        n_unsettled=2,
        drift=0.07,
    )
    record = script.record()
    summary = record.summary.model_copy(update={"efforts": (effort,)})
    record = record.model_copy(update={"summary": summary})
    (row,) = rows(record, "sampling")
    assert row[1:] == [
        case.variant.id,
        "steady_state",
        "2.0 %",
        "1.0 %",
        "budget spent",
        "75.0 %",
        "15.0 ms",
        "2",
        "median CPU time",
    ]


WARM = Variant(backend="jax", device="cpu", dtype="float64", compilation_cache="warm")


def recompiled(script, variant=JAX, seconds=0.1, **changes):
    case = script.case(variant, "recompile", on=EIGER, **changes)
    script.conclude(case, "recompile", estimate(seconds, n_processes=5, n_samples=5))


def columns(record, name="calls"):
    return [column.label for column in tables(record)[name].columns]


def test_a_recompile_stands_beside_the_first_call_under_a_name_of_its_own():
    script = Script()
    speed(script, EIGER, {NUMPY: (0.02, 0.01), JAX: (0.186, 0.004)}, {})
    recompiled(script)
    recompiled(script, WARM, 0.05)
    speed(script, EIGER, {JAX32: (0.18, 0.003)}, {})
    skipped = f"qmap/eiger-500k/saxs/{NUMPY.id}/recompile"
    script.skipped.append(Skip(case=skipped, reason="numpy does not compile"))
    record = script.record()
    assert columns(record)[1:4] == [
        *("First call", "Warm-process recompile", "Cached call")
    ]
    assert [row[1:5] for row in rows(record, "calls")] == [
        [
            *(NUMPY.id, "20.0 ms [18.0, 22.0]"),
            *("none", "10.0 ms [9.80, 10.2]"),
        ],
        [
            *(JAX.id, "186 ms [167, 205]"),
            *("100 ms [98.0, 102]", "4.00 ms [3.92, 4.08]"),
        ],
        [WARM.id, "not asked", "50.0 ms [49.0, 51.0]", "not asked"],
        [
            *(JAX32.id, "180 ms [162, 198]"),
            *("not asked", "3.00 ms [2.94, 3.06]"),
        ],
    ]
    note = plain(tables(record)["calls"].note)
    assert "that of a cold process" in note
    assert "first call of a further kernel" in note


def test_the_processes_of_a_recompile_are_shown_where_that_alone_was_measured():
    script = Script()
    recompiled(script)
    (row,) = rows(script.record(), "calls")
    assert row[6:8] == ["5", "5"]


def test_a_recompile_that_did_not_compile_has_no_time():
    script = Script()
    recompiled(script, status=Status.INVALID)
    (row,) = rows(script.record(), "calls")
    assert row[3] == "invalid"


def test_where_no_recompile_was_asked_for_nothing_is_said_of_it(record_of):
    record = record_of("small")
    assert "Warm-process recompile" not in columns(record)
    assert "recompile" not in plain(tables(record)["calls"].note)


def test_a_record_from_before_efforts_has_no_such_rows():
    script = Script("known")
    speed(script, EIGER, {NUMPY: (0.1, 12e-3)}, {})
    assert rows(script.record(), "sampling") == []


def test_work_is_shown_side_by_side_and_beside_the_least():
    script = Script()
    counted(script, NUMPY, on=EIGER)
    counted(script, JAX, on=EIGER)
    problem = "qmap/eiger-500k/saxs"
    silent = ["not counted"] * 6
    mute = "backend 'numpy' compiles nothing."
    assert rows(script.record(), "work") == [
        [problem, "numpy/cpu/float64", *silent, "57.2 MiB", mute],
        [
            *(problem, "jax/cpu/float64", "7 500 000", "1.50x", "1 000 000"),
            *("76.3 MiB", "2.00x", "0 B", "4.70 KiB", "none"),
        ],
    ]
    assert rows(script.record(), "programs") == [
        [problem, "numpy/cpu/float64", *silent, "not counted", mute],
        [
            *(problem, "jax/cpu/float64", "1", "0", "1", "37", "41"),
            *("48 B", "38.1 MiB", "none"),
        ],
    ]


def test_work_that_was_not_counted_is_no_row(record_of):
    assert lead(record_of("small"), "work") == "Work was not counted."
    assert rows(record_of("small"), "work") == []


def test_a_least_of_nothing_has_no_multiple():
    script = Script()
    counters = {"flops": 5.0, "least_flops": 0.0}
    counted(script, counters=counters, uncounted={})
    (row,) = rows(script.record(), "work")
    assert row[2:4] == ["5", "none"]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.INVALID, "invalid"),
        (Status.PARITY_FAILED, "parity failed"),
        (Status.CRASHED, "crashed"),
        (None, "not measured"),
    ],
)
def test_the_work_of_a_case_that_ended_badly_is_not_shown(status, word):
    script = Script()
    counted(script, status=status)
    for table in ("work", "programs"):
        (row,) = rows(script.record(), table)
        assert row[2:] == [word] + ["none"] * 7


def test_every_counter_is_shown():
    from xpcs_bench.measure.counters import COUNTERS
    from xpcs_bench.report.sections import work

    shown = {
        name
        for column in (*work._WORK, *work._PROGRAMS)
        for name in (column.counter, column.over)
        if name
    }
    assert shown == set(COUNTERS)


def test_parts_of_ceilings_stand_with_what_they_are_made_of():
    record = efficient().record()
    big, tiny = "qmap/eiger-4m/saxs", "qmap/tiny/saxs"
    found = {tuple(row[:2]): row[2:] for row in rows(record, "efficiency")}
    assert found[big, "numpy/cpu/float64"] == [
        "15.0 % [14.7, 15.3]",
        "2.34 % [2.29, 2.38]",
        "bandwidth",
        "none",
    ]
    *parts, limit, note = found[tiny, "jax/cpu/float64"]
    assert parts == ["141 % [139, 144]", "82.8 % [81.2, 84.5]"]
    assert limit == "bandwidth"
    assert note.startswith("bandwidth: more than the ceiling: what a call works on")
    assert "; flops: " not in note
    rates = {tuple(row[:2]): row[2:] for row in rows(record, "rates")}
    assert rates[big, "numpy/cpu/float64"] == [
        *("68.4 MiB", "5.98 GB/s [5.86, 6.10]", "40.0 GB/s", "memory"),
        *("22 428 450", "1.87 GFLOP/s [1.83, 1.91]", "80.0 GFLOP/s"),
    ]
    assert rates[tiny, "numpy/cpu/float64"][2:4] == ["150 GB/s", "cache"]


def test_a_part_that_cannot_be_told_is_a_reason_and_never_zero():
    found = {
        (row[0].partition("/")[0], row[1]): row[2:]
        for row in rows(efficient().record(), "efficiency")
    }
    assert found["qmap", "jax/cpu/float32"] == [
        "44.9 % [44.0, 45.8]",
        "none",
        "not known",
        "flops: no ceiling of float32 operations a second of the cpu was measured.",
    ]
    assert found["hdf5_io", "jax/cpu/float64"] == [
        "5.37 % [5.26, 5.48]",
        "none",
        "bandwidth",
        "flops: the kernel states no flops.",
    ]
    assert found["hdf5_io", "numpy/cpu/float64"] == ["invalid", *["none"] * 3]


def test_ceilings_say_what_ran_and_which_cores_it_kept():
    record = efficient().record()
    assert rows(record, "ceilings")[0] == [
        *("bytes a second", "update", "40.0 GB/s", "numpy", "cpu", "int64", "all"),
        *("memory", "256 MiB", "1.97"),
        "Highest of some readings of 3 passes: x + 1 in place.",
    ]
    assert [row[0] for row in rows(record, "ceilings")] == [
        *["bytes a second"] * 2,
        "operations a second",
    ]
    assert [row[:2] for row in rows(record, "ceiling_checks")] == [
        ["bandwidth_all_threads", "pass"],
        ["xla_all_threads", "pass"],
    ]


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR])
def test_a_ceiling_that_is_doubtful_casts_doubt_on_all(outcome):
    assert "doubtful" not in lead(efficient().record(), "efficiency")
    record = efficient(outcome).record()
    assert "Some ceilings are doubtful or missing" in lead(record, "efficiency")


def test_efficiencies_that_were_not_asked_for_or_have_no_ceiling_are_said_so(
    record_of,
):
    assert lead(record_of("small"), "efficiency") == "Efficiency was not asked for."
    for name in ("efficiency", "rates", "ceilings", "ceiling_checks"):
        assert rows(record_of("small"), name) == []
    script = efficient()
    script.ceilings.clear()
    record = script.record()
    said = lead(record, "efficiency")
    assert said == "No ceiling of this machine was measured."
    assert {row[2] for row in rows(record, "efficiency")} == {"none", "invalid"}


def test_how_controls_ended_is_told_with_their_ratios(record_of):
    record = record_of("controlled")
    assert lead(record, "verdict").startswith(
        "Cases: 4 ok. Run complete. Controls: 4 of 4 hold (numpy/cpu: one code twice "
        "1.00x [0.984, 1.02], slowed code 1.15x [1.13, 1.17]; jax/cpu: one code twice "
        "1.00x [0.984, 1.02], slowed code 1.15x [1.13, 1.17]). Measured: kernels qmap;"
    )
    assert [row[:5] for row in rows(record, "controls")] == [
        ["numpy/cpu", "one code twice", "1.00x [0.984, 1.02]", "99.9 %", "pass"],
        ["numpy/cpu", "slowed code", "1.15x [1.13, 1.17]", "95.0 %", "pass"],
        ["jax/cpu", "one code twice", "1.00x [0.984, 1.02]", "99.9 %", "pass"],
        ["jax/cpu", "slowed code", "1.15x [1.13, 1.17]", "95.0 %", "pass"],
    ]


def test_a_failing_control_is_named_and_its_comparisons_withheld(record_of):
    record = record_of("doubted")
    assert "3 of 4 hold" in lead(record, "verdict")
    assert "slowed code 1.02x [0.898, 1.14] cannot tell)" in lead(record, "verdict")
    (row,) = rows(record, "answers")
    assert row[1:3] == ["cannot tell", "withheld"]
    assert UNSEEN in row[3]
    assert row[4:] == ["not known", "cannot tell: a control of this run failed."]
    assert [row[4] for row in rows(record, "comparisons")] == ["withheld"] * 2
    assert all(UNSEEN in row[5] for row in rows(record, "comparisons"))
    assert [row[3] for row in rows(record, "rules")] == [UNSEEN]
    assert [row[4] for row in rows(record, "controls")] == ["pass"] * 3 + [
        "cannot tell"
    ]


def test_the_parts_of_controls_are_in_no_other_table(record_of):
    record = record_of("controlled")
    for name, table in tables(record).items():
        if name != "controls":
            for group in table.groups:
                shown = [
                    group.heading,
                    *(cell for row in group.rows for cell in row.cells),
                ]
                assert not [
                    cell for cell in shown if cell and "g2_model" in plain(cell)
                ]
    assert "variants numpy/cpu/float64, jax/cpu/float64." in lead(record, "verdict")


def test_of_many_controls_the_sentence_gives_the_number_alone():
    script = Script()
    for backend in "numpy", "jax", "torch", "cupy":
        script.control(backend, slowed=estimate(1.15, "x"))
    assert "Controls: 8 of 8 hold. Measured" in lead(script.record(), "verdict")
    assert len(rows(script.record(), "controls")) == 8


def test_a_control_without_a_ratio_says_so():
    script = Script()
    script.control("numpy", slowed=None, reason="it crashed.")
    assert "slowed code not measured cannot tell" in lead(script.record(), "verdict")
    assert rows(script.record(), "controls")[1][2:] == [
        "not measured",
        "none",
        "cannot tell",
        "it crashed.",
    ]


def test_where_comparisons_have_no_controls_it_is_said(record_of):
    assert "Controls: none." in lead(record_of("small"), "verdict")
    assert "Controls" not in lead(record_of("failures"), "verdict")


def test_the_change_that_would_have_been_seen_stands_beside_every_comparison(record_of):
    assert {row[-2] for row in rows(record_of("small"), "answers")} == {"4.2 %"}
    assert {row[-1] for row in rows(record_of("complete"), "comparisons")} == {"4.2 %"}


def test_every_answer_of_a_search_is_said_in_words(record_of):
    record = record_of("searched")
    said = rows(record, "crossovers")
    wide = "(wider than asked)"
    border = "faster up to 104, cannot tell above"
    assert [row[2] for row in said] == [
        "crosses",
        "always faster",
        "never faster",
        "cannot tell",
        "crosses",
    ]
    assert [row[3] for row in said] == [
        "faster above 100 [96, 104]; cannot tell between 104 and 1 024",
        "faster from 104 to 1 024",
        "slower from 16 to 96",
        "no size was compared.",
        f"slower from 64, cannot tell below {wide}; {border}",
    ]
    assert said[0][0] == "qmap/saxs against numpy/cpu/float64"
    assert said[0][4:] == ["1 024", "7", "64", "50.0 %"]
    assert said[2][4] == "nowhere known"
    assert lead(record, "crossover").startswith("Candidates along detector: 2 crosses")


def test_sizes_of_a_search_and_what_was_lost_are_listed(record_of):
    record = record_of("searched")
    assert rows(record, "crossover_points")[3][1:] == [
        "104",
        "0.900x [0.855, 0.945]",
        "faster",
        "3",
    ]
    assert rows(record, "crossover_lost")[0][1:] == [
        "memory: needs about 9 GiB.",
        "4 096",
    ]


def test_without_a_search_its_section_says_so(record_of):
    assert lead(record_of("small"), "crossover") == "No crossover was searched."


def test_what_a_search_did_not_need_is_no_loss():
    script = Script()
    case = script.case(status=None)
    assert rows(script.record(), "unreached")
    script.unneeded.append(case.id)
    assert not rows(script.record(), "unreached")


def test_cases_of_a_gate_are_listed_the_worst_first(record_of):
    record = record_of("gated")
    assert rows(record, "gate") == [
        [
            "partition/numpy/cpu/float64/steady_state",
            "fail",
            "1.10x [1.08, 1.12]",
            "5.0 %",
            "7.0 %",
            "3",
            "as the script of partition says.",
        ],
        [
            "g2_model/numpy/cpu/float64/steady_state",
            "cannot tell",
            "1.03x [1.01, 1.05]",
            "5.0 %",
            "not known",
            "3",
            "as the script of g2_model says.",
        ],
        [
            "qmap/numpy/cpu/float64/steady_state",
            "pass",
            "1.00x [0.984, 1.02]",
            "5.0 %",
            "7.0 %",
            "3",
            "as the script of qmap says.",
        ],
    ]
    assert lead(record, "gate").startswith(
        f"The candidate beside its baseline {record.header.baseline}: "
        "cases 1 fail, 1 cannot tell, 1 pass."
    )
    assert "see Gate" in lead(record, "answers")
    assert rows(record, "answers") == []


def test_without_two_revisions_there_is_no_gate(record_of):
    assert lead(record_of("small"), "gate") == "Two revisions were not compared."
    heading = 'id="gate-title"'
    assert heading not in export(record_of("small"), "html")
    assert heading in export(record_of("gated"), "html")
