"""What is tried is seen, whatever it does; and what the registry promises of it."""

import inspect
import warnings
from importlib import import_module

import pytest

from xpcs_bench.errors import ConfigError
from xpcs_bench.measure.behaviours.behaviour import Absent, observe
from xpcs_bench.measure.behaviours.registry import BEHAVIOURS, see

IN_THIS_PROCESS = (
    "h5py_dataset",
    "h5py_bfloat16",
    "h5py_key",
    "matplotlib_image",
    "numpy_is_free",
    "cpu_shares_memory",
    "ensure_numpy_deleted",
    "protocol_members",
    "protocol_categories",
    "protocol_is_checked",
    "protocol_is_structural",
    "backends_answer",
    "numpy_jit",
    "jit_cached",
    "jit_abstract",
    "jit_static_arguments",
    "jit_branch_by_primitive",
    "arrays_as_keys",
    "supports_grad",
    "jax_value_and_grad",
    "numpy_vmap",
    "numpy_scan",
    "numpy_fori_loop",
    "numpy_repeats_itself",
    "device_placement",
)
"""Those that neither change nor depend on what is global to a process."""


def test_what_it_observes_is_seen_with_its_warnings():
    def warning():
        warnings.warn("soon", DeprecationWarning, stacklevel=1)
        return {"a": 1}

    seen = observe("x", warning)
    assert (seen.behaviour, seen.kind, seen.observed) == ("x", "returned", {"a": 1})
    assert seen.warnings == ("DeprecationWarning: soon",)
    assert seen.text == "a: 1; warning DeprecationWarning: soon"


def test_what_it_raises_is_seen_with_its_bases():
    def failing():
        msg = "first\nsecond"
        raise KeyError(msg)

    seen = observe("x", failing)
    assert seen.kind == "raised"
    assert seen.exceptions == ("KeyError", "LookupError", "Exception")
    assert seen.text.startswith("KeyError: 'first")


def test_what_is_not_here_decides_nothing():
    def missing():
        msg = "no Qt"
        raise Absent(msg)

    def lacking():
        import no_such_library_at_all  # noqa: F401

    assert (observe("x", missing).kind, observe("x", missing).text) == (
        "absent",
        "no Qt",
    )
    assert observe("x", lacking).kind == "absent"
    assert "no_such_library_at_all" in observe("x", lacking).message


def test_nothing_to_tell_is_that_it_works():
    assert observe("x", dict).text == "works"


def test_a_behaviour_that_there_is_not_is_refused():
    with pytest.raises(ConfigError, match=r"'h5py'\. Allowed: h5py_dataset, "):
        see("h5py")


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_says_what_is_tried(name):
    module, _, function = BEHAVIOURS[name].target.partition(":")
    found = getattr(import_module(f"xpcs_bench.measure.behaviours.{module}"), function)
    assert inspect.getdoc(found).endswith(".")
    assert not inspect.signature(found).parameters


@pytest.mark.parametrize("name", IN_THIS_PROCESS)
def test_a_behaviour_observes_what_its_entry_says(name):
    seen = see(name)
    assert seen.kind in {"returned", "raised"}, seen.text
    assert set(seen.observed) <= set(BEHAVIOURS[name].observes)
    assert seen.observed or seen.kind == "raised"
