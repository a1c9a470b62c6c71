"""From a YAML file to a validated experiment, or to one message about what is wrong."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xpcs_bench.config.catalogue import Catalogue
from xpcs_bench.config.claims import ClaimNames, choose_claims
from xpcs_bench.config.crossover import DETECTOR, CrossoverSearch, lattice
from xpcs_bench.config.detector import Detector
from xpcs_bench.config.document import KeyPath, parse_document
from xpcs_bench.config.experiment import (
    Experiment,
    KernelChoice,
    Matrix,
    MeasureName,
    Sampling,
    Selector,
    ToleranceOverride,
)
from xpcs_bench.config.gate import PRESETS_OF_GATES, Gate
from xpcs_bench.config.kernels import choose_kernels
from xpcs_bench.config.override import apply_override
from xpcs_bench.config.place import Places
from xpcs_bench.config.presets import PRESETS
from xpcs_bench.config.problem import Problems, one_of
from xpcs_bench.config.profile import PROFILES, Profile, ProfileName
from xpcs_bench.config.text_file import read_text
from xpcs_bench.config.translate import translated
from xpcs_bench.config.written import (
    WrittenCrossover,
    WrittenExperiment,
    WrittenGate,
    WrittenProfileChanges,
    WrittenSelector,
)
from xpcs_bench.errors import ConfigError

__all__ = ["LoadedExperiment", "load_experiment"]


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment, with the text that it came from."""

    experiment: Experiment
    path: Path
    """Absolute path of the file."""
    sha256: str
    """Digest of the file's bytes; what was set on the command line is not in it."""
    text: str
    """The file's text."""
    notes: tuple[str, ...] = ()
    """What the user should know about values that were read from measured files."""


def load_experiment(
    path: str | Path, *, catalogue: Catalogue, overrides: Sequence[str] = ()
) -> LoadedExperiment:
    """Read, validate and resolve an experiment.

    Parameters
    ----------
    path : str or Path
        A YAML file; paths in it are relative to its folder.
    catalogue : Catalogue
        What it may name.
    overrides : sequence of str
        ``path=value`` for values to be set before validation, in this order.

    Raises
    ------
    ConfigError
        With the first problem in the file as ``file:line:column: path: what``, and the
        next few below it.
    """
    path = Path(path)
    raw, text = read_text(path)
    document = parse_document(text, str(path))
    for override in overrides:
        apply_override(document, override)
    problems = Problems(document)
    try:
        written = WrittenExperiment.model_validate(document.data)
    except ValidationError as error:
        for where, sentence, about_key in translated(error.errors(), document.data):
            problems.add(where, sentence, key=about_key)
        problems.raise_if_any()
        raise  # a refusal without a problem would be a mistake in this package
    absolute = path.absolute()
    experiment, notes = _resolve(written, catalogue, absolute.parent, problems)
    return LoadedExperiment(
        experiment=experiment,
        path=absolute,
        sha256=hashlib.sha256(raw).hexdigest(),
        text=text,
        notes=notes,
    )


def _resolve(
    written: WrittenExperiment, catalogue: Catalogue, folder: Path, problems: Problems
) -> tuple[Experiment, tuple[str, ...]]:
    places = Places(folder, problems)
    measure = _measures(written)
    search = _search(written, measure, problems)
    detectors = places.detectors(
        problems.items(("detectors",), written.detectors or ())
    )
    if search is not None and search.axis == DETECTOR:
        detectors = _squares(search, written, places, problems)
    geometries = places.geometries(
        problems.items(("geometries",), written.geometries or ())
    )
    kernels = choose_kernels(
        problems.items(("kernels",), written.kernels), catalogue, problems, search
    )
    grows = written.crossover is not None and written.crossover.axis == DETECTOR
    listed = {
        "detector": written.detectors or (() if grows else None),
        "geometry": written.geometries,
    }
    _check_needs(kernels, listed, catalogue, problems)
    rows = _Rows(
        problems,
        {
            "kernel": tuple(catalogue.kernels),
            # a preset may be excluded by name although --set took it out
            "detector": (*(d.name for d in detectors), *PRESETS),
            "geometry": tuple(g.name for g in geometries),
            "backend": catalogue.backends,
        },
    )
    matrix = written.matrix
    for key in ("backend", "device", "dtype", "compilation_cache", "converts"):
        problems.refuse_repeats(("matrix", key), getattr(matrix, key))
    _check_names(
        ("matrix", "backend"), matrix.backend, catalogue.backends, "backend", problems
    )
    problems.refuse_repeats(("measure",), measure)
    boundaries: tuple[str, ...] = ()
    if "conversion" in measure:
        boundaries = written.boundaries or catalogue.boundaries
    if written.boundaries is not None:
        key = "boundaries"
        problems.refuse_repeats((key,), written.boundaries)
        _check_names(
            (key,), written.boundaries, catalogue.boundaries, "boundary", problems
        )
    for at, tolerance in problems.items(("tolerances",), written.tolerances):
        _check_names(
            (*at, "kernel"),
            (tolerance.kernel,),
            tuple(catalogue.kernels),
            "kernel",
            problems,
        )
    profile = _profile(written.profile, problems)
    gate = _gate(written.gate, problems)
    exclude = rows.selectors("exclude", matrix.exclude)
    include = rows.selectors("include", matrix.include)
    claims = choose_claims(
        problems.items(("claims",), written.claims),
        ClaimNames(
            kernels=tuple(dict.fromkeys(choice.name for _, choice in kernels)),
            detectors=tuple(d.name for d in detectors),
            geometries=tuple(g.name for g in geometries),
            boundaries=boundaries,
            measures=written.measure,
        ),
        catalogue,
        problems,
    )
    problems.raise_if_any()
    experiment = Experiment(
        name=written.name,
        kernels=tuple(choice for _, choice in kernels),
        detectors=detectors,
        geometries=geometries,
        matrix=Matrix(
            backend=matrix.backend,
            device=matrix.device,
            dtype=matrix.dtype,
            compilation_cache=matrix.compilation_cache,
            converts=matrix.converts,
            exclude=exclude,
            include=include,
        ),
        measure=measure,
        boundaries=boundaries,
        sampling=Sampling(**written.sampling.model_dump()),
        profile=profile,
        efficiency=written.efficiency,
        tolerances=tuple(
            ToleranceOverride(**tolerance.model_dump())
            for tolerance in written.tolerances
        ),
        controls=written.controls,
        claims=claims,
        # who checks values alone looks for no turn, and checks them at every size
        crossover=search if "steady_state" in measure else None,
        gate=gate,
        seed=written.seed,
    )
    return experiment, tuple(places.notes)


def _measures(written: WrittenExperiment) -> tuple[MeasureName, ...]:
    """Return what is measured: of a search, where nothing is said, cached calls."""
    if written.crossover is None or "measure" in written.model_fields_set:
        return written.measure
    return ("steady_state",)


def _search(
    written: WrittenExperiment, measure: Sequence[MeasureName], problems: Problems
) -> CrossoverSearch | None:
    """Resolve the sizes of a search, and note what does not go with one."""
    asked = written.crossover
    if asked is None:
        return None
    path = ("crossover",)
    if asked.start >= asked.stop:
        sentence = (
            f"goes from {asked.start} to {asked.stop}. Write the smaller size first."
        )
        problems.add(path, sentence)
        return None
    if "steady_state" not in measure and tuple(measure) != ("parity",):
        sentence = (
            "a crossover is one of cached calls, which are not measured. Add "
            "steady_state, or remove 'crossover'."
        )
        problems.add(("measure",), sentence)
    _check_pixels(asked, problems)
    try:
        sizes = lattice(asked.start, asked.stop, asked.width)
    except ConfigError as error:
        problems.add(path, str(error))
        return None
    return CrossoverSearch(
        axis=asked.axis, sizes=sizes, width=asked.width, confidence=asked.confidence
    )


def _check_pixels(asked: WrittenCrossover, problems: Problems) -> None:
    """Note a pixel size without detectors, and detectors without a pixel size."""
    path = ("crossover",)
    if asked.axis == DETECTOR:
        if asked.pixel_size_um is None:
            sentence = (
                "detectors that grow have pixels of one size. Add 'pixel_size_um', for "
                "example pixel_size_um: 75."
            )
            problems.add(path, sentence)
    elif asked.pixel_size_um is not None:
        sentence = f"belongs to the axis {DETECTOR!r}. Remove it."
        problems.add((*path, "pixel_size_um"), sentence, key=True)


def _squares(
    search: CrossoverSearch,
    written: WrittenExperiment,
    places: Places,
    problems: Problems,
) -> tuple[Detector, ...]:
    """Make the detectors of a search."""
    if written.detectors is not None:
        sentence = (
            "the detectors are those of 'crossover'. Remove this key, or search along "
            "another axis."
        )
        problems.add(("detectors",), sentence, key=True)
    asked = written.crossover
    if asked is None or asked.pixel_size_um is None:
        return ()
    return places.squares(("crossover", "to"), search.sizes, asked.pixel_size_um)


def _profile(
    written: ProfileName | WrittenProfileChanges, problems: Problems
) -> Profile:
    if isinstance(written, str):
        return PROFILES[written]
    changes = written.model_dump(exclude={"base"}, exclude_none=True)
    profile = PROFILES[written.base].model_copy(update=changes)
    if profile.threads == 1:
        return profile
    if written.pinned:
        problems.add(
            ("profile", "pinned"),
            f"a worker with threads={profile.threads!r} cannot stay on one core. Write "
            "threads: 1, or leave pinned out.",
        )
    # whoever asks for more threads asks for more cores
    return profile.model_copy(update={"pinned": False})


def _gate(written: WrittenGate | None, problems: Problems) -> Gate | None:
    """Return a preset with what the file changes of its demands."""
    if written is None:
        return None
    preset = PRESETS_OF_GATES[written.preset]
    demands = {}
    for family, known in preset.demands.items():
        asked = getattr(written, family).model_dump(exclude_none=True)
        demands[family] = demand = known.model_copy(update=asked)
        if demand.margin >= demand.find:
            problems.add(
                ("gate", family),
                f"margin {demand.margin:g} is not below find {demand.find:g}. What is "
                "to be found must be more than what is not called slower. Raise "
                "'find', or lower 'margin'.",
            )
    return preset.model_copy(update={"demands": demands})


def _check_names(
    path: KeyPath,
    values: Sequence[str],
    allowed: Sequence[str],
    what: str,
    problems: Problems,
) -> None:
    for at, value in problems.items(path, values):
        if value not in allowed:
            problems.add(at, one_of(value, allowed, what))


def _check_needs(
    kernels: Sequence[tuple[KeyPath, KernelChoice]],
    listed: dict[str, Any],
    catalogue: Catalogue,
    problems: Problems,
) -> None:
    plural = {"detector": "detectors", "geometry": "geometries"}
    for path, choice in kernels:
        for need in sorted(catalogue.kernels[choice.name].needs):
            if listed[need] is None:
                problems.add(
                    path,
                    f"the kernel {choice.name!r} needs a {need}, and the key "
                    f"{plural[need]!r} is missing. Add it.",
                )


class _Rows:
    """Reads the rows of ``include`` and ``exclude``."""

    def __init__(self, problems: Problems, names: dict[str, tuple[str, ...]]) -> None:
        self._problems = problems
        self._names = names

    def selectors(
        self, key: str, rows: Sequence[WrittenSelector]
    ) -> tuple[Selector, ...]:
        """Return one selector per combination of the values that a row lists."""
        found: list[Selector] = []
        for path, row in self._problems.items(("matrix", key), rows):
            given = {k: v for k, v in row if v is not None}
            for name, allowed in self._names.items():
                _check_names(
                    (*path, name), given.get(name, ()), allowed, name, self._problems
                )
            missing = (
                {"backend", "device"} - given.keys() if key == "include" else set()
            )
            if missing:
                keys = " and ".join(sorted(map(repr, missing)))
                sentence = f"a row of 'include' names backend and device. Add {keys}."
                self._problems.add(path, sentence)
            elif not given:
                sentence = "an empty row matches every case. Write what to leave out."
                self._problems.add(path, sentence)
            found.extend(
                Selector(**dict(zip(given, values, strict=True)))
                for values in itertools.product(*given.values())
            )
        return tuple(found)
