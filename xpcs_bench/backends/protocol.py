"""What an array library must offer to run a kernel: names, signatures, semantics.

Importing this module imports no array library but NumPy. A class satisfies the
protocol by having its members (``isinstance``);
:func:`~xpcs_bench.backends.check_backend` also reads the signatures and says what is
wrong. The functions on arrays, and what holds for all of them, are in
:mod:`~xpcs_bench.backends.array_functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from xpcs_bench.backends.array_functions import Array, ArrayFunctions
from xpcs_bench.records import Device

__all__ = ["BackendProtocol", "Tree", "protocol_members"]

Tree = Any
"""Arrays nested in tuples, lists, dictionaries; ``None`` is the empty tree."""


@runtime_checkable
class BackendProtocol(ArrayFunctions, Protocol):
    """An array library as kernels see it."""

    # -- what it is ---------------------------------------------------------------
    @property
    def name(self) -> str:
        """The name in the registry."""

    @property
    def pi(self) -> float:
        """Half a turn in radians, in double precision."""

    @property
    def supports_gpu(self) -> bool:
        """Whether a GPU is usable here and now."""

    @property
    def supports_jit(self) -> bool:
        """Whether :meth:`jit` compiles; else it returns its argument."""

    @property
    def supports_grad(self) -> bool:
        """Whether :meth:`grad` and :meth:`value_and_grad` work; else they raise."""

    # -- conversion ---------------------------------------------------------------
    def astype(self, x: Array, dtype: Any, /) -> Array:
        """Convert the elements; floats to integers by dropping the fraction."""

    def to_numpy(self, x: Array, /) -> NDArray[Any]:
        """View as a NumPy array where the memory is the host's, else copy.

        The view may be read-only: see :func:`~xpcs_bench.backends.ensure_numpy`.
        """

    def from_numpy(self, x: NDArray[Any], /) -> Array:
        """Copy a NumPy array: writing to it afterwards changes nothing here."""

    # -- transformations ----------------------------------------------------------
    def jit(
        self,
        func: Callable[..., Any],
        /,
        static_argnums: int | Sequence[int] | None = None,
        static_argnames: str | Sequence[str] | None = None,
    ) -> Callable[..., Any]:
        """Compile ``func``, which must be pure; without a compiler, return it.

        Static arguments are hashable Python values that may decide control flow.
        A NumPy array among the arguments is copied first: a compiler's program reads
        it when its owner may already be writing to it, or keeps it as a result.
        """

    def grad(
        self, func: Callable[..., Any], /, argnums: int | Sequence[int] = 0
    ) -> Callable[..., Any]:
        """Gradient of a scalar function; NotImplementedError without support."""

    def value_and_grad(
        self, func: Callable[..., Any], /, argnums: int | Sequence[int] = 0
    ) -> Callable[..., tuple[Any, Any]]:
        """Value and gradient in one pass; NotImplementedError without support."""

    def vmap(
        self, func: Callable[..., Any], /, in_axes: Any = 0, out_axes: Any = 0
    ) -> Callable[..., Any]:
        """Map ``func`` over an axis of its arguments.

        ``in_axes`` is an axis, None (not mapped), or a tuple of these or of trees
        that are prefixes of the arguments; keywords map over axis 0. All mapped axes
        have one length, at least one argument is mapped, else ValueError.
        ``out_axes`` is a prefix of the result; None promises that an output does not
        depend on the mapped arguments. An empty batch gives empty outputs of the
        right shapes: ``func`` must then stand being called on zeros.
        """

    def scan(
        self,
        func: Callable[[Any, Any], tuple[Any, Any]],
        init: Tree,
        xs: Tree = None,
        length: int | None = None,
    ) -> tuple[Tree, Tree]:
        """Loop with a carry: ``carry, y = func(carry, x)``; return it and stacked y.

        ``xs`` is a tree of arrays of one leading length, or None with ``length``
        given. Lengths that differ, or none at all, are a ValueError; a carry that
        changes structure, shape or dtype is a TypeError (a Python scalar takes the
        dtype of what it becomes). A y of None stays None. With no steps the carry is
        ``init`` and the outputs are empty: ``func`` must stand being called on zeros.
        """

    def fori_loop(
        self,
        lower: int,
        upper: int,
        body_fun: Callable[[Any, Any], Any],
        init_val: Tree,
    ) -> Tree:
        """``val = body_fun(i, val)`` for i from lower to before upper.

        Without a trip the result is ``init_val``. The value must keep structure,
        shapes and dtypes, as the carry of :meth:`scan`.
        """

    def while_loop(
        self,
        cond_fun: Callable[[Any], Any],
        body_fun: Callable[[Any], Any],
        init_val: Tree,
    ) -> Tree:
        """``val = body_fun(val)`` while ``cond_fun(val)``."""

    def cond(
        self,
        pred: Any,
        true_fun: Callable[..., Any],
        false_fun: Callable[..., Any],
        /,
        *operands: Tree,
    ) -> Tree:
        """``true_fun(*operands)`` if the scalar ``pred`` holds, else ``false_fun``.

        Both must return the same structure, shapes and dtypes; a backend that runs
        only one of them cannot check it. TypeError if ``pred`` is not a scalar.
        """

    # -- placement and readiness --------------------------------------------------
    def devices(self) -> tuple[Device, ...]:
        """Where this backend can place arrays, the default first."""

    def device_put(self, tree: Tree, /, device: str | None = None) -> Tree:
        """Place arrays on a platform (``cpu``, ``gpu``; None: the default).

        Host arrays are copied, aligned to 64 bytes: writing to them afterwards
        changes nothing here. A platform that is not there is a ConfigError that
        lists what is.
        """

    def block_until_ready(self, tree: Tree, /) -> Tree:
        """Wait until every array in the tree is computed; return the tree.

        A backend that computes asynchronously raises TypeError when the tree holds
        no array of its own: waiting for nothing would look like a fast answer.
        """

    def tree_leaves(self, tree: Tree, /) -> list[Any]:
        """Arrays and scalars of a tree, in order; dictionaries by sorted key."""


def protocol_members() -> dict[str, Any]:
    """Return the methods and properties of the protocol by name, in order."""
    return {
        name: member
        for part in (BackendProtocol, ArrayFunctions)
        for name, member in vars(part).items()
        if not name.startswith("_")
    }
