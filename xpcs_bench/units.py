"""Reading and writing of quantities: the only place that formats a unit."""

from __future__ import annotations

import math
import re
import reprlib

from xpcs_bench.errors import ConfigError

__all__ = [
    "format_bytes",
    "format_count",
    "format_duration",
    "format_part",
    "format_percent",
    "format_quantity",
    "format_rate",
    "format_ratio",
    "parse_bytes",
    "parse_duration",
    "parse_fraction",
]

_DURATION_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_LONGEST = 1e9
"""From here on a number is written with an exponent."""
_SMALLEST_PER_CENT = 1e-3
"""Below it, too."""
_QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-z%]*)\s*")


def _significant(value: float, digits: int = 3) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}" if value == 0 else str(value)
    if abs(value) >= _LONGEST:
        return f"{value:.{digits - 1}e}"
    exponent = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def format_duration(seconds: float) -> str:
    """Three significant digits and the unit that keeps them short: ``12.3 ms``."""
    if not math.isfinite(seconds):
        return str(seconds)
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        # 0.9995 and above rounds to 1.00 of the larger unit
        if abs(seconds) >= 0.9995 * scale:
            return f"{_significant(seconds / scale)} {unit}"
    return f"{_significant(seconds / 1e-9)} ns"


def format_bytes(count: float) -> str:
    """Binary multiples with three significant digits: ``12.0 MiB``."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(count) >= 0.9995 * scale:
            return f"{_significant(count / scale)} {unit}"
    return f"{count:.0f} B"


def format_rate(per_second: float, what: str) -> str:
    """Decimal multiples of bytes or operations a second: ``39.2 GB/s``.

    ``what`` is the symbol of what is counted: ``B``, ``FLOP``.
    """
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(per_second) >= 0.9995 * scale:
            return f"{_significant(per_second / scale)} {prefix}{what}/s"
    return f"{_significant(per_second)} {what}/s"


def format_ratio(ratio: float) -> str:
    """A ratio or a speedup with three significant digits and an x: ``1.28x``."""
    return f"{_significant(ratio)}x"


def format_percent(fraction: float) -> str:
    """A fraction as per cent: ``0.0123`` gives ``1.2 %``."""
    return f"{fraction * 100:.1f} %"


def format_part(part: float) -> str:
    """A part as per cent, with three significant digits: ``0.0123`` gives ``1.23 %``.

    What is small stays more than nothing.
    """
    per_cent = 100 * part
    if 0 < abs(per_cent) < _SMALLEST_PER_CENT:
        return f"{per_cent:.2e} %"
    return f"{_significant(per_cent)} %"


def format_count(count: float) -> str:
    """A whole number with its thousands apart: ``12 345``."""
    return f"{count:,.0f}".replace(",", " ")


def format_quantity(value: float, unit: str) -> str:
    """Format by the unit's symbol, or as it is.

    s, bytes, x (ratio), part (of a whole), B/s, FLOP/s, 1 (count).
    """
    match unit:
        case "s":
            return format_duration(value)
        case "bytes":
            return format_bytes(value)
        case "x":
            return format_ratio(value)
        case "part":
            return format_part(value)
        case "B/s" | "FLOP/s":
            return format_rate(value, unit.removesuffix("/s"))
        case "1":
            return format_count(value)
        case _:
            return f"{_significant(value)} {unit}"


def _parse(
    text: str | float, units: dict[str, float] | dict[str, int], what: str
) -> float:
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text)
    match = _QUANTITY.fullmatch(str(text))
    unit = match.group(2) if match else None
    if match is None or (unit and unit not in units):
        example = f"5{next(reversed(units))}"
        msg = (
            f"{reprlib.repr(text)} is not {what}. Allowed: a number, or a number with "
            f"one of the units {', '.join(units)}. Write for example {example!r}."
        )
        raise ConfigError(msg)
    return float(match.group(1)) * (units[unit] if unit else 1)


def parse_duration(text: str | float) -> float:
    """Seconds from a number of seconds or from text such as ``5m``, ``200 ms``."""
    return _parse(text, _DURATION_UNITS, "a duration")


def parse_bytes(text: str | float) -> int:
    """Bytes from a number of bytes or from text such as ``2 GiB``, ``500MB``."""
    return round(_parse(text, _BYTE_UNITS, "an amount of memory"))


def parse_fraction(text: str | float) -> float:
    """A fraction from a number (``0.01``) or from text in per cent (``1%``)."""
    return _parse(text, {"%": 0.01}, "a fraction")
