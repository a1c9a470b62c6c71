"""One function under pyperf; FUNCTION in the environment names it."""

import os

import functions
import pyperf

NAME = os.environ["FUNCTION"]

if __name__ == "__main__":
    runner = pyperf.Runner()
    runner.argparser.set_defaults(inherit_environ=["FUNCTION"])
    runner.bench_func(NAME, functions.COMPUTE[NAME], functions.arguments(NAME))
