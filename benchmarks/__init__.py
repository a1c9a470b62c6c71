"""What asv runs: the cases of configs/asv.yaml, through :mod:`xpcs_bench.suite`."""
