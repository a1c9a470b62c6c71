"""Stored runs, made for tests: what each process told, and in which circumstances."""

from making import case, environment, header, measurement, samples

from xpcs_bench.analysis.summary import summarise
from xpcs_bench.records import Accounting, OutputDigest, RunRecord

NUMPY, JAX = case("numpy"), case("jax")
HERE = environment()
N_SAMPLES = 12
_LABELS = {
    # of a sample of 1: CPU time, and waiting for a core
    "cpu": (1.0, 0.0),
    "wall": (1.5, 0.0),
    "least_disturbed": (1.5, 1.0),
}


def taken(clock, elapsed_ns):
    """Samples of one process that are told by a clock; None: without labels."""
    plain = samples(*[elapsed_ns] * N_SAMPLES)
    if clock is None:
        return plain
    cpu, waiting = (round(part * elapsed_ns) for part in _LABELS[clock])
    return plain.model_copy(
        update={
            "cpu_ns": (cpu,) * N_SAMPLES,
            "run_delay_ns": (waiting,) * N_SAMPLES,
            "involuntary_switches": (0,) * N_SAMPLES,
            "minor_faults": (0,) * N_SAMPLES,
        }
    )


def timed(of, *elapsed_ns, clock="cpu", where=HERE, **changes):
    """One measurement for each process of a cached call."""
    return [
        measurement(
            of,
            process,
            environment=where.fingerprint,
            samples=taken(clock, each),
            **changes,
        )
        for process, each in enumerate(elapsed_ns)
    ]


def once(of, *values, where=HERE, **changes):
    """One measurement for each process that gives one value."""
    return [
        measurement(of, process, environment=where.fingerprint, value=value, **changes)
        for process, value in enumerate(values)
    ]


def digest(sha256="a" * 64, name="q"):
    return OutputDigest(name=name, shape=(8, 8), dtype="float64", sha256=sha256)


def stored(cases, rows, environments=(HERE,), **changes):
    """A record; unknown keywords go to its header."""
    status = changes.pop("status", "complete")
    head = header(*cases, **changes)
    return RunRecord(
        header=head,
        status=status,
        finished="2026-01-02T03:05:05.000+00:00",
        accounting=Accounting(
            wall_s=60.0,
            measuring_s=30.0,
            startup_s=5.0,
            measuring_share=0.5,
            overhead_ns_per_sample=100.0,
        ),
        environments={each.fingerprint: each for each in environments},
        measurements=tuple(rows),
        summary=summarise(head.cases, head.groups, rows),
    )
