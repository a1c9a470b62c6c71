"""Registries and folders agree; whoever forgets a line is told which one."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from xpcs_bench.backends import BackendProtocol
from xpcs_bench.backends.registry import BACKENDS
from xpcs_bench.config.experiment import MEASURES as MEASURE_NAMES
from xpcs_bench.config.experiment import MeasureName
from xpcs_bench.config.presets import PRESETS
from xpcs_bench.gate import rules
from xpcs_bench.gate.rules import RULES
from xpcs_bench.kernels.kernel import Kernel
from xpcs_bench.kernels.registry import KERNELS, create_kernel
from xpcs_bench.measure.behaviours.registry import BEHAVIOURS
from xpcs_bench.measure.boundary import BOUNDARIES, Boundary
from xpcs_bench.measure.examination import finding
from xpcs_bench.measure.examination.registry import CHECKS
from xpcs_bench.measure.registry import MEASURES, SKIP_REASONS
from xpcs_bench.report.exporters import EXPORTERS
from xpcs_bench.suite.metrics import METRICS

PACKAGE = Path(__file__).parents[1] / "xpcs_bench"

TARGETS = {
    **{f"kernel {name}": target for name, target in KERNELS.items()},
    **{f"backend {name}": target for name, target in BACKENDS.items()},
    **{f"measure {name}": target for name, target in MEASURES.items()},
    **{f"skip reason {name}": target for name, target in SKIP_REASONS.items()},
    **{
        f"check {name}": f"xpcs_bench.measure.examination.{entry.target}"
        for name, entry in CHECKS.items()
    },
    **{
        f"behaviour {name}": f"xpcs_bench.measure.behaviours.{entry.target}"
        for name, entry in BEHAVIOURS.items()
    },
    **{f"exporter {name}": row.render for name, row in EXPORTERS.items()},
}


def load(target):
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def modules_in(folder):
    """Import every module below a folder of the package."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] != "__init__":
            yield import_module(".".join(parts))


def concrete(folder, base):
    """Find the concrete subclasses that a folder defines."""
    return {
        member
        for module in modules_in(folder)
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__
        and issubclass(member, base)
        and not inspect.isabstract(member)
        and member is not base
        and not member.__name__.startswith("_")
    }


def unregistered(folder, base, registered):
    return {found.__name__ for found in concrete(folder, base) - set(registered)}


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_can_be_imported_and_called(name):
    assert callable(load(TARGETS[name]))


def test_every_kernel_has_its_line():
    missing = unregistered("kernels", Kernel, list(map(load, KERNELS.values())))
    assert not missing, f"add a line to KERNELS in kernels/registry.py for {missing}"


def test_a_kernel_without_a_line_is_named():
    all_but_one = [load(target) for target in list(KERNELS.values())[1:]]
    left_out = load(next(iter(KERNELS.values()))).__name__
    assert unregistered("kernels", Kernel, all_but_one) == {left_out}


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_goes_by_the_name_of_its_line(name):
    kernel = create_kernel(name)
    assert kernel.name == name
    assert kernel.version
    assert kernel.summary.endswith(".")
    assert kernel.source
    kernel.Params()  # every parameter has a default


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_goes_by_the_name_of_its_line(name):
    backend = load(BACKENDS[name])()
    assert backend.name == name
    assert isinstance(backend, BackendProtocol)


def test_every_measure_is_known_to_configurations():
    assert set(MEASURES) == set(MEASURE_NAMES) == set(get_args(MeasureName)), (
        "a measure has a line in measure/registry.py and a name in config/experiment.py"
    )


def test_every_measure_of_one_number_has_a_metric_for_asv():
    assert set(METRICS) == set(MEASURES) - {"stages"}, (
        "add a line to METRICS in suite/metrics.py"
    )


def test_every_boundary_has_its_line():
    missing = unregistered("measure/boundaries", Boundary, BOUNDARIES.values())
    assert not missing, f"add a line to BOUNDARIES in measure/boundary.py for {missing}"


def unregistered_checks(targets):
    """Name the public functions that return a finding and are in no target."""
    return {
        f"{module.__name__.rpartition('.')[2]}:{name}"
        for module in modules_in("measure/examination")
        if module is not finding
        for name in module.__all__
        if inspect.isfunction(found := getattr(module, name))
        and found.__annotations__.get("return") == "Finding"
    } - set(targets)


def test_every_check_has_its_line():
    missing = unregistered_checks(entry.target for entry in CHECKS.values())
    assert not missing, (
        f"add a line to CHECKS in measure/examination/registry.py for {missing}"
    )


def test_a_check_without_a_line_is_named():
    targets = [entry.target for entry in CHECKS.values()]
    assert unregistered_checks(targets[1:]) == {targets[0]}


def test_every_check_says_what_it_looks_at():
    for entry in CHECKS.values():
        check = load(f"xpcs_bench.measure.examination.{entry.target}")
        assert inspect.getdoc(check).splitlines()[0].endswith("."), entry.target


def test_every_behaviour_has_its_line():
    found = {
        f"{module.__name__.rpartition('.')[2]}:{name}"
        for module in modules_in("measure/behaviours")
        for name in module.__all__
        if inspect.isfunction(function := getattr(module, name))
        and function.__annotations__.get("return") == "Observed"
    }
    missing = found - {entry.target for entry in BEHAVIOURS.values()}
    assert found
    assert not missing, (
        f"add a line to BEHAVIOURS in measure/behaviours/registry.py for {missing}"
    )


def test_every_rule_has_its_line():
    files = {path.stem for path in Path(rules.__file__).parent.glob("*.py")}
    assert files - {"__init__"} == set(RULES), "add a line to RULES in gate/rules"


def test_every_preset_names_its_source():
    assert all(preset.source for preset in PRESETS.values())
