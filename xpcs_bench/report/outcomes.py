"""What a rule found, in words that look alike everywhere."""

from __future__ import annotations

from xpcs_bench.records import Outcome
from xpcs_bench.report.cells import Tone, Words

__all__ = ["OUTCOMES", "outcome_tone", "outcome_words"]

_WORDS: dict[Outcome, tuple[str, Tone]] = {
    Outcome.ERROR: ("error", "bad"),
    Outcome.FAIL: ("fail", "bad"),
    Outcome.INCONCLUSIVE: ("cannot tell", "doubt"),
    Outcome.SKIP: ("skip", "doubt"),
    Outcome.PASS: ("pass", "good"),
}
OUTCOMES: tuple[Outcome, ...] = tuple(_WORDS)
"""The worst first."""


def outcome_words(outcome: Outcome) -> Words:
    """Say what a rule found."""
    return Words(*_WORDS[outcome])


def outcome_tone(outcome: Outcome) -> Tone:
    """Return how it is meant."""
    return _WORDS[outcome][1]
