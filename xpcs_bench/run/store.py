"""Folders of runs: begin one, find one to resume, write and read its record."""

from __future__ import annotations

import gc
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json

from xpcs_bench import __version__
from xpcs_bench.analysis.claims import judge_claims
from xpcs_bench.analysis.efficiency import efficiencies
from xpcs_bench.analysis.effort import efforts
from xpcs_bench.analysis.families import Families
from xpcs_bench.analysis.regression import regressions
from xpcs_bench.analysis.summary import summarise
from xpcs_bench.config import PRESETS_OF_GATES
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.records import (
    SCHEMA_VERSION,
    Accounting,
    BehaviourSeen,
    Ceiling,
    Environment,
    Measurement,
    RunHeader,
    RunRecord,
    RunStatus,
    Summary,
    Verdict,
)
from xpcs_bench.run.claims import tried
from xpcs_bench.run.journal import JOURNAL, Evidence, read_journal
from xpcs_bench.run.plan import Plan

__all__ = [
    "RECORD",
    "begin",
    "compose",
    "load",
    "resumable",
    "save",
    "with_verdicts",
]

RECORD = "run.json"


def begin(
    plan: Plan,
    out: Path,
    command: Sequence[str],
    source: tuple[str, str],
    parent: Environment,
) -> tuple[Path, RunHeader]:
    """Make a new run's folder and header.

    Parameters
    ----------
    source : (path, sha256)
        Of the experiment's file.

    Raises
    ------
    ConfigError
        The folder cannot be made.
    """
    started = datetime.now(UTC)
    stamp = started.strftime("%Y%m%dT%H%M%SZ")
    # two runs may begin within one second
    run_id = f"{plan.experiment.name}-{stamp}-{secrets.token_hex(2)}"
    folder = out / run_id
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        msg = (
            f"--out {str(out)!r}: the folder {str(folder)!r} cannot be made "
            f"({error.strerror}). Name a folder that can be written to."
        )
        raise ConfigError(msg) from error
    header = RunHeader(
        run_id=run_id,
        name=plan.experiment.name,
        command=" ".join(command),
        started=started.isoformat(timespec="milliseconds"),
        xpcs_bench=__version__,
        experiment=plan.experiment,
        experiment_path=source[0],
        experiment_sha256=source[1],
        plan_digest=plan.digest,
        cases=plan.cases,
        groups=plan.groups,
        skipped=plan.skipped,
        baseline=plan.baseline,
        claims=plan.claims,
        parent=parent,
    )
    return folder, header


def resumable(plan: Plan, out: Path, run_id: str | None) -> tuple[Path, Evidence]:
    """Find the run to go on with: the one named, or the latest of the same plan.

    Raises
    ------
    ConfigError
        There is none, or it measures something else.
    """
    if run_id is not None:
        folder = out / run_id
        evidence = read_journal(folder)
        if evidence.header.plan_digest != plan.digest:
            msg = (
                f"--resume {run_id!r}: that run was planned differently (plan "
                f"{evidence.header.plan_digest[:12]}, now {plan.digest[:12]}), and its "
                f"measurements cannot be mixed with this plan's. Restore the "
                f"experiment as it was, or start a run without --resume."
            )
            raise ConfigError(msg)
        return folder, evidence
    latest: tuple[str, Path, Evidence] | None = None
    for path in out.glob(f"*/{JOURNAL}"):
        try:
            evidence = read_journal(path.parent)
        except RecordError:
            continue  # another run's damage is no reason not to resume this one
        if evidence.header.plan_digest == plan.digest and (
            latest is None or evidence.header.started > latest[0]
        ):
            latest = (evidence.header.started, path.parent, evidence)
    if latest is None:
        msg = (
            f"--resume: no run of this plan (digest {plan.digest[:12]}) in "
            f"{str(out)!r}. Start one without --resume, or name the folder with --out."
        )
        raise ConfigError(msg)
    return latest[1], latest[2]


def compose(evidence: Evidence, *, interrupted: bool) -> RunRecord:
    """Make the record of what was measured, with all that it allows to conclude."""
    header = evidence.header
    order = {case.id: position for position, case in enumerate(header.cases)}
    measurements = tuple(
        sorted(
            evidence.measurements.values(),
            key=lambda row: (order[row.case], row.process),
        )
    )
    measured = {row.case for row in measurements}
    checks = tuple(evidence.ceiling_checks.values())
    ceilings = tuple(ceiling for check in checks for ceiling in check.ceilings)
    behaviours = tuple(evidence.behaviours.values())
    summary = _conclude(header, measurements, ceilings, behaviours)
    settled = measured.union(summary.unneeded)
    status: RunStatus = "complete"
    if interrupted:
        status = "interrupted"
    elif any(case.id not in settled for case in header.cases) or any(
        name not in evidence.behaviours
        for name in tried(header.experiment, header.claims)
    ):
        status = "incomplete"
    measuring_s = sum(row.observation.spent_ns for row in measurements) * 1e-9
    overheads = [
        row.observation.overhead_ns_per_sample
        for row in measurements
        if row.observation.overhead_ns_per_sample is not None
    ]
    return RunRecord(
        header=header,
        status=status,
        finished=datetime.now(UTC).isoformat(timespec="milliseconds"),
        accounting=Accounting(
            wall_s=evidence.wall_s,
            measuring_s=measuring_s,
            startup_s=sum(row.startup_s for row in measurements),
            measuring_share=measuring_s / evidence.wall_s if evidence.wall_s else 0.0,
            overhead_ns_per_sample=max(overheads, default=None),
        ),
        environments=dict(evidence.environments),
        measurements=measurements,
        ceilings=ceilings,
        ceiling_checks=tuple(
            check.model_copy(update={"ceilings": ()}) for check in checks
        ),
        behaviours=behaviours,
        summary=summary,
    )


def _conclude(
    header: RunHeader,
    measurements: Sequence[Measurement],
    ceilings: Sequence[Ceiling],
    behaviours: Sequence[BehaviourSeen],
) -> Summary:
    """Conclude all that evidence allows, but for the verdicts, which are the gate's."""
    experiment = header.experiment
    summary = summarise(header.cases, header.groups, measurements)
    known = efforts(summary.estimates, measurements, experiment.sampling)
    parts = efficiencies(header.cases, summary.estimates, ceilings, experiment)
    claims = judge_claims(header, measurements, behaviours, summary)
    found: dict[str, object] = {
        "efforts": known,
        "efficiencies": parts,
        "claims": claims,
    }
    if experiment.crossover is not None:
        families = Families(experiment, header.cases, header.groups, header.skipped)
        crossovers = families.conclusions(measurements, summary.controls)
        unneeded = families.unneeded(measurements)
        found |= {"crossovers": tuple(crossovers), "unneeded": unneeded}
    found["regressions"] = tuple(
        regressions(
            experiment.gate or PRESETS_OF_GATES["default"],
            header.cases,
            header.groups,
            measurements,
            summary.controls,
        )
    )
    return summary.model_copy(update=found)


def with_verdicts(record: RunRecord, verdicts: tuple[Verdict, ...]) -> RunRecord:
    """Add what the gate says."""
    summary = record.summary.model_copy(update={"verdicts": verdicts})
    return record.model_copy(update={"summary": summary})


def save(record: RunRecord, folder: Path) -> Path:
    """Write ``run.json``; a reader never sees half of it."""
    path = folder / RECORD
    draft = path.with_suffix(".json.part")
    draft.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105 (atomic by contract)
    return path


def load(place: Path) -> tuple[Path, RunRecord]:
    """Read a run by its folder or its ``run.json``; conclusions are computed anew.

    A folder that holds a journal alone (the run was killed) gives the record of what
    the journal holds.

    Returns
    -------
    folder, record

    Raises
    ------
    RecordError
        It is no record, it is damaged, or another version wrote it.
    """
    folder = place if place.is_dir() else place.parent
    path = folder / RECORD if place.is_dir() else place
    if not path.exists():
        if (folder / JOURNAL).exists():
            return folder, compose(read_journal(folder), interrupted=True)
        msg = (
            f"{place}: neither {RECORD} nor {JOURNAL} is there. Name the folder that "
            f"'xpcs-bench run' printed, or the {RECORD} in it."
        )
        raise RecordError(msg)
    with _uncollected():
        record = _read(path)
        summary = _conclude(
            record.header, record.measurements, record.ceilings, record.behaviours
        )
    return folder, record.model_copy(update={"summary": summary})


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector wait: all that is made here stays.

    It would look through the samples again and again as they become more, and take
    0.4 s more for a million of them.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _read(path: Path) -> RunRecord:
    try:
        # 0.22 s for a million samples, where json takes 0.49 s
        content = from_json(path.read_bytes())
        version = content["header"]["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path}: is no run record ({type(error).__name__}: {error})."
        raise RecordError(msg) from error
    if version != SCHEMA_VERSION:
        msg = (
            f"{path}: schema version {version!r}; this program reads "
            f"{SCHEMA_VERSION}. Use the xpcs_bench that wrote it."
        )
        raise RecordError(msg)
    try:
        return RunRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(map(str, first["loc"]))
        msg = (
            f"{path}: /{where}: {first['msg']}. A record is evidence and is not "
            f"edited; 'xpcs-bench report {path.parent}' rebuilds it from the journal "
            f"once {RECORD} is moved away."
        )
        raise RecordError(msg) from error
