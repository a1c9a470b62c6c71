"""The circumstances in which workers run: as the user's programs do, or controlled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from xpcs_bench.confined import RecordedModel

__all__ = [
    "PROFILES",
    "Memory",
    "Profile",
    "ProfileName",
    "Programs",
    "Start",
    "Threads",
]

ProfileName = Literal["as_user", "controlled"]
Memory = Literal["system", "retained"]
Start = Literal["spawned", "forked"]
Programs = Literal["anew", "kept"]
Threads = Annotated[int, Field(ge=1, le=1024)]


class Profile(RecordedModel):
    """How the processes of workers are set up; the same for all cases of a run."""

    name: ProfileName
    """The profile that this one is, or departs from."""
    threads: Threads | None
    """Threads of NumPy's BLAS and of XLA; None: as many as they take."""
    memory: Memory
    """``retained``: memory that was freed is kept for the next call. ``system``: the
    allocator gives large blocks back, and whether it does was up to 21 % of a time."""
    pinned: bool
    """Whether a worker stays on one core, the same for all that take turns."""
    start: Start = "spawned"
    """``forked``: cached calls and values run in forks of an interpreter that has
    imported what they need, where the platform can fork. Everything else, first calls
    above all, runs in new interpreters."""
    programs: Programs = "anew"
    """``kept``: what one worker of cached calls or values compiles, the later ones of
    the run find in jax's persistent compilation cache. First calls always compile, but
    where the matrix says otherwise."""


PROFILES: dict[ProfileName, Profile] = {
    "as_user": Profile(
        name="as_user", threads=None, memory="system", pinned=False, start="forked"
    ),
    "controlled": Profile(
        name="controlled", threads=1, memory="retained", pinned=True, start="forked"
    ),
}
"""``as_user`` answers how long a program takes on this machine; ``controlled`` takes
away what differs between two runs of one program, to see what differs between two
programs."""
