"""Words about platforms that several modules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from xpcs_bench.errors import ConfigError

__all__ = ["refuse_platform"]


def refuse_platform(
    backend: str, device: str | None, present: Sequence[str]
) -> NoReturn:
    """Raise the error for a platform that the backend does not see."""
    msg = (
        f"Device {device!r}: the {backend} backend sees none here. Allowed: "
        f"{', '.join(present)}. Choose one of these, or look at backend.devices()."
    )
    raise ConfigError(msg)
