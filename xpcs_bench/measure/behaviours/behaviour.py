"""Something that is tried, and what comes of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from xpcs_bench.records import BehaviourSeen, Seen

__all__ = ["Absent", "Behaviour", "Observed", "observe"]

Observed = dict[str, Seen]
"""What was observed, by what it is."""
Behaviour = Callable[[], Observed]
"""Tries something in this process, and returns what it observed; what it raises is an
observation too."""


class Absent(Exception):
    """What a behaviour needs is not here."""


def observe(name: str, behaviour: Behaviour) -> BehaviourSeen:
    """Try something in this process, and say what came of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            observed = behaviour()
        except Absent as error:
            return BehaviourSeen(behaviour=name, kind="absent", message=str(error))
        except ImportError as error:
            message = f"what it needs cannot be imported: {error}"
            return BehaviourSeen(behaviour=name, kind="absent", message=message)
        except Exception as error:  # noqa: BLE001 - what is raised is what was seen
            return BehaviourSeen(
                behaviour=name,
                kind="raised",
                exceptions=tuple(kind.__name__ for kind in type(error).__mro__[:-2]),
                # the first line: some go on with arrays and places in memory
                message=str(error).partition("\n")[0],
            )
    texts = {f"{one.category.__name__}: {one.message}" for one in caught}
    return BehaviourSeen(
        behaviour=name,
        kind="returned",
        observed=observed,
        warnings=tuple(sorted(texts)),
    )
