"""The JSON Schema with which an editor completes and checks an experiment."""

from __future__ import annotations

import copy
from typing import Any

from xpcs_bench.config.catalogue import Catalogue, KernelEntry
from xpcs_bench.config.kernels import ALL, takes_a_list
from xpcs_bench.config.written import WrittenExperiment, WrittenSweep
from xpcs_bench.confined import ConfinedModel

__all__ = ["experiment_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SWEEP = {"$ref": "#/$defs/WrittenSweep"}


def experiment_schema(catalogue: Catalogue) -> dict[str, Any]:
    """Return the schema of the written form, with the registered names in it.

    It says what a single value may be. What several values say together (a mask
    outside its detector, two equal names) is checked when the file is loaded.
    """
    schema = WrittenExperiment.model_json_schema()
    definitions = schema["$defs"]
    definitions["WrittenSweep"] = WrittenSweep.model_json_schema()
    kernel = _kernel(catalogue, definitions)
    properties = schema["properties"]
    properties["kernels"].update(_one_or_many(kernel))
    _name_choices(properties["boundaries"], catalogue.boundaries)
    matrix = definitions["WrittenMatrix"]["properties"]
    _name_choices(matrix["backend"], catalogue.backends)
    row = definitions["WrittenSelector"]["properties"]
    _name_choices(row["backend"], catalogue.backends)
    _name_choices(row["kernel"], tuple(catalogue.kernels))
    tolerance = definitions["WrittenTolerance"]["properties"]
    _name_choices(tolerance["kernel"], tuple(catalogue.kernels))
    for side in ("WrittenSelection", "WrittenSide"):
        selection = definitions[side]["properties"]
        _name_choices(selection["backend"], catalogue.backends)
        _name_choices(selection["kernel"], tuple(catalogue.kernels))
        _name_choices(selection["boundary"], catalogue.boundaries)
    claim = definitions["WrittenClaim"]["properties"]
    _name_choices(claim["behaviour"], tuple(catalogue.behaviours))
    _drop_titles(schema)
    return {"$schema": _DIALECT, "title": "xpcs-bench experiment", **schema}


def _one_or_many(item: dict[str, Any]) -> dict[str, Any]:
    many = {"type": "array", "items": item, "minItems": 1}
    return {"anyOf": [item, many]}


def _name_choices(schema: Any, names: tuple[str, ...]) -> None:
    """Restrict every text in a schema to the registered names."""
    if isinstance(schema, dict):
        if schema.get("type") == "string":
            schema["enum"] = list(names)
        for inner in schema.values():
            _name_choices(inner, names)
    elif isinstance(schema, list):
        for inner in schema:
            _name_choices(inner, names)


def _drop_titles(schema: Any) -> None:
    """Remove the titles that pydantic makes from names; they only repeat the keys."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for inner in schema.values():
            _drop_titles(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _drop_titles(inner)


def _kernel(catalogue: Catalogue, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one entry of ``kernels``."""
    entries = {}
    for name, entry in catalogue.kernels.items():
        about = (entry.params.__doc__ or "").strip()
        params = _params(entry, definitions)
        entries[name] = {"description": about, "anyOf": [params, {"type": "null"}]}
    with_params = {
        "type": "object",
        "properties": entries,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [{"enum": [*catalogue.kernels, ALL]}, with_params]}


def _params(entry: KernelEntry, definitions: dict[str, Any]) -> dict[str, Any]:
    model: type[ConfinedModel] = entry.params
    schema = model.model_json_schema()
    definitions.update(schema.pop("$defs", {}))
    for name, value in schema.get("properties", {}).items():
        about = {k: value.pop(k) for k in ("description", "default") if k in value}
        forms = [value]
        if takes_a_list(model.model_fields[name].annotation):
            lists = {**copy.deepcopy(value), "type": "array"}
            forms.append({"type": "array", "items": lists, "minItems": 1})
        else:
            forms.append({"type": "array", "items": value, "minItems": 1})
            forms.append(_SWEEP)
        schema["properties"][name] = {**about, "anyOf": forms}
    return schema
