"""The processor: how many cores, what they can do, how fast, and what they count."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from xpcs_bench.measure.examination.finding import (
    Finding,
    Surroundings,
    doubtful,
    passed,
    skipped,
)

__all__ = ["control_group", "cores", "frequency", "performance_counters", "processor"]

_CPU = "sys/devices/system/cpu"
_EVENTS = "sys/bus/event_source/devices"
_WIDE = ("sse4_2", "avx", "avx2", "fma", "avx512f", "asimd", "sve")
"""Instruction sets that NumPy and XLA choose between, as /proc/cpuinfo spells them."""


def control_group(
    surroundings: Surroundings, controller: str, unified: str, single: str
) -> Iterator[tuple[str, str]]:
    """Yield folder and content of a limit, from this process's group to the top.

    ``unified`` is the name of the file in version 2, ``single`` that in version 1 of
    control groups.
    """
    for line in (surroundings.text("proc/self/cgroup") or "").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            bases, name = ("sys/fs/cgroup", "sys/fs/cgroup/unified"), unified
        elif controller in controllers.split(","):
            bases = f"sys/fs/cgroup/{controllers}", f"sys/fs/cgroup/{controller}"
            name = single
        else:
            continue
        inner = Path(path.strip("/"))
        for base in bases:
            for folder in (inner, *inner.parents):
                place = str(Path(base) / folder)
                text = surroundings.text(f"{place}/{name}")
                if text is not None:
                    yield place, text


def _quota(surroundings: Surroundings) -> float | None:
    """Cores that the tightest group grants; None where no group limits them."""
    granted = []
    for folder, text in control_group(
        surroundings, "cpu", "cpu.max", "cpu.cfs_quota_us"
    ):
        quota, _, period = text.partition(" ")
        period = period or surroundings.text(f"{folder}/cpu.cfs_period_us") or ""
        if quota.isdigit() and period.isdigit():  # neither 'max' nor -1
            granted.append(int(quota) / int(period))
    return min(granted, default=None)


def cores(surroundings: Surroundings) -> Finding:
    """Cores that there are, that may be used, and that are granted."""
    total = os.cpu_count() or 1
    usable = surroundings.cores
    quota = _quota(surroundings)
    siblings = surroundings.text(f"{_CPU}/cpu0/topology/thread_siblings_list")
    shared = siblings is not None and ("," in siblings or "-" in siblings)
    found = f"{usable} of {total} cores may be used"
    found += "; no CPU quota" if quota is None else f"; a quota of {quota:g} cores"
    if shared:
        found += "; two threads share a physical core"
    numbers = {"usable": (float(usable), "1"), "total": (float(total), "1")}
    if quota is not None:
        numbers["quota"] = (quota, "1")
    if quota is not None and quota < usable:
        advice = (
            f"Limit the process to {max(1, int(quota))} cores (taskset) or lift the "
            "quota: who spends it is stopped for the rest of each period."
        )
        return doubtful(found, advice, numbers)
    if usable == 1:
        advice = (
            "Give it a second core: the command and its workers share this one, and "
            "no gain by threads can be seen."
        )
        return doubtful(found, advice, numbers)
    return passed(found, numbers=numbers)


def processor(surroundings: Surroundings) -> Finding:
    """Name and instruction sets: times and last digits depend on them."""
    text = surroundings.text("proc/cpuinfo")
    if text is None:
        return skipped(
            "no /proc/cpuinfo: not Linux",
            "Look up the instruction sets of the processor: last digits depend on it.",
        )
    pairs = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    wide = [flag for flag in _WIDE if flag in flags]
    name = fields.get("model name", "a processor without a name")
    found = f"{name}: {', '.join(wide) or 'no known instruction sets'}"
    if "hypervisor" in flags:
        found += "; a virtual machine"
    disabled = surroundings.set_variables("NPY_DISABLE_CPU", "NPY_ENABLE_CPU")
    if disabled:
        return doubtful(
            f"{found}; {disabled}",
            "Unset it unless it is meant: NumPy computes by other code, with other "
            "times and last digits.",
        )
    if "avx512f" in flags or "avx" not in flags:
        return passed(found)
    return passed(
        f"{found}; no AVX-512",
        "Compare ratios of NumPy and JAX with those of like processors only: NumPy's "
        "arctan, exp and power are 2 to 11 times slower without AVX-512.",
    )


def frequency(surroundings: Surroundings) -> Finding:
    """Who decides the clock rate of the cores."""
    governor = surroundings.text(f"{_CPU}/cpu0/cpufreq/scaling_governor")
    if governor is None:
        return skipped(
            "no cpufreq: a virtual machine hides it, or the system is not Linux",
            "Trust ratios of cases that take turns: a change of clock rate hits both.",
        )
    driver = surroundings.text(f"{_CPU}/cpu0/cpufreq/scaling_driver") or "unknown"
    found = f"governor {governor} (driver {driver})"
    if governor == "performance":
        return passed(found)
    return doubtful(
        found,
        "Set it to performance (sudo cpupower frequency-set -g performance): a core "
        "that slept starts slow.",
    )


def performance_counters(surroundings: Surroundings) -> Finding:
    """Whether the processor's own counters can be read."""
    folder = surroundings.root / _EVENTS
    names = [path.name for path in sorted(folder.glob("*"))] if folder.exists() else []
    hardware = [name for name in names if name.startswith(("cpu", "armv"))]
    if not hardware:
        return skipped(
            "no performance counters: a virtual machine hides them, or not Linux",
            "Do without: XLA's own counts of operations and bytes stand beside times.",
        )
    paranoid = surroundings.text("proc/sys/kernel/perf_event_paranoid") or "unknown"
    found = f"{', '.join(hardware)}; perf_event_paranoid is {paranoid}"
    if paranoid.lstrip("-").isdigit() and int(paranoid) <= 2:
        return passed(found)
    return skipped(
        f"not allowed to read {found}",
        "Set kernel.perf_event_paranoid to 2 or less if you want to count with perf.",
    )
