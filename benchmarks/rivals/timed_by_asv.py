"""One function under asv; FUNCTION, ROUNDS and REPEAT in the environment say how."""

import os
import sys
from pathlib import Path

# asv forgets PYTHONPATH: the functions lie beside this file
sys.path.insert(0, str(Path(__file__).parent))
import functions

_NAME = os.environ.get("FUNCTION", "1us")
_COMPUTE = functions.COMPUTE[_NAME]
_ARGUMENTS = functions.arguments(_NAME)


def time_function() -> None:
    """Call it once."""
    _COMPUTE(_ARGUMENTS)


time_function.rounds = int(os.environ.get("ROUNDS", "2"))
time_function.repeat = (1, int(os.environ.get("REPEAT", "10")), 20.0)
