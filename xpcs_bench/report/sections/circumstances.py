"""Under which circumstances it was measured, and what the measuring itself took."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xpcs_bench.records import Environment, Outcome
from xpcs_bench.report.cells import (
    Cell,
    Row,
    RowGroup,
    Section,
    Table,
    Words,
    column,
    items,
    joined,
    key,
    line,
    number,
    plain,
    text,
    variant_id,
)
from xpcs_bench.report.place import Place
from xpcs_bench.report.sections import controls
from xpcs_bench.report.sections.verdict import rules
from xpcs_bench.report.standing import Evidence

__all__ = ["describe"]


def describe(evidence: Evidence) -> Section:
    """List accounting, origin and environments."""
    return Section(
        "circumstances",
        "Circumstances",
        line("Numbers hold for these circumstances; evidence of others does not mix."),
        tables=(
            _scope(evidence),
            controls.table(evidence),
            rules(
                evidence,
                "rules_kept",
                "Rules that are kept or had nothing to judge",
                Outcome.PASS,
                Outcome.SKIP,
            ),
            _accounting(evidence),
            _origin(evidence),
            *_environments(evidence),
        ),
    )


def _pairs(name: str, title: str, rows: Sequence[tuple[Cell, Cell]]) -> Table:
    return Table(
        name,
        title,
        (column("Field"), column("Value")),
        (RowGroup(None, tuple(Row(row) for row in rows)),),
        headless=True,
    )


def _scope(evidence: Evidence) -> Table:
    experiment = evidence.root["header"]["experiment"]
    variants = {case.value.variant.id: case for case in evidence.under_test.values()}
    return _pairs(
        "scope",
        "What was asked",
        [
            (
                Words("Kernels"),
                joined(text(each["name"]) for each in experiment["kernels"]),
            ),
            (
                Words("Detectors"),
                items(
                    line(text(each["name"]), " ", *_pixels(each["shape"]), " pixels")
                    for each in experiment["detectors"]
                ),
            ),
            (
                Words("Geometries"),
                joined(text(each["name"]) for each in experiment["geometries"]),
            ),
            (Words("Variants"), joined(variant_id(case) for case in variants.values())),
            (Words("Measures"), joined(text(each) for each in experiment["measure"])),
        ],
    )


def _pixels(shape: Place[tuple[int, int]]) -> tuple[Cell, ...]:
    rows, columns = (number(side, "index") for side in shape)
    return rows, Words(" \N{MULTIPLICATION SIGN} "), columns


def _accounting(evidence: Evidence) -> Table:
    accounting = evidence.root["accounting"]
    fields = (
        ("Wall time", "wall_s", "s"),
        ("Inside warm-ups, samples and first calls", "measuring_s", "s"),
        ("Starting workers", "startup_s", "s"),
        ("Measuring share", "measuring_share", "fraction"),
        ("Overhead per sample", "overhead_ns_per_sample", "ns"),
    )
    return _pairs(
        "accounting",
        "Where the time went",
        [
            (Words(name), number(accounting[field], unit))
            for name, field, unit in fields
        ],
    )


def _origin(evidence: Evidence) -> Table:
    header = evidence.root["header"]
    fields = (
        ("Command", "command"),
        ("Configuration", "experiment_path"),
        ("Configuration digest", "experiment_sha256"),
        ("Plan digest", "plan_digest"),
        ("Run", "run_id"),
        ("Started", "started"),
        ("Version of xpcs_bench", "xpcs_bench"),
    )
    return _pairs(
        "origin",
        "How to get it again",
        [
            *((Words(name), text(header[field])) for name, field in fields),
            (Words("Finished"), text(evidence.root["finished"])),
        ],
    )


def _yes(place: Place[bool | None]) -> Cell:
    if place.value is None:
        return Words("not known", "muted")
    return Words("yes" if place.value else "no")


def _named(mapping: Place[dict[str, str]]) -> Cell:
    return items(line(key(each), " ", text(each)) for each in mapping)


def _devices(environment: Place[Environment]) -> Cell:
    return items(
        line(
            text(device["platform"]),
            " ",
            number(device["index"], "index"),
            ": ",
            text(device["name"]),
            ", memory ",
            number(device["memory_bytes"], "bytes"),
        )
        for device in environment["devices"]
    )


_FIELDS: tuple[tuple[str, Callable[[Place[Environment]], Cell]], ...] = (
    ("Backend", lambda e: text(e["backend"])),
    ("Host", lambda e: text(e["host"])),
    ("CPU", lambda e: text(e["cpu"])),
    ("Instruction sets", lambda e: joined(text(each) for each in e["cpu_features"])),
    ("Cores", lambda e: number(e["cores"], "1")),
    ("Usable cores", lambda e: joined(number(each, "index") for each in e["affinity"])),
    ("Memory", lambda e: number(e["memory_bytes"], "bytes")),
    ("System", lambda e: text(e["kernel"])),
    ("Python", lambda e: text(e["python"])),
    ("Packages", lambda e: _named(e["packages"])),
    ("Devices", _devices),
    ("Computes in double precision", lambda e: _yes(e["x64"])),
    ("Variables", lambda e: _named(e["variables"])),
    ("Compilation cache", lambda e: text(e["compilation_cache"])),
    ("Revision", lambda e: text(e["git_revision"])),
    ("Uncommitted changes", lambda e: _yes(e["git_dirty"])),
)


def _environments(evidence: Evidence) -> tuple[Table, Table]:
    """Return what all environments share, and what each has of its own."""
    environments: list[tuple[Cell, Place[Environment]]] = [
        (line("parent"), evidence.root["header"]["parent"]),
        *(
            (line("worker ", key(place)), place)
            for place in evidence.root["environments"]
        ),
    ]
    shared, own = [], []
    for name, show in _FIELDS:
        cells = [show(place) for _, place in environments]
        if len({plain(cell) for cell in cells}) == 1:
            shared.append((Words(name), cells[0]))
        else:
            own.append((name, cells))
    return (
        _pairs("machine", "The same in every process", shared),
        Table(
            "environments",
            "Different between processes",
            (column("Field"), column("Value")),
            tuple(
                RowGroup(
                    who, tuple(Row((Words(name), cells[at])) for name, cells in own)
                )
                for at, (who, _) in enumerate(environments)
                if own
            ),
            group_title="Process",
            headless=True,
        ),
    )
