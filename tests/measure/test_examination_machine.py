"""Checks of a machine that is written down: each passes, doubts, and cannot tell."""

import platform
import shutil
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from measure_scripts import Clock

from xpcs_bench.measure.circumstances import Counters
from xpcs_bench.measure.examination import (
    accelerator,
    clocks,
    memory,
    processor,
    scheduling,
)
from xpcs_bench.measure.examination.finding import Surroundings
from xpcs_bench.records import Outcome

CPU = "sys/devices/system/cpu/cpu0"


@pytest.fixture
def machine(tmp_path):
    """Write files below a root, and look from there."""

    def make(files=None, variables=None, cores=4, clock=None):
        for place, text in (files or {}).items():
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return Surroundings(
            root=tmp_path,
            variables=variables or {},
            clock=clock or Clock(reading_ns=40),
            cores=cores,
        )

    return make


def numbers(finding):
    return {row.name: row.value for row in finding.quantities}


def test_a_clock_of_hardware_passes(machine):
    place = "sys/devices/system/clocksource/clocksource0/current_clocksource"
    found = clocks.clock(machine({place: "tsc"}))
    assert found.outcome is Outcome.PASS
    assert "costs 40.0 ns, the smallest step seen is 40.0 ns" in found.found
    assert "clock source tsc" in found.found
    assert numbers(found) == pytest.approx(
        {"cost": 40e-9, "step": 40e-9, "least_sample": 120e-6}
    )


def test_a_clock_that_asks_the_kernel_is_doubted(machine):
    found = clocks.clock(machine(clock=Clock(reading_ns=1500)))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "sampling.min_sample_s to 4.50 ms" in found.advice


def test_a_clock_that_stands_still_is_doubted(machine):
    found = clocks.clock(machine(clock=Clock()))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "stands still" in found.advice


def ticking(step_ns):
    """A clock that is read in no time, and moves at every third reading."""
    count = 0

    def clock():
        nonlocal count
        count += 1
        return count // 3 * step_ns

    return clock


@pytest.mark.parametrize(
    ("step_ns", "outcome"),
    [
        (1000, Outcome.PASS),
        (10_000_000, Outcome.INCONCLUSIVE),
        (0, Outcome.INCONCLUSIVE),
    ],
)
def test_cpu_time_in_ticks_is_doubted(machine, monkeypatch, step_ns, outcome):
    monkeypatch.setattr(clocks.time, "process_time_ns", ticking(step_ns))
    found = clocks.cpu_clock(machine())
    assert found.outcome is outcome
    assert numbers(found)["step"] == pytest.approx(step_ns * 1e-9)


@pytest.mark.parametrize(
    ("average", "cores", "outcome"),
    [
        ("0.10", 4, Outcome.PASS),
        ("2.00", 4, Outcome.PASS),
        ("2.04", 4, Outcome.INCONCLUSIVE),
        ("2.04", 8, Outcome.PASS),
    ],
)
def test_load_counts_per_usable_core(machine, average, cores, outcome):
    files = {
        "proc/loadavg": f"{average} 9.00 9.00 1/100 1",
        "proc/pressure/cpu": "some avg10=12.34 avg60=0.00 avg300=0.00 total=1",
    }
    found = scheduling.load(machine(files, cores=cores))
    assert found.outcome is outcome
    assert f"load average {average}" in found.found
    assert "in 12.3 % of the last 10 s" in found.found
    assert numbers(found)["pressure"] == pytest.approx(0.1234)


def test_load_without_pressure_is_the_average_alone(machine):
    found = scheduling.load(machine({"proc/loadavg": "0.00 0.00 0.00 1/100 1"}))
    assert found.outcome is Outcome.PASS
    assert "pressure" not in numbers(found)


def test_load_that_is_not_counted_is_skipped(machine):
    assert scheduling.load(machine()).outcome is Outcome.SKIP


def waiting(monkeypatch, *delays_ns):
    rows = iter(delays_ns)
    monkeypatch.setattr(
        scheduling, "read_counters", lambda: Counters(next(rows), None, None)
    )


def test_the_run_queue_is_told_or_not(machine, monkeypatch):
    waiting(monkeypatch, 5, None)
    assert scheduling.run_queue(machine()).outcome is Outcome.PASS
    assert scheduling.run_queue(machine()).outcome is Outcome.SKIP


class Computing:
    """Stands in for the reference computation; takes the times it is told."""

    def __init__(self, monkeypatch, times_ns):
        self.clock = Clock()
        self.times = iter(times_ns)
        monkeypatch.setattr(scheduling, "_work", self)

    def __call__(self, values, out, loops):
        self.clock.spend(next(self.times))


STEADY = [0, 10_000_000] + [1_000_000] * 400
SPREAD = [0, 10_000_000] + [900_000, 1_100_000, 1_000_000, 800_000] * 100


@pytest.mark.parametrize(
    ("times", "delays", "outcome", "words"),
    [
        (STEADY, (0, 0), Outcome.PASS, "0.0 % of the time waiting"),
        (STEADY, (None, None), Outcome.PASS, "1.00 times it"),
        (STEADY, (0, 40_000_000), Outcome.INCONCLUSIVE, "10.0 % of the time waiting"),
        (SPREAD, (0, 0), Outcome.INCONCLUSIVE, "quartiles within"),
    ],
)
def test_noise_is_spread_or_waiting(
    machine, monkeypatch, times, delays, outcome, words
):
    waiting(monkeypatch, *delays)
    found = scheduling.noise(machine(clock=Computing(monkeypatch, times).clock))
    assert found.outcome is outcome
    assert words in found.found
    assert numbers(found)["median"] == pytest.approx(0.95e-3, rel=0.06)


def test_noise_says_how_late_the_latest_are(machine, monkeypatch):
    waiting(monkeypatch, 0, 0)
    times = [0, 10_000_000] + [*[1_000_000] * 9, 3_000_000] * 40
    found = scheduling.noise(machine(clock=Computing(monkeypatch, times).clock))
    assert found.outcome is Outcome.PASS
    assert numbers(found)["late"] == pytest.approx(3.0)
    assert numbers(found)["spread"] == 0


def test_all_cores_without_a_quota_pass(machine):
    found = processor.cores(machine({"proc/self/cgroup": "0::/"}))
    assert found.outcome is Outcome.PASS
    assert "no CPU quota" in found.found


def test_one_core_is_doubted(machine):
    found = processor.cores(machine(cores=1))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "second core" in found.advice


@pytest.mark.parametrize("siblings", ["0,4", "0-1"])
def test_threads_that_share_a_core_are_said(machine, siblings):
    files = {f"{CPU}/topology/thread_siblings_list": siblings}
    assert "share a physical core" in processor.cores(machine(files)).found


VERSION_2 = {
    "proc/self/cgroup": "0::/a/b",
    "sys/fs/cgroup/a/b/cpu.max": "max 100000",
    "sys/fs/cgroup/a/cpu.max": "150000 100000",
}
VERSION_1 = {
    "proc/self/cgroup": "5:devices:/\n4:cpuacct,cpu:/job",
    "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "150000",
    "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000",
}


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1], ids=["v2", "v1"])
def test_the_tightest_quota_counts(machine, files):
    found = processor.cores(machine(files, cores=4))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "a quota of 1.5 cores" in found.found
    assert numbers(found)["quota"] == 1.5
    assert processor.cores(machine(cores=1)).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("quota", ["-1", "max"])
def test_no_limit_is_no_quota(machine, quota):
    files = VERSION_1 | {"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": quota}
    assert processor.cores(machine(files)).outcome is Outcome.PASS


def cpuinfo(flags):
    return {"proc/cpuinfo": f"model name : Some CPU\nflags : fpu {flags}\n\nmodel name"}


def test_instruction_sets_are_named(machine):
    found = processor.processor(machine(cpuinfo("avx avx2 avx512f hypervisor")))
    assert found.outcome is Outcome.PASS
    assert found.found == "Some CPU: avx, avx2, avx512f; a virtual machine"
    assert found.advice == ""


def test_without_avx_512_numpy_is_another(machine):
    found = processor.processor(machine(cpuinfo("avx avx2")))
    assert found.outcome is Outcome.PASS
    assert "no AVX-512" in found.found
    assert "like processors" in found.advice


def test_features_that_are_switched_off_are_doubted(machine):
    surroundings = machine(
        cpuinfo("avx avx512f"), variables={"NPY_DISABLE_CPU_FEATURES": "AVX512F"}
    )
    found = processor.processor(surroundings)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "NPY_DISABLE_CPU_FEATURES=AVX512F" in found.found


def test_a_processor_that_is_not_described_is_skipped(machine):
    assert processor.processor(machine()).outcome is Outcome.SKIP


@pytest.mark.parametrize(
    ("governor", "outcome"),
    [("performance", Outcome.PASS), ("powersave", Outcome.INCONCLUSIVE)],
)
def test_the_governor_is_to_be_performance(machine, governor, outcome):
    found = processor.frequency(machine({f"{CPU}/cpufreq/scaling_governor": governor}))
    assert found.outcome is outcome
    assert f"governor {governor} (driver unknown)" in found.found


def test_a_governor_that_is_hidden_is_skipped(machine):
    assert processor.frequency(machine()).outcome is Outcome.SKIP


@pytest.mark.parametrize(
    ("paranoid", "outcome"),
    [("2", Outcome.PASS), ("-1", Outcome.PASS), ("3", Outcome.SKIP)],
)
def test_counters_are_allowed_or_not(machine, paranoid, outcome):
    files = {
        "sys/bus/event_source/devices/cpu/type": "4",
        "proc/sys/kernel/perf_event_paranoid": paranoid,
    }
    assert processor.performance_counters(machine(files)).outcome is outcome


def test_counters_of_software_alone_are_none(machine):
    files = {"sys/bus/event_source/devices/software/type": "1"}
    found = processor.performance_counters(machine(files))
    assert found.outcome is Outcome.SKIP
    assert "no performance counters" in found.found


def with_memory(monkeypatch, available, total=64 * 2**30):
    found = SimpleNamespace(available=available, total=total)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: found)


@pytest.mark.parametrize(
    ("available", "outcome"),
    [(4 * 2**30, Outcome.PASS), (4 * 2**30 - 1, Outcome.INCONCLUSIVE)],
)
def test_memory_is_enough_or_not(machine, monkeypatch, available, outcome):
    with_memory(monkeypatch, available)
    found = memory.memory(machine())
    assert found.outcome is outcome
    assert "of 64.0 GiB" in found.found


def test_a_limit_of_the_group_counts_as_memory(machine, monkeypatch):
    with_memory(monkeypatch, 50 * 2**30)
    files = {
        "proc/self/cgroup": "0::/a",
        "sys/fs/cgroup/a/memory.max": str(2 * 2**30),
        "sys/fs/cgroup/memory.max": "max",
    }
    found = memory.memory(machine(files))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "2.00 GiB available of 2.00 GiB, a limit" in found.found


def test_a_group_whose_limit_is_beyond_the_machine_has_none(machine, monkeypatch):
    with_memory(monkeypatch, 50 * 2**30)
    files = {
        "proc/self/cgroup": "4:memory:/",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2**62),
    }
    assert "limit" not in memory.memory(machine(files)).found


def fetching(monkeypatch, from_size):
    """Blocks of this size and more cost a fault for every page."""

    def faults_again(size, clock):
        return (size // 4096, 5_000_000) if size >= from_size else (3, 10_000)

    monkeypatch.setattr(memory, "_faults_again", faults_again)


def test_freed_memory_that_is_used_again_passes(machine, monkeypatch):
    fetching(monkeypatch, 2**40)
    found = memory.allocation(machine(variables={"MALLOC_MMAP_MAX_": "0", "A": "b"}))
    assert found.outcome is Outcome.PASS
    assert "MALLOC_MMAP_MAX_=0" in found.found
    assert "A=b" not in found.found


def test_freed_memory_that_is_given_back_is_doubted(machine, monkeypatch):
    fetching(monkeypatch, 30 * 2**20)
    found = memory.allocation(machine())
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "40.0 MiB" in found.found
    assert "10 240 page faults and 5.00 ms (no MALLOC_ variable" in found.found
    assert "MALLOC_TRIM_THRESHOLD_=4294967296" in found.advice
    assert numbers(found)["from_size"] == 40 * 2**20


def test_faults_that_are_not_counted_are_skipped(machine, monkeypatch):
    monkeypatch.setattr(memory, "read_counters", lambda: Counters(None, None, None))
    assert memory.allocation(machine()).outcome is Outcome.SKIP


FRESH = {"MALLOC_MMAP_THRESHOLD_": "1048576"}
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32)}


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="variables of glibc")
@pytest.mark.parametrize(
    ("variables", "outcome"), [(FRESH, "inconclusive"), (KEPT, "pass")]
)
def test_what_the_allocator_does_is_seen_in_a_real_process(variables, outcome):
    script = (
        "from xpcs_bench.measure.examination.registry import examine;"
        "print(examine('allocation').outcome)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path)} | variables,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("always [madvise] never", Outcome.PASS),
        ("[always] madvise never", Outcome.PASS),
        ("always madvise [never]", Outcome.INCONCLUSIVE),
        ("garbage", Outcome.SKIP),
    ],
)
def test_huge_pages_are_allowed_or_not(machine, text, outcome):
    files = {"sys/kernel/mm/transparent_hugepage/enabled": text}
    assert memory.huge_pages(machine(files)).outcome is outcome


def test_huge_pages_that_cannot_be_seen_are_skipped(machine):
    assert memory.huge_pages(machine()).outcome is Outcome.SKIP


@pytest.mark.parametrize(
    ("free", "outcome"),
    [(2**30, Outcome.PASS), (2**30 - 1, Outcome.INCONCLUSIVE)],
)
def test_space_is_enough_or_not(machine, monkeypatch, free, outcome):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    found = memory.space(machine())
    assert found.outcome is outcome
    assert numbers(found) == {"temporary_folder": free}
    assert "shared_memory" in numbers(memory.space(machine({"dev/shm/x": ""})))


GPU = "NVIDIA H100, 550.1, 81559, 4, 0, 345, 1980, 31, Enabled, Not Active"


def test_a_free_gpu_passes(machine):
    found = accelerator.gpu(machine(), lambda: (True, GPU))
    assert found.outcome is Outcome.PASS
    assert "4 of 81559 MiB in use, 345 of 1980 MHz, 31 C" in found.found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((" 4,", " 5000,"), "End what else uses gpu 1"),
        (("Not Active", "Active"), "Cool gpu 1"),
        (("Enabled", "Disabled"), "Set persistence mode"),
    ],
)
def test_a_gpu_that_is_not_at_rest_is_doubted(machine, change, words):
    rows = f"{GPU}\n{GPU.replace(*change)}"
    found = accelerator.gpu(machine(), lambda: (True, rows))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert words in found.advice
    assert "gpu 0" not in found.advice


def test_no_driver_no_gpu(machine):
    found = accelerator.gpu(machine(), lambda: (False, "it is away"))
    assert found.outcome is Outcome.SKIP
    assert "it is away" in found.found


def test_a_machine_without_the_command_has_no_gpu(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert accelerator._ask() == (False, "there is no nvidia-smi")


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("echo row; exit 0", (True, "row")),
        ("echo no such field; exit 9", (False, "with 9 and said: no such field")),
        ("echo broken >&2; exit 1", (False, "with 1 and said: broken")),
        ("exit 0", (False, "with 0 and said: nothing")),
    ],
)
def test_the_command_is_asked(monkeypatch, tmp_path, script, answer):
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    answers, text = accelerator._ask()
    assert answers is answer[0]
    assert text.endswith(answer[1])
