"""Settings that hold for every test."""

from hypothesis import settings

# hypothesis' deadline asserts on elapsed time, which no test of ours may
settings.register_profile("house", deadline=None)
settings.load_profile("house")
