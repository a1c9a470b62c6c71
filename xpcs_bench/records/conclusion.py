"""What is concluded from evidence; recomputed whenever a record is read."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from xpcs_bench.config import Family
from xpcs_bench.confined import RecordedModel

__all__ = [
    "Achieved",
    "BreakEven",
    "CaseEstimate",
    "ClaimFinding",
    "Comparison",
    "Control",
    "Crossover",
    "CrossoverPoint",
    "Efficiency",
    "Effort",
    "Estimate",
    "Judgement",
    "LostSize",
    "Outcome",
    "Regression",
    "Span",
    "Summary",
    "Turn",
    "Verdict",
]


class Judgement(StrEnum):
    """Candidate against baseline."""

    FASTER = "faster"
    SAME = "same"
    SLOWER = "slower"
    INCONCLUSIVE = "inconclusive"


class Outcome(StrEnum):
    """What a rule says of a subject; skip and inconclusive are not pass."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    SKIP = "skip"
    ERROR = "error"


class Estimate(RecordedModel):
    """A number with its doubt."""

    point: float
    lower: float
    upper: float
    confidence: float
    statistic: str
    """How the point and the interval were made."""
    n_processes: int
    n_samples: int
    unit: str
    kept_share: float | None = None
    """Share of the samples that count; the others were disturbed, which the statistic
    names. None for what is not sampled."""
    p90: float | None = None
    """What nine calls in ten take at most, of the samples that count, in ``unit``."""


class CaseEstimate(RecordedModel):
    """The estimate of one metric of one case."""

    case: str
    """Case id."""
    metric: str
    """``steady_state``, ``first_call``, ``stages.compile``, ``conversion``, ..."""
    estimate: Estimate


class Comparison(RecordedModel):
    """Candidate against baseline within one group."""

    group: str
    metric: str
    baseline: str
    """Case id."""
    candidate: str
    """Case id."""
    ratio: Estimate
    """candidate / baseline; below 1 is faster."""
    judgement: Judgement
    reason: str = ""
    """Why it is not judged by its interval: a control of this run failed; a sentence.
    Empty where it is."""
    smallest_change: float | None = None
    """By what part slower the candidate would have to be for this comparison to find
    it 19 times in 20. None where it cannot be relied on."""


class Control(RecordedModel):
    """A comparison whose answer is known, and whether the run found it."""

    group: str
    kind: Literal["same", "slowed"]
    """``same``: one code twice. ``slowed``: one code, and more calls of it."""
    baseline: str
    """Case id."""
    candidate: str
    """Case id."""
    ratio: Estimate | None
    """candidate / baseline; None: no process measured both."""
    outcome: Outcome
    """``pass``, or ``inconclusive``: what the run says of others is worth no more."""
    reason: str
    """A sentence."""


class BreakEven(RecordedModel):
    """After how many calls the first-call cost of the candidate has paid."""

    problem: str
    """Problem id."""
    baseline: str
    """Variant id."""
    candidate: str
    """Variant id."""
    calls: Estimate | None
    """None: never, or it cannot be told; the reason says which."""
    reason: str


class CrossoverPoint(RecordedModel):
    """Candidate against baseline at one size."""

    size: int
    ratio: Estimate
    """candidate / baseline, at the confidence of one of so many signs."""
    sign: Literal["faster", "slower", "unknown"]
    """What the candidate is here, as far as it is certain."""


class LostSize(RecordedModel):
    """A size at which the two could not be compared."""

    size: int
    reason: str
    """A sentence."""


class Turn(RecordedModel):
    """Where the order of two variants turns: between two sizes that are certain."""

    lower: int | None
    """None: nothing is certain from the smallest size up to ``upper``, where it may
    turn, or may have turned before."""
    upper: int | None
    """None: nothing is certain from ``lower`` up to the largest size."""
    size: int | None
    """Where a straight line between both ends is at ratio 1, in logarithms; None: an
    end is missing."""
    becomes: Literal["faster", "slower"]
    """What the candidate is above it."""
    resolved: bool
    """Whether the bracket is as narrow as was asked for."""


class Span(RecordedModel):
    """Sizes among which some are not certain, between two that are and agree.

    The order may turn there and back.
    """

    lower: int
    upper: int


class Crossover(RecordedModel):
    """Where, along an axis, a candidate becomes faster or slower than its baseline."""

    axis: str
    """``detector`` (the side in pixels), or a parameter of the kernel."""
    problem: str
    """Problem id without the axis."""
    metric: str
    baseline: str
    """Variant id."""
    candidate: str
    """Variant id."""
    answer: Literal["crosses", "always", "never", "cannot_tell"]
    """``always``: faster at both ends of the range, and nowhere found slower;
    ``never``: slower at both ends, and nowhere found faster."""
    turns: tuple[Turn, ...]
    """Rising."""
    unclear: tuple[Span, ...]
    """Rising."""
    wins_above: int | None
    """The size from which on the candidate is faster, up to the largest one; None:
    there is none, or it is not known."""
    points: tuple[CrossoverPoint, ...]
    """Rising in size."""
    lost: tuple[LostSize, ...]
    """Rising in size."""
    n_measured: int
    """Sizes that were measured, or tried."""
    n_grid: int
    """Sizes of the fixed grid whose brackets would be as narrow."""
    widest_gap: float
    """How much larger a certain size is than the one before it at most, turns apart,
    as a part: the order may turn and turn back within."""
    width: float
    """How wide a bracket may be, as a part of its lower end."""
    confidence: float
    """Of all that is said here together."""
    reason: str
    """A sentence."""


class Effort(RecordedModel):
    """How well an estimate is known, and why sampling stopped there."""

    case: str
    """Case id."""
    metric: str
    half_width: float
    """Half the width of the interval, as a part of the estimate."""
    target: float
    """The half-width that the experiment asks for."""
    stopped: Literal["precision", "processes", "budget"]
    """``precision``: it is known as well as was asked for. ``processes``: it had the
    processes that it was to have. ``budget``: the time of the experiment was spent."""
    n_unsettled: int
    """Processes in which the series was still moving when it ended."""
    drift: float
    """By what part the one that moved most was slower in its second half; 0: none."""


class Achieved(RecordedModel):
    """A case's least work over its time, beside the most that the machine does."""

    per_second: Estimate | None
    """Bytes or operations a second (B/s, FLOP/s); the reason says why there is none."""
    part: Estimate | None
    """Of the ceiling; its interval is that of the time, the ceiling has none. None, and
    never 0, where there is nothing to be a part of; the reason says why."""
    ceiling: int | None
    """Place of the ceiling that fits among the record's ceilings."""
    reason: str
    """A sentence: why there is no part, or what a part above 1 means; else empty."""


class Efficiency(RecordedModel):
    """How near the cached calls of a case come to what the machine can do."""

    case: str
    """Case id."""
    bandwidth: Achieved
    """Against the bandwidth of cache or memory, whichever its bytes fit into."""
    flops: Achieved
    """Against the operations a second in its floating-point type."""
    limited_by: Literal["bandwidth", "flops"] | None
    """Of which it uses the larger part; None: not both parts are known."""


class Verdict(RecordedModel):
    """A rule applied to a subject."""

    rule: str
    subject: str
    outcome: Outcome
    reason: str
    """A sentence."""
    evidence: tuple[str, ...] = ()
    """JSON pointers into the record."""


class Regression(RecordedModel):
    """A candidate revision held against its baseline in one case."""

    group: str
    family: Family
    """With which others it shares an error."""
    metric: str
    baseline: str
    """Case id."""
    candidate: str
    """Case id."""
    ratio: Estimate
    """candidate / baseline; above 1 is slower, or larger."""
    at_least: float
    """The ratio is above this, as surely as the error of the gate asks for."""
    at_most: float
    """The ratio is below this, with 95 % confidence."""
    find: float
    """The slowdown that was to be found."""
    margin: float
    """The slowdown that is not called one."""
    smallest_change: float | None
    """The slowdown that these pairs would have failed 19 times in 20; None where they
    cannot be relied on."""
    outcome: Outcome
    reason: str
    """A sentence."""


class ClaimFinding(RecordedModel):
    """A sentence of a document, beside what was found."""

    id: str
    says: str
    """The sentence, quoted."""
    source: str
    """Document and section."""
    claimed: str
    """What of it was tested: ``about 200 ms (100 ms to 400 ms)``."""
    measured: Estimate | None
    """None: nothing was measured, or there is no number to it."""
    found: str
    """What was seen where there is no number to it; empty where there is one."""
    outcome: Outcome
    reason: str
    """A sentence."""
    evidence: tuple[str, ...] = ()
    """JSON pointers into the record."""


class Summary(RecordedModel):
    """All conclusions of one record."""

    estimates: tuple[CaseEstimate, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    controls: tuple[Control, ...] = ()
    break_evens: tuple[BreakEven, ...] = ()
    efforts: tuple[Effort, ...] = ()
    efficiencies: tuple[Efficiency, ...] = ()
    claims: tuple[ClaimFinding, ...] = ()
    regressions: tuple[Regression, ...] = ()
    crossovers: tuple[Crossover, ...] = ()
    unneeded: tuple[str, ...] = ()
    """Ids of cases that the search of a crossover could do without."""
    verdicts: tuple[Verdict, ...] = ()
