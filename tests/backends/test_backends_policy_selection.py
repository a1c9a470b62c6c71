"""Who decides where a policy could: the nearest word."""

import pytest
from policy_scripts import candidate, crossing, point, policy, series
from test_backends_selection import race

from xpcs_bench.backends import (
    BACKENDS,
    DeviceManager,
    DeviceType,
    NumPyBackend,
    get_backend,
    get_backend_for,
    reset_backend,
    selection,
    set_backend,
    use_backend,
)
from xpcs_bench.errors import ConfigError

LARGE = {"size": 10**6, "calls": 1000}
SMALL = {"size": 1000}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(crossing().model_dump_json())
    return path


@pytest.fixture
def variable(monkeypatch, path):
    monkeypatch.setenv("XPCS_BACKEND_POLICY", str(path))
    return path


@pytest.mark.parametrize(("word", "name"), [("0", "numpy"), ("1", "jax"), ("", "jax")])
def test_without_a_policy_the_chain_decides(monkeypatch, word, name):
    monkeypatch.setenv("XPCS_USE_JAX", word)
    for asked in (SMALL, LARGE):
        backend = get_backend_for("qmap", **asked)
        assert backend is get_backend()
        assert backend.name == name
    assert set_backend("numpy") is get_backend_for("qmap", **LARGE)


def test_the_variable_names_the_policy(variable):
    small, large = (get_backend_for("qmap", **asked) for asked in (SMALL, LARGE))
    assert (small.name, large.name) == ("numpy", "jax")
    assert large.zeros(1).dtype == "float64"
    # the same instance again, and what is active without a policy stays what it was
    assert get_backend_for("qmap", **LARGE) is large
    assert get_backend().name == "jax"
    assert set_backend("numpy").name == "numpy"


def test_no_policy_changes_get_backend(variable, monkeypatch):
    get_backend_for("qmap", **SMALL)
    assert get_backend().name == "jax"
    reset_backend()
    monkeypatch.setenv("XPCS_USE_JAX", "false")
    assert get_backend().name == "numpy"


def test_an_active_backend_of_the_name_is_the_one_that_is_given(path, variable):
    active = get_backend()
    assert active.name == "jax"
    assert get_backend_for("qmap", **LARGE) is active


@pytest.mark.parametrize(("word", "name"), [("false", "numpy"), ("true", "jax")])
def test_an_explicit_word_of_the_environment_is_nearer_than_its_policy(
    variable, monkeypatch, word, name
):
    monkeypatch.setenv("XPCS_USE_JAX", word)
    for asked in (SMALL, LARGE):
        assert get_backend_for("qmap", **asked).name == name


def test_auto_is_no_explicit_word(variable, monkeypatch):
    monkeypatch.setenv("XPCS_USE_JAX", "auto")
    assert get_backend_for("qmap", **SMALL).name == "numpy"


def test_the_program_is_nearer_than_the_environment(variable):
    mine = NumPyBackend()
    set_backend(mine)
    assert get_backend_for("qmap", **LARGE) is mine
    with use_backend("jax") as borrowed:
        assert get_backend_for("qmap", **SMALL) is borrowed
    reset_backend()
    assert get_backend_for("qmap", **LARGE).name == "jax"


def test_a_backend_that_was_detected_is_no_word_of_the_program(variable):
    assert get_backend().name == "jax"
    assert get_backend_for("qmap", **SMALL).name == "numpy"


@pytest.mark.parametrize("form", [str, lambda path: path, lambda _: crossing()])
def test_the_argument_is_nearest(path, monkeypatch, form):
    monkeypatch.setenv("XPCS_USE_JAX", "true")
    monkeypatch.setenv("XPCS_BACKEND_POLICY", "nowhere.json")
    set_backend("jax")
    assert get_backend_for("qmap", policy=form(path), **SMALL).name == "numpy"
    with use_backend("numpy"):
        assert get_backend_for("qmap", policy=form(path), **LARGE).name == "jax"


def test_where_a_policy_says_nothing_the_chain_decides(variable, monkeypatch):
    assert get_backend_for("partition", **SMALL) is get_backend()
    assert get_backend_for("qmap", policy=policy(), **SMALL) is get_backend()


@pytest.mark.parametrize("word", ["", "  "])
def test_an_empty_variable_names_none(monkeypatch, word):
    monkeypatch.setenv("XPCS_BACKEND_POLICY", word)
    assert get_backend_for("qmap", **SMALL) is get_backend()


def test_a_variable_that_names_no_policy_is_an_error_of_the_call(monkeypatch, tmp_path):
    monkeypatch.setenv("XPCS_BACKEND_POLICY", str(tmp_path / "none.json"))
    with pytest.raises(ConfigError, match=r"none\.json: the policy cannot be read"):
        get_backend_for("qmap", **SMALL)
    assert get_backend().name == "jax"


def test_a_policy_is_read_once_and_again_after_a_reset(variable):
    assert get_backend_for("qmap", **SMALL).name == "numpy"
    variable.unlink()
    assert get_backend_for("qmap", **LARGE).name == "jax"
    reset_backend()
    with pytest.raises(ConfigError, match="cannot be read"):
        get_backend_for("qmap", **LARGE)


def test_what_was_compiled_is_counted_on(variable):
    few = {"size": 10**6, "calls": 1}
    assert get_backend_for("qmap", **few).name == "numpy"
    assert get_backend_for("qmap", **few, compiled={"jax"}).name == "jax"
    assert get_backend_for("qmap", size=10**6, calls=100).name == "jax"
    # this process now has the executable: one call more costs no compilation
    assert get_backend_for("qmap", **few).name == "jax"
    assert get_backend_for("qmap", **few, compiled=()).name == "numpy"
    assert get_backend_for("qmap", size=10**6 + 1, calls=1).name == "numpy"
    reset_backend()
    assert get_backend_for("qmap", **few).name == "numpy"


def test_a_policy_of_another_machine_is_used_with_a_warning(tmp_path):
    path = tmp_path / "policy.json"
    elsewhere = crossing().model_copy(
        update={
            "circumstances": crossing().circumstances.model_copy(update={"cpu": "slow"})
        }
    )
    path.write_text(elsewhere.model_dump_json())
    with pytest.warns(RuntimeWarning, match="made elsewhere .*'slow' there"):
        assert get_backend_for("qmap", policy=path, **SMALL).name == "numpy"
    # said once
    assert get_backend_for("qmap", policy=path, **LARGE).name == "jax"


def test_a_backend_that_fails_is_left_for_the_next(path, monkeypatch):
    def load(name):
        if name == "jax":
            message = "broken"
            raise ImportError(message)
        return NumPyBackend

    monkeypatch.setattr(selection, "load_backend", load)
    with pytest.warns(RuntimeWarning, match="would choose 'jax', which fails: broken"):
        assert get_backend_for("qmap", policy=path, **LARGE).name == "numpy"
    assert get_backend_for("qmap", policy=path, **LARGE).name == "numpy"


def test_a_backend_of_another_package_is_weighed_where_it_places_arrays(
    monkeypatch, asked_anew
):
    monkeypatch.setitem(
        BACKENDS, "mine", "xpcs_bench.backends.numpy_backend:NumPyBackend"
    )
    own = policy(
        series(
            point(10, candidate("numpy", 1.0), candidate("mine", 0.1)),
            point(99, candidate("mine", 1.0), candidate("mine", 1e-9, device="gpu")),
        )
    )
    mine = get_backend_for("qmap", size=10, policy=own)
    assert isinstance(mine, NumPyBackend)
    assert get_backend_for("qmap", size=10, policy=own) is mine
    assert get_backend_for("qmap", size=10, policy=crossing()) is not mine


def test_a_gpu_is_weighed_where_arrays_go_there(monkeypatch):
    times = {"first": 1e-9, "again": 1e-9, "device": "gpu"}
    own = policy(
        series(point(10, candidate("numpy", 1.0), candidate("jax", 1e-9, **times)))
    )
    ask = {"size": 10, "policy": own}
    assert get_backend_for("qmap", **ask).name == "numpy"
    monkeypatch.setattr(
        DeviceManager, "current_device", property(lambda _: DeviceType.GPU)
    )
    monkeypatch.setattr(DeviceManager, "get_device", lambda _: None)
    assert get_backend_for("qmap", **ask).name == "jax"


def test_many_threads_get_one_backend_and_read_one_policy(variable, monkeypatch):
    reads = []
    load = selection.load_policy
    monkeypatch.setattr(
        selection, "load_policy", lambda path: reads.append(path) or load(path)
    )
    seen = race(lambda: id(get_backend_for("qmap", **LARGE)), 100)
    assert set(seen) == {id(get_backend_for("qmap", **LARGE))}
    assert len(reads) == 1


def test_numpy_is_chosen_without_importing_jax(path):
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from xpcs_bench.backends import get_backend_for\n"
        "print(get_backend_for('qmap', size=1000).name, 'jax' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"XPCS_BACKEND_POLICY": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("numpy False\n", "")
