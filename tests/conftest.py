"""Settings that hold for every test."""

import os

from hypothesis import settings

# hypothesis' deadline asserts on elapsed time, which no test of ours may; and what it
# finds by chance should turn the run of whoever looks red, not that of the next commit
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")
