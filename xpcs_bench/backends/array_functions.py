"""The functions on arrays that every backend has: signatures and semantics.

**Semantics that hold for every backend**, unless a method says otherwise:

* An array argument is an array of the backend or a Python scalar; it is positional.
  Lists go through :meth:`~BackendProtocol.array`.
* Arrays are values: no method writes to its arguments, and no result shares memory
  that the caller can write to through another array. A NumPy array given to a backend
  of another library is read before the call returns (:mod:`~.arguments` for JAX).
* Indices, labels and counts are ``int64``. New arrays are ``float64``, or ``int64``
  where all values given are whole numbers.
* Nothing a method returns depends on data in its *shape*, except where there is a
  ``size`` or a ``length`` to fix it; inside ``jit`` these must be given.

**What cannot be the same**, so that no kernel may rely on it:

* Subnormal numbers, also on the way to a result (``arcsin`` below 4e-308): XLA on a
  CPU reads and writes them as zero.
* Integers given to floating-point methods, and mixed widths in one expression: NumPy
  widens ``int32`` with ``float32`` to ``float64``, JAX to ``float32``.
* Integer overflow of an assignment, integer division by zero, conversion of NaN or of
  out-of-range values to integers.
* Indices out of range: NumPy raises, JAX clamps or fills. Promise indices in range.
* Exceptional values: NumPy may issue a ``RuntimeWarning`` besides returning them.
* A reduction to 0-d: NumPy returns a NumPy scalar, JAX a 0-d array.
* The last bits of transcendental functions, ``linspace`` and ``logspace``: make edges
  once and give the same ones to both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Array", "ArrayFunctions", "Axis", "Shape"]

Array = Any
"""An array of the backend (or a Python scalar where one is allowed)."""
Shape = int | Sequence[int]
Axis = int | tuple[int, ...] | None


class ArrayFunctions(Protocol):
    """What can be computed with arrays."""

    # -- creation -----------------------------------------------------------------
    def array(self, data: Any, dtype: Any = None) -> Array:
        """Make an array from nested lists, scalars or an array; always a copy."""

    def zeros(self, shape: Shape, dtype: Any = None) -> Array:
        """Make an array of zeros."""

    def ones(self, shape: Shape, dtype: Any = None) -> Array:
        """Make an array of ones."""

    def full(self, shape: Shape, fill_value: Any, dtype: Any = None) -> Array:
        """Make an array of one value; its dtype is the value's unless given."""

    def zeros_like(self, x: Array, /, dtype: Any = None) -> Array:
        """Make zeros of the shape and dtype of ``x``."""

    def ones_like(self, x: Array, /, dtype: Any = None) -> Array:
        """Make ones of the shape and dtype of ``x``."""

    def arange(
        self,
        start: float,
        /,
        stop: float | None = None,
        step: float = 1,
        dtype: Any = None,
    ) -> Array:
        """Count from ``start`` to before ``stop``; with one argument, from 0 to it."""

    def linspace(
        self,
        start: Any,
        stop: Any,
        /,
        num: int = 50,
        *,
        endpoint: bool = True,
        dtype: Any = None,
    ) -> Array:
        """Space ``num`` points evenly; both ends are exact."""

    def logspace(
        self,
        start: Any,
        stop: Any,
        /,
        num: int = 50,
        *,
        endpoint: bool = True,
        dtype: Any = None,
    ) -> Array:
        """Space ``num`` points evenly on a logarithmic scale, from 10**start on."""

    def meshgrid(self, *xi: Array, indexing: str = "xy") -> Sequence[Array]:
        """Coordinates of a grid; ``ij`` keeps the order of the axes, ``xy`` swaps."""

    # -- trigonometry -------------------------------------------------------------
    def sin(self, x: Array, /) -> Array:
        """Sine of radians."""

    def cos(self, x: Array, /) -> Array:
        """Cosine of radians."""

    def tan(self, x: Array, /) -> Array:
        """Tangent of radians."""

    def arcsin(self, x: Array, /) -> Array:
        """Inverse sine, in [-pi/2, pi/2]; NaN beyond [-1, 1]."""

    def arccos(self, x: Array, /) -> Array:
        """Inverse cosine, in [0, pi]; NaN beyond [-1, 1]."""

    def arctan(self, x: Array, /) -> Array:
        """Inverse tangent, in [-pi/2, pi/2]."""

    def arctan2(self, y: Array, x: Array, /) -> Array:
        """Angle of the point (x, y), in [-pi, pi]; the sign of zeros counts."""

    def tanh(self, x: Array, /) -> Array:
        """Hyperbolic tangent."""

    def hypot(self, x: Array, y: Array, /) -> Array:
        """Length of (x, y), without overflow on the way."""

    def deg2rad(self, x: Array, /) -> Array:
        """Degrees to radians."""

    def rad2deg(self, x: Array, /) -> Array:
        """Radians to degrees."""

    # -- rounding -----------------------------------------------------------------
    def floor(self, x: Array, /) -> Array:
        """Largest whole number not above ``x``."""

    def ceil(self, x: Array, /) -> Array:
        """Smallest whole number not below ``x``."""

    def round(self, x: Array, /, decimals: int = 0) -> Array:
        """Round to ``decimals`` places, ties to even; the dtype stays."""

    def mod(self, x: Array, y: Array, /) -> Array:
        """Remainder with the sign of ``y``, a zero's sign included."""

    # -- mathematics --------------------------------------------------------------
    def exp(self, x: Array, /) -> Array:
        """Exponential."""

    def expm1(self, x: Array, /) -> Array:
        """``exp(x) - 1`` without cancellation near 0."""

    def log(self, x: Array, /) -> Array:
        """Natural logarithm; -inf at 0, NaN below."""

    def log1p(self, x: Array, /) -> Array:
        """``log(1 + x)`` without cancellation near 0."""

    def log10(self, x: Array, /) -> Array:
        """Decimal logarithm; -inf at 0, NaN below."""

    def sqrt(self, x: Array, /) -> Array:
        """Square root, correctly rounded; NaN below 0."""

    def square(self, x: Array, /) -> Array:
        """``x * x``."""

    def abs(self, x: Array, /) -> Array:
        """Absolute value."""

    def sign(self, x: Array, /) -> Array:
        """-1, 0 or 1; NaN for NaN; the sign of a zero is not kept by all."""

    def power(self, x: Array, y: Array, /) -> Array:
        """``x ** y``; integers to negative integers are refused.

        ValueError where the exponents are known: not for traced ones.
        """

    def maximum(self, x: Array, y: Array, /) -> Array:
        """Elementwise larger; NaN where either is NaN."""

    def minimum(self, x: Array, y: Array, /) -> Array:
        """Elementwise smaller; NaN where either is NaN."""

    def matmul(self, x: Array, y: Array, /) -> Array:
        """Matrix product over the last two axes, in the full precision of the dtype."""

    def dot(self, x: Array, y: Array, /) -> Array:
        """Inner product over the last axis of ``x`` and the second last of ``y``."""

    def cumsum(self, x: Array, /, axis: int | None = None) -> Array:
        """Cumulative sum; of the flattened array when ``axis`` is None."""

    # -- statistics ---------------------------------------------------------------
    def sum(self, x: Array, /, axis: Axis = None) -> Array:
        """Sum; 0 when empty."""

    def prod(self, x: Array, /, axis: Axis = None) -> Array:
        """Product; 1 when empty."""

    def mean(self, x: Array, /, axis: Axis = None) -> Array:
        """Arithmetic mean."""

    def var(self, x: Array, /, axis: Axis = None) -> Array:
        """Variance, divided by n."""

    def std(self, x: Array, /, axis: Axis = None) -> Array:
        """Standard deviation, divided by n."""

    def min(self, x: Array, /, axis: Axis = None) -> Array:
        """Smallest; NaN if any is NaN; ValueError when empty."""

    def max(self, x: Array, /, axis: Axis = None) -> Array:
        """Largest; NaN if any is NaN; ValueError when empty."""

    def argmin(self, x: Array, /, axis: int | None = None) -> Array:
        """Index of the smallest, the first of equals; of the first NaN if any."""

    def argmax(self, x: Array, /, axis: int | None = None) -> Array:
        """Index of the largest, the first of equals; of the first NaN if any."""

    def nanmean(self, x: Array, /, axis: Axis = None) -> Array:
        """Mean of what is not NaN; NaN where nothing is left."""

    def nanmin(self, x: Array, /, axis: Axis = None) -> Array:
        """Smallest of what is not NaN; NaN where nothing is left."""

    def nanmax(self, x: Array, /, axis: Axis = None) -> Array:
        """Largest of what is not NaN; NaN where nothing is left."""

    def median(self, x: Array, /, axis: Axis = None) -> Array:
        """Middle value, or the mean of the middle two; NaN if any is NaN."""

    def percentile(self, x: Array, q: Any, /, axis: Axis = None) -> Array:
        """Percentiles, linear between neighbours; NaN if any is NaN.

        ``q`` is a number, a list or an array within [0, 100], else ValueError (where
        its values are known: not for a traced ``q``). The axes of ``q`` come first.
        Between neighbours of which one is infinite the libraries differ.
        """

    # -- binning ------------------------------------------------------------------
    def digitize(self, x: Array, bins: Array, /, *, right: bool = False) -> Array:
        """Index of the bin of each value, as int64.

        Rising edges: i such that ``bins[i-1] <= x < bins[i]``, with ``right`` i such
        that ``bins[i-1] < x <= bins[i]``. Falling edges: ``bins[i-1] > x >= bins[i]``,
        with ``right`` ``bins[i-1] >= x > bins[i]``. 0 is before the first edge,
        ``len(bins)`` behind the last; NaN counts as larger than any edge. Edges that
        neither rise nor fall are a ValueError where their values are known (a tracing
        backend cannot look at traced edges).
        """

    def searchsorted(
        self, sorted_array: Array, values: Array, /, side: str = "left"
    ) -> Array:
        """Insertion points that keep the order, as int64; ``side`` decides on ties."""

    def bincount(
        self,
        x: Array,
        /,
        weights: Array | None = None,
        minlength: int = 0,
        *,
        length: int | None = None,
    ) -> Array:
        """Count whole numbers, or add up their weights.

        Without ``length``: as many bins as the largest value needs and at least
        ``minlength``; a negative value is a ValueError; not inside ``jit``. With
        ``length``: exactly so many bins, values outside of them are dropped, and
        ``minlength`` must not be larger. Counts are int64, sums of weights float64.
        """

    def unique(
        self,
        x: Array,
        /,
        *,
        return_inverse: bool = False,
        size: int | None = None,
        fill_value: Any = None,
    ) -> Any:
        """Sorted distinct values of the flattened array; all NaN count as one.

        With ``size``, which ``jit`` needs: the first ``size`` of them, padded with
        ``fill_value`` (None: the smallest value). The inverse, int64 of the shape of
        ``x``, counts in the distinct values before they are cut off.
        """

    def sort(self, x: Array, /, axis: int = -1) -> Array:
        """Sorted copy; NaN last."""

    def argsort(self, x: Array, /, axis: int = -1) -> Array:
        """Indices that sort, as int64; equals keep their order; NaN last."""

    # -- boolean and masking ------------------------------------------------------
    def logical_and(self, x: Array, y: Array, /) -> Array:
        """Elementwise and; what is not zero is true."""

    def logical_or(self, x: Array, y: Array, /) -> Array:
        """Elementwise or."""

    def logical_not(self, x: Array, /) -> Array:
        """Elementwise not."""

    def where(self, condition: Array, x: Array, y: Array, /) -> Array:
        """``x`` where the condition holds, else ``y``."""

    def nonzero(
        self, x: Array, /, size: int | None = None, fill_value: int = -1
    ) -> tuple[Array, ...]:
        """Indices of what is not zero, one int64 array per axis, in C order.

        With ``size``, which ``jit`` needs: the first ``size`` of them, padded with
        ``fill_value`` (the default names no element of a mask that is counted from
        0; gathering with it is a mistake). ValueError for a 0-d array.
        """

    def isnan(self, x: Array, /) -> Array:
        """Whether it is NaN."""

    def isfinite(self, x: Array, /) -> Array:
        """Whether it is neither NaN nor infinite."""

    def isclose(
        self,
        x: Array,
        y: Array,
        /,
        rtol: float = 1e-5,
        atol: float = 1e-8,
        *,
        equal_nan: bool = False,
    ) -> Array:
        """Whether ``|x - y| <= atol + rtol * |y|``, elementwise."""

    def any(self, x: Array, /, axis: Axis = None) -> Array:
        """Whether any is true; False when empty."""

    def all(self, x: Array, /, axis: Axis = None) -> Array:
        """Whether all are true; True when empty."""

    # -- manipulation -------------------------------------------------------------
    def clip(self, x: Array, a_min: Any, a_max: Any, /) -> Array:
        """Limit to [a_min, a_max]; None leaves a side open; NaN stays."""

    def take(self, x: Array, indices: Array, /, axis: int | None = None) -> Array:
        """Gather; of the flattened array when ``axis`` is None; indices in range."""

    def stack(self, arrays: Sequence[Array], /, axis: int = 0) -> Array:
        """Join along a new axis."""

    def concatenate(self, arrays: Sequence[Array], /, axis: int = 0) -> Array:
        """Join along an axis that exists."""

    def copy(self, x: Array, /) -> Array:
        """Copy of its own memory."""

    def reshape(self, x: Array, /, shape: Shape) -> Array:
        """Same elements in C order, new shape; one length may be -1."""

    def broadcast_to(self, x: Array, /, shape: Shape) -> Array:
        """Repeat along axes of length 1 and along new leading axes."""

    def expand_dims(self, x: Array, /, axis: int | tuple[int, ...]) -> Array:
        """Add axes of length 1."""

    def squeeze(self, x: Array, /, axis: Axis = None) -> Array:
        """Drop axes of length 1."""

    def transpose(self, x: Array, /, axes: Sequence[int] | None = None) -> Array:
        """Permute axes; None reverses them."""

    def flatten(self, x: Array, /) -> Array:
        """One axis, in C order."""
