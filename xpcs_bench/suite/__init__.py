"""asv's face: the cases of an experiment as benchmarks that asv keeps a history of.

asv starts the processes, knows the commits and draws the graphs; what is measured, and
how, is the same as in ``xpcs-bench run``. Importing this imports no array library but
NumPy.
"""

from xpcs_bench.suite.tracked import Tracked, tracked_classes

__all__ = ["Tracked", "tracked_classes"]
