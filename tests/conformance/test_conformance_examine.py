"""An examination catches every kind of defect, and excuses nothing without a reason."""

import numpy as np
import pytest
from scripted_backend import MISSING, NUMPY, PROBE, Scripted, after, shifted

from xpcs_bench.conformance import Call, Difference, Probe, examine, examine_calls
from xpcs_bench.conformance.hard_inputs import classes

X = classes("float64")["ordinary"]


def found(probe, candidate, calls=None, dtype="float64", differences=(), base=NUMPY):
    calls = probe.calls(dtype) if calls is None else calls
    return examine_calls((base, candidate), "any", probe, dtype, calls, differences)


def aspects(finding):
    return {(d.aspect, d.between) for d in finding.discrepancies}


BOTH = ("numpy", "scripted")
SIN = PROBE["sin"]


def test_what_is_the_same_passes():
    finding = found(SIN, Scripted())
    assert (finding.verdict, finding.max_ulp, finding.nearer) == ("pass", 0, "equal")
    assert finding.reason == ""
    assert 0.4 < finding.errors_ulp["numpy"] < 1.5


def test_a_wrong_dtype_is_found():
    narrow = Scripted(floor=after("floor", lambda y: np.asarray(y, np.float32)))
    finding = found(PROBE["floor"], narrow, [Call("ties", (np.array([1.5]),))])
    assert finding.verdict == "fail"
    assert not finding.same_dtype
    assert aspects(finding) == {("dtype", BOTH)}
    assert "float64 and float32" in finding.reason


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 4), ("float32", 6)])
def test_one_ulp_too_many_is_found(dtype, limit):
    exact = np.full(5, 1.25, dtype)
    probe = Probe("copy", (dtype,), lambda _: [Call("ordinary", (exact,))])
    for ulp, verdict in ((limit, "pass"), (limit + 1, "fail")):
        off = Scripted(copy=after("copy", lambda y, ulp=ulp: shifted(y, ulp)))
        finding = found(probe, off, dtype=dtype)
        assert (finding.verdict, finding.max_ulp) == (verdict, ulp)
        assert finding.worst.arguments == "1.25"


def test_an_error_that_both_share_is_found_by_the_truth():
    class Twin(Scripted):
        name = "twin"

    defect = {"sin": after("sin", lambda y: shifted(y, 9))}
    call = [Call("ordinary", (np.array([0.5, 1.0]),))]
    finding = found(SIN, Scripted(**defect), call, base=Twin(**defect))
    assert finding.max_ulp == 0
    assert aspects(finding) == {("value", (n, "truth")) for n in ("twin", "scripted")}
    assert finding.errors_ulp["twin"] == pytest.approx(9, abs=0.6)


def test_who_is_nearer_the_truth_is_said():
    off = Scripted(sin=after("sin", lambda y: shifted(y, 2)))
    finding = found(SIN, off, [Call("ordinary", (X,))])
    assert (finding.verdict, finding.nearer) == ("pass", "numpy")


def test_a_wrong_nan_pattern_is_found():
    def spoil(y):
        return np.where(np.isinf(y), np.nan, y)

    finding = found(PROBE["log"], Scripted(log=after("log", spoil)))
    assert finding.verdict == "fail"
    assert ("pattern", BOTH) in aspects(finding)


def test_a_wrong_infinity_is_found_by_the_truth():
    lost = Scripted(abs=after("abs", lambda y: np.full_like(y, np.inf)))
    finding = found(PROBE["abs"], lost, [Call("ordinary", (X,))])
    assert ("pattern", ("scripted", "truth")) in aspects(finding)


def test_a_missing_method_is_found():
    finding = found(SIN, Scripted(sin=MISSING))
    assert (finding.verdict, finding.n_calls) == ("fail", 0)
    assert "scripted has no method" in finding.reason


def test_a_wrong_shape_and_a_wrong_nesting_are_found():
    flat = Scripted(transpose=after("transpose", np.ravel))
    finding = found(PROBE["transpose"], flat)
    assert (finding.same_structure, finding.verdict) == (False, "fail")
    bare = Scripted(nonzero=after("nonzero", lambda y: y[0]))
    finding = found(PROBE["nonzero"], bare)
    assert (finding.same_structure, finding.verdict) == (False, "fail")


def test_an_exception_is_found_and_so_is_its_absence():
    def refuse(*_, **__):
        msg = "no"
        raise KeyError(msg)

    finding = found(SIN, Scripted(sin=refuse))
    assert ("raises", ("scripted", "must answer")) in aspects(finding)
    assert "KeyError" in finding.reason
    lenient = Scripted(reshape=after("reshape", lambda y: y))
    lenient._replaced["reshape"] = lambda x, **_: x
    finding = found(PROBE["reshape"], lenient)
    assert ("raises", ("scripted", "must raise ValueError")) in aspects(finding)


def test_another_exception_than_the_right_one_is_found():
    def refuse(*_, **__):
        raise KeyError

    probe = Probe("sin", ("float64",), lambda _: [Call("none", (X,), {}, ValueError)])
    finding = found(probe, Scripted(sin=refuse))
    assert ("raises", ("scripted", "must raise ValueError")) in aspects(finding)


def test_a_lost_sign_of_zero_and_a_flushed_subnormal_are_found():
    unsigned = Scripted(copy=after("copy", lambda y: y + 0.0))
    finding = found(PROBE["copy"], unsigned)
    assert aspects(finding) == {("zero sign", BOTH)}

    def flush(y):
        return np.where(np.abs(y) < np.finfo(y.dtype).tiny, 0 * y, y)

    finding = found(PROBE["copy"], Scripted(copy=after("copy", flush)))
    assert ("subnormal", BOTH) in aspects(finding)
    assert finding.max_ulp == 0, "flushed numbers would be all that it says"


def test_cancelling_terms_are_judged_by_their_size():
    x = np.array([1e16, 1.0, -1e16])
    exact = Scripted(sum=lambda *_, **__: np.float64(1.0))
    call = [Call("cancelling", (x,))]
    assert found(PROBE["sum"], exact, call).verdict == "pass"
    wrong = Scripted(sum=lambda *_, **__: np.float64(1000.0))
    assert found(PROBE["sum"], wrong, call).verdict == "fail"


ROW = Difference(
    name="known",
    methods=("copy", "sin"),
    dtypes=("float64",),
    inputs=("ord*",),
    aspects=("value",),
    limit_ulp=8,
    reason="It was written down.",
    source="here",
)


@pytest.mark.parametrize(
    ("ulp", "inputs", "dtype", "verdict"),
    [
        (8, "ordinary", "float64", "known"),
        (9, "ordinary", "float64", "fail"),
        (8, "ties", "float64", "fail"),
        (8, "ordinary", "float32", "fail"),
    ],
)
def test_a_row_excuses_what_it_names_and_no_more(ulp, inputs, dtype, verdict):
    values = np.full(3, 1.25, dtype)
    off = Scripted(copy=after("copy", lambda y: shifted(y, ulp)))
    finding = found(PROBE["copy"], off, [Call(inputs, (values,))], dtype, [ROW])
    assert finding.verdict == verdict
    assert [d.difference for d in finding.discrepancies] == [
        "known" if verdict == "known" else None
    ]


def test_a_row_that_nobody_shows_is_stale_for_the_methods_examined():
    probes = {"any": [PROBE["copy"]]}
    result = examine(NUMPY, Scripted(), probes=probes, differences=[ROW])
    assert [(row.difference, row.method) for row in result.stale] == [("known", "copy")]
    assert not result.failures
    assert result.backends == ("numpy", "scripted")


def test_nothing_compared_is_no_pass():
    probe = Probe("sin", ("float64",), lambda _: [Call("empty", (X[:0],))])
    assert found(probe, Scripted()).verdict == "skip"


def test_a_selection_examines_what_it_names():
    result = examine(NUMPY, Scripted(), ["sin", "mod"])
    assert {f.method for f in result.findings} == {"sin", "mod"}
    assert {f.category for f in result.findings} == {"trigonometry", "rounding"}


def change(value):
    """Return a tree like the answer, with another value in every element."""
    if isinstance(value, (list, tuple)):
        return tuple(map(change, value))
    if isinstance(value, dict):
        return {key: change(item) for key, item in value.items()}
    if value is None:
        return None
    array = np.asarray(value)
    return ~array if array.dtype == bool else (array * 3 + 2).astype(array.dtype)


def retype(value):
    if isinstance(value, (list, tuple)):
        return tuple(map(retype, value))
    if isinstance(value, dict):
        return {key: retype(item) for key, item in value.items()}
    return None if value is None else np.asarray(value).astype(np.int16)


def refuse(_):
    msg = "out of order"
    raise OSError(msg)


VALUED = sorted(set(PROBE) - {"grad", "value_and_grad", "devices", "jit", "vmap"})
DEFECTS = {"value": change, "dtype": retype, "refusal": refuse}


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("method", VALUED)
def test_no_method_can_be_wrong_unnoticed(method, defect):
    probe = PROBE[method]
    dtype = "float64" if "float64" in probe.dtypes else probe.dtypes[-1]
    broken = Scripted(**{method: after(method, DEFECTS[defect])})
    if method in {"to_numpy", "from_numpy"}:  # the examination itself converts
        broken = Scripted(**{method: lambda x: DEFECTS[defect](np.array(x))})
    assert found(probe, broken, dtype=dtype).verdict == "fail"


@pytest.mark.parametrize("method", ["jit", "vmap"])
def test_no_transformation_can_be_wrong_unnoticed(method):
    def wrong(func, *args, **options):
        inner = getattr(NUMPY, method)(func, *args, **options)
        return lambda *a, **k: change(inner(*a, **k))

    assert found(PROBE[method], Scripted(**{method: wrong})).verdict == "fail"
    missing = Scripted(**{method: MISSING})
    assert found(PROBE[method], missing).verdict == "fail"


@pytest.mark.parametrize("method", ["grad", "value_and_grad"])
@pytest.mark.parametrize("factor", [1.0, 1.000001])
def test_a_gradient_is_judged_by_the_truth(method, factor):
    from xpcs_bench.conformance import DIFFERENCES

    def numeric(func):
        h = 1e-30  # a complex step has no cancellation

        def derivative(x):
            steps = np.eye(x.size).reshape(x.size, *x.shape) * 1j * h
            parts = [np.imag(func(x + step)) / h for step in steps]
            return factor * np.array(parts).reshape(x.shape)

        if method == "grad":
            return derivative
        return lambda x: (func(x), derivative(x))

    finding = found(
        PROBE[method], Scripted(**{method: numeric}), differences=DIFFERENCES
    )
    assert finding.verdict == ("known" if factor == 1 else "fail"), finding.reason
