"""GPUs as their driver sees them: who else is on them, and how fast they may run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    passed,
    skipped,
)

__all__ = ["gpu"]

_COMMAND = "nvidia-smi"
_FIELDS = (
    "name",
    "driver_version",
    "memory.total",
    "memory.used",
    "utilization.gpu",
    "clocks.sm",
    "clocks.max.sm",
    "temperature.gpu",
    "persistence_mode",
    "clocks_throttle_reasons.hw_slowdown",
)
_TIMEOUT_S = 20
_TAKEN_MIB = 1024
"""Memory in use from which on somebody else works there; the driver itself takes up to
some 500 MiB."""


def _ask() -> tuple[bool, str]:
    """Whether the driver answers, and what: one GPU a line, or why it does not."""
    command = shutil.which(_COMMAND)
    if command is None:
        return False, f"there is no {_COMMAND}"
    done = subprocess.run(  # noqa: S603 (the driver's own command)
        [command, f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    said = done.stdout.strip()
    if done.returncode != 0 or not said:
        words = (said or done.stderr.strip() or "nothing").splitlines()[0]
        return False, f"{_COMMAND} ended with {done.returncode} and said: {words}"
    return True, said


def gpu(
    surroundings: Surroundings, ask: Callable[[], tuple[bool, str]] = _ask
) -> Finding:
    """What ``nvidia-smi`` says; run it before jax has taken the memory."""
    del surroundings
    answers, text = ask()
    if not answers:
        return skipped(
            f"no NVIDIA driver answers: {text}",
            "Measure on the CPU, or install the driver if there is a GPU.",
        )
    found, doubts = [], []
    for number, line in enumerate(text.splitlines()):
        row = dict(zip(_FIELDS, map(str.strip, line.split(",")), strict=False))
        found.append(
            f"gpu {number}: {row.get('name')}, driver {row.get('driver_version')}, "
            f"{row.get('memory.used')} of {row.get('memory.total')} MiB in use, "
            f"{row.get('clocks.sm')} of {row.get('clocks.max.sm')} MHz, "
            f"{row.get('temperature.gpu')} C, busy {row.get('utilization.gpu')} %"
        )
        used = row.get("memory.used", "")
        if used.isdigit() and int(used) > _TAKEN_MIB:
            doubts.append(f"end what else uses gpu {number}")
        if row.get("clocks_throttle_reasons.hw_slowdown") == "Active":
            doubts.append(f"cool gpu {number} or raise its power: it is slowed down")
        if row.get("persistence_mode") == "Disabled":
            doubts.append("set persistence mode (sudo nvidia-smi -pm 1)")
    if doubts:
        advice = "; ".join(dict.fromkeys(doubts))
        return doubtful(
            "; ".join(found), f"{advice[0].upper()}{advice[1:]} before measuring there."
        )
    return passed("; ".join(found))
