"""The differences between NumPy and JAX that are known, each with its reason.

Whatever an examination sees and no row explains is a failure. A row that a method no
longer shows is reported as stale: other versions and processors may still show it.
"""

from __future__ import annotations

from xpcs_bench.conformance.findings import Difference
from xpcs_bench.conformance.hard_inputs import ALL, FLOATS, INTEGERS, REALS

__all__ = ["DIFFERENCES"]

_PROTOCOL = "xpcs_bench.backends.array_functions, what cannot be the same"
_MEASURED = "measured by this suite"
_NARROW = ("bool", "int8", "int16", "int32", "uint8")
_FLUSHED = "jax-ml/jax#16200 (flushing is intended); measured by this suite"
_BEYOND = ("huge", "wide")

DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        name="flushed-result",
        methods=(
            "exp",
            "arctan2",
            "arcsin",
            "deg2rad",
            "square",
            "astype",
            "mean",
            "nanmean",
            "percentile",
            "median",
            "sum",
            "cumsum",
            "hypot",
            "log1p",
            "maximum",
            "minimum",
            "min",
            "max",
            "nanmin",
            "nanmax",
            "tanh",
            "std",
            "rad2deg",
            "tan",
            "arctan",
            "power",
        ),
        dtypes=ALL,
        inputs=(),
        aspects=("subnormal",),
        reason=(
            "XLA on a CPU sets subnormal results to zero. In half precision, which "
            "NumPy uses for 8-bit integers, both may: the types differ too."
        ),
        source=_FLUSHED,
    ),
    Difference(
        name="flushed-input",
        methods=(
            "arctan2",
            "rad2deg",
            "floor",
            "ceil",
            "mod",
            "log",
            "log10",
            "sqrt",
            "sign",
            "hypot",
            "argmin",
            "argmax",
            "digitize",
            "searchsorted",
            "unique",
            "sort",
            "argsort",
            "logical_and",
            "logical_or",
            "logical_not",
            "nonzero",
            "any",
            "all",
            "sum",
            "cumsum",
        ),
        dtypes=FLOATS,
        inputs=("denormal",),
        aspects=("value", "pattern", "structure", "zero sign"),
        reason=(
            "XLA on a CPU reads subnormal numbers as zero: they are false, equal to "
            "each other and to zero, and have the logarithm of zero."
        ),
        source=_FLUSHED,
    ),
    Difference(
        name="flushed-on-the-way",
        methods=("arcsin", "percentile", "matmul", "dot"),
        dtypes=FLOATS,
        inputs=("tiny", "denormal"),
        aspects=("value", "zero sign"),
        reason=(
            "A normal result whose intermediate values are subnormal is lost as well, "
            "and with it the sign of a product that underflows."
        ),
        source=_PROTOCOL,
    ),
    Difference(
        name="flushed-conversion",
        methods=("astype",),
        dtypes=FLOATS,
        inputs=("denormal to bool", "denormal to float64"),
        aspects=("value",),
        reason="XLA on a CPU reads subnormal numbers as zero, in a conversion too.",
        source=_FLUSHED,
    ),
    Difference(
        name="integers-become-floats",
        methods=(
            "sin",
            "cos",
            "tan",
            "arcsin",
            "arccos",
            "arctan",
            "arctan2",
            "tanh",
            "hypot",
            "deg2rad",
            "rad2deg",
            "exp",
            "expm1",
            "log",
            "log1p",
            "log10",
            "sqrt",
            "mean",
            "var",
            "std",
            "nanmean",
            "median",
            "percentile",
        ),
        dtypes=_NARROW,
        inputs=(),
        aspects=("dtype",),
        reason=(
            "Integers in floating-point methods: NumPy takes the narrowest float that "
            "holds the type (half precision for 8 bits), or float64 in statistics; JAX "
            "takes float32. Convert integers before."
        ),
        source=_PROTOCOL,
    ),
    Difference(
        name="angle-of-a-large-integer",
        methods=("sin", "cos", "tan"),
        dtypes=("int32", "int64"),
        inputs=("extreme",),
        aspects=("value",),
        reason=(
            "An integer that the float type cannot hold is rounded first, by more than "
            "a turn: 2**31 - 1 in JAX's float32, 2**63 - 1 in both."
        ),
        source=_MEASURED,
    ),
    Difference(
        name="overflow-on-the-way",
        methods=(
            "sum",
            "mean",
            "nanmean",
            "var",
            "std",
            "prod",
            "cumsum",
            "matmul",
            "dot",
            "median",
        ),
        dtypes=FLOATS,
        inputs=_BEYOND,
        aspects=("pattern", "value", "subnormal"),
        reason=(
            "Sums, squares and products of numbers near the end of the range overflow "
            "before they cancel, and the order of the terms is each library's own."
        ),
        source=_MEASURED,
    ),
    Difference(
        name="squares-underflow",
        methods=("std",),
        dtypes=FLOATS,
        inputs=("tiny", "denormal"),
        aspects=("value",),
        reason=(
            "The squares of deviations below the root of the smallest number are zero "
            "in both libraries; the true deviation is not."
        ),
        source=_MEASURED,
    ),
    Difference(
        name="tanh-near-one",
        methods=("tanh",),
        dtypes=("float64", "int64"),
        inputs=(),
        aspects=("value",),
        limit_ulp=9,
        reason="XLA's rational approximation of tanh is 7 ULP off in float64.",
        source=_MEASURED,
    ),
    Difference(
        name="expm1-in-single-precision",
        methods=("expm1",),
        dtypes=("float32",),
        inputs=(),
        aspects=("value",),
        limit_ulp=9,
        reason=(
            "XLA's expm1 is up to 5 ULP off in float32 and NumPy's 2; among three "
            "million random arguments in [-1, 1] they lie at most 7 apart."
        ),
        source=_MEASURED,
    ),
    Difference(
        name="log1p-cancellation",
        methods=("log1p",),
        dtypes=("float64",),
        inputs=(),
        aspects=("value",),
        limit_ulp=140,
        reason=(
            "XLA changes its formula at |x| = 1 - sqrt(1/2) and at sqrt(2) - 1; below "
            "sqrt(2) - 1 two terms cancel, and seven bits are lost."
        ),
        source=_MEASURED,
    ),
    Difference(
        name="logspace-rounds-twice",
        methods=("logspace",),
        dtypes=FLOATS,
        inputs=(),
        aspects=("value",),
        limit_ulp=24,
        reason=(
            "The power magnifies half an ULP of the exponent by exponent * ln 10. Make "
            "edges once and give the same ones to both."
        ),
        source=_PROTOCOL,
    ),
    Difference(
        name="rounded-factors",
        methods=("prod",),
        dtypes=FLOATS,
        inputs=(),
        aspects=("value",),
        limit_ulp=32,
        reason="Each of 64 factors adds up to half an ULP, in an order of its own.",
        source=_MEASURED,
    ),
    Difference(
        name="sign-of-zero",
        methods=(
            "sign",
            "maximum",
            "minimum",
            "min",
            "max",
            "nanmin",
            "nanmax",
            "median",
            "percentile",
            "sort",
            "cumsum",
        ),
        dtypes=FLOATS,
        inputs=("signed zero", "special pairs"),
        aspects=("zero sign",),
        reason=(
            "Zeros of both signs are equal: which one is the larger, comes first, or "
            "is the sign of a zero, is each library's own choice."
        ),
        source=_PROTOCOL,
    ),
    Difference(
        name="conversion-out-of-range",
        methods=("astype",),
        dtypes=FLOATS,
        inputs=tuple(
            f"{name} to {target}"
            for name in ("ordinary", "positive", "wide", "huge", "not finite", "ties")
            for target in INTEGERS
        ),
        aspects=("value",),
        reason=(
            "NaN, infinities and numbers beyond the range of an integer type: NumPy "
            "takes what the processor makes of them, JAX the nearest end and 0 for NaN."
        ),
        source=_PROTOCOL,
    ),
    Difference(
        name="median-of-nothing",
        methods=("median",),
        dtypes=REALS,
        inputs=("empty",),
        aspects=("raises",),
        reason="NumPy answers NaN; jax.numpy looks for a middle element and raises.",
        source=_MEASURED,
    ),
    Difference(
        name="type-of-refusal",
        methods=("reshape",),
        dtypes=ALL,
        inputs=("impossible",),
        aspects=("raises",),
        reason="A shape that does not fit: a ValueError in NumPy, a TypeError in JAX.",
        source=_MEASURED,
    ),
    Difference(
        name="no-gradients",
        methods=("grad", "value_and_grad"),
        dtypes=FLOATS,
        inputs=(),
        aspects=("raises",),
        reason=(
            "NumPy has no automatic differentiation: the method says so by "
            "NotImplementedError, and supports_grad is false."
        ),
        source="xpcs_bench.backends.protocol",
    ),
)
"""In order: the first row that explains a discrepancy is the one that is named."""
