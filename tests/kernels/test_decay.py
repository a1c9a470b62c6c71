"""Models of g2: values, conventions, limits and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpcs_bench.backends import NumPyBackend, create_backend, use_backend
from xpcs_bench.kernels import decay

NUMPY = NumPyBackend()
positive = st.floats(1e-3, 1e3)
shapes = st.floats(0.3, 2.0)


def stretched(tau, t0=1.0, alpha=1.0, **options):
    return decay.stretched_exponential(
        NUMPY, np.asarray(tau), np.asarray(t0), 1.0, 0.3, alpha, **options
    )


@given(positive, positive)
def test_the_stretched_model_with_exponent_one_is_the_single_one(tau, t0):
    single = decay.single_exponential(NUMPY, np.asarray(tau), t0, 1.0, 0.3)
    for exponent in ("standard", "xpcsviewer"):
        assert stretched(tau, t0, exponent=exponent) == pytest.approx(single, rel=1e-13)


@given(positive, positive, shapes)
def test_the_conventions_differ_by_a_factor_in_the_relaxation_time(tau, t0, alpha):
    standard = stretched(tau, t0, alpha)
    other = stretched(tau, t0 * 2 ** (1 - 1 / alpha), alpha, exponent="xpcsviewer")
    # with their own t0 both decay alike: 2 (tau/t0)^a = (2 tau/t0')^a
    assert other == pytest.approx(standard, rel=1e-12)
    if abs(alpha - 1) > 0.1 and 0.01 < (tau / t0) ** alpha < 1:
        assert stretched(tau, t0, alpha, exponent="xpcsviewer") != standard


@given(positive, positive, shapes, st.sampled_from(["standard", "xpcsviewer"]))
def test_both_formulations_agree(tau, t0, alpha, exponent):
    one, other = (
        stretched(tau, t0, alpha, exponent=exponent, formulation=formulation)
        for formulation in ("exp_log", "pow")
    )
    assert one == pytest.approx(other, rel=1e-13)


def test_the_double_model_adds_intensities():
    tau = np.geomspace(1e-3, 10, 9)
    double = decay.double_exponential(NUMPY, tau, 0.1, 2.0, 1.0, 0.2, 0.1)
    fast = decay.single_exponential(NUMPY, tau, 0.1, 1.0, 0.2)
    slow = decay.single_exponential(NUMPY, tau, 2.0, 0.0, 0.1)
    np.testing.assert_allclose(double, fast + slow, rtol=1e-15)


@pytest.mark.parametrize("formulation", ["exp_log", "pow"])
@pytest.mark.parametrize("exponent", ["standard", "xpcsviewer"])
def test_the_limits_at_no_delay_and_at_long_delay(formulation, exponent):
    g2 = stretched(
        np.array([0.0, 1e9]), 1.0, 0.5, exponent=exponent, formulation=formulation
    )
    assert g2.tolist() == [1.3, 1.0]


@settings(max_examples=50)
@given(st.lists(positive, min_size=2, max_size=9, unique=True), shapes)
def test_g2_falls_from_contrast_to_offset(delays, alpha):
    g2 = stretched(np.sort(delays), 1.0, alpha)
    assert (np.diff(g2) <= 1e-15).all()
    assert ((g2 >= 1.0) & (g2 <= 1.3)).all()


@pytest.mark.parametrize("formulation", ["exp_log", "pow"])
def test_gradients_are_finite_with_a_delay_of_zero(formulation):
    backend = create_backend("jax")
    tau = backend.array([0.0, 1e-5, 0.3])

    def total(values):
        t0, offset, contrast, alpha = (values[i] for i in range(4))
        g2 = decay.stretched_exponential(
            backend, tau, t0, offset, contrast, alpha, formulation=formulation
        )
        return backend.sum(g2)

    values = np.array([0.8, 1.0, 0.3, 0.6])
    gradient = np.asarray(backend.jit(backend.grad(total))(backend.array(values)))
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-6
        sides = [float(total(backend.array(values + s * step))) for s in (1, -1)]
        assert gradient[place] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6)


FUNCTIONS = [
    (decay.single_exp_func, (0.7, 1.0, 0.3)),
    (decay.double_exp_func, (0.1, 2.0, 1.0, 0.2, 0.1)),
    (decay.stretched_exp_func, (0.7, 1.0, 0.3, 0.8)),
]


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS)
def test_the_plain_functions_follow_the_active_backend(function, arguments):
    x = np.geomspace(1e-3, 10, 17)
    found = {}
    for name in ("numpy", "jax"):
        with use_backend(name) as backend:
            g2 = function(x, *arguments)
            assert type(g2) is type(backend.zeros(1))
            found[name] = np.asarray(g2)
    np.testing.assert_allclose(found["jax"], found["numpy"], rtol=4 * 2.3e-16)
    assert found["numpy"][0] > found["numpy"][-1] > 1.0 - 1e-12


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS)
def test_the_plain_functions_can_be_differentiated(function, arguments):
    with use_backend("jax") as backend:
        gradient = backend.grad(lambda t: function(0.5, t, *arguments[1:]))
        slope = float(gradient(backend.array(arguments[0])))
        step = 1e-6
        high = float(function(0.5, arguments[0] + step, *arguments[1:]))
        low = float(function(0.5, arguments[0] - step, *arguments[1:]))
    assert slope == pytest.approx((high - low) / (2 * step), rel=1e-6)


def test_the_exponent_is_chosen_by_name():
    with use_backend("numpy"):
        standard = decay.stretched_exp_func(0.5, 1.0, 1.0, 0.3, 0.5)
        other = decay.stretched_exp_func(0.5, 1.0, 1.0, 0.3, 0.5, exponent="xpcsviewer")
    assert standard == pytest.approx(1.0 + 0.3 * np.exp(-2 * 0.5**0.5))
    assert other == pytest.approx(1.0 + 0.3 * np.exp(-1.0))


def test_the_plain_functions_take_their_arguments_in_this_order():
    with use_backend("numpy"):
        single = decay.single_exp_func(0.5, 0.7, 1.1, 0.3)
        double = decay.double_exp_func(0.5, 0.1, 2.0, 1.1, 0.2, 0.4)
    assert single == pytest.approx(1.1 + 0.3 * np.exp(-1 / 0.7))
    assert double == pytest.approx(1.1 + 0.2 * np.exp(-10) + 0.4 * np.exp(-0.5))
