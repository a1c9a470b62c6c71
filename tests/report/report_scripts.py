"""A scripted run: a record of any shape, without anything having been measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from xpcs_bench.analysis.efficiency import efficiencies
from xpcs_bench.config import (
    CrossoverSearch,
    Detector,
    Experiment,
    Geometry,
    KernelChoice,
    Matrix,
    Sampling,
)
from xpcs_bench.records import (
    Accounting,
    Agreement,
    BreakEven,
    Case,
    CaseEstimate,
    Ceiling,
    ClaimFinding,
    Comparison,
    Control,
    Crossover,
    CrossoverPoint,
    Device,
    Diagnosis,
    Environment,
    Estimate,
    Group,
    Judgement,
    LostSize,
    Measurement,
    Observation,
    Outcome,
    Regression,
    RunHeader,
    RunRecord,
    Samples,
    Skip,
    Span,
    Status,
    Summary,
    Turn,
    Variant,
    Verdict,
)

SAXS = Geometry(name="saxs", kind="transmission", energy_kev=10.0, distance_mm=5000.0)
NUMPY = Variant(backend="numpy", device="cpu", dtype="float64")
JAX = Variant(backend="jax", device="cpu", dtype="float64")
JAX32 = Variant(backend="jax", device="cpu", dtype="float32")


def detector(name: str, rows: int, columns: int) -> Detector:
    return Detector(name=name, shape=(rows, columns), pixel_size_um=75.0)


def estimate(point: float, unit: str = "s", doubt: float = 0.02, **changes: Any):
    fields = {
        "point": point,
        "lower": point * (1 - doubt),
        "upper": point * (1 + doubt),
        "confidence": 0.95,
        "statistic": "median of process means, bootstrap over processes",
        "n_processes": 3,
        "n_samples": 120,
        "unit": unit,
    }
    return Estimate(**{**fields, **changes})


def agreement(**changes: Any) -> Agreement:
    fields = {
        "output": "q",
        "against": "reference",
        "passed": True,
        "reason": "every element is within tolerance",
        "shape": (1024, 1024),
        "dtype": "float64",
        "n_compared": 1048576,
        "n_beyond": 0,
        "max_abs": 2.2e-16,
        "max_rel": 3.1e-16,
        "max_ulp": 2.0,
        "worst_index": (12, 977),
        "actual": 0.0123,
        "desired": 0.0123,
        "rtol": 1e-12,
        "atol": 0.0,
        "tolerance_reason": "two square roots and one division",
    }
    return Agreement(**{**fields, **changes})


def environment(**changes: Any) -> Environment:
    fields = {
        "host": "beamline-3",
        "cpu": "AMD EPYC 7313",
        "cpu_features": ("avx2", "fma"),
        "cores": 16,
        "affinity": (0, 1),
        "memory_bytes": 128 * 2**30,
        "kernel": "Linux 6.1.0",
        "python": "3.11.7",
        "packages": {"numpy": "2.4.0", "h5py": "3.13.0"},
        "backend": None,
        "devices": (),
        "x64": None,
        "variables": {"OMP_NUM_THREADS": "1"},
        "compilation_cache": None,
        "git_revision": "e41760e",
        "git_dirty": False,
    }
    return Environment(**{**fields, **changes})


@dataclass
class Script:
    """Collects cases and conclusions; :meth:`record` makes the record of them."""

    name: str = "detectors-on-this-workstation"
    status: str = "complete"
    cases: list[Case] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    estimates: list[CaseEstimate] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    break_evens: list[BreakEven] = field(default_factory=list)
    crossovers: list[Crossover] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)
    regressions: list[Regression] = field(default_factory=list)
    baseline: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    parent: Environment = field(default_factory=environment)
    overhead_ns: float | None = 412.0
    efficiency: bool = False
    ceilings: list[Ceiling] = field(default_factory=list)
    ceiling_checks: list[Diagnosis] = field(default_factory=list)
    claims: list[ClaimFinding] = field(default_factory=list)

    def environments(self) -> dict[str, Environment]:
        workers = (
            environment(backend="numpy"),
            environment(
                backend="jax",
                x64=True,
                compilation_cache="off",
                packages={"numpy": "2.4.0", "h5py": "3.13.0", "jax": "0.10.2"},
                devices=(
                    Device(platform="cpu", index=0, name="cpu", memory_bytes=None),
                ),
            ),
        )
        return {worker.fingerprint: worker for worker in workers}

    def case(
        self,
        variant: Variant = NUMPY,
        measure: str = "steady_state",
        *,
        kernel: str = "qmap",
        on: Detector | None = None,
        labels: dict[str, Any] | None = None,
        boundary: str | None = None,
        status: Status | None = Status.OK,
        reason: str = "",
        log: str = "",
        checks: Iterable[Agreement] = (),
        input_bytes: int = 0,
        processes: int = 1,
        least: tuple[int | None, int | None] = (None, None),
        **observed: Any,
    ) -> Case:
        """Plan a case and measure it; ``least`` is its flops and its bytes."""
        case = Case(
            kernel=kernel,
            kernel_version="1",
            params=labels or {},
            labels=labels or {},
            detector=on,
            geometry=SAXS if on else None,
            variant=variant,
            measure=measure,
            boundary=boundary,
            least_flops=least[0],
            least_bytes=least[1],
        )
        self.cases.append(case)
        if status is not None:
            self.measurements += [
                Measurement(
                    case=case.id,
                    process=process,
                    environment=next(
                        fingerprint
                        for fingerprint, worker in self.environments().items()
                        if worker.backend in (variant.backend, "numpy")
                    ),
                    started="2026-03-14T02:53:00Z",
                    wall_s=2.5,
                    startup_s=0.4,
                    interleaved=True,
                    log=log,
                    observation=Observation(
                        status=status,
                        reason=reason,
                        samples=Samples(
                            elapsed_ns=(12_300_000,), inner_loops=(1,), block=(0,)
                        ),
                        checks=tuple(checks),
                        input_bytes=input_bytes,
                        **observed,
                    ),
                )
                for process in range(processes)
            ]
        return case

    def conclude(self, case: Case, metric: str, value: Estimate) -> None:
        self.estimates.append(CaseEstimate(case=case.id, metric=metric, estimate=value))

    def compare(
        self,
        baseline: Case,
        candidate: Case,
        ratio: Estimate,
        judgement: Judgement,
        metric: str = "steady_state",
        *,
        smallest_change: float | None = 0.0421,
        reason: str = "",
    ) -> None:
        self.comparisons.append(
            Comparison(
                group=baseline.group_id,
                metric=metric,
                baseline=baseline.id,
                candidate=candidate.id,
                ratio=ratio,
                judgement=judgement,
                smallest_change=smallest_change,
                reason=reason,
            )
        )

    def control(
        self, backend: str, *, slowed: Estimate | None, reason: str = ""
    ) -> None:
        """Compare a code with itself, which holds, and slowed, which may not.

        A reason says why it does not.
        """
        first, again, slow = (
            self.case(
                Variant(backend=backend, device="cpu", dtype="float64", control=part),
                kernel="g2_model",
                processes=3,
                checks=[agreement(output="g2")],
            )
            for part in ("first", "again", "slowed")
        )
        same = estimate(1.004, "x", confidence=0.999)
        for case, kind, ratio, why in (
            (again, "same", same, ""),
            (slow, "slowed", slowed, reason),
        ):
            self.controls.append(
                Control(
                    group=first.group_id,
                    kind=kind,
                    baseline=first.id,
                    candidate=case.id,
                    ratio=ratio,
                    outcome=Outcome.INCONCLUSIVE if why else Outcome.PASS,
                    reason=why or "as it must be.",
                )
            )

    def record(self) -> RunRecord:
        groups: dict[str, list[Case]] = {}
        for case in self.cases:
            groups.setdefault(case.group_id, []).append(case)
        detectors = {
            case.detector.name: case.detector for case in self.cases if case.detector
        }
        experiment = Experiment(
            name=self.name,
            kernels=tuple(
                KernelChoice(name=name, params={})
                for name in dict.fromkeys(
                    case.kernel for case in self.cases if not case.variant.control
                )
            ),
            detectors=tuple(detectors.values()),
            geometries=(SAXS,) if detectors else (),
            matrix=Matrix(
                backend=("numpy", "jax"), device=("cpu",), dtype=("float64",)
            ),
            measure=("first_call", "steady_state"),
            boundaries=(),
            sampling=Sampling(
                precision=0.01,
                max_time_s=5.0,
                processes=3,
                min_sample_s=1e-3,
                warmup_calls=3,
                timeout_s=60.0,
                memory_limit=None,
            ),
            seed=0,
            efficiency=self.efficiency,
            crossover=CrossoverSearch(
                axis=self.crossovers[0].axis,
                sizes=(16, 4096),
                width=0.1,
                confidence=0.95,
            )
            if self.crossovers
            else None,
        )
        return RunRecord(
            header=RunHeader(
                run_id="20260314-025300-detectors",
                name=self.name,
                command="xpcs-bench run configs/detectors.yaml",
                started="2026-03-14T02:53:00Z",
                xpcs_bench="0.1.0",
                experiment=experiment,
                experiment_path="configs/detectors.yaml",
                experiment_sha256="ab" * 32,
                plan_digest="cd" * 32,
                cases=tuple(self.cases),
                groups=tuple(
                    Group(
                        id=name,
                        reference=cases[0].id,
                        cases=tuple(case.id for case in cases),
                    )
                    for name, cases in groups.items()
                ),
                skipped=tuple(self.skipped),
                parent=self.parent,
                baseline=self.baseline,
            ),
            status=self.status,
            finished="2026-03-14T02:55:10Z",
            accounting=Accounting(
                wall_s=130.0,
                measuring_s=109.2,
                startup_s=14.5,
                measuring_share=0.84,
                overhead_ns_per_sample=self.overhead_ns,
            ),
            environments=self.environments(),
            measurements=tuple(self.measurements),
            ceilings=tuple(self.ceilings),
            ceiling_checks=tuple(self.ceiling_checks),
            summary=Summary(
                estimates=tuple(self.estimates),
                comparisons=tuple(self.comparisons),
                controls=tuple(self.controls),
                break_evens=tuple(self.break_evens),
                crossovers=tuple(self.crossovers),
                unneeded=tuple(self.unneeded),
                verdicts=tuple(self.verdicts),
                claims=tuple(self.claims),
                regressions=tuple(self.regressions),
                efficiencies=efficiencies(
                    self.cases, self.estimates, self.ceilings, experiment
                ),
            ),
        )


def speed(
    script: Script,
    on: Detector,
    times: dict[Variant, tuple[float, float]],
    judgements: dict[Variant, Judgement],
    kernel: str = "qmap",
) -> dict[Variant, Case]:
    """Script first and cached calls (s) of some variants; the first is the baseline."""
    cached_cases: dict[Variant, Case] = {}
    baseline_time = next(iter(times.values()))[1]
    for variant, (first, cached) in times.items():
        first_case = script.case(variant, "first_call", kernel=kernel, on=on)
        script.conclude(first_case, "first_call", estimate(first, doubt=0.1))
        case = script.case(variant, "steady_state", kernel=kernel, on=on, processes=3)
        script.conclude(case, "steady_state", estimate(cached))
        cached_cases[variant] = case
        if variant in judgements:
            baseline = next(iter(cached_cases.values()))
            ratio = estimate(cached / baseline_time, "x", doubt=0.03)
            script.compare(baseline, case, ratio, judgements[variant])
    return cached_cases


def counted(script: Script, variant: Variant = JAX, **changes: Any) -> Case:
    """Script a case of counters, as a backend that compiles tells them, or not."""
    least = {"least_flops": 5.0e6, "least_bytes": 4.0e7}
    program = {
        "compilations": 1.0,
        "recompilations": 0.0,
        "traces": 1.0,
        "jaxpr_equations": 37.0,
        "hlo_instructions": 41.0,
        "flops": 7.5e6,
        "transcendentals": 1.0e6,
        "bytes_accessed": 8.0e7,
        "argument_bytes": 48.0,
        "output_bytes": 4.0e7,
        "temporary_bytes": 0.0,
    }
    fields = {
        "counters": least | program | {"allocated_peak_bytes": 4816.0},
        "uncounted": {},
    }
    if variant.backend == "numpy":
        fields = {
            "counters": least | {"allocated_peak_bytes": 6.0e7},
            "uncounted": dict.fromkeys(program, "backend 'numpy' compiles nothing."),
        }
    return script.case(variant, "counters", **{**fields, **changes})


def crossover(**changes: Any) -> Crossover:
    """Script a search along detectors: slower, then faster, with a lost size."""
    ratios = {16: 3.0, 64: 1.6, 96: 1.1, 104: 0.9, 256: 0.97, 1024: 0.5}
    fields = {
        "axis": "detector",
        "problem": "qmap/saxs",
        "metric": "steady_state",
        "baseline": NUMPY.id,
        "candidate": JAX.id,
        "answer": "crosses",
        "turns": (
            Turn(lower=96, upper=104, size=100, becomes="faster", resolved=True),
        ),
        "unclear": (Span(lower=104, upper=1024),),
        "wins_above": 1024,
        "points": tuple(
            CrossoverPoint(
                size=size,
                ratio=estimate(ratio, "x", doubt=0.05, confidence=0.999),
                sign="unknown"
                if size == 256
                else ("slower" if ratio > 1 else "faster"),
            )
            for size, ratio in ratios.items()
        ),
        "lost": (LostSize(size=4096, reason="memory: needs about 9 GiB."),),
        "n_measured": 7,
        "n_grid": 64,
        "widest_gap": 0.5,
        "width": 0.1,
        "confidence": 0.95,
        "reason": "becomes faster between 96 and 104.",
    }
    return Crossover(**{**fields, **changes})


def searched() -> Script:
    """A search with every answer, and nothing else."""
    script = Script()
    points = crossover().points
    script.crossovers += [
        crossover(),
        crossover(
            candidate=JAX32.id,
            answer="always",
            turns=(),
            unclear=(),
            wins_above=104,
            points=points[3:4] + points[5:],
            lost=(),
        ),
        crossover(
            problem="partition/saxs",
            answer="never",
            turns=(),
            unclear=(),
            wins_above=None,
            points=points[:3],
            lost=(),
        ),
        crossover(
            problem="partition/saxs",
            candidate=JAX32.id,
            answer="cannot_tell",
            turns=(),
            unclear=(),
            wins_above=None,
            points=(),
            lost=(),
            reason="no size was compared.",
        ),
        crossover(
            problem="partition/grazing",
            turns=(
                Turn(lower=None, upper=64, size=None, becomes="slower", resolved=False),
                Turn(lower=104, upper=None, size=None, becomes="slower", resolved=True),
            ),
            unclear=(),
            wins_above=None,
        ),
    ]
    return script


def small() -> Script:
    """Two problems, two variants, one of which cannot be told; one skip."""
    script = Script()
    eiger = detector("eiger-500k", 514, 1030)
    cases = speed(
        script,
        eiger,
        {NUMPY: (0.031, 0.012), JAX: (0.186, 0.004)},
        {JAX: Judgement.FASTER},
    )
    script.break_evens.append(
        BreakEven(
            problem=cases[JAX].problem_id,
            baseline=NUMPY.id,
            candidate=JAX.id,
            calls=estimate(21.0, "1", doubt=0.2),
            reason="first-call cost over saving per call",
        )
    )
    lambda750 = detector("lambda-750k", 516, 1556)
    cases = speed(
        script,
        lambda750,
        {NUMPY: (0.035, 0.020), JAX: (0.190, 0.0199)},
        {JAX: Judgement.INCONCLUSIVE},
    )
    script.break_evens.append(
        BreakEven(
            problem=cases[JAX].problem_id,
            baseline=NUMPY.id,
            candidate=JAX.id,
            calls=None,
            reason="whether a call saves anything cannot be told",
        )
    )
    script.skipped.append(
        Skip(
            case="qmap/eiger-500k/saxs/jax/gpu/float64/steady_state",
            reason="device gpu: none visible to jax",
        )
    )
    return script


def complete() -> Script:
    """Everything that a run can hold, all well."""
    script = Script()
    script.crossovers.append(crossover())
    sizes = {
        "eiger-500k": (514, 1030),
        "eiger-1m": (1065, 1030),
        "eiger-4m": (2167, 2070),
    }
    for at, (name, shape) in enumerate(sizes.items()):
        on = detector(name, *shape)
        scale = shape[0] * shape[1] / 529_420
        for kernel, gain in (("qmap", 1.4), ("partition", 0.4)):
            cases = speed(
                script,
                on,
                {
                    NUMPY: (0.014 * scale, 0.012 * scale),
                    JAX: (0.15 + 0.01 * scale, 0.012 * scale / gain),
                    JAX32: (0.14 + 0.01 * scale, 0.008 * scale / gain),
                },
                {
                    JAX: Judgement.FASTER if gain > 1 else Judgement.SLOWER,
                    JAX32: Judgement.FASTER if gain > 1 else Judgement.INCONCLUSIVE,
                },
                kernel,
            )
            for variant in JAX, JAX32:
                script.break_evens.append(
                    BreakEven(
                        problem=cases[variant].problem_id,
                        baseline=NUMPY.id,
                        candidate=variant.id,
                        calls=estimate(40 / (at + 1), "1", doubt=0.3)
                        if gain > 1
                        else None,
                        reason=""
                        if gain > 1
                        else "never: no call of the candidate is faster",
                    )
                )
            for variant in NUMPY, JAX, JAX32:
                checks = [
                    agreement(against="truth", n_compared=64, max_abs=1.1e-16),
                ]
                if variant is not NUMPY:
                    checks = [
                        agreement(),
                        agreement(
                            against="truth",
                            n_compared=64,
                            max_abs=3e-9 if variant is JAX32 else 1.1e-16,
                        ),
                    ]
                script.case(variant, "parity", kernel=kernel, on=on, checks=checks)
                memory = script.case(variant, "peak_memory", kernel=kernel, on=on)
                script.conclude(
                    memory, "peak_memory", estimate(12e6 * scale, "bytes", n_samples=3)
                )
                counted(script, variant, kernel=kernel, on=on)
            for variant in JAX, JAX32:
                again = script.case(variant, "recompile", kernel=kernel, on=on)
                seconds = 0.10 + 0.01 * scale
                script.conclude(again, "recompile", estimate(seconds, doubt=0.1))
            staged = script.case(JAX, "stages", kernel=kernel, on=on)
            for name_, seconds in (
                ("import", 0.31),
                ("backend_init", 0.006),
                ("trace", 0.02),
                ("lower", 0.012),
                ("compile", 0.09),
                ("execute", 0.004 * scale),
            ):
                script.conclude(staged, f"stages.{name_}", estimate(seconds))
        for boundary, base, power in (
            ("to_host_view", 8e-7, 0.0),
            ("to_host_copy", 4e-4, 1.0),
            ("hdf5_write", 2e-3, 1.0),
            ("matplotlib_draw", 3e-2, 0.3),
        ):
            for variant in NUMPY, JAX:
                case = script.case(
                    variant,
                    "conversion",
                    on=on,
                    boundary=boundary,
                    input_bytes=shape[0] * shape[1] * 8,
                )
                script.conclude(
                    case,
                    "conversion",
                    estimate(
                        base * scale**power * (1.6 if variant is JAX else 1.0),
                        doubt=0.08,
                    ),
                )
    script.verdicts += [
        Verdict(
            rule="parity",
            subject="all cases",
            outcome=Outcome.PASS,
            reason="every output agrees within its tolerance",
            evidence=("/measurements/0/observation/status",),
        ),
        Verdict(
            rule="no slower than the reference",
            subject="partition/eiger-4m/saxs",
            outcome=Outcome.INCONCLUSIVE,
            reason="the interval of the ratio reaches over 1",
        ),
    ]
    return script


def parity_failed() -> Script:
    """The fast variant is wrong."""
    script = Script(name="fast-and-wrong")
    on = detector("eiger-500k", 514, 1030)
    speed(
        script,
        on,
        {NUMPY: (0.031, 0.012), JAX: (0.186, 0.004)},
        {JAX: Judgement.FASTER},
    )
    script.case(
        NUMPY, "parity", on=on, checks=[agreement(against="truth", max_abs=1e-16)]
    )
    script.case(
        JAX,
        "parity",
        on=on,
        status=Status.PARITY_FAILED,
        reason="q: 4 of 529420 elements are beyond tolerance",
        checks=[
            agreement(
                passed=False,
                reason="4 of 529420 elements are beyond tolerance",
                n_beyond=4,
                max_abs=0.0123,
                max_rel=1.0,
                max_ulp=4.2e15,
                actual=0.0,
            ),
            agreement(against="truth", max_abs=0.0123),
            agreement(
                output="mask",
                passed=False,
                reason="shape (2,) is not (3,)",
                max_abs=None,
                max_rel=None,
                max_ulp=None,
                worst_index=None,
                actual=None,
                desired=None,
            ),
        ],
    )
    return script


def failures() -> Script:
    """Workers that crash, hang, raise and run out of memory; one case not reached."""
    script = Script(name="hard-night", status="interrupted", overhead_ns=None)
    on = detector("eiger-4m", 2167, 2070)
    for status, kernel in (
        (Status.CRASHED, "crashing"),
        (Status.TIMED_OUT, "hanging"),
        (Status.OUT_OF_MEMORY, "greedy"),
        (Status.RAISED, "raising"),
        (Status.INVALID, "retracing"),
    ):
        case = script.case(
            JAX,
            kernel=kernel,
            on=on,
            status=status,
            reason=f"worker 4711 ended: {status}",
            log='\nTraceback:\n  File "k.py", line 12\nValueError: 7',
        )
        if status is Status.INVALID:
            script.conclude(case, "steady_state", estimate(1e-6))
    script.case(JAX, kernel="unreached", on=on, status=None)
    return script


def skips_only() -> Script:
    """A machine without the device that was asked for."""
    script = Script(name="no-gpu-here")
    script.skipped += [
        Skip(
            case=f"qmap/det-{at}/jax/gpu/float64/steady_state",
            reason="device gpu: none",
        )
        for at in range(9)
    ]
    return script


def hostile() -> Script:
    """Names and numbers that want out of their cell."""
    script = Script(name='<script>alert(1)</script> & "quoted" | `tick` @all $x^2$')
    script.crossovers.append(
        crossover(
            axis="<b>axis</b>|@all",
            problem="</td><img src=x onerror=alert(4)>",
            candidate="x" * 300,
            points=(
                *crossover().points,
                CrossoverPoint(
                    size=2048, ratio=estimate(float("nan"), "x"), sign="unknown"
                ),
            ),
            lost=(LostSize(size=1, reason="<script>alert(5)</script> 1 of 2"),),
        )
    )
    names = [
        "</td><img src=x onerror=alert(2)>",
        "\u202e\u202dmirror\x1b[31mred\x00",
        "検出器-4M-Größe-πλ",
        "x" * 300,
        "a/b~c d|e",
        "$\\frac{1}{2}$",
    ]
    for at, name in enumerate(names):
        on = detector(name, 10, 10 + at)
        odd = (float("nan"), float("inf"), 0.0, 1e-320, 1e300, 5.0)[at]
        first = script.case(NUMPY, "first_call", on=on)
        script.conclude(first, "first_call", estimate(odd))
        base = script.case(NUMPY, on=on)
        script.conclude(base, "steady_state", estimate(odd))
        case = script.case(
            JAX,
            on=on,
            log="</pre><script>alert(3)</script>\r\n\x1b]0;title\x07",
            status=Status.OK if at else Status.RAISED,
            reason="<b>bold</b> 12 of 13",
            checks=[agreement(output=name, max_abs=odd, max_rel=None, max_ulp=odd)],
        )
        script.conclude(case, "steady_state", estimate(1.0))
        script.compare(base, case, estimate(odd, "x"), Judgement.INCONCLUSIVE)
        script.break_evens.append(
            BreakEven(
                problem=case.problem_id,
                baseline=NUMPY.id,
                candidate=JAX.id,
                calls=estimate(odd, "1"),
                reason=name,
            )
        )
        convert = script.case(
            JAX, "conversion", on=on, boundary=name, input_bytes=8 * (at + 1)
        )
        script.conclude(convert, "conversion", estimate(odd))
        staged = script.case(JAX, "stages", on=on)
        script.conclude(staged, f"stages.{name}", estimate(odd))
        script.skipped.append(Skip(case=f"{name} 1 2 3", reason=f"{name}\n* item"))
    script.parent = environment(
        host=names[0], variables={"A/B~C D": "1", "<i>": "\x1b[0m"}, cpu_features=()
    )
    return script


def many() -> Script:
    """Three hundred cases."""
    script = Script(name="night-shift")
    for at in range(75):
        speed(
            script,
            detector(f"detector-{at:03d}", 100 + 10 * at, 200),
            {NUMPY: (0.03, 1e-3 * (at + 1)), JAX: (0.2, 5e-4 * (at + 3))},
            {JAX: Judgement.FASTER if at > 5 else Judgement.INCONCLUSIVE},
        )
    return script


def ceiling(per_second: float, **changes: Any) -> Ceiling:
    fields = {
        "resource": "bytes",
        "per_second": per_second,
        "operation": "update",
        "library": "numpy",
        "platform": "cpu",
        "dtype": "int64",
        "threads": "all",
        "level": "memory",
        "working_set_bytes": 2**28,
        "cache_bytes": 2**25,
        "cores_used": 1.97,
        "method": "Highest of some readings of 3 passes: x + 1 in place.",
    }
    return Ceiling(**{**fields, **changes})


def efficient(outcome: Outcome = Outcome.PASS) -> Script:
    """Parts of ceilings: one known, one above 1, one that cannot be, one wrong."""
    script = Script(name="how-near", efficiency=True)
    product = {"resource": "flops", "operation": "matrix_product", "level": None}
    script.ceilings += [
        ceiling(40e9),
        ceiling(150e9, level="cache", working_set_bytes=2**24),
        ceiling(80e9, **product, dtype="float64", library="jax", cache_bytes=None),
    ]
    script.ceiling_checks += [
        Diagnosis(
            check="bandwidth_all_threads",
            outcome=outcome,
            found="in memory: update 40.0 GB/s; kept 2.0 of 2 cores busy",
            advice="" if outcome is Outcome.PASS else "Stop other work.",
        ),
        Diagnosis(
            check="xla_all_threads",
            outcome=Outcome.PASS,
            found="matrix product: float64 80.0 GFLOP/s",
            advice="",
        ),
    ]
    for name, rows, times in (
        ("eiger-4m", 2167, {NUMPY: 12e-3, JAX: 4e-3, JAX32: 2e-3}),
        ("tiny", 64, {NUMPY: 1e-4, JAX: 1e-5}),
    ):
        on = detector(name, rows, 2070)
        nbytes = 16 * rows * 2070
        for variant, cached in times.items():
            wrong = variant is JAX32
            least = (5 * rows * 2070, nbytes // 2 if wrong else nbytes)
            case = script.case(variant, on=on, least=least)
            script.conclude(case, "steady_state", estimate(cached))
    on = detector("eiger-4m", 2167, 2070)
    case = script.case(JAX, on=on, kernel="hdf5_io", least=(0, 2**30))
    script.conclude(case, "steady_state", estimate(0.5))
    script.case(NUMPY, on=on, kernel="hdf5_io", least=(0, 2**30), status=Status.INVALID)
    return script


def controlled() -> Script:
    """Comparisons beside controls that hold."""
    script = Script(name="controlled")
    on = detector("eiger-500k", 514, 1030)
    times = {NUMPY: (0.031, 0.012), JAX: (0.186, 0.004)}
    speed(script, on, times, {JAX: Judgement.FASTER})
    for backend in "numpy", "jax":
        script.control(backend, slowed=estimate(1.15, "x"))
    return script


UNSEEN = "15.0 % more calls were not found: ratio 1.020 [0.900, 1.200] at 95.0 %."


def doubted() -> Script:
    """Comparisons that a failing control has taken the judgement from."""
    script = Script(name="doubted")
    on = detector("eiger-500k", 514, 1030)
    cases = speed(script, on, {NUMPY: (0.031, 0.012), JAX: (0.186, 0.004)}, {})
    for variant, candidate in (
        (JAX, cases[JAX]),
        (JAX32, script.case(JAX32, on=on, processes=3)),
    ):
        script.compare(
            cases[NUMPY],
            candidate,
            estimate(0.333, "x"),
            Judgement.INCONCLUSIVE,
            smallest_change=None,
            reason=f"Control of jax/cpu: {UNSEEN}",
        )
        script.break_evens.append(
            BreakEven(
                problem=candidate.problem_id,
                baseline=NUMPY.id,
                candidate=variant.id,
                calls=None,
                reason="cannot tell: a control of this run failed.",
            )
        )
    script.control("numpy", slowed=estimate(1.15, "x"))
    script.control("jax", slowed=estimate(1.02, "x", doubt=0.12), reason=UNSEEN)
    script.verdicts.append(
        Verdict(
            rule="controls",
            subject=script.controls[-1].candidate,
            outcome=Outcome.INCONCLUSIVE,
            reason=UNSEEN,
            evidence=("/summary/controls/3",),
        )
    )
    return script


def finding(name: str, outcome: Outcome, **changes: Any) -> ClaimFinding:
    fields = {
        "id": name,
        "says": "The first call takes ~200 ms; `h5py` raises | ``TypeError``",
        "source": "a document, First calls",
        "claimed": "about 200 ms (100 ms to 400 ms)",
        "measured": estimate(0.186),
        "found": "",
        "outcome": outcome,
        "reason": "all of the interval lies within what is claimed.",
        "evidence": ("/summary/estimates/0",),
    }
    return ClaimFinding(**{**fields, **changes})


def claimed() -> Script:
    """Sentences of a document, of which one is true."""
    script = Script(name="claimed")
    on = detector("eiger-500k", 514, 1030)
    speed(script, on, {NUMPY: (0.031, 0.012), JAX: (0.186, 0.004)}, {})
    script.claims += [
        finding("first-call", Outcome.PASS),
        finding("first-call-again", Outcome.INCONCLUSIVE, reason="it goes across."),
        finding(
            "behaviour",
            Outcome.FAIL,
            source="a document, Boundaries",
            claimed="raises TypeError",
            measured=None,
            found="values equal: True",
            reason="it raises no TypeError.",
            evidence=("/behaviours/0",),
        ),
        finding(
            "on-a-gpu",
            Outcome.SKIP,
            source="a document, Boundaries",
            measured=None,
            reason="cannot be tested here: device gpu: none visible to jax.",
            evidence=("/header/skipped/0",),
        ),
        finding("lost", Outcome.ERROR, measured=None, evidence=(), reason="lost."),
    ]
    script.verdicts += [
        Verdict(
            rule="claims",
            subject=claim.id,
            outcome=claim.outcome,
            reason=claim.reason,
            evidence=(f"/summary/claims/{place}",),
        )
        for place, claim in enumerate(script.claims)
    ]
    return script


def nothing() -> Script:
    """A plan without a case."""
    return Script(name="empty")


def gated() -> Script:
    """Two revisions: one case is slower, one is not, and one cannot be told."""
    script = Script(baseline="c0ffee" * 6 + "c0ff")
    for kernel, point, outcome in (
        ("qmap", 1.004, Outcome.PASS),
        ("partition", 1.1, Outcome.FAIL),
        ("g2_model", 1.03, Outcome.INCONCLUSIVE),
    ):
        sides = [
            script.case(
                Variant(**NUMPY.model_dump() | {"revision": revision}), kernel=kernel
            )
            for revision in ("baseline", "candidate")
        ]
        for case in sides:
            script.conclude(case, "steady_state", estimate(1e-3))
        script.regressions.append(
            Regression(
                group=sides[0].group_id,
                family="calls",
                metric="steady_state",
                baseline=sides[0].id,
                candidate=sides[1].id,
                ratio=estimate(point, "x"),
                at_least=point - 0.05,
                at_most=point + 0.02,
                find=0.05,
                margin=0.01,
                smallest_change=None if kernel == "g2_model" else 0.07,
                outcome=outcome,
                reason=f"as the script of {kernel} says.",
            )
        )
    return script


SCRIPTS: dict[str, Callable[[], Script]] = {
    script.__name__: script
    for script in (
        small,
        complete,
        parity_failed,
        failures,
        skips_only,
        hostile,
        many,
        efficient,
        controlled,
        doubted,
        claimed,
        searched,
        gated,
        nothing,
    )
}
