"""Benchmark and validation harness for XPCS computations on NumPy and JAX.

The package imports nothing heavy here: ``import xpcs_bench`` is cheap, and jax,
scipy and matplotlib are imported only by the modules that use them.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
