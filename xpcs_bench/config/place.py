"""Detectors and geometries: from the written form to where the photons land."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from xpcs_bench.config.detector import Detector, Mask, MaskedRectangle, MaskFile
from xpcs_bench.config.document import KeyPath
from xpcs_bench.config.geometry import Geometry
from xpcs_bench.config.presets import PRESETS
from xpcs_bench.config.problem import Problems, one_of, path_text
from xpcs_bench.config.sweep import swept
from xpcs_bench.config.written import (
    WrittenDetectorFile,
    WrittenDetectorPreset,
    WrittenDetectorShape,
    WrittenDetectorSweep,
    WrittenGeometryFile,
    WrittenGeometryNumbers,
    WrittenMask,
)
from xpcs_bench.errors import ConfigError, RecordError
from xpcs_bench.nexus import (
    MAX_PIXELS,
    QMAP_MASK,
    Setup,
    mask_digest,
    read_mask,
    read_setup,
)

__all__ = ["Places"]

_DetectorForm = (
    str
    | WrittenDetectorShape
    | WrittenDetectorPreset
    | WrittenDetectorSweep
    | WrittenDetectorFile
)
_GeometryForm = WrittenGeometryNumbers | WrittenGeometryFile
_Named = TypeVar("_Named", Detector, Geometry)


class Places:
    """Resolves detectors and geometries, reading every measured file once.

    Attributes
    ----------
    notes : list of str
        What the user should know about values that were read from files.
    """

    def __init__(self, folder: Path, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems
        self._setups: dict[str, Setup | None] = {}
        self.notes: list[str] = []

    def detectors(
        self, written: Sequence[tuple[KeyPath, _DetectorForm]]
    ) -> tuple[Detector, ...]:
        """Return all detectors, every one with a name of its own."""
        found = [
            (path, detector)
            for path, form in written
            for detector in self._detector(path, form)
        ]
        return self._distinct(found, "detectors")

    def geometries(
        self, written: Sequence[tuple[KeyPath, _GeometryForm]]
    ) -> tuple[Geometry, ...]:
        """Return all geometries, every one with a name of its own."""
        found = [
            (path, geometry)
            for path, form in written
            for geometry in self._geometry(path, form)
        ]
        return self._distinct(found, "geometries")

    def _distinct(
        self, found: list[tuple[KeyPath, _Named]], what: str
    ) -> tuple[_Named, ...]:
        first: dict[str, KeyPath] = {}
        for path, item in found:
            if item.name in first:
                self._problems.add(
                    path,
                    f"two {what} have the name {item.name!r}; the other is "
                    f"{path_text(first[item.name])}. Add 'name:' to one of them, or "
                    "remove it.",
                )
            first.setdefault(item.name, path)
        return tuple(item for _, item in found)

    def _detector(self, path: KeyPath, form: _DetectorForm) -> list[Detector]:
        match form:
            case str():
                return self._preset(path, WrittenDetectorPreset(preset=form), path)
            case WrittenDetectorPreset():
                return self._preset(path, form, (*path, "preset"))
            case WrittenDetectorShape(shape=shape):
                if not self._fits((*path, "shape"), shape):
                    return []
                name = form.name or f"{shape[0]}x{shape[1]}"
                mask = self._mask((*path, "mask"), form.mask, shape)
                size = form.pixel_size_um
                return [Detector(name=name, shape=shape, pixel_size_um=size, mask=mask)]
            case WrittenDetectorSweep():
                return self._swept(path, form)
            case WrittenDetectorFile():
                return self._measured(path, form)

    def _preset(
        self, path: KeyPath, form: WrittenDetectorPreset, at: KeyPath
    ) -> list[Detector]:
        preset = PRESETS.get(form.preset)
        if preset is None:
            other = (
                " A free size is written {shape: [rows, columns], pixel_size_um: 75}."
            )
            self._problems.add(
                at, one_of(form.preset, list(PRESETS), "detector") + other
            )
            return []
        shape = (preset.rows, preset.columns)
        return [
            Detector(
                name=form.name or form.preset,
                shape=shape,
                pixel_size_um=preset.pixel_size_um,
                mask=self._mask((*path, "mask"), form.mask, shape),
            )
        ]

    def _swept(self, path: KeyPath, form: WrittenDetectorSweep) -> list[Detector]:
        at = (*path, "sweep")
        try:
            sides = swept(form.sweep)
        except ConfigError as error:
            self._problems.add(at, str(error))
            return []
        whole = []
        for side in sides:
            if not isinstance(side, int) or side < 1:
                sentence = f"{side!r} cannot be a number of rows. Allowed: 1, 2, 3, ..."
                self._problems.add(at, sentence)
                return []
            whole.append(side)
        return list(self.squares(at, whole, form.pixel_size_um))

    def squares(
        self, path: KeyPath, sides: Sequence[int], pixel_size_um: float
    ) -> tuple[Detector, ...]:
        """Return square detectors; none where one has too many pixels."""
        if not all(self._fits(path, (side, side)) for side in sides):
            return ()
        return tuple(
            Detector(
                name=f"{side}x{side}", shape=(side, side), pixel_size_um=pixel_size_um
            )
            for side in sides
        )

    def _fits(self, path: KeyPath, shape: tuple[int, int]) -> bool:
        if math.prod(shape) <= MAX_PIXELS:
            return True
        self._problems.add(
            path,
            f"{shape[0]} rows of {shape[1]} columns are too many pixels. Allowed: at "
            f"most {MAX_PIXELS:,}.",
        )
        return False

    def _measured(self, path: KeyPath, form: WrittenDetectorFile) -> list[Detector]:
        at = (*path, "from_file")
        setup = self._setup(at, form.from_file)
        if setup is None:
            return []
        file = self._absolute(form.from_file)
        stored = MaskFile(path=file, dataset=QMAP_MASK, sha256=mask_digest(setup.mask))
        return [
            Detector(
                name=form.name or _name_of(file),
                shape=setup.shape,
                pixel_size_um=setup.pixel_size_um,
                mask=Mask(file=stored),
            )
        ]

    def _mask(
        self, path: KeyPath, form: WrittenMask | None, shape: tuple[int, int]
    ) -> Mask:
        """Check a mask against the detector that it lies on."""
        if form is None:
            return Mask()
        import numpy as np

        used = np.ones(shape, dtype=bool)
        rectangles = []
        written = form.rectangles or ()
        for at, rectangle in self._problems.items((*path, "rectangles"), written):
            for axis, (first, last) in enumerate((rectangle.rows, rectangle.columns)):
                word = ("rows", "columns")[axis]
                if first >= last:
                    self._problems.add(
                        (*at, word),
                        f"[{first}, {last}] holds no pixel. Write [first, one past "
                        "last], the first being smaller.",
                    )
                elif last > shape[axis]:
                    self._problems.add(
                        (*at, word),
                        f"[{first}, {last}] reaches outside the detector, which has "
                        f"{shape[axis]} {word}. Allowed: 0 to {shape[axis]}.",
                    )
            used[slice(*rectangle.rows), slice(*rectangle.columns)] = False
            rectangles.append(
                MaskedRectangle(rows=rectangle.rows, columns=rectangle.columns)
            )
        stored = None
        if form.file is not None:
            file = self._absolute(form.file)
            at = (*path, "file")
            try:
                mask = read_mask(file, form.dataset)
            except RecordError as error:
                self._problems.add(at, str(error))
                return Mask(rectangles=tuple(rectangles))
            if mask.shape != shape:
                self._problems.add(
                    at,
                    f"the mask has the shape {list(mask.shape)} and the detector "
                    f"{list(shape)}. Name the mask of this detector.",
                )
                return Mask(rectangles=tuple(rectangles))
            used &= mask
            stored = MaskFile(path=file, dataset=form.dataset, sha256=mask_digest(mask))
        elif "dataset" in form.model_fields_set:
            sentence = "names a dataset of no file. Add 'file:' with an HDF5 file."
            self._problems.add((*path, "dataset"), sentence, key=True)
        if not used.any():
            self._problems.add(path, "leaves no pixel that is used. Mask fewer pixels.")
        return Mask(rectangles=tuple(rectangles), file=stored)

    def _geometry(self, path: KeyPath, form: _GeometryForm) -> list[Geometry]:
        self._check_kind(path, form)
        if isinstance(form, WrittenGeometryFile):
            setup = self._setup((*path, "from_file"), form.from_file)
            if setup is None:
                return []
            energy, distance = setup.energy_kev, setup.distance_mm
            centre: tuple[float, float] | None = setup.beam_centre_px
        else:
            energy, distance = form.energy_kev, form.distance_mm
            centre = form.beam_centre_px
        reflection = form.kind == "reflection"
        orientation = (form.orientation or "north") if reflection else None
        derived = f"{form.kind}-{energy:.10g}keV-{distance:.10g}mm"
        if reflection:
            derived += f"-{form.incidence_deg or 0:.10g}deg-{orientation}"
        return [
            Geometry(
                name=form.name or derived,
                kind=form.kind,
                energy_kev=energy,
                distance_mm=distance,
                beam_centre_px=centre,
                incidence_deg=form.incidence_deg if reflection else None,
                orientation=orientation,
            )
        ]

    def _check_kind(self, path: KeyPath, form: _GeometryForm) -> None:
        """Note what belongs to the other kind of geometry."""
        if form.kind == "reflection":
            if form.incidence_deg is None:
                sentence = (
                    "a reflection geometry has no 'incidence_deg', the angle between "
                    "beam and sample surface. Add it, for example incidence_deg: 0.14."
                )
                self._problems.add(path, sentence)
            return
        for key in ("incidence_deg", "orientation"):
            if getattr(form, key) is not None:
                sentence = (
                    f"{key!r} belongs to a reflection geometry, and this one is a "
                    "transmission geometry. Remove it, or write kind: reflection."
                )
                self._problems.add((*path, key), sentence, key=True)

    def _setup(self, path: KeyPath, written: str) -> Setup | None:
        file = self._absolute(written)
        try:
            if file not in self._setups:
                self._setups[file] = None
                self._setups[file] = setup = read_setup(file)
                self.notes.extend(setup.notes)
        except RecordError as error:
            self._problems.add(path, str(error))
        return self._setups[file]

    def _absolute(self, written: str) -> str:
        return str(self._folder / written)


def _name_of(file: str) -> str:
    """Make a name for case ids from a file's name."""
    stem = Path(file).stem
    kept = "".join(
        c if c.isascii() and (c.isalnum() or c in "._+-") else "-" for c in stem
    )
    return kept.lstrip("._+-")[:64] or "measured"
