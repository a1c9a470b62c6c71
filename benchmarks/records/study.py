"""How long large plans and large records take: ``python benchmarks/records/study.py``.

A plan of 10,000 cases is expanded from a file, and a record of 1,000 cases with 1,000
samples each is written and read, every time in a fresh process, without a worker: what
would be measured is made up. Printed are wall time and CPU time, the median of some
processes with the least and the most, and the most resident memory of the process,
interpreter and imports included, beside what is asked. A busy machine moves the wall
times; the CPU times less.

Writes ``reports/engine/records.json`` and ``records.md``.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpcs_bench.config.load import LoadedExperiment, load_experiment
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.environment import capture, machine, versions
from xpcs_bench.measure.peak_memory import linux_memory, portable_memory
from xpcs_bench.records import Block, Device, Measurement, Observation, Samples, Status
from xpcs_bench.run.journal import Evidence
from xpcs_bench.run.plan import Plan, make_plan
from xpcs_bench.run.prepare import catalogue
from xpcs_bench.run.store import begin, compose, load, save
from xpcs_bench.run.wire import Availability

RECORD = Path(__file__).resolve().parents[2] / "reports" / "engine"
PROCESSES = 5
TIMEOUT_S = 600
SAMPLES = 1000
"""Of each case of the record, over its three processes."""
PER_BLOCK = 25

_SETUP = """\
detectors: {{sweep: {{from: 64, to: {last}, step: 16}}, pixel_size_um: 75}}
geometries:
  - {{kind: transmission, energy_kev: 10, distance_mm: 5000}}
  - {{kind: reflection, energy_kev: 10, distance_mm: 3000, incidence_deg: 0.14}}
"""
PLAN = """\
name: large-plan
kernels:
  - qmap
  - partition: {q_bins: [9, 18, 36, 72]}
matrix:
  backend: [numpy, jax]
  device: [cpu, gpu]
  dtype: [float64, float32]
  exclude:
    - {backend: numpy, device: gpu}
    - {backend: jax, device: gpu}
measure: [first_call, steady_state, parity, peak_memory, counters]
controls: false
"""
"""20,000 points in the matrix, half of them excluded."""
RUN = """\
name: large-record
kernels:
  - partition: {q_bins: [9, 18, 36, 72, 144]}
matrix: {backend: [numpy, jax]}
measure: steady_state
controls: false
"""


@dataclass(frozen=True)
class Asked:
    """What a figure must stay below."""

    wall_s: float | None = None
    peak_bytes: float | None = None


ASKED = {
    "plan": Asked(wall_s=2.0, peak_bytes=200e6),
    "write": Asked(),
    "load": Asked(wall_s=2.0),
}
SAYS = {
    "plan": "expand a plan of 10,000 cases",
    "write": "conclude and write a record of 1,000 cases x 1,000 samples",
    "load": "read it, and conclude again",
}


def experiment(text: str, folder: Path, detectors: int = 50) -> LoadedExperiment:
    """Write a configuration and load it."""
    path = folder / "experiment.yaml"
    path.write_text(text + _SETUP.format(last=64 + 16 * (detectors - 1)))
    return load_experiment(path, catalogue=catalogue())


def everywhere() -> dict[str, Availability]:
    """Say what a probing worker would: both backends have a CPU."""
    cpu = Device(platform="cpu", index=0, name="cpu", memory_bytes=None)
    found = Availability(available=True, reason="", version="0", devices=(cpu,))
    return {"numpy": found, "jax": found}


def expand(loaded: LoadedExperiment) -> Plan:
    """Make the plan of an experiment for a machine that has memory."""
    return make_plan(loaded.experiment, everywhere(), 2**40)


def observation(count: int, rng: random.Random) -> Observation:
    """Make up what a process would have seen of a case that it sampled."""
    elapsed_ns = [rng.randrange(10**6, 3 * 10**6) for _ in range(count)]
    # one in ten waited for a core, and was interrupted
    waits = [rng.randrange(10**6) if rng.random() < 0.1 else 0 for _ in range(count)]
    columns: dict[str, list[int]] = {
        "elapsed_ns": elapsed_ns,
        "inner_loops": [rng.randrange(1, 50)] * count,
        "block": [index // PER_BLOCK for index in range(count)],
        "cpu_ns": [e - w for e, w in zip(elapsed_ns, waits, strict=True)],
        "run_delay_ns": waits,
        "involuntary_switches": [int(wait > 0) for wait in waits],
        "minor_faults": [rng.randrange(3) for _ in range(count)],
    }
    blocks = tuple(
        Block(
            started_ns=rng.randrange(10**15),
            wall_ns=rng.randrange(10**8),
            cpu_ns=rng.randrange(10**8),
            run_delay_ns=rng.randrange(10**6),
            involuntary_switches=rng.randrange(3),
            minor_faults=rng.randrange(99),
        )
        for _ in range(-(-count // PER_BLOCK))
    )
    return Observation(
        status=Status.OK, reason="", samples=Samples(**columns), blocks=blocks
    )


def evidence(loaded: LoadedExperiment, plan: Plan, out: Path) -> tuple[Path, Evidence]:
    """Begin a run, and make up what it measured; return its folder too."""
    source = (loaded.path.name, loaded.sha256)
    folder, header = begin(plan, out, ["xpcs-bench"], source, capture(None))
    made = Evidence(header, wall_s=1.0)
    rng = random.Random(0)  # noqa: S311 (any numbers will do)
    processes = loaded.experiment.sampling.processes
    for case in plan.cases:
        for process in range(processes):
            count = SAMPLES // processes + (process < SAMPLES % processes)
            made.measurements[case.id, process] = Measurement(
                case=case.id,
                process=process,
                environment=None,
                started=header.started,
                wall_s=1.0,
                startup_s=0.0,
                interleaved=True,
                log="",
                observation=observation(count, rng),
            )
    return folder, made


def timed(act: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Act once; return what came of it, and what it took of this process."""
    memory = linux_memory() or portable_memory()
    started, cpu_started = now_ns(), time.process_time_ns()
    result = act()
    spent, cpu_spent = now_ns() - started, time.process_time_ns() - cpu_started
    return result, {
        "wall_s": spent * 1e-9,
        "cpu_s": cpu_spent * 1e-9,
        "peak_bytes": float(memory.peak()),
    }


def play(what: str, folder: Path) -> dict[str, Any]:
    """Do one thing in this process, and say what it took and that it was done."""
    if what == "plan":
        plan, took = timed(lambda: expand(experiment(PLAN, folder)))
        return took | {"cases": len(plan.cases)}
    if what == "write":
        loaded = experiment(RUN, folder)
        place, made = evidence(loaded, expand(loaded), folder / "runs")
        path, took = timed(lambda: save(compose(made, interrupted=False), place))
        return took | {"file_bytes": path.stat().st_size}
    (place,) = (folder / "runs").iterdir()
    (_, record), took = timed(lambda: load(place))
    samples = sum(len(row.observation.samples) for row in record.measurements)
    return took | {"cases": len(record.header.cases), "samples": samples}


def in_fresh_process(what: str, folder: Path) -> dict[str, Any]:
    """Do one thing in a process of its own."""
    done = subprocess.run(  # noqa: S603 (this very file)
        [sys.executable, __file__, "--play", what, str(folder)],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def condense(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the processes together: median, least, most; and what all agree on."""
    figures = {}
    for name in ("wall_s", "cpu_s", "peak_bytes"):
        values = [row[name] for row in rows]
        figures[name] = {
            "median": statistics.median(values),
            "least": min(values),
            "most": max(values),
        }
    rest = {name: value for name, value in rows[0].items() if name not in figures}
    return {"processes": len(rows)} | rest | figures


def markdown(record: Mapping[str, Any]) -> str:
    """Write the record for a reader."""
    here = record["circumstances"]
    lines = [
        "# Large plans and large records",
        "",
        f"Made by `python benchmarks/records/study.py` on {here['machine']},",
        f"with python {here['python']} and pydantic {here['pydantic']}.",
        "Each line is of fresh processes: the median, with the least and the most of",
        "them. The peak is the whole process's, interpreter and imports included.",
        "",
        "| what | wall s | asked | CPU s | peak MB | asked |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(what, found) for what, found in record["figures"].items()]
    return "\n".join(lines) + "\n"


def _row(what: str, found: Mapping[str, Any]) -> str:
    asked = ASKED[what]
    cells = [
        SAYS[what],
        _span(found["wall_s"]),
        _met(found["wall_s"]["median"], asked.wall_s),
        _span(found["cpu_s"]),
        _span({key: x / 1e6 for key, x in found["peak_bytes"].items()}),
        _met(found["peak_bytes"]["median"], asked.peak_bytes, 1e6),
    ]
    return f"| {' | '.join(cells)} |"


def _span(figure: Mapping[str, float]) -> str:
    return f"{figure['median']:.3g} ({figure['least']:.3g} to {figure['most']:.3g})"


def _met(value: float, limit: float | None, unit: float = 1.0) -> str:
    if limit is None:
        return ""
    return f"below {limit / unit:g}: {'met' if value < limit else 'NOT met'}"


def main() -> int:
    """Play everything in turns, keep the record, print it."""
    if sys.argv[1:2] == ["--play"]:
        print(json.dumps(play(sys.argv[2], Path(sys.argv[3]))))
        return 0
    rows: dict[str, list[dict[str, Any]]] = {what: [] for what in ASKED}
    for _ in range(PROCESSES):
        with tempfile.TemporaryDirectory() as folder:
            for what, found in rows.items():
                found.append(in_fresh_process(what, Path(folder)))
    record = {
        "schema_version": 1,
        "circumstances": {"machine": machine()} | versions("pydantic"),
        "figures": {what: condense(found) for what, found in rows.items()},
    }
    RECORD.mkdir(parents=True, exist_ok=True)
    (RECORD / "records.json").write_text(json.dumps(record, indent=1) + "\n")
    (RECORD / "records.md").write_text(markdown(record))
    print(markdown(record), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
