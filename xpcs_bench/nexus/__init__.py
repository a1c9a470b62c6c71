"""Measured setups, frames and results in HDF5: the NeXus layout of APS 8-ID-I."""

from xpcs_bench.nexus.file import (
    opened,
)
from xpcs_bench.nexus.series import (
    FRAMES,
    RESULTS,
    Compression,
    Layout,
    check_storage,
    chunk_shape,
    read_frames,
    read_results,
    write_frames,
    write_results,
)
from xpcs_bench.nexus.setup import (
    MAX_PIXELS,
    QMAP,
    QMAP_MASK,
    Setup,
    mask_digest,
    read_mask,
    read_setup,
    write_setup,
)

__all__ = [
    "FRAMES",
    "MAX_PIXELS",
    "QMAP",
    "QMAP_MASK",
    "RESULTS",
    "Compression",
    "Layout",
    "Setup",
    "check_storage",
    "chunk_shape",
    "mask_digest",
    "opened",
    "read_frames",
    "read_mask",
    "read_results",
    "read_setup",
    "write_frames",
    "write_results",
    "write_setup",
]
