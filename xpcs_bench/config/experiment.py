"""What one YAML file says, once every shorthand in it has been resolved."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from xpcs_bench.config.claim import Claim
from xpcs_bench.config.crossover import CrossoverSearch
from xpcs_bench.config.detector import Detector
from xpcs_bench.config.gate import Gate
from xpcs_bench.config.geometry import Geometry
from xpcs_bench.config.profile import Profile
from xpcs_bench.confined import RecordedModel

__all__ = [
    "MEASURES",
    "Bytes",
    "Calls",
    "CompilationCache",
    "Converts",
    "Dtype",
    "Experiment",
    "KernelChoice",
    "Matrix",
    "MeasureName",
    "Precision",
    "Processes",
    "Reason",
    "SampleSeconds",
    "Sampling",
    "Seconds",
    "Seed",
    "Selector",
    "ToleranceOverride",
    "ToleranceValue",
]

MeasureName = Literal[
    "first_call",
    "recompile",
    "stages",
    "steady_state",
    "conversion",
    "parity",
    "peak_memory",
    "counters",
]
MEASURES: tuple[MeasureName, ...] = (
    "first_call",
    "recompile",
    "stages",
    "steady_state",
    "conversion",
    "parity",
    "peak_memory",
    "counters",
)
Dtype = Literal["float64", "float32"]
CompilationCache = Literal["off", "cold", "warm"]
Converts = Literal["nothing", "input", "output", "both"]
Precision = Annotated[float, Field(gt=0, lt=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SampleSeconds = Annotated[float, Field(gt=0, le=10)]
Processes = Annotated[int, Field(ge=1, le=100)]
Calls = Annotated[int, Field(ge=1)]
Bytes = Annotated[int, Field(gt=0)]
ToleranceValue = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Reason = Annotated[str, Field(min_length=1)]
Seed = Annotated[int, Field(ge=0)]


class KernelChoice(RecordedModel):
    """A kernel and the parameter values to cross."""

    name: str
    """Name in the kernel registry."""
    params: dict[str, tuple[Any, ...]]
    """For every parameter that the file names, the values it takes in turn."""


class Selector(RecordedModel):
    """A row of ``include`` or ``exclude``: all fields that are given must match."""

    kernel: str | None = None
    detector: str | None = None
    geometry: str | None = None
    backend: str | None = None
    device: str | None = None
    dtype: Dtype | None = None
    compilation_cache: CompilationCache | None = None
    converts: Converts | None = None
    measure: MeasureName | None = None


class Matrix(RecordedModel):
    """The variants that are compared with each other on the same work."""

    backend: tuple[str, ...]
    """Names in the backend registry."""
    device: tuple[str, ...]
    """Platforms; one that is absent is skipped with the reason, never replaced."""
    dtype: tuple[Dtype, ...]
    """Floating-point type of inputs and outputs."""
    compilation_cache: tuple[CompilationCache, ...] = ("off",)
    """State of the persistent compilation cache when a process starts."""
    converts: tuple[Converts, ...] = ("nothing",)
    """What a call carries across between NumPy's arrays and the backend's."""
    exclude: tuple[Selector, ...] = ()
    """Cases to leave out."""
    include: tuple[Selector, ...] = ()
    """Variants to add; each row names at least backend and device."""

    @property
    def backends(self) -> tuple[str, ...]:
        """Every backend that it names."""
        added = (row.backend for row in self.include if row.backend)
        return tuple(dict.fromkeys((*self.backend, *added)))


class Sampling(RecordedModel):
    """How much effort a case gets."""

    precision: Precision
    """Half-width of the interval at which sampling stops, as a part of the value."""
    max_time_s: Seconds
    """Most time spent on the samples of one case, all its processes together (s)."""
    processes: Processes
    """Fresh processes per case; the least, where there is a budget."""
    budget_s: Seconds | None = None
    """Time for the whole experiment (s): as long as there is some left, the case that
    is known least gets more processes. None: no case gets more than its own."""
    min_sample_s: SampleSeconds
    """Inner loops are added until one sample takes at least this long (s)."""
    warmup_calls: Calls
    """Calls after the first one that are recorded apart, before sampling."""
    timeout_s: Seconds
    """Longest silence of a worker before it is killed (s)."""
    memory_limit: Bytes | None
    """Resident memory at which a worker is killed (bytes); None: 80 % of what is
    available when the run starts."""


class ToleranceOverride(RecordedModel):
    """A tolerance that replaces the kernel's own, with the reason for it."""

    kernel: str
    output: str | None = None
    dtype: Dtype | None = None
    rtol: ToleranceValue
    atol: ToleranceValue
    reason: Reason


class Experiment(RecordedModel):
    """One experiment, resolved: free of defaults, shorthands and relative paths."""

    name: str
    kernels: tuple[KernelChoice, ...]
    detectors: tuple[Detector, ...]
    geometries: tuple[Geometry, ...]
    matrix: Matrix
    measure: tuple[MeasureName, ...]
    boundaries: tuple[str, ...]
    """Conversions to time, by name in the boundary registry."""
    sampling: Sampling
    profile: Profile = Profile(
        name="as_user", threads=None, memory="system", pinned=False
    )
    """How workers are set up; records from before there were profiles have this one."""
    efficiency: bool = False
    """Whether the ceilings of the machine are measured, and cached calls told as parts
    of them."""
    tolerances: tuple[ToleranceOverride, ...] = ()
    controls: bool = False
    """Whether comparisons are accompanied by ones whose answer is known; records from
    before there were any have none."""
    claims: tuple[Claim, ...] = ()
    """Sentences of documents that the run decides."""
    crossover: CrossoverSearch | None = None
    """Along which sizes turns of the order are searched; None: every case of the matrix
    is measured, as in all records from before there were searches."""
    gate: Gate | None = None
    """What a candidate is held to where two revisions are compared; None: the default,
    as for records from before there were gates."""
    seed: Seed
    """Seed of inputs and of the order of sampling."""
