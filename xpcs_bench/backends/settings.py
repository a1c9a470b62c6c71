"""The environment variables of the backends, read and validated in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError

__all__ = ["BackendSettings", "read_settings", "refuse_fraction"]

TRUE = ("true", "1", "yes", "on")
FALSE = ("false", "0", "no", "off")


class BackendSettings(ConfinedModel):
    """What the environment asks for; a variable that is unset or empty asks nothing."""

    use_jax: bool | Literal["auto"]
    """``XPCS_USE_JAX``: JAX, NumPy, or JAX where it is installed (default)."""
    use_gpu: bool
    """``XPCS_USE_GPU``: place arrays on a GPU (default: on the CPU)."""
    gpu_fallback: bool
    """``XPCS_GPU_FALLBACK``: take the CPU, with a warning, where there is no GPU
    (default), or raise."""
    gpu_memory_fraction: float | None
    """``XPCS_GPU_MEMORY_FRACTION``: share of the GPU's memory that JAX may take, in
    (0, 1] (default: what JAX takes of itself)."""
    policy: str | None
    """``XPCS_BACKEND_POLICY``: path of a policy file (default: none)."""


def read_settings(environ: Mapping[str, str] = os.environ) -> BackendSettings:
    """Read the variables.

    Raises
    ------
    ConfigError
        If one has a value that means nothing.
    """
    return BackendSettings(
        use_jax=_switch(environ, "XPCS_USE_JAX", auto=True),
        use_gpu=_switch(environ, "XPCS_USE_GPU") is True,
        gpu_fallback=_switch(environ, "XPCS_GPU_FALLBACK") is not False,
        gpu_memory_fraction=_fraction(environ, "XPCS_GPU_MEMORY_FRACTION"),
        policy=environ.get("XPCS_BACKEND_POLICY", "").strip() or None,
    )


def _switch(
    environ: Mapping[str, str], variable: str, *, auto: bool = False
) -> bool | Literal["auto"]:
    """Return what a switch says; ``auto`` also where it says nothing."""
    word = environ.get(variable, "").strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    if not word or (auto and word == "auto"):
        return "auto"
    allowed = ", ".join((*TRUE, *FALSE, *(("auto",) if auto else ())))
    msg = (
        f"{variable}={environ[variable]!r} is not understood. Allowed, in any case: "
        f"{allowed}. Set one of these, or unset the variable."
    )
    raise ConfigError(msg)


def _fraction(environ: Mapping[str, str], variable: str) -> float | None:
    text = environ.get(variable, "").strip()
    if not text:
        return None
    try:
        fraction = float(text)
    except ValueError as error:
        raise refuse_fraction(text, variable) from error
    if not 0 < fraction <= 1:
        raise refuse_fraction(text, variable)
    return fraction


def refuse_fraction(value: object, where: str) -> ConfigError:
    """Make the error for a share of memory that is none."""
    return ConfigError(
        f"{where}={value!r} is no share of memory. Allowed: a number above 0 and up "
        "to 1. Write for example 0.5 for half of the GPU's memory."
    )
