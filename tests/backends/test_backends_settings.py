"""The environment variables: every spelling, and a sentence for all else."""

import pytest

from xpcs_bench.backends.settings import read_settings
from xpcs_bench.errors import ConfigError

TRUE = ["true", "1", "yes", "on", "TRUE", "Yes", " on "]
FALSE = ["false", "0", "no", "off", "FALSE", "No", " off "]


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        ("XPCS_USE_JAX", "use_jax"),
        ("XPCS_USE_GPU", "use_gpu"),
        ("XPCS_GPU_FALLBACK", "gpu_fallback"),
    ],
)
@pytest.mark.parametrize("word", TRUE + FALSE)
def test_every_spelling_of_a_switch(variable, field, word):
    settings = read_settings({variable: word})
    assert getattr(settings, field) is (word in TRUE)


@pytest.mark.parametrize(
    "environ", [{}, {"XPCS_USE_JAX": ""}, {"XPCS_USE_JAX": "Auto"}]
)
def test_what_the_environment_does_not_say(environ):
    settings = read_settings(environ)
    assert settings.use_jax == "auto"
    assert settings.use_gpu is False
    assert settings.gpu_fallback is True
    assert settings.gpu_memory_fraction is None


@pytest.mark.parametrize(
    "variable", ["XPCS_USE_JAX", "XPCS_USE_GPU", "XPCS_GPU_FALLBACK"]
)
@pytest.mark.parametrize("word", ["garbage", "2", "y", "truee", "None"])
def test_other_words_are_refused_with_those_that_are_not(variable, word):
    with pytest.raises(ConfigError) as caught:
        read_settings({variable: word})
    message = str(caught.value)
    assert f"{variable}={word!r}" in message
    assert "true, 1, yes, on, false, 0, no, off" in message
    assert ("auto" in message) is (variable == "XPCS_USE_JAX")


def test_auto_means_nothing_to_a_gpu():
    with pytest.raises(ConfigError, match="XPCS_USE_GPU"):
        read_settings({"XPCS_USE_GPU": "auto"})


@pytest.mark.parametrize(
    ("text", "fraction"), [("0.5", 0.5), ("1", 1.0), (" 1e-3 ", 1e-3)]
)
def test_a_share_of_memory(text, fraction):
    settings = read_settings({"XPCS_GPU_MEMORY_FRACTION": text})
    assert settings.gpu_memory_fraction == fraction


@pytest.mark.parametrize("text", ["0", "-0.5", "1.01", "90%", "abc", "nan", "inf"])
def test_what_is_no_share_of_memory(text):
    with pytest.raises(
        ConfigError, match=r"XPCS_GPU_MEMORY_FRACTION=.*above 0 and up to 1"
    ):
        read_settings({"XPCS_GPU_MEMORY_FRACTION": text})
