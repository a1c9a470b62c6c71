"""Frames and results into an HDF5 file in the NeXus layout, and out of it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from xpcs_bench.backends import BackendProtocol, HDF5Adapter
from xpcs_bench.config import Detector
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.kernels.kernel import (
    Arrays,
    Host,
    Kernel,
    Need,
    Output,
    Problem,
    Tolerance,
    Truth,
    Work,
)
from xpcs_bench.kernels.mask import mask_array
from xpcs_bench.nexus import (
    RESULTS,
    Compression,
    Layout,
    check_storage,
    read_frames,
    read_results,
    write_frames,
    write_results,
)

__all__ = ["HDF5IO", "HDF5IOParams"]

_STATIC = 4
"""Static bins in a dynamic one."""


class HDF5IOParams(ConfinedModel):
    """How much is stored, and how."""

    frames: Annotated[int, Field(ge=1, le=1_000_000)] = 4
    """Frames of the detector."""
    counts: Annotated[float, Field(gt=0, le=1_000)] = 0.05
    """Photons per pixel and frame: the fewer, the better they are compressed."""
    delays: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Delays of g2."""
    bins: Annotated[int, Field(ge=1, le=255)] = 9
    """Dynamic bins, each of four static ones."""
    layout: Layout = "frame"
    """``contiguous``: the frames in one piece; ``frame``: a chunk per frame, as
    detectors write; ``tile``: chunks of 64 x 64 pixels and up to 1 MiB of frames, as
    correlations of pixels read."""
    compression: Compression = "none"
    """Of the frames: ``gzip`` (level 4) or ``lzf``, which every h5py brings along."""
    in_memory: bool = False
    """Keep the file in memory: what is then left is the work of the format."""
    reads: Annotated[int, Field(ge=1, le=1_000)] = 1
    """How often everything is read back: two cases that differ in this alone tell
    reading from writing."""


class HDF5IO(Kernel[HDF5IOParams]):
    """Write frames and results to a new file, close it, and read them back.

    The arrays leave the backend through its HDF5 adapter and come back through it, as
    in a program. Frames are photon counts in 16 bits at ``/entry/data/data``; results
    are g2 with its errors and delays in ``/xpcs/multitau`` and two maps of labels in
    ``/xpcs/qmap``. The file is in the folder for temporary files (``TMPDIR`` says
    which) and is removed afterwards, whatever happens. It was just written when it is
    read: its bytes come from the system's page cache, and a disk can only be slower.

    Nothing is compiled, since a file is no array.
    """

    name: ClassVar[str] = "hdf5_io"
    version: ClassVar[str] = "1"
    summary: ClassVar[str] = "Write and read frames and results in the NeXus layout."
    source: ClassVar[str] = (
        "The NeXus layout of APS 8-ID-I, and the chunks and filters of HDF5 as h5py "
        "documents them."
    )
    needs: ClassVar[frozenset[Need]] = frozenset({"detector"})
    Params: ClassVar[type[ConfinedModel]] = HDF5IOParams
    compiled: ClassVar[bool] = False

    def check(self, problem: Problem[HDF5IOParams]) -> None:
        """Refuse to compress what HDF5 does not compress."""
        super().check(problem)
        check_storage(problem.params.layout, problem.params.compression)

    def outputs(self, problem: Problem[HDF5IOParams]) -> tuple[Output, ...]:
        """Everything that was written, as it was read."""
        del problem
        return (
            Output("frames", ("frame", "row", "column"), "photon", dtype="uint16"),
            Output("delays", ("delay",), "frame", dtype="int64"),
            Output("g2", ("delay", "bin"), "1"),
            Output("g2_error", ("delay", "bin"), "1"),
            Output("dynamic_map", ("row", "column"), "1", dtype="uint8"),
            Output("static_map", ("row", "column"), "1", dtype="uint16"),
        )

    def make_inputs(
        self, problem: Problem[HDF5IOParams], rng: np.random.Generator
    ) -> Host:
        """Poisson counts, g2 of any kind, and maps of bands of rows."""
        params, detector = problem.params, _detector(problem)
        rows, columns = detector.shape
        used = mask_array(detector)
        frames = np.empty((params.frames, rows, columns), np.uint16)
        for frame in frames:
            frame[...] = rng.poisson(params.counts, detector.shape)
        frames[:, ~used] = 0
        band = np.arange(rows) * (params.bins * _STATIC) // rows
        static = np.where(used, band[:, None] + 1, 0)
        shape = (params.delays, params.bins)
        return {
            "frames": frames,
            "delays": np.arange(1, params.delays + 1),
            "g2": rng.uniform(1.0, 1.5, shape).astype(problem.dtype),
            "g2_error": rng.uniform(1e-4, 1e-2, shape).astype(problem.dtype),
            "dynamic_map": ((static + _STATIC - 1) // _STATIC).astype(np.uint8),
            "static_map": static.astype(np.uint16),
        }

    def compute(
        self, backend: BackendProtocol, problem: Problem[HDF5IOParams], inputs: Arrays
    ) -> Arrays:
        """Write, close, open, read; raises RecordError where no file can be written."""
        params, adapter = problem.params, HDF5Adapter(backend)
        host = {name: adapter.to_hdf5(array) for name, array in inputs.items()}
        with _new_file(in_memory=params.in_memory) as where:
            write_frames(
                where,
                host["frames"],
                layout=params.layout,
                compression=params.compression,
            )
            write_results(where, {name: host[name] for name in RESULTS})
            for _ in range(params.reads):
                read = {"frames": read_frames(where)} | read_results(where)
                outputs = {
                    output.name: adapter.from_hdf5(read[output.name])
                    for output in self.outputs(problem)
                }
        return outputs

    def tolerance(self, problem: Problem[HDF5IOParams], output: str) -> Tolerance:
        """None: a file gives back what it was given."""
        del problem, output
        return Tolerance(
            rtol=0.0,
            atol=0.0,
            reason=(
                "Types are kept and no filter loses anything: every bit comes back as "
                "it was written."
            ),
        )

    def truth(
        self, problem: Problem[HDF5IOParams], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """What was written, at places spread over every array."""
        del problem
        truths = {}
        for name, array in inputs.items():
            places = np.unique(np.linspace(0, array.size - 1, 13, dtype=np.int64))
            # the largest is told apart from zeros that were never read
            places = np.append(places, array.argmax())
            indices = np.stack(np.unravel_index(places, array.shape), axis=1).tolist()
            truths[name] = [
                Truth(tuple(index), array[tuple(index)].item()) for index in indices
            ]
        return truths

    def work(self, problem: Problem[HDF5IOParams]) -> Work:
        """Nothing is computed; everything goes out and comes back once."""
        params = problem.params
        rows, columns = _detector(problem).shape
        width = np.dtype(problem.dtype).itemsize
        once = (
            2 * params.frames * rows * columns
            + (8 + 2 * width * params.bins) * params.delays
            + 3 * rows * columns
        )
        return Work(flops=0, bytes=2 * once)


def _detector(problem: Problem[HDF5IOParams]) -> Detector:
    if problem.detector is None:
        msg = (
            "the problem has no detector. The file needs frames of one. Give at least "
            "one detector in the experiment."
        )
        raise ConfigError(msg)
    return problem.detector


@contextmanager
def _new_file(*, in_memory: bool) -> Iterator[Any]:
    """Give a place for one file, and remove it afterwards."""
    import h5py

    if in_memory:
        with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
            yield file
        return
    try:
        folder = TemporaryDirectory(prefix="xpcs_bench-")
    except OSError as error:
        msg = (
            f"no folder for a temporary file can be made ({error}). One with space for "
            "the frames is needed. Name it in the environment variable TMPDIR."
        )
        raise RecordError(msg) from error
    with folder as path:
        yield Path(path) / "series.h5"
