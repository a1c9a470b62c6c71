"""The most that this machine does a second: bytes read and written, and operations.

An efficiency is a part of such a ceiling. Each is the highest rate of some readings:
what else happens on a machine only ever makes it slower. Rates count the bytes of the
arrays, each once a pass, as the kernels' ``work`` does: what the hardware moves on top,
such as reading a line of cache before it is written, is part of the price. The values
of what was timed are checked, as everywhere.

The threads of BLAS and of XLA are decided when a process starts: for one thread start a
process with :data:`ONE_THREAD` in its environment, and say so with ``threads="one"``.
"""

from xpcs_bench.measure.ceilings.cache import cache_bytes, level_of
from xpcs_bench.measure.ceilings.products import device_flops, flops
from xpcs_bench.measure.ceilings.reading import Timed, WrongValues, timed
from xpcs_bench.measure.ceilings.streams import bandwidth, device_bandwidth

__all__ = [
    "ONE_THREAD",
    "Timed",
    "WrongValues",
    "bandwidth",
    "cache_bytes",
    "device_bandwidth",
    "device_flops",
    "flops",
    "level_of",
    "timed",
]

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    # XLA sizes its pool by this variable; its flags and the ones above do not reach it
    "NPROC": "1",
    "JAX_PLATFORMS": "cpu",
}
"""Environment variables of a process in which every library computes in one thread."""
