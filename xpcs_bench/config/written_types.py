"""The kinds of value that a configuration is written with, and what refuses them.

A refusal that pydantic would word for programmers is raised here as a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NoReturn, TypeVar, get_args

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from xpcs_bench.config.detector import PixelSizeUm
from xpcs_bench.config.experiment import Bytes, Precision, SampleSeconds, Seconds
from xpcs_bench.config.geometry import DistanceMm, EnergyKev, IncidenceDeg
from xpcs_bench.config.problem import did_you_mean, shown
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError
from xpcs_bench.units import parse_bytes, parse_duration, parse_fraction

__all__ = [
    "Listed",
    "OneOrMany",
    "WrittenBytes",
    "WrittenDistance",
    "WrittenDuration",
    "WrittenEnergy",
    "WrittenFraction",
    "WrittenIncidence",
    "WrittenModel",
    "WrittenName",
    "WrittenNumber",
    "WrittenPixelSize",
    "WrittenSampleDuration",
    "check_keys",
    "pair_of",
]

T = TypeVar("T")


def _refuse(sentence: str, *key: str) -> NoReturn:
    """Raise a sentence of ours through pydantic, about a key if one is given."""
    context = {"sentence": sentence, "key": key}
    kind = "sentence"
    raise PydanticCustomError(kind, "{sentence}", context)


def check_keys(
    data: Any, fields: Mapping[str, FieldInfo], of: str
) -> tuple[str, str | None] | None:
    """Return what is wrong with a mapping's keys, and with which one.

    To be asked before the values are looked at: a key that is spelled wrong would
    otherwise be reported twice, as unknown and as missing.
    """
    names = ", ".join(map(repr, fields)) or "none"
    if not isinstance(data, Mapping):
        return f"{shown(data)} is not a mapping. {of} has keys. Allowed: {names}.", None
    for key in data:
        if key not in fields:
            guess = did_you_mean(key, fields)
            return f"unknown key {key!r}. Allowed: {names}.{guess}", key
    for key, info in fields.items():
        about = " ".join((info.description or "").split()).rstrip(".")
        if key not in data:
            if info.is_required():
                return f"the key {key!r} is missing. It says: {about}.", None
        elif data[key] is None and type(None) not in get_args(info.annotation):
            advice = (
                "Write one." if info.is_required() else "Write one or remove the key."
            )
            return f"has no value. It says: {about}. {advice}", key
    return None


class WrittenModel(ConfinedModel):
    """A mapping as it stands in the file; its docstrings explain missing keys."""

    @model_validator(mode="before")
    @classmethod
    def _keys_are_known(cls, data: Any) -> Any:
        fields = {info.alias or key: info for key, info in cls.model_fields.items()}
        about = (cls.__doc__ or cls.__name__).partition(":")[0].splitlines()[0]
        wrong = check_keys(data, fields, about.rstrip("."))
        if wrong is not None:
            sentence, key = wrong
            _refuse(sentence, *([] if key is None else [key]))
        return data


class Listed:
    """Marks a tuple that may also be written as one value without brackets."""

    def __init__(self, least: int = 0) -> None:
        self._least = least

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def listed(value: Any) -> Any:
            values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
            if len(values) < self._least:
                sentence = (
                    "the list is empty, so nothing would be measured. Write at least "
                    "one value, or remove a key that has a default."
                )
                _refuse(sentence)
            return values

        return core_schema.no_info_before_validator_function(listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = {**handler(schema), "minItems": self._least}
        return {"anyOf": [many["items"], many]}


OneOrMany = Annotated[tuple[T, ...], Listed(least=1)]
"""A list, or a single value that stands for a list of one."""


_LARGEST = 10**12
"""Far beyond every quantity here, and small enough to be multiplied."""


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _refuse(f"{shown(value)} is not a number. Write one, without quotes or unit.")
    if abs(value) > _LARGEST:
        _refuse(f"{shown(value)} is too large. Allowed: up to {_LARGEST:g}.")
    return value


WrittenNumber = Annotated[int | float, BeforeValidator(_number)]
"""A number that stays whole when it is written whole."""


def pair_of(first: str, second: str) -> BeforeValidator:
    """Require a list of two, and name the two when it is not."""

    def check(value: Any) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            found = (
                f"{len(value)} values"
                if isinstance(value, (list, tuple))
                else shown(value)
            )
            msg = f"{found} given where two numbers stand. Write [{first}, {second}]."
            _refuse(msg)
        return tuple(value)

    return BeforeValidator(check)


_QUANTITY = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(\S*)\s*")


def _bare(unit: str, factors: Mapping[str, float]) -> BeforeValidator:
    """Refuse text for a number whose unit is in its key; convert it in the advice."""

    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = _QUANTITY.fullmatch(value)
        advice = f"Write the number in {unit} alone."
        if match and (match.group(2) or unit) in factors:
            number = float(match.group(1)) * factors[match.group(2) or unit]
            advice = f"Write {number:.12g}."
        msg = f"{shown(value)} is text; the unit is in the key already. {advice}"
        _refuse(msg)

    return BeforeValidator(check)


def _read_by(parse: Callable[[Any], float]) -> BeforeValidator:
    """Read a quantity that may be written with its unit."""

    def read(value: Any) -> Any:
        try:
            return parse(value)
        except ConfigError as error:
            _refuse(str(error))
        except OverflowError:
            _refuse(f"{shown(value)} is too large. Write a smaller one.")

    return BeforeValidator(read)


def _number_or(pattern: str, example: str, **limits: float) -> WithJsonSchema:
    text = {"type": "string", "pattern": pattern}
    number = {"type": "number", "exclusiveMinimum": 0, **limits}
    return WithJsonSchema({"anyOf": [number, text], "examples": [example]})


_LENGTHS_MM = {"nm": 1e-6, "um": 1e-3, "µm": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3}
_LENGTHS_UM = {unit: 1e3 * factor for unit, factor in _LENGTHS_MM.items()}
_ENERGIES_KEV = {"eV": 1e-3, "ev": 1e-3, "keV": 1.0, "kev": 1.0, "KeV": 1.0, "MeV": 1e3}
_ANGLES_DEG = {"deg": 1.0, "°": 1.0, "mdeg": 1e-3, "mrad": 0.0572957795130823}
_SECONDS = r"^\s*[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*(ns|us|ms|s|m|h)?\s*$"
_BYTES = r"^\s*[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*(B|kB|MB|GB|KiB|MiB|GiB)?\s*$"
_FRACTION = r"^\s*[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*%?\s*$"

WrittenEnergy = Annotated[EnergyKev, Strict(), _bare("keV", _ENERGIES_KEV)]
WrittenDistance = Annotated[DistanceMm, Strict(), _bare("mm", _LENGTHS_MM)]
WrittenPixelSize = Annotated[PixelSizeUm, Strict(), _bare("um", _LENGTHS_UM)]
WrittenIncidence = Annotated[IncidenceDeg, Strict(), _bare("deg", _ANGLES_DEG)]
WrittenDuration = Annotated[
    Seconds, _read_by(parse_duration), _number_or(_SECONDS, "5 s")
]
WrittenSampleDuration = Annotated[
    SampleSeconds, _read_by(parse_duration), _number_or(_SECONDS, "2 ms", maximum=10)
]
WrittenFraction = Annotated[
    Precision, _read_by(parse_fraction), _number_or(_FRACTION, "1%", exclusiveMaximum=1)
]
WrittenBytes = Annotated[Bytes, _read_by(parse_bytes), _number_or(_BYTES, "4 GiB")]


def _name(value: Any) -> Any:
    if not isinstance(value, str):
        _refuse(f"{shown(value)} is not text. Put quotes around a name made of digits.")
    if not re.fullmatch(_NAME, value):
        msg = (
            f"{shown(value)} cannot be a name, which is a part of case ids and of file "
            "names. Allowed: up to 64 letters, digits and . _ + -; a letter or digit "
            "first."
        )
        _refuse(msg)
    return value


_NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
WrittenName = Annotated[
    str,
    BeforeValidator(_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"}),
]
