"""``list``: what a configuration may name, each with one sentence."""

from __future__ import annotations

import json

import click

from xpcs_bench.errors import ExitCode

__all__ = ["show"]


def _kernels() -> dict[str, str]:
    from xpcs_bench.kernels.registry import create_kernel, kernel_names

    return {name: create_kernel(name).summary for name in kernel_names()}


def _backends() -> dict[str, str]:
    from xpcs_bench.backends.registry import BACKENDS, backend_names

    return {name: BACKENDS.get(name, "from an entry point") for name in backend_names()}


def _detectors() -> dict[str, str]:
    from xpcs_bench.config.presets import PRESETS

    return {
        name: f"{preset.rows} x {preset.columns} pixels of "
        f"{preset.pixel_size_um:g} um ({preset.source})"
        for name, preset in PRESETS.items()
    }


def _measures() -> dict[str, str]:
    from xpcs_bench.measure.registry import MEASURES

    return dict(MEASURES)


def _boundaries() -> dict[str, str]:
    from xpcs_bench.measure.boundary import BOUNDARIES

    return {name: boundary.summary for name, boundary in BOUNDARIES.items()}


def _behaviours() -> dict[str, str]:
    from xpcs_bench.measure.behaviours.registry import BEHAVIOURS

    return {
        name: f"observes: {', '.join(entry.observes)}" if entry.observes else "raises"
        for name, entry in BEHAVIOURS.items()
    }


_LISTS = {
    "kernels": _kernels,
    "backends": _backends,
    "detectors": _detectors,
    "measures": _measures,
    "boundaries": _boundaries,
    "behaviours": _behaviours,
}


def show(what: str, *, as_json: bool) -> ExitCode:
    """Print names and sentences."""
    rows = _LISTS[what]()
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        width = max(map(len, rows), default=0)
        for name, sentence in rows.items():
            click.echo(f"{name:<{width}}  {sentence}")
    return ExitCode.PASS
