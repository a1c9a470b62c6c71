"""The kernels of an experiment, with their parameters checked and crossed."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from xpcs_bench.config.catalogue import Catalogue, KernelEntry
from xpcs_bench.config.crossover import DETECTOR, CrossoverSearch
from xpcs_bench.config.document import KeyPath
from xpcs_bench.config.experiment import KernelChoice
from xpcs_bench.config.problem import Problems, one_of, path_text, shown
from xpcs_bench.config.sweep import swept
from xpcs_bench.config.translate import translated
from xpcs_bench.config.written import WrittenSweep
from xpcs_bench.config.written_types import check_keys
from xpcs_bench.errors import ConfigError

__all__ = ["ALL", "MAX_COMBINATIONS", "choose_kernels", "takes_a_list"]

ALL = "all"
"""Stands for every registered kernel that the file does not name, with its defaults."""

MAX_COMBINATIONS = 1000
"""Most combinations of the parameters of one entry."""

_SWEEP_KEYS = frozenset({"from", "to", "factor", "step"})
_SEQUENCES = (list, tuple, set, frozenset, Sequence)


def takes_a_list(annotation: Any) -> bool:
    """Whether one value of this type is a list, so that a list of values nests."""
    if get_origin(annotation) in _SEQUENCES or annotation in _SEQUENCES:
        return True
    # the arguments of a Literal are values, and none of them is a type
    return any(takes_a_list(inner) for inner in get_args(annotation))


def choose_kernels(
    entries: Sequence[tuple[KeyPath, Any]],
    catalogue: Catalogue,
    problems: Problems,
    search: CrossoverSearch | None = None,
) -> list[tuple[KeyPath, KernelChoice]]:
    """Check every entry of ``kernels``, and note what is wrong with it.

    Parameters
    ----------
    search : CrossoverSearch, optional
        Every kernel gets the sizes of its axis, where that is a parameter.
    """
    chosen: list[tuple[KeyPath, KernelChoice]] = []
    written: dict[str, KeyPath] = {}
    for path, entry in _spelled_out(entries, catalogue, problems):
        choice = _choose(path, entry, catalogue, problems)
        if choice is not None and search is not None:
            choice = _along(path, choice, search, catalogue, problems)
        if choice is None:
            continue
        chosen.append((path, choice))
        for combination in _combinations(path, choice, catalogue, problems):
            first = written.setdefault(combination, path)
            if first != path:
                problems.add(
                    path,
                    f"repeats {combination}, which {path_text(first)} measures "
                    "already. Remove it from one of them.",
                )
                break
    return chosen


def _spelled_out(
    entries: Sequence[tuple[KeyPath, Any]], catalogue: Catalogue, problems: Problems
) -> list[tuple[KeyPath, Any]]:
    """Put names where ``all`` stands, and note where it stands again."""
    named = {
        name
        for _, entry in entries
        for name in (entry if isinstance(entry, dict) else [entry])
        if isinstance(name, str)
    }
    others = [name for name in catalogue.kernels if name not in named]
    spelled: list[tuple[KeyPath, Any]] = []
    seen = False
    for path, entry in entries:
        if entry != ALL:
            spelled.append((path, entry))
        elif seen:
            problems.add(path, f"{ALL!r} is listed twice. Keep one of them.")
        else:
            seen = True
            spelled += [(path, name) for name in others]
    return spelled


def _choose(
    path: KeyPath, entry: Any, catalogue: Catalogue, problems: Problems
) -> KernelChoice | None:
    params: Any = {}
    if isinstance(entry, str):
        name, at = entry, path
    elif isinstance(entry, dict) and len(entry) == 1:
        ((name, written),) = entry.items()
        params = {} if written is None else written
        at = (*path, name)
    else:
        found = ", ".join(map(repr, entry)) if isinstance(entry, dict) else shown(entry)
        problems.add(
            path,
            f"{found or 'nothing'} given where one kernel stands. Write a name, or a "
            "name with its parameters indented below it: {qmap: {convention: exact}}.",
        )
        return None
    known = catalogue.kernels.get(name)
    if known is None:
        problems.add(
            at, one_of(name, [*catalogue.kernels, ALL], "kernel"), key=at != path
        )
        return None
    fields = known.params.model_fields
    wrong = check_keys(params, fields, f"The kernel {name!r}")
    if wrong is not None:
        sentence, key = wrong
        problems.add(at if key is None else (*at, key), sentence, key=key is not None)
        return None
    return KernelChoice(
        name=name,
        params={
            key: _values((*at, key), key, value, known, problems)
            for key, value in params.items()
        },
    )


def _along(
    path: KeyPath,
    choice: KernelChoice,
    search: CrossoverSearch,
    catalogue: Catalogue,
    problems: Problems,
) -> KernelChoice | None:
    """Give a kernel the sizes of the search, where its axis is a parameter."""
    axis, entry = search.axis, catalogue.kernels[choice.name]
    fields = entry.params.model_fields
    whole = [name for name, field in fields.items() if _is_whole(field.annotation)]
    if axis == DETECTOR:
        if "detector" not in entry.needs:
            names = ", ".join(map(repr, whole)) or "none"
            problems.add(
                path,
                f"the kernel {choice.name!r} has no detector that could grow along "
                f"'crossover.axis'. Put it into an experiment of its own, whose axis "
                f"is one of its whole numbers: {names}.",
            )
        return choice
    if axis not in whole:
        sentence = one_of(axis, whole, f"whole number of the kernel {choice.name!r}")
        problems.add(("crossover", "axis"), sentence)
        return None
    if axis in choice.params:
        written = (*path, choice.name, axis)
        sentence = (
            f"the sizes of {axis!r} are those of 'crossover'. Remove it here, or "
            f"search along another axis."
        )
        problems.add(written, sentence, key=True)
        return None
    for end, size in (("from", search.sizes[0]), ("to", search.sizes[-1])):
        _checked(("crossover", end), axis, size, entry, problems)
    return KernelChoice(name=choice.name, params={**choice.params, axis: search.sizes})


def _is_whole(annotation: Any) -> bool:
    return int in {annotation, *get_args(annotation)}


def _values(
    path: KeyPath, key: str, written: Any, entry: KernelEntry, problems: Problems
) -> tuple[Any, ...]:
    """Return the values that a parameter takes in turn."""
    nested = takes_a_list(entry.params.model_fields[key].annotation)
    if isinstance(written, dict) and written and written.keys() & _SWEEP_KEYS:
        try:
            found = [(path, v) for v in swept(WrittenSweep.model_validate(written))]
        except ValidationError as error:
            for where, sentence, about_key in translated(error.errors(), written):
                problems.add((*path, *where), sentence, key=about_key)
            return ()
        except ConfigError as error:
            problems.add(path, str(error))
            return ()
    elif isinstance(written, list) and (
        not nested or all(isinstance(value, list) for value in written)
    ):
        found = [((*path, index), value) for index, value in enumerate(written)]
        if not found:
            problems.add(path, "the list is empty. Write at least one value.")
    else:
        found = [(path, written)]
    values = [_checked(where, key, value, entry, problems) for where, value in found]
    problems.refuse_repeats(path, [json.dumps(value) for value in values])
    return tuple(values)


def _checked(
    path: KeyPath, key: str, value: Any, entry: KernelEntry, problems: Problems
) -> Any:
    """Check one value by itself; what several parameters say together comes later."""
    try:
        # as JSON, where a list may be a tuple while 'no' may not be a number
        params = entry.params.model_validate_json(json.dumps({key: value}), strict=True)
    except ValidationError as error:
        mine = [e for e in error.errors() if e["loc"][:1] == (key,)]
        for where, sentence, about_key in translated(mine, {key: value}):
            problems.add((*path, *where[1:]), sentence, key=about_key)
        return value
    return params.model_dump(mode="json")[key]


def _combinations(
    path: KeyPath, choice: KernelChoice, catalogue: Catalogue, problems: Problems
) -> list[str]:
    """Cross the parameters; return every combination in full, as text."""
    total = math.prod(len(values) for values in choice.params.values())
    if total > MAX_COMBINATIONS:
        problems.add(
            path,
            f"crosses its parameters to {total:,} combinations. Allowed: at most "
            f"{MAX_COMBINATIONS:,}. Shorten a list or a sweep.",
        )
        return []
    model = catalogue.kernels[choice.name].params
    combinations = []
    for values in itertools.product(*choice.params.values()):
        given = dict(zip(choice.params, values, strict=True))
        try:
            params = model.model_validate_json(json.dumps(given), strict=True)
        except ValidationError as error:
            together = [e for e in error.errors() if not e["loc"]]
            for _, sentence, _ in translated(together, given):
                problems.add(path, f"{json.dumps(given)}: {sentence}")
            continue
        full = json.dumps(params.model_dump(mode="json"), sort_keys=True)
        combinations.append(f"{choice.name} {full}")
    return combinations
