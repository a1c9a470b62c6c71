"""An experiment as it stands in the file: the shorthands, before they are resolved.

The JSON Schema for editors is made from these models, and missing or unknown keys are
explained in the words of their docstrings.
"""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Strict, Tag
from pydantic.config import JsonDict

from xpcs_bench.config.detector import Pixels
from xpcs_bench.config.experiment import (
    Calls,
    CompilationCache,
    Converts,
    Dtype,
    MeasureName,
    Processes,
    Reason,
    Seed,
    ToleranceValue,
)
from xpcs_bench.config.gate import GatePreset
from xpcs_bench.config.geometry import GeometryKind, Orientation
from xpcs_bench.config.presets import PRESETS
from xpcs_bench.config.profile import Memory, ProfileName, Programs, Start, Threads
from xpcs_bench.config.written_claim import DeviceName, WrittenClaim
from xpcs_bench.config.written_types import (
    Listed,
    OneOrMany,
    WrittenBytes,
    WrittenDistance,
    WrittenDuration,
    WrittenEnergy,
    WrittenFraction,
    WrittenIncidence,
    WrittenModel,
    WrittenName,
    WrittenNumber,
    WrittenPixelSize,
    WrittenSampleDuration,
    pair_of,
)
from xpcs_bench.nexus import QMAP_MASK

__all__ = [
    "DEVICES",
    "WrittenCrossover",
    "WrittenDemand",
    "WrittenDetector",
    "WrittenDetectorFile",
    "WrittenDetectorPreset",
    "WrittenDetectorShape",
    "WrittenDetectorSweep",
    "WrittenExperiment",
    "WrittenGate",
    "WrittenGeometry",
    "WrittenGeometryFile",
    "WrittenGeometryNumbers",
    "WrittenMask",
    "WrittenMatrix",
    "WrittenProfile",
    "WrittenProfileChanges",
    "WrittenRectangle",
    "WrittenSampling",
    "WrittenSelector",
    "WrittenSweep",
    "WrittenTolerance",
]

DEVICES = ("cpu", "gpu", "tpu")
Index = Annotated[int, Strict(), Field(ge=0)]


class WrittenSweep(WrittenModel):
    """A sweep: values from `from` to `to`, by a `factor` or by a `step`."""

    start: WrittenNumber = Field(alias="from")
    """The first value."""
    stop: WrittenNumber = Field(alias="to")
    """The last value, included when the steps meet it."""
    factor: Annotated[WrittenNumber, Field(gt=1)] | None = None
    """What each value is multiplied with for the next; whole numbers stay whole."""
    step: Annotated[WrittenNumber, Field(gt=0)] | None = None
    """What is added to each value for the next."""


class WrittenRectangle(WrittenModel):
    """A rectangle of pixels that are not used."""

    rows: Annotated[tuple[Index, Index], pair_of("first", "one past last")]
    """First and one-past-last row."""
    columns: Annotated[tuple[Index, Index], pair_of("first", "one past last")]
    """First and one-past-last column."""


class WrittenMask(WrittenModel):
    """A mask: rectangles that are not used, or a stored mask, or both."""

    rectangles: OneOrMany[WrittenRectangle] | None = None
    """Rectangles of pixels that are not used, such as gaps between modules."""
    file: str | None = None
    """HDF5 file that holds a mask, relative to this file."""
    dataset: str = QMAP_MASK
    """Dataset in it that is non-zero where a pixel is used."""


class WrittenDetectorShape(WrittenModel):
    """A detector of a free size."""

    name: WrittenName | None = None
    """Name in case ids; ROWSxCOLUMNS when absent."""
    shape: Annotated[
        tuple[Annotated[Pixels, Strict()], Annotated[Pixels, Strict()]],
        pair_of("rows", "columns"),
    ]
    """Rows and columns (pixels)."""
    pixel_size_um: WrittenPixelSize
    """Edge of a square pixel (um)."""
    mask: WrittenMask | None = None
    """Pixels that are not used."""


class WrittenDetectorPreset(WrittenModel):
    """A detector that is known by name, with a mask or another name of its own."""

    preset: str = Field(json_schema_extra={"enum": list(PRESETS)})
    """Which detector."""
    name: WrittenName | None = None
    """Name in case ids; the preset's when absent."""
    mask: WrittenMask | None = None
    """Pixels that are not used."""


class WrittenDetectorSweep(WrittenModel):
    """Square detectors of growing size."""

    sweep: WrittenSweep
    """Rows, and as many columns (pixels)."""
    pixel_size_um: WrittenPixelSize
    """Edge of a square pixel (um)."""


class WrittenDetectorFile(WrittenModel):
    """A detector with its mask as measured, from a NeXus file of APS 8-ID-I."""

    from_file: str
    """HDF5 file with the group /xpcs/qmap, relative to this file."""
    name: WrittenName | None = None
    """Name in case ids; the file's when absent."""


def _detector_form(value: Any) -> str:
    """Tell by its keys which form of a detector was meant, misspelled or not."""
    if isinstance(value, str):
        return "<name>"
    forms = ("from_file", "sweep", "preset", "shape")
    if isinstance(value, dict):
        for form in forms:
            if form in value:
                return f"<{form}>"
        for key in value:
            near = difflib.get_close_matches(key, forms, n=1)
            if near:
                return f"<{near[0]}>"
    return "<shape>"


WrittenDetector = Annotated[
    Annotated[str, Tag("<name>"), Field(json_schema_extra={"enum": list(PRESETS)})]
    | Annotated[WrittenDetectorShape, Tag("<shape>")]
    | Annotated[WrittenDetectorPreset, Tag("<preset>")]
    | Annotated[WrittenDetectorSweep, Tag("<sweep>")]
    | Annotated[WrittenDetectorFile, Tag("<from_file>")],
    Discriminator(_detector_form),
]

_REFLECTION_NEEDS_AN_ANGLE: JsonDict = {
    "if": {"properties": {"kind": {"const": "reflection"}}, "required": ["kind"]},
    "then": {"required": ["incidence_deg"]},
    "else": {"properties": {"incidence_deg": False, "orientation": False}},
}


class WrittenGeometryNumbers(WrittenModel):
    """A geometry stated in numbers."""

    model_config = ConfigDict(json_schema_extra=_REFLECTION_NEEDS_AN_ANGLE)

    name: WrittenName | None = None
    """Name in case ids; made from the numbers when absent."""
    kind: GeometryKind
    """transmission (through the sample) or reflection (grazing incidence)."""
    energy_kev: WrittenEnergy
    """Photon energy (keV)."""
    distance_mm: WrittenDistance
    """Sample to detector along the direct beam (mm)."""
    beam_centre_px: (
        Annotated[tuple[WrittenNumber, WrittenNumber], pair_of("row", "column")] | None
    ) = None
    """Row and column of the direct beam (pixels); an integer is the middle of a pixel.
    The middle of the detector when absent."""
    incidence_deg: WrittenIncidence | None = None
    """Angle between beam and sample surface (degrees); for reflection only."""
    orientation: Orientation | None = None
    """Edge of the detector to which the surface normal points; for reflection only,
    north when absent."""


class WrittenGeometryFile(WrittenModel):
    """A geometry as measured, from a NeXus file of APS 8-ID-I."""

    model_config = ConfigDict(json_schema_extra=_REFLECTION_NEEDS_AN_ANGLE)

    from_file: str
    """HDF5 file with the group /xpcs/qmap, relative to this file."""
    name: WrittenName | None = None
    """Name in case ids; made from the numbers when absent."""
    kind: GeometryKind = "transmission"
    """transmission (through the sample) or reflection (grazing incidence)."""
    incidence_deg: WrittenIncidence | None = None
    """Angle between beam and sample surface (degrees); for reflection only."""
    orientation: Orientation | None = None
    """Edge of the detector to which the surface normal points; for reflection only,
    north when absent."""


def _geometry_form(value: Any) -> str:
    if isinstance(value, dict) and "from_file" in value:
        return "<from_file>"
    return "<numbers>"


WrittenGeometry = Annotated[
    Annotated[WrittenGeometryNumbers, Tag("<numbers>")]
    | Annotated[WrittenGeometryFile, Tag("<from_file>")],
    Discriminator(_geometry_form),
]


class WrittenSelector(WrittenModel):
    """A row of include or exclude: all keys must match; a list matches any of it."""

    kernel: OneOrMany[str] | None = None
    """Names of kernels."""
    detector: OneOrMany[str] | None = None
    """Names of detectors of this experiment."""
    geometry: OneOrMany[str] | None = None
    """Names of geometries of this experiment."""
    backend: OneOrMany[str] | None = None
    """Names of backends."""
    device: OneOrMany[DeviceName] | None = None
    """Platforms."""
    dtype: OneOrMany[Dtype] | None = None
    """Floating-point types."""
    compilation_cache: OneOrMany[CompilationCache] | None = None
    """States of the persistent compilation cache."""
    converts: OneOrMany[Converts] | None = None
    """What calls convert."""
    measure: OneOrMany[MeasureName] | None = None
    """Measures."""


class WrittenMatrix(WrittenModel):
    """The matrix: what is crossed and compared on the same work."""

    backend: OneOrMany[str] = ("numpy", "jax")
    """Array libraries to compare; the first is what the others are compared with."""
    device: OneOrMany[DeviceName] = ("cpu",)
    """Platforms; one that is absent is skipped with the reason, never replaced."""
    dtype: OneOrMany[Dtype] = ("float64",)
    """Floating-point types of inputs and outputs."""
    compilation_cache: OneOrMany[CompilationCache] = ("off",)
    """The persistent compilation cache when a process starts: off, cold (on and empty)
    or warm (what the process needs is in it). It decides what first calls cost."""
    converts: OneOrMany[Converts] = ("nothing",)
    """What every timed call converts: nothing (inputs are on the device beforehand, and
    outputs stay there), input (from NumPy's arrays), output (to NumPy's) or both."""
    exclude: Annotated[tuple[WrittenSelector, ...], Listed()] = ()
    """Cases to leave out."""
    include: Annotated[tuple[WrittenSelector, ...], Listed()] = ()
    """Variants to add; each row names at least backend and device."""


class WrittenSampling(WrittenModel):
    """The sampling: how much effort a case gets."""

    precision: WrittenFraction = 0.01
    """Half-width of the interval at which sampling stops: a fraction, or per cent."""
    max_time_s: WrittenDuration = 5.0
    """Most time spent on the samples of one case (seconds, or text such as 200 ms)."""
    processes: Annotated[Processes, Strict()] = 3
    """Fresh processes per case."""
    budget_s: WrittenDuration | None = None
    """Time for the whole experiment (seconds, or text such as 5 m): what is left of it
    goes to the cases that are known least; null: every case gets its processes."""
    min_sample_s: WrittenSampleDuration = 0.002
    """Inner loops are added until a sample takes this long (seconds, or text)."""
    warmup_calls: Annotated[Calls, Strict()] = 3
    """Calls after the first one that are recorded apart, before sampling."""
    timeout_s: WrittenDuration = 300.0
    """Longest silence of a worker before it is killed (seconds, or text like 5 m)."""
    memory_limit: WrittenBytes | None = None
    """Resident memory at which a worker is killed (bytes, or text such as 4 GiB);
    null: 80 % of what is available when the run starts."""


class WrittenProfileChanges(WrittenModel):
    """A profile that departs from one with a name."""

    base: ProfileName
    """The profile to depart from."""
    threads: Annotated[Threads, Strict()] | None = None
    """Threads of NumPy's BLAS and of XLA."""
    memory: Memory | None = None
    """retained (freed memory is kept for the next call) or system."""
    pinned: Annotated[bool, Strict()] | None = None
    """Whether a worker stays on one core; only with one thread."""
    start: Start | None = None
    """spawned (every worker is a new interpreter) or forked (cached calls and values
    run in forks of one, where the platform can)."""
    programs: Programs | None = None
    """anew (every process compiles) or kept (for cached calls and values, what one
    process has compiled is kept for the others of the run)."""


WrittenProfile = Annotated[
    Annotated[ProfileName, Tag("<name>")]
    | Annotated[WrittenProfileChanges, Tag("<base>")],
    Discriminator(lambda value: "<name>" if isinstance(value, str) else "<base>"),
]


class WrittenCrossover(WrittenModel):
    """A crossover: the sizes along which to look for where the order turns."""

    axis: str
    """What grows: detector (square detectors), or an integer parameter of all kernels,
    such as frames, q_bins or delays."""
    start: Annotated[int, Strict(), Field(alias="from", ge=1)]
    """The smallest size; for detectors the side (pixels)."""
    stop: Annotated[int, Strict(), Field(alias="to", ge=2)]
    """The largest size."""
    width: WrittenFraction = 0.1
    """How wide the bracket of a turn may be: a fraction of its size, or per cent."""
    confidence: WrittenFraction = 0.95
    """Of all that is said of one candidate along the axis: a fraction, or per cent."""
    pixel_size_um: WrittenPixelSize | None = None
    """Edge of a square pixel (um); for the axis detector only."""


class WrittenDemand(WrittenModel):
    """A demand on one family of cases; what is absent is the preset's."""

    find: WrittenFraction | None = None
    """The slowdown that is to be found: a fraction, or per cent."""
    margin: WrittenFraction | None = None
    """The slowdown that is not called one: a fraction, or per cent."""


class WrittenGate(WrittenModel):
    """The gate: what a candidate revision is held to against its baseline."""

    preset: GatePreset = "default"
    """What has to be ruled out for cached calls to pass: default (a slowdown of 5 %),
    precise (4 %, with up to 15 pairs of processes) or coarse (10 %)."""
    calls: WrittenDemand = WrittenDemand()
    """Of cached calls and conversions."""
    first_calls: WrittenDemand = WrittenDemand()
    """Of first calls and recompiles."""
    memory: WrittenDemand = WrittenDemand()
    """Of peaks of memory."""


class WrittenTolerance(WrittenModel):
    """A tolerance that replaces the kernel's own."""

    kernel: str
    """Name of the kernel."""
    output: str | None = None
    """Name of one output; all outputs when absent."""
    dtype: Dtype | None = None
    """One floating-point type; all when absent."""
    rtol: Annotated[ToleranceValue, Strict()]
    """Relative tolerance: atol + rtol * |desired| is allowed."""
    atol: Annotated[ToleranceValue, Strict()]
    """Absolute tolerance, in the unit of the output."""
    reason: Annotated[Reason, Strict()]
    """Why the kernel's own tolerance is not right here; it is shown in the report."""


class WrittenExperiment(WrittenModel):
    """An experiment of xpcs-bench."""

    name: WrittenName
    """A short name for the experiment, used in run ids and reports."""
    kernels: OneOrMany[Any]
    """The computations to measure: a name, or a name with parameters; all stands for
    every registered one that is not named otherwise, with its defaults."""
    detectors: OneOrMany[WrittenDetector] | None = None
    """Detectors: names of presets, free sizes, sweeps over sizes, or measured files."""
    geometries: OneOrMany[WrittenGeometry] | None = None
    """Scattering geometries: numbers, or measured files."""
    matrix: WrittenMatrix = WrittenMatrix()
    """What is crossed and compared: backend, device, dtype."""
    measure: OneOrMany[MeasureName] = ("first_call", "steady_state", "parity")
    """What is measured of each case."""
    boundaries: OneOrMany[str] | None = None
    """Conversions to time when conversion is measured; all of them when absent."""
    sampling: WrittenSampling = WrittenSampling()
    """How much effort a case gets."""
    profile: WrittenProfile = "as_user"
    """How workers are set up: as_user, or controlled (one thread, one core, memory
    kept), or one of these with changes."""
    crossover: WrittenCrossover | None = None
    """Sizes along which to look for where the order of the variants turns: measured are
    those that the search needs, and not all."""
    efficiency: Annotated[bool, Strict()] = False
    """Whether to measure what this machine can do at most (bytes and operations a
    second, some seconds), and to tell of each cached call which part of it it uses."""
    tolerances: Annotated[tuple[WrittenTolerance, ...], Listed()] = ()
    """Tolerances that replace those of the kernels, each with its reason."""
    claims: Annotated[tuple[WrittenClaim, ...], Listed()] = ()
    """Sentences of documents, each with what decides whether it is true."""
    controls: Annotated[bool, Strict()] = True
    """Whether a run that compares also compares one code with itself, and with itself
    slowed down: where these come out wrong, the run does not judge the others."""
    gate: WrittenGate | None = None
    """What is found where two revisions are compared; the preset default when absent.
    'xpcs-bench run' compares none."""
    seed: Annotated[Seed, Strict()] = 0
    """Seed of inputs and of the order of sampling."""
