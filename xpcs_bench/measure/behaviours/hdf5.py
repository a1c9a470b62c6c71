"""JAX arrays that are given to h5py as they are."""

from __future__ import annotations

from typing import Any

from xpcs_bench.measure.behaviours import arrays
from xpcs_bench.measure.behaviours.behaviour import Observed

__all__ = [
    "attribute",
    "bfloat16",
    "bfloat16_adapted",
    "dataset",
    "deleted",
    "key",
    "read_direct",
    "slice_assigned",
    "write_direct",
]


def _stored(value: Any) -> Observed:
    import h5py
    import numpy as np

    with h5py.File.in_memory() as file:
        file["x"] = value
        found: Observed = {"type on disk": file["x"].dtype.str}
        if file["x"].dtype.kind != "V":
            found["values equal"] = bool((file["x"][()] == np.asarray(value)).all())
        return found


def dataset() -> Observed:
    """Store an array as a data set."""
    return _stored(arrays.image())


def slice_assigned() -> Observed:
    """Assign an array to a data set that is there."""
    import h5py
    import numpy as np

    image = arrays.image()
    with h5py.File.in_memory() as file:
        data = file.create_dataset("x", image.shape, "f8")
        data[...] = image
        return {"values equal": bool((data[()] == np.asarray(image)).all())}


def attribute() -> Observed:
    """Store a vector as an attribute."""
    import h5py
    import numpy as np

    vector = arrays.image()[0]
    with h5py.File.in_memory() as file:
        file.attrs["x"] = vector
        return {"values equal": bool((file.attrs["x"] == np.asarray(vector)).all())}


def read_direct() -> Observed:
    """Read a data set into an array."""
    import h5py

    with h5py.File.in_memory() as file:
        file["x"] = [[0.0] * 8] * 6
        file["x"].read_direct(arrays.image())
    return {}


def write_direct() -> Observed:
    """Write an array into a data set without a copy."""
    import h5py

    image = arrays.image()
    with h5py.File.in_memory() as file:
        file.create_dataset("x", image.shape, "f8").write_direct(image)
    return {}


def bfloat16() -> Observed:
    """Store floats of 16 bits that HDF5 has no name for."""
    return _stored(arrays.image().astype("bfloat16"))


def bfloat16_adapted() -> Observed:
    """Store the same through the adapter."""
    from xpcs_bench.backends import HDF5Adapter

    return _stored(HDF5Adapter().to_hdf5(arrays.image().astype("bfloat16")))


def key() -> Observed:
    """Store a random key."""
    return _stored(arrays.key())


def deleted() -> Observed:
    """Store an array whose memory is gone."""
    return _stored(arrays.deleted())
