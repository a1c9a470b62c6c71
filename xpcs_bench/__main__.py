"""The command ``xpcs-bench``, and ``python -m xpcs_bench``."""

from xpcs_bench.cli.command import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
