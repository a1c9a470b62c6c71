"""Where reading frames costs more than computing: all of these are of interest only.

The file is read from the system's page cache, into which it was just written: a disk
that is asked can only be slower.
"""

from __future__ import annotations

import atexit
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from contest import Contest, Match, cached_call

from xpcs_bench.backends import HDF5Adapter, create_backend
from xpcs_bench.config import Detector
from xpcs_bench.kernels import create_kernel
from xpcs_bench.nexus import Compression, Layout, read_frames, write_frames

__all__ = ["CONTESTS"]

EIGER_1M = Detector(name="eiger-1m", shape=(1065, 1030), pixel_size_um=75.0)
EIGER_500K = Detector(name="eiger-500k", shape=(514, 1030), pixel_size_um=75.0)


def _from_file(
    kernel_name: str,
    params: dict[str, Any],
    detector: Detector | None,
    layout: Layout,
    compression: Compression,
    *,
    image: tuple[int, int] | None = None,
    dtype: str = "float64",
) -> Match:
    """Compute from frames in memory, and from the same frames in a file."""
    call, problem, host = cached_call(
        kernel_name, params, detector=detector, dtype=dtype
    )
    kernel, library = create_kernel(kernel_name), create_backend("jax")
    adapter = HDF5Adapter(library)
    folder = TemporaryDirectory(prefix="xpcs_bench-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "series.h5"
    frames = host.pop("frames")
    shape = frames.shape
    images = frames if image is None else frames.reshape(len(frames), *image)
    write_frames(path, images, layout=layout, compression=compression)
    others = library.device_put(host)
    compiled = library.jit(lambda inputs: kernel.compute(library, problem, inputs))

    def from_file() -> Any:
        read = adapter.from_hdf5(read_frames(path).reshape(shape))
        return library.block_until_ready(compiled({**others, "frames": read}))

    def same(first: Any, second: Any) -> str:
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])
        packed = path.stat().st_size / frames.nbytes
        return f"equal bit by bit; the file has {packed:.2g} of the bytes of the frames"

    return Match(candidate=call, rival=from_file, same=same)


def _binning(layout: Layout, compression: Compression) -> Match:
    params = {"frames": 16, "rings": 36, "sectors": 10, "counts": 0.2}
    return _from_file("binning", params, EIGER_1M, layout, compression)


def _multi_tau(layout: Layout, compression: Compression) -> Match:
    rows, columns = EIGER_500K.shape
    params = {
        "frames": 64,
        "pixels": rows * columns,
        "bins": 36,
        "counts": 0.2,
        "levels": 4,
    }
    return _from_file(
        "g2",
        params,
        None,
        layout,
        compression,
        image=EIGER_500K.shape,
        dtype="float32",
    )


def _round_trips(one: dict[str, Any], other: dict[str, Any]) -> Match:
    """Write and read the same frames and results in two ways."""
    frames = {"frames": 16}
    first, _, _ = cached_call("hdf5_io", frames | one, detector=EIGER_1M)
    second, _, _ = cached_call("hdf5_io", frames | other, detector=EIGER_1M)

    def same(ours: Any, theirs: Any) -> str:
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])
        return "equal bit by bit"

    return Match(candidate=first, rival=second, same=same)


_BINNING = "binning of 16 frames of an Eiger 1M, JAX, float64"
_G2 = "multi-tau of 64 frames of an Eiger 500K, JAX, float32"
_HELD = ", frames in memory"
_KINDS: tuple[tuple[Layout, Compression], ...] = (
    ("contiguous", "none"),
    ("frame", "lzf"),
    ("frame", "gzip"),
    ("tile", "gzip"),
)
_TRIP = "16 frames of an Eiger 1M and results, written and read"

CONTESTS = (
    *(
        Contest(
            name=f"hdf5-binning-{layout}-{compression}",
            candidate=_BINNING + _HELD,
            rival=f"the same, frames read from a file: {layout}, {compression}",
            prepare=lambda kind=kind: _binning(*kind),
            rounds=7,
        )
        for kind in _KINDS
        for layout, compression in (kind,)
    ),
    *(
        Contest(
            name=f"hdf5-g2-{layout}-{compression}",
            candidate=_G2 + _HELD,
            rival=f"the same, frames read from a file: {layout}, {compression}",
            prepare=lambda kind=kind: _multi_tau(*kind),
            rounds=5,
        )
        for kind in (_KINDS[0], _KINDS[2])
        for layout, compression in (kind,)
    ),
    *(
        Contest(
            name=f"hdf5-round-trip-{name}",
            candidate=f"{_TRIP}, a chunk per frame, JAX",
            rival=f"the same, {what}",
            prepare=lambda other=other: _round_trips({}, other),
            rounds=7,
        )
        for name, what, other in (
            ("memory", "in memory alone", {"in_memory": True}),
            ("tile", "in tiles", {"layout": "tile"}),
            ("lzf", "compressed with lzf", {"compression": "lzf"}),
            ("gzip", "compressed with gzip", {"compression": "gzip"}),
        )
    ),
)
