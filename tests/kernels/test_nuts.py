"""NUTS: one program, the right posterior, and diagnostics that can say no."""

import numpy as np
import pytest
from kernel_problems import run
from pydantic import ValidationError

from xpcs_bench.analysis.agreement import compare_outputs
from xpcs_bench.backends import NumPyBackend, create_backend
from xpcs_bench.errors import ConfigError
from xpcs_bench.kernels import Problem, create_kernel
from xpcs_bench.kernels.decay import PARAMETERS
from xpcs_bench.kernels.nuts_sampler import NutsParams, sample_posterior, summarise

NUTS = create_kernel("nuts")


def problem_of(**params):
    return Problem(NutsParams(**params), None, None, "float64")


PROBLEM = problem_of(delays=24, warmup=150, draws=300)


class Program:
    """The compiled kernel and its draws, and how often they were traced."""

    def __init__(self):
        self.traces = 0
        self.backend = create_backend("jax")
        self.compiled = self.backend.jit(self._body)

    def _body(self, inputs):
        self.traces += 1
        drawn = sample_posterior(self.backend, PROBLEM.params, inputs)
        return drawn._asdict(), summarise(self.backend, drawn)

    def __call__(self, host):
        placed = {name: self.backend.from_numpy(x) for name, x in host.items()}
        drawn, outputs = self.compiled(placed)
        return tuple(
            {name: np.asarray(self.backend.to_numpy(x)) for name, x in part.items()}
            for part in (drawn, outputs)
        )


@pytest.fixture(scope="module")
def program():
    return Program()


def inputs_of(seed, **changes):
    return NUTS.make_inputs(PROBLEM, np.random.default_rng(seed)) | changes


def verdicts(outputs, inputs):
    desired = NUTS.reference(PROBLEM, inputs)
    tolerances = {name: NUTS.tolerance(PROBLEM, name) for name in desired}
    found = compare_outputs(outputs, desired, tolerances)
    return {one.output: one.passed for one in found}


def test_new_data_run_in_the_program_that_is_there(program):
    curves = [inputs_of(seed) for seed in range(5)]
    found = [program(curve)[1] for curve in curves]
    assert program.traces == 1
    assert len({outputs["mean"].tobytes() for outputs in found}) == 5
    for outputs, curve in zip(found, curves, strict=True):
        assert all(verdicts(outputs, curve).values())
        # and each is the posterior of its own curve
        others = [verdicts(outputs, other)["mean"] for other in curves]
        assert others.count(True) == 1


def test_the_keys_decide(program):
    curve = inputs_of(0)
    keys = inputs_of(1)["keys"]
    first, again = (program(curve)[0]["values"].tobytes() for _ in range(2))
    assert first == again
    assert program(curve | {"keys": keys})[0]["values"].tobytes() != first
    # and chains differ by nothing else
    twins = program(curve | {"keys": keys[[0, 0]]})[0]["values"]
    np.testing.assert_array_equal(twins[0], twins[1])


def test_the_diagnostics_are_those_of_the_library(program):
    from numpyro import diagnostics

    for seed in range(3):
        drawn, outputs = program(inputs_of(seed))
        values = drawn["values"]
        assert values.shape == (2, 300, 4)
        np.testing.assert_allclose(
            outputs["r_hat"], diagnostics.split_gelman_rubin(values), rtol=1e-10
        )
        np.testing.assert_allclose(
            outputs["ess"], diagnostics.effective_sample_size(values), rtol=1e-8
        )
        np.testing.assert_allclose(outputs["mean"], values.mean((0, 1)), rtol=1e-12)
        np.testing.assert_allclose(outputs["sd"], values.std((0, 1)), rtol=1e-8)
        assert (outputs["divergences"] == drawn["diverging"].sum(axis=1)).all()
        assert (drawn["gradients"] >= 1).all()


def test_draws_stay_where_the_priors_allow_them(program):
    # errors that drown the curve leave the priors
    drawn, _ = program(inputs_of(0, sigma=np.full(24, 10.0)))
    t0, _, contrast, alpha = np.moveaxis(drawn["values"], -1, 0)
    assert t0.min() > 0
    assert contrast.min() > 0
    assert 0.2 < alpha.min() < 0.3
    assert 1.9 < alpha.max() < 2.0


def test_a_curve_without_a_decay_is_found_out(program):
    """Its t0 may be anything and its contrast nothing: trajectories diverge."""
    flat = {"g2": np.ones(24), "sigma": np.full(24, 1e-3)}
    divergences = 0
    for seed in range(4):
        curve = inputs_of(seed, **flat)
        outputs = program(curve)[1]
        divergences += outputs["divergences"].sum()
    assert divergences > 0
    assert not verdicts(outputs | {"divergences": np.array([0, 3])}, curve)[
        "divergences"
    ]


def test_chains_that_do_not_meet_are_found_out(program):
    # two decays, far apart and precise, that no stretched one can follow
    tau = inputs_of(0)["tau"]
    g2 = 1 + 0.2 * np.exp(-2 * tau / 5e-4) + 0.2 * np.exp(-2 * tau / 0.5)
    curve = inputs_of(0, g2=g2, sigma=np.full(24, 1e-5))
    outputs = program(curve)[1]
    assert outputs["r_hat"].max() > 1.1
    assert not verdicts(outputs, curve)["r_hat"]


def test_chains_that_advance_together_draw_from_the_same_posterior():
    sizes = {"model": "single", "delays": 16, "warmup": 100, "draws": 300}
    problem = problem_of(**sizes, vectorised=True)
    inputs = NUTS.make_inputs(problem, np.random.default_rng(2))
    outputs = run(NUTS, problem, "jax", inputs)
    desired = NUTS.reference(problem, inputs)
    tolerances = {name: NUTS.tolerance(problem, name) for name in desired}
    for found in compare_outputs(outputs, desired, tolerances):
        assert found.passed, f"{found.output}: {found.reason}"


def test_a_backend_without_gradients_is_refused():
    inputs = NUTS.make_inputs(PROBLEM, np.random.default_rng(0))
    with pytest.raises(ConfigError, match=r"'nuts' cannot .* 'numpy'.*Take .*'jax'"):
        NUTS.compute(NumPyBackend(), PROBLEM, inputs)
    assert NUTS.requires == {"grad"}
    assert not NumPyBackend().supports_grad


def test_correlated_errors_are_given_as_what_makes_them_independent():
    """The whitening undoes the covariance that was asked for."""
    problem = problem_of(correlated=True, delays=12)
    inputs = NUTS.make_inputs(problem, np.random.default_rng(0))
    factor = np.linalg.inv(inputs["whitening"])
    covariance = factor @ factor.T
    sigma = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(sigma, 2e-3 * np.geomspace(2, 1, 12), rtol=1e-12)
    correlation = covariance / np.outer(sigma, sigma)
    np.testing.assert_allclose(np.diag(correlation, 1), 0.5, rtol=1e-12)
    np.testing.assert_allclose(np.diag(correlation, 3), 0.125, rtol=1e-12)
    assert "sigma" not in inputs


@pytest.mark.parametrize("model", list(PARAMETERS))
def test_more_draws_are_asked_to_be_nearer(model):
    few, many = problem_of(model=model), problem_of(model=model, draws=50_000)
    for output in ("mean", "sd"):
        near, far = NUTS.tolerance(many, output), NUTS.tolerance(few, output)
        assert (near.atol + near.rtol) * 10 == pytest.approx(far.atol + far.rtol)
    assert NUTS.tolerance(many, "mean").per == "sd"


@pytest.mark.parametrize(
    ("name", "value"), [("delays", 7), ("warmup", 10), ("draws", 3), ("noise", 0.0)]
)
def test_what_cannot_be_drawn_is_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        NutsParams(**{name: value})
