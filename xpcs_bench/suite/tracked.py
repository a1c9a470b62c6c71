"""Generated classes, one a kernel: a ``track_`` method a measure, crossed by asv.

Every benchmark is of asv's kind *track*: it returns a number that this package
measured. asv's own timers are not used: they would time a call that has not blocked,
and since asv_runner 0.3 they run ``setup`` before every timed call, so that whatever
is compiled there is compiled again and again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, get_args

from xpcs_bench.config.load import LoadedExperiment, load_experiment
from xpcs_bench.errors import CannotMeasure, ConfigError
from xpcs_bench.kernels.kernel import Capability
from xpcs_bench.measure.environment import capture
from xpcs_bench.records import Case, Device, Group, RunRecord, Status
from xpcs_bench.run.execute import execute
from xpcs_bench.run.journal import Evidence, Journal
from xpcs_bench.run.listener import Silent
from xpcs_bench.run.plan import Plan, make_plan
from xpcs_bench.run.prepare import PROBE_TIMEOUT_S, catalogue, memory_limit
from xpcs_bench.run.probe import probe
from xpcs_bench.run.store import begin, compose
from xpcs_bench.run.wire import Availability
from xpcs_bench.run.worker import Limits
from xpcs_bench.suite.metrics import METRICS, Metric

__all__ = ["Tracked", "tracked_classes"]

_NO_LIMIT = 2**63


class Tracked:
    """The benchmarks of one kernel; asv makes an instance a process."""

    loaded: ClassVar[LoadedExperiment]
    param_names = ("problem", "variant")
    params: ClassVar[tuple[Sequence[str], Sequence[str]]]
    timeout: ClassVar[float]
    """asv's, for one problem of one variant (s)."""

    def setup_cache(self) -> dict[str, Availability]:
        """Ask once what this machine and environment can run; asv keeps the answer."""
        limit = memory_limit(self.loaded.experiment.sampling)
        return probe(Limits(PROBE_TIMEOUT_S, limit))


@dataclass(frozen=True)
class _Benchmark:
    """What asv calls for one measure of one kernel."""

    loaded: LoadedExperiment
    measure_id: str
    metric: Metric

    def setup(
        self, availability: Mapping[str, Availability], problem: str, variant: str
    ) -> None:
        """Refuse what cannot run here: asv shows n/a, and prints why.

        Raises
        ------
        NotImplementedError
            The case is skipped on this machine, or the file excludes it. Another
            device is never measured instead.
        """
        wanted = f"{problem}/{variant}/{self.measure_id}"
        plan, _ = self._plan(availability)
        if wanted not in {case.id for case in plan.cases}:
            reasons = {skip.case: skip.reason for skip in plan.skipped}
            raise NotImplementedError(reasons.get(wanted, "the experiment excludes it"))

    def number(
        self, availability: Mapping[str, Availability], problem: str, variant: str
    ) -> float:
        """Measure the case in fresh workers, as ``run`` does, and read its number.

        Raises
        ------
        CannotMeasure
            It was measured, and not well: asv shows a failure.
        """
        wanted = f"{problem}/{variant}/{self.measure_id}"
        plan, limits = self._plan(availability)
        (case,) = (case for case in plan.cases if case.id == wanted)
        group = Group(id=case.group_id, reference=case.id, cases=(case.id,))
        alone = replace(plan, cases=(case,), groups=(group,), skipped=())
        record = _run(self.loaded, alone, limits)
        for measurement in record.measurements:
            observation = measurement.observation
            if observation.status is not Status.OK:
                msg = f"{wanted}: {observation.status.value}: {observation.reason}"
                raise CannotMeasure(msg)
        return self.metric.read(record)

    def _plan(self, availability: Mapping[str, Availability]) -> tuple[Plan, Limits]:
        experiment = self.loaded.experiment
        limit = memory_limit(experiment.sampling)
        limits = Limits(experiment.sampling.timeout_s, limit)
        return make_plan(experiment, availability, limit), limits


def _run(loaded: LoadedExperiment, plan: Plan, limits: Limits) -> RunRecord:
    source = (str(loaded.path), loaded.sha256)
    with TemporaryDirectory() as out:
        folder, header = begin(plan, Path(out), sys.argv, source, capture(None))
        evidence = Evidence(header)
        with Journal(folder) as journal:
            execute(plan, evidence, journal, limits, Silent())
    return compose(evidence, interrupted=False)


def _method(
    loaded: LoadedExperiment, case: Case, metric: Metric
) -> Callable[..., float]:
    """Make the method of a measure, with the attributes that asv reads from it."""
    benchmark = _Benchmark(loaded, case.measure_id, metric)

    def track(
        _: Tracked,
        availability: Mapping[str, Availability],
        problem: str,
        variant: str,
    ) -> float:
        return benchmark.number(availability, problem, variant)

    boundary = f" {case.boundary}" if case.boundary else ""
    attributes = {
        "setup": benchmark.setup,
        "unit": metric.unit,
        # asv's default, a hash of the source, would be the same for all of them
        "version": f"{case.kernel_version}.{metric.version}",
        "pretty_name": f"{case.kernel}: {metric.says}{boundary}",
    }
    for name, value in attributes.items():
        setattr(track, name, value)
    return track


def _everywhere(loaded: LoadedExperiment) -> dict[str, Availability]:
    """Return what a machine would say that had every device the matrix names."""
    matrix = loaded.experiment.matrix
    rows = matrix.include
    platforms = {*matrix.device, *(row.device for row in rows if row.device)}
    devices = tuple(
        Device(platform=platform, index=0, name="", memory_bytes=None)
        for platform in sorted(platforms)
    )
    everything = Availability(
        available=True,
        reason="",
        version=None,
        devices=devices,
        capabilities=get_args(Capability),
    )
    return dict.fromkeys(
        {*matrix.backend, *(row.backend for row in rows if row.backend)}, everything
    )


def tracked_classes(config: Path, overrides: tuple[str, ...] = ()) -> dict[str, type]:
    """Make the classes that asv finds, by name: one a kernel.

    The parameters are the same on every machine, whatever it can run, so that asv
    can lay the results of several side by side.

    Parameters
    ----------
    config : Path
        The experiment.

    Raises
    ------
    ConfigError
        The file is wrong, or measures what has no number of its own.
    """
    loaded = load_experiment(config, catalogue=catalogue(), overrides=overrides)
    # asv measures one case at a time and compares commits: no case needs a control
    alone = loaded.experiment.model_copy(update={"controls": False})
    loaded = replace(loaded, experiment=alone)
    for measure in loaded.experiment.measure:
        if measure not in METRICS:
            msg = (
                f"{config}: measure: {measure!r} has no number that asv could keep. "
                f"Allowed here: {', '.join(METRICS)}. Remove it."
            )
            raise ConfigError(msg)
    plan = make_plan(loaded.experiment, _everywhere(loaded), _NO_LIMIT)
    sampling = loaded.experiment.sampling
    classes: dict[str, type] = {}
    for kernel in dict.fromkeys(case.kernel for case in plan.cases):
        own = [case for case in plan.cases if case.kernel == kernel]
        content: dict[str, Any] = {
            "__doc__": f"The kernel {kernel}, as {config.name} describes it.",
            "loaded": loaded,
            "params": (
                list(dict.fromkeys(case.problem_id for case in own)),
                list(dict.fromkeys(case.variant.id for case in own)),
            ),
            # each process may come up, and answer, within the timeout of a worker
            "timeout": sampling.processes * (sampling.timeout_s + sampling.max_time_s),
        }
        for case in own:
            for which, metric in METRICS[case.measure].items():
                parts = filter(None, ("track", case.measure_id, which))
                name = "_".join(parts).replace(".", "_")
                if name not in content:
                    content[name] = _method(loaded, case, metric)
        classes[kernel] = type(kernel, (Tracked,), content)
    return classes
