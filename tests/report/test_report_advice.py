"""What a run advises, in words."""

import io

import pytest
from advice_scripts import GPU, JAX, NUMPY, problem, record, simple
from making import DETECTOR, GEOMETRY
from rich.console import Console

from xpcs_bench.analysis.advice import advise
from xpcs_bench.records import Estimate
from xpcs_bench.report.advice import answer, losses, ordinal, print_advice, subject


def only(made):
    (found,) = advise(made).problems
    return found


def estimate(point, lower=None, upper=None, unit="x"):
    return Estimate(
        point=point,
        lower=lower or point,
        upper=upper or point,
        confidence=0.95,
        statistic="stated by the test",
        n_processes=3,
        n_samples=3,
        unit=unit,
    )


def ranked(made, at=0, **changes):
    """Change what is known of one of the variants."""
    found = only(made)
    rows = list(found.ranked)
    rows[at] = rows[at].model_copy(update=changes)
    return found.model_copy(update={"ranked": tuple(rows)})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (9, "9th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (112, "112th"),
        (1_003, "1 003rd"),
    ],
)
def test_places_in_a_row(number, text):
    assert ordinal(number) == text


def test_a_problem_is_named_with_its_pixels_and_its_geometry():
    cases, measured = simple(
        geometry=GEOMETRY, labels={"convention": "flat"}, kernel="qmap"
    )
    assert subject(only(record(cases, measured))) == (
        "qmap[convention=flat] on small (8 x 8), saxs (transmission), float64"
    )
    sized = DETECTOR.model_copy(update={"name": "8x8"})
    assert subject(only(record(*simple(detector=sized)))) == "toy on 8x8, float64"
    found = only(record(*simple(detector=None)))
    assert subject(found) == "toy, float64"
    for converts, words in (("input", "input"), ("both", "input and output")):
        own = found.model_copy(update={"converts": converts})
        assert subject(own) == f"toy, float64, every call converts its {words}"


def test_the_first_is_told_with_both_names_the_interval_and_its_calls():
    found = ranked(
        record(*simple()),
        break_even=estimate(9, 7, 12),
        break_even_again=None,
    )
    found = found.model_copy(
        update={
            "ranked": (
                found.ranked[0],
                found.ranked[1].model_copy(update={"lead": estimate(6.2, 5.9, 6.5)}),
            )
        }
    )
    assert answer(found) == (
        "Use JAX on CPU: 6.20x [5.90, 6.50] faster than NumPy on CPU once cached, "
        "pays from the 9th call [7th, 12th]."
    )


def test_a_program_that_goes_on_is_told_apart():
    text = answer(only(record(*simple())))
    assert "pays from the 13th call [" in text
    assert text.endswith("in a program that has compiled before).")
    assert "(from the 6th call [" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"break_even": estimate(1)}, ", pays from the first call."),
        (
            {"break_even": estimate(1, 1, 4)},
            ", pays from the first call [1st, 4th].",
        ),
        (
            {"break_even": estimate(3e7, 2e7, 4e7)},
            ", pays from the 3e+07th call [2e+07th, 4e+07th].",
        ),
        (
            {
                "break_even": None,
                "break_even_reason": "cannot tell: the interval of the cached ratio "
                "includes 1.",
            },
            ", cannot tell from which call on it pays.",
        ),
        (
            {
                "break_even": None,
                "break_even_reason": "not known: first calls were not measured.",
            },
            ", first calls were not measured.",
        ),
    ],
)
def test_from_when_on_it_pays(changes, words):
    found = ranked(record(*simple()), break_even_again=None, **changes)
    assert answer(found).endswith(words)


def test_where_the_baseline_is_ahead_the_other_never_pays():
    text = answer(only(record(*simple(numpy_s=2e-3, jax_s=4e-3))))
    assert text.startswith("Use NumPy on CPU: 2.00x [1.9")
    assert text.endswith("faster than JAX on CPU once cached, JAX on CPU never pays.")


def test_of_three_the_first_is_told_beside_the_baseline():
    times = {NUMPY: 10e-3, JAX: 4e-3, GPU: 2e-3}
    cases, measured = problem({who: {"steady_state": s} for who, s in times.items()})
    text = answer(only(record(cases, measured)))
    assert text.startswith("Use JAX on GPU: 5.00x [")
    assert "faster than NumPy on CPU once cached" in text


def test_what_cannot_be_told_is_said_with_its_reason():
    near = {"standing": "cannot tell", "lead": estimate(1.1, 0.9, 1.3)}
    assert answer(ranked(record(*simple()), at=1, **near)) == (
        "Cannot tell between JAX on CPU and NumPy on CPU: NumPy on CPU takes 1.10x "
        "[0.900, 1.30] of the time of JAX on CPU."
    )
    why = {"standing": "cannot tell", "reason": "Control of jax/cpu: no."}
    assert answer(ranked(record(*simple()), at=1, **why)) == (
        "Cannot tell between JAX on CPU and NumPy on CPU: Control of jax/cpu: no."
    )


def test_the_same_is_either():
    found = ranked(record(*simple()), at=1, standing="same")
    assert answer(found) == (
        "Use JAX on CPU or NumPy on CPU: cached calls take the same time."
    )


def test_one_alone_and_none_are_said():
    cases, measured = problem({NUMPY: {"steady_state": 1e-3}})
    found = only(record(cases, measured))
    assert "nothing to compare it with" in answer(found)
    none = found.model_copy(update={"ranked": ()})
    assert answer(none) == "Nothing of it has a time."


def test_losses_are_said_once_a_reason_and_without_control_characters():
    cases, measured = simple()
    skips = [
        (f"toy/small/{GPU.id}/steady_state", "device gpu: none visible to jax"),
        (f"toy/huge/{NUMPY.id}/steady_state", "memory: \x1b[1m40 GiB"),
        (f"toy/huge/{JAX.id}/steady_state", "memory: \x1b[1m40 GiB"),
    ]
    advice = advise(record(cases, measured, skips))
    assert list(losses(advice.problems[0].not_run)) == [
        "JAX on GPU: none visible to jax."
    ]
    (text,) = losses(advice.not_run)
    assert text == "NumPy on CPU, JAX on CPU: memory: \u241b[1m40 GiB."


def test_the_page_of_a_terminal_has_a_rank_a_line():
    cases, measured = simple()
    skips = [(f"toy/huge/{JAX.id}/steady_state", "memory: needs too much")]
    file = io.StringIO()
    advice = advise(record(cases, measured, skips))
    print_advice(advice, (), Console(file=file, width=100))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines[0] == "toy on small (8 x 8), float64"
    assert lines[1].startswith("  Use JAX on CPU: 5.00x [")
    first, second = (line for line in lines if line.startswith(("  1.", "  2.")))
    assert "JAX on CPU" in first
    assert "100 ms" in first
    assert "NumPy on CPU" in second
    assert "5.00x [" in second
    assert lines[-2:] == ["toy/huge", "  Not run: JAX on CPU: memory: needs too much."]
