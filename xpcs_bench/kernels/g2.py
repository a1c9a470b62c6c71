"""The multi-tau correlator: g2 of every bin with its error, from dense frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import multi_tau
from xpcs_bench.kernels.bin_statistics import (
    combine_blocks,
    lay_out,
    summarise_block,
)
from xpcs_bench.kernels.channel_sums import sum_channels
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
from xpcs_bench.kernels.multi_tau import MultiTauParams
from xpcs_bench.kernels.series import bin_columns, check_bins, make_series

__all__ = ["G2", "G2Params", "MultiTauParams"]

_NARROWEST_BLOCK = 16
_LINE_BYTES = 64
_FAST_COMPILED = (256, 16)
_FAST_CALLED = (1024, 64)
"""Size of a block (KiB), and least pixels of it. NumPy wants larger ones than compiled
code: each of its calls costs as much as the sum of a thousand counts."""


class G2Params(MultiTauParams):
    """The series, the delays, and how much of the series is worked on at once."""

    block_kib: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Size of the pixels that go through all levels together (KiB): what fits into the
    cache of a core, or much more where there are many cores. 0: what the backend is
    fast with on a CPU."""


class G2(Kernel[G2Params]):
    """Correlate every pixel with itself, and average over the pixels of a bin.

    ``g2 = <<I_t I_t+n>> / (<<I_t>_t<T-n> <<I_t>_t>=n>)``: means over time, then over
    the pixels of the bin, and the quotient last, which leaves no bias of single
    pixels. In level l a frame is the mean of two of level l - 1.

    The error takes the pixels as independent and every pixel as one observation, so
    that it holds for any correlation in time. Where a bin has no photon, g2 and its
    error are not numbers.
    """

    name: ClassVar[str] = "g2"
    version: ClassVar[str] = "2"
    summary: ClassVar[str] = "Multi-tau g2 of every bin, with errors, from frames."
    source: ClassVar[str] = multi_tau.SOURCE
    needs: ClassVar[frozenset[Need]] = frozenset()
    Params: ClassVar[type[ConfinedModel]] = G2Params

    def check(self, problem: Problem[G2Params]) -> None:
        """Refuse bins without pixels."""
        super().check(problem)
        check_bins(self.name, problem.params)

    def outputs(self, problem: Problem[G2Params]) -> tuple[Output, ...]:
        """g2 and its standard error by delay and bin, and the delays."""
        del problem
        return multi_tau.OUTPUTS

    def make_inputs(self, problem: Problem[G2Params], rng: np.random.Generator) -> Host:
        """Photon counts (frame, pixel), with the pixels of a bin side by side."""
        params = problem.params
        frames = make_series(params, rng)
        longest = max(multi_tau.delays(params))
        for index, columns in enumerate(bin_columns(params)):
            # the longest delay sees the fewest frames: those at the ends
            ends = frames[: params.frames - longest, columns], frames[longest:, columns]
            if not all(end.any() for end in ends):
                msg = (
                    f"{self.name}: bin {index} has no photon in the frames that the "
                    f"delay {longest} compares, with counts={params.counts}. At least "
                    "one is needed. Raise counts or pixels, or take fewer levels."
                )
                raise ConfigError(msg)
        return {"frames": frames}

    def compute(
        self, backend: BackendProtocol, problem: Problem[G2Params], inputs: Arrays
    ) -> Arrays:
        """Go through the levels block by block, then put the blocks together."""
        params, dtype, frames = problem.params, problem.dtype, inputs["frames"]
        levels = params.channels_by_level
        layout = lay_out(bin_columns(params), _block_width(backend, params, dtype))
        pairs = backend.array(multi_tau.pair_numbers(levels, params.frames), dtype)

        def correlate(carry: Any, block: Any) -> tuple[Any, tuple[Any, Any]]:
            start, n_pixels = block
            counts = backend.astype(_cut(backend, frames, start, layout.width), dtype)
            sums = sum_channels(backend, levels, counts)
            return carry, summarise_block(backend, sums, n_pixels, pairs)

        blocks = (
            backend.array(layout.starts, "int64"),
            backend.array(layout.sizes, dtype),
        )
        _, (means, moments) = backend.scan(correlate, None, blocks)
        g2, error = combine_blocks(backend, layout, means, moments, pairs)
        return {
            "g2": g2,
            "g2_error": error,
            "delays": backend.array(multi_tau.delays(params), "int64"),
        }

    def tolerance(self, problem: Problem[G2Params], output: str) -> Tolerance:
        """A few ULP of g2; its error is a difference of second moments."""
        return multi_tau.tolerance(problem.params, problem.dtype, output)

    def truth(
        self, problem: Problem[G2Params], inputs: Host
    ) -> Mapping[str, Sequence[Truth]]:
        """g2 as fractions of whole numbers, its error from them in 50 digits."""
        params = problem.params
        columns = bin_columns(params)
        return multi_tau.truths(
            params,
            {
                index: inputs["frames"][:, columns[index]].astype(np.int64)
                for index in multi_tau.bins_to_check(params)
            },
        )

    def work(self, problem: Problem[G2Params]) -> Work:
        """Products and their sums for every pair, pairwise means, sums of frames."""
        params = problem.params
        levels = params.channels_by_level
        per_pixel = 2 * sum(multi_tau.pair_numbers(levels, params.frames)) + 2 * sum(
            params.frames >> level for level in range(len(levels))
        )
        n_delays = sum(map(len, levels))
        width = np.dtype(problem.dtype).itemsize
        return Work(
            flops=per_pixel * params.pixels,
            bytes=2 * params.frames * params.pixels
            + 2 * width * n_delays * params.bins
            + 8 * n_delays,
        )


def _cut(backend: BackendProtocol, frames: Any, start: Any, width: int) -> Any:
    """Return a block, and what stands behind it where it is not full."""
    if not backend.supports_jit:
        return frames[:, start : start + width]
    # where a program is traced a slice cannot start anywhere. With an index the kernel
    # took 190 ms, with backend.take, which fills what is out of range, 310 ms
    columns = start + backend.arange(width)
    return frames[:, backend.minimum(columns, frames.shape[1] - 1)]


def _block_width(backend: BackendProtocol, params: G2Params, dtype: str) -> int:
    """Return how many pixels a block has.

    Rows of a block are an odd number of cache lines, so that a column of it does not
    fall into a few sets of the cache: rows of 2048 bytes took 1.6 times as long.
    """
    itemsize = np.dtype(dtype).itemsize
    fast = _FAST_COMPILED if backend.supports_jit else _FAST_CALLED
    asked = (params.block_kib, _NARROWEST_BLOCK)
    block_kib, narrowest = asked if params.block_kib else fast
    width = block_kib * 1024 // (itemsize * params.frames)
    line = _LINE_BYTES // itemsize
    odd_lines = width // line // 2 * 2 + 1
    return max(narrowest, odd_lines * line)
