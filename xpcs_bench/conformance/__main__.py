"""The worker: ``python -m xpcs_bench.conformance [METHOD ...]`` prints an examination.

It imports jax, which the process that reports never does; see
``xpcs_bench.cli.conforming``.
"""

from __future__ import annotations

import sys

from xpcs_bench.backends import create_backend
from xpcs_bench.conformance.examine import examine
from xpcs_bench.errors import XpcsBenchError

__all__ = ["main"]


def main() -> int:
    """Examine the methods named on the command line, or all; return an exit code."""
    try:
        backends = create_backend("numpy"), create_backend("jax")
    except (XpcsBenchError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 4
    examination = examine(*backends, sys.argv[1:] or None)
    sys.stdout.write(examination.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
