"""Between the arrays a caller holds and the memory of the host, without surprises.

``ensure_numpy`` turns anything into a NumPy array that outside libraries understand:
a view where a view is safe, a copy where the caller wants to write, and a sentence
where neither can be right. ``private_copy`` goes the other way: it takes a NumPy
array out of its owner's hands before a library reads it, perhaps later.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ensure_numpy",
    "private_copy",
    "to_host_copy",
    "to_host_view",
    "widened",
]

ALIGNMENT = 64
"""Bytes; what XLA wants of memory that it shares instead of copying."""


def ensure_numpy(array: Any, *, writable: bool = False) -> NDArray[Any]:
    """Return a NumPy array with the values of ``array``, without copying if possible.

    A NumPy array comes back as it is. An array of JAX on the CPU becomes a view of
    its memory in under a microsecond; the view is read-only and keeps the memory
    alive. An array elsewhere, or spread over devices, is fetched once it is computed.

    Parameters
    ----------
    array
        NumPy or JAX array, number, nested lists of these, or an object that converts
        itself (pandas, xarray).
    writable
        Whether the caller will write to the result. Whatever is read-only, and
        whatever belongs to JAX, is then copied.

    Raises
    ------
    TypeError
        For what has no values to give (a traced array, None), or would lose some on
        the way (a masked array, a random key, objects).
    ValueError
        For an array that was deleted or donated, or lies partly on another host.
    """
    if type(array) is np.ndarray and array.dtype != object:
        host = array
    elif _is_jax_array(array):
        host = _from_jax(array)
    else:
        host = _from_other(array)
    return np.array(host) if writable and not host.flags.writeable else host


def to_host_view(array: Any) -> NDArray[Any]:
    """Return the memory of ``array`` itself, read-only for whoever gets the view.

    Raises
    ------
    ValueError
        If the values are not in this host's memory in one piece.
    """
    host = ensure_numpy(array)
    if _is_jax_array(array):
        _require_one_host_buffer(array)
    elif not isinstance(array, np.ndarray):
        msg = (
            f"{type(array).__name__} is no array whose memory could be viewed. "
            "Use to_host_copy() for values of any kind."
        )
        raise ValueError(msg)
    view = host.view()
    view.flags.writeable = False
    return view


def to_host_copy(array: Any) -> NDArray[Any]:
    """Return the values in new memory that belongs to the caller alone."""
    return np.array(ensure_numpy(array))


def private_copy(array: Any, dtype: Any = None) -> NDArray[Any]:
    """Copy numbers to new memory, C-contiguous, native byte order, 64-byte aligned.

    JAX shares aligned memory instead of copying it, and reads other memory after the
    call has returned. Neither can do harm when nobody else holds the memory.

    Raises
    ------
    TypeError
        If the elements are not numbers or booleans.
    """
    host = ensure_numpy(array)
    target = np.dtype(host.dtype if dtype is None else dtype).newbyteorder("=")
    if not _is_numeric(target) or not _is_numeric(host.dtype):
        msg = (
            f"An array of {host.dtype} cannot be computed with. Allowed: booleans, "
            "integers, floats and complex numbers of up to 64 bits per part. Convert "
            "it with astype() first."
        )
        raise TypeError(msg)
    size = host.size * target.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    copy = memory[start : start + size].view(target).reshape(host.shape)
    np.copyto(copy, host, casting="unsafe")
    return copy


def widened(host: NDArray[Any]) -> NDArray[Any]:
    """Return numbers of a type that every library knows; a copy only if they change.

    Raises
    ------
    TypeError
        If the elements are no numbers at all.
    """
    if host.dtype.kind in "biufc":
        return host
    if not _is_numeric(host.dtype):
        msg = (
            f"An array of {host.dtype} holds no numbers. Allowed: booleans, integers, "
            "floats, complex numbers. Convert it with astype() first."
        )
        raise TypeError(msg)
    if host.dtype.name.startswith(("int", "uint")):
        return host.astype(np.int8 if host.dtype.name.startswith("int") else np.uint8)
    return host.astype(np.float32)


def _is_numeric(dtype: np.dtype[Any]) -> bool:
    if dtype.kind in "biufc":
        return dtype.itemsize <= (16 if dtype.kind == "c" else 8)
    # bfloat16 and its kin: registered with NumPy by ml_dtypes, of no kind of NumPy's
    return dtype.type.__module__ == "ml_dtypes"


def _is_jax_array(array: Any) -> bool:
    jax = sys.modules.get("jax")  # who never imported jax cannot hold its arrays
    return jax is not None and isinstance(array, jax.Array)


def _from_jax(array: Any) -> NDArray[Any]:
    jax = sys.modules["jax"]
    if isinstance(array, jax.core.Tracer):
        msg = (
            f"{array} is being traced and has no values yet. Convert outside of the "
            "function that is given to jit, grad or vmap."
        )
        raise TypeError(msg)
    if array.is_deleted():
        msg = (
            f"The array {array.dtype}{list(array.shape)} was deleted or donated and "
            "has no values any more. Convert before it is given away, or keep a copy."
        )
        raise ValueError(msg)
    if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key):
        msg = (
            f"A random key ({array.dtype}) is not a number. Convert the result of "
            "jax.random.key_data(key)."
        )
        raise TypeError(msg)
    if not array.is_fully_addressable and not array.is_fully_replicated:
        msg = (
            f"The array {array.dtype}{list(array.shape)} lies partly on another host. "
            "Gather it before converting."
        )
        raise ValueError(msg)
    return np.asarray(array)


def _require_one_host_buffer(array: Any) -> None:
    platforms = sorted({device.platform for device in array.devices()})
    if platforms != ["cpu"] or len(array.devices()) != 1:
        msg = (
            f"The array lies on {len(array.devices())} device(s) of {platforms}, not "
            "in one piece of this host's memory. Use ensure_numpy() to fetch it."
        )
        raise ValueError(msg)


def _from_other(array: Any) -> NDArray[Any]:
    if isinstance(array, np.ma.MaskedArray):
        msg = (
            "A masked array would lose its mask. Convert array.filled(value), or "
            "array.compressed() for the valid elements alone."
        )
        raise TypeError(msg)
    if isinstance(array, (list, tuple)):
        array = _lists(array)
    try:
        host = np.asarray(array)
    except ValueError as error:
        msg = (
            f"This {type(array).__name__} has no rectangular shape: {error}. Make all "
            "rows equally long."
        )
        raise TypeError(msg) from error
    if host.dtype == object:
        msg = (
            f"{type(array).__name__} holds Python objects, not numbers. Allowed: "
            "arrays, numbers and nested lists of them. Give it a numeric dtype first."
        )
        raise TypeError(msg)
    return host


def _lists(items: Any) -> Any:
    """Return nested lists with every array in them converted and thereby checked."""
    if isinstance(items, (list, tuple)):
        return [_lists(item) for item in items]
    return ensure_numpy(items) if _is_jax_array(items) else items
