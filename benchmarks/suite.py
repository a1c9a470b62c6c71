"""One class a kernel, made from configs/asv.yaml when asv imports this module.

``XPCS_BENCH_SET`` holds what ``--set`` is to the command, separated by blanks: with
``XPCS_BENCH_SET="sampling.processes=1 sampling.max_time_s=0.1"`` every benchmark is
executed and none is worth keeping.
"""

import os
from pathlib import Path

from xpcs_bench.suite import tracked_classes

# the experiment of the checkout at hand, for every commit that asv measures with it
_CONFIG = Path(__file__).parents[1] / "configs" / "asv.yaml"

globals().update(
    tracked_classes(_CONFIG, tuple(os.environ.get("XPCS_BENCH_SET", "").split()))
)
