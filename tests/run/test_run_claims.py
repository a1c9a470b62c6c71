"""Which case a claim is about, and what stays of claims when cases are selected."""

import pytest
from making import case, experiment, sampling

from xpcs_bench.config import (
    Bounds,
    Claim,
    ClaimSide,
    Expectation,
    KernelChoice,
    Matrix,
    Selection,
)
from xpcs_bench.errors import CannotMeasure, ConfigError
from xpcs_bench.records import Case, ClaimCases, Device, Variant
from xpcs_bench.run.claims import claim_cases, tried
from xpcs_bench.run.plan import make_plan, select
from xpcs_bench.run.wire import Availability

ANY = Expectation(bounds=Bounds(upper=1.0, text="at most 1.00 s"))


def side(metric="steady_state", **where):
    return ClaimSide(metric=metric, where=Selection(**where))


def claim(name="c", **changes):
    return Claim(id=name, says="s", source="d", expect=ANY, **changes)


def found(*claims, cases):
    return claim_cases(experiment(claims=claims), cases)


CASES = [
    case("numpy"),
    case("jax"),
    case("jax", measure="first_call"),
    case("jax", labels={"n": 2}, params={"n": 2}),
]


def test_the_one_case_of_each_side_is_found():
    rows = found(
        claim(
            "ratio",
            of=side(backend="numpy"),
            over=side(backend="jax", params={"n": 2}),
        ),
        claim("first", of=side("first_call")),
        claim("tried", behaviour="b"),
        cases=CASES,
    )
    assert rows == (
        ClaimCases(claim="ratio", of=CASES[0].id, over=CASES[3].id),
        ClaimCases(claim="first", of=CASES[2].id),
        ClaimCases(claim="tried"),
    )


@pytest.mark.parametrize("converts", ["nothing", "both"])
def test_calls_convert_nothing_unless_the_claim_says_so(converts):
    plain = case("jax")
    variant = Variant(**plain.variant.model_dump() | {"converts": "both"})
    both = Case(**plain.model_dump() | {"variant": variant})
    where = {} if converts == "nothing" else {"converts": converts}
    (row,) = found(claim(of=side(backend="jax", **where)), cases=[plain, both])
    assert row.of == (both.id if where else plain.id)


@pytest.mark.parametrize(
    "where",
    [
        {"kernel": "other"},
        {"detector": "large"},
        {"geometry": "saxs"},
        {"backend": "other"},
        {"device": "gpu"},
        {"dtype": "float32"},
        {"compilation_cache": "warm"},
        {"converts": "both"},
        {"boundary": "to_host_view"},
        {"params": {"n": 3}},
        {"params": {"m": 2}},
    ],
)
def test_a_claim_about_no_case_is_refused(where):
    (name,) = where
    with pytest.raises(ConfigError, match=rf"'c': first_call where \{{{name}: .*no ca"):
        found(claim(of=side("first_call", **where)), cases=CASES)


def test_a_claim_about_several_cases_is_refused_with_their_names():
    with pytest.raises(ConfigError, match=r"3 cases of this.*toy/small/numpy/cpu/"):
        found(claim(of=side()), cases=CASES)
    many = [case("jax", labels={"n": n}) for n in range(5)]
    with pytest.raises(ConfigError, match="and 2 more"):
        found(claim(of=side()), cases=many)


def test_a_behaviour_is_tried_once_for_all_its_claims():
    claims = (
        claim("a", behaviour="x"),
        claim("b", behaviour="y"),
        claim("c", behaviour="x"),
        claim("d", of=side()),
    )
    rows = [ClaimCases(claim=name) for name in "abcd"]
    assert tried(experiment(claims=claims), rows) == ("x", "y")
    assert tried(experiment(claims=claims), rows[1:2]) == ("y",)


HERE = Availability(
    available=True,
    reason="",
    version="1",
    devices=(Device(platform="cpu", index=0, name="cpu", memory_bytes=None),),
)
CLAIMS = (
    claim("numpy", of=side(backend="numpy", device="cpu")),
    claim("gpu", of=side(backend="jax", device="gpu")),
    claim(
        "ratio",
        of=side(backend="numpy", device="cpu"),
        over=side(backend="jax", device="cpu"),
    ),
    claim("tried", behaviour="numpy_jit"),
)


def planned(claims=CLAIMS):
    return make_plan(
        experiment(
            kernels=(KernelChoice(name="g2_model", params={}),),
            matrix=Matrix(
                backend=("numpy", "jax"), device=("cpu", "gpu"), dtype=("float64",)
            ),
            sampling=sampling(),
            claims=claims,
        ),
        {"numpy": HERE, "jax": HERE},
        2**40,
    )


def test_claims_are_part_of_the_plan_those_that_are_skipped_too():
    plan = planned()
    assert [row.claim for row in plan.claims] == ["numpy", "gpu", "ratio", "tried"]
    (skip,) = [skip for skip in plan.skipped if skip.case == plan.claims[1].of]
    assert "device gpu: none visible to jax" in skip.reason
    assert plan.behaviours == ("numpy_jit",)


def test_a_plan_that_decides_something_else_is_another():
    digests = {planned(claims).digest for claims in ((), CLAIMS[:1], CLAIMS)}
    assert len(digests) == 3
    other = claim("numpy", of=CLAIMS[0].of).model_copy(
        update={"expect": Expectation(bounds=Bounds(upper=2.0, text="at most 2 s"))}
    )
    assert planned((other,)).digest != planned(CLAIMS[:1]).digest


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("numpy/cpu", ["numpy"]),
        ("cpu", ["numpy", "ratio"]),
        ("gpu", ["gpu"]),
        ("behaviours/numpy_jit", ["tried"]),
        ("numpy", ["numpy", "tried"]),
    ],
)
def test_a_claim_stays_where_all_that_it_is_about_does(expression, kept):
    plan = select(planned(), expression)
    assert [row.claim for row in plan.claims] == kept


def test_a_selection_of_behaviours_alone_measures_nothing():
    plan = select(planned(), "behaviours")
    assert (plan.cases, plan.skipped) == ((), ())
    with pytest.raises(CannotMeasure, match="matches none"):
        select(planned(), "behaviours/numpy_vmap")
