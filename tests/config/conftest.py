"""A catalogue that no registry knows, and a way to load text as a file."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from xpcs_bench.config.catalogue import Catalogue, KernelEntry
from xpcs_bench.config.load import load_experiment
from xpcs_bench.confined import ConfinedModel
from xpcs_bench.errors import ConfigError

Count = Annotated[int, Field(ge=1, le=10_000)]


class QMap(ConfinedModel):
    """A map that is made up for tests."""

    convention: Literal["exact", "k_sin_2theta", "flat"] = "exact"
    """What is meant by q."""
    formulation: Literal["algebraic", "trigonometric"] = "algebraic"
    """How it is computed."""


class Partition(ConfinedModel):
    """Bins of a map."""

    q_bins: Count = 36
    """Bins in q."""
    phi_bins: Count = 10
    """Bins in phi."""
    spacing: Literal["linear", "logarithmic"] = "linear"
    """Of the q bins."""
    formulation: Literal["arithmetic", "digitize"] = "arithmetic"
    """How it is computed."""


class G2Model(ConfinedModel):
    """Decays."""

    model: Literal["single", "double", "stretched"] = "single"
    """Which decay."""
    exponent: Literal["standard", "xpcsviewer"] = "standard"
    """Convention of the exponent."""
    q_bins: Count = 50
    """Curves."""
    delays: Count = 64
    """Points per curve."""


class Odd(ConfinedModel):
    """Parameters of the kinds that the others lack."""

    lags: tuple[int, ...] = (1, 2)
    """A parameter whose value is a list."""
    rate: Annotated[float, Field(gt=0)] | None = 1.0
    """A parameter that may be nothing."""
    fast: bool = False
    """A switch."""

    @model_validator(mode="after")
    def _a_fast_one_has_a_rate(self):
        if self.fast and self.rate is None:
            msg = "fast without a rate. Write a rate, or fast: false."
            raise ValueError(msg)
        return self


@pytest.fixture(scope="session")
def catalogue():
    both = frozenset({"detector", "geometry"})
    return Catalogue(
        kernels={
            "qmap": KernelEntry(QMap, both),
            "partition": KernelEntry(Partition, both),
            "g2_model": KernelEntry(G2Model, frozenset()),
            "odd": KernelEntry(Odd, frozenset()),
        },
        backends=("numpy", "jax"),
        boundaries=("to_host_view", "to_host_copy", "host_to_device", "device_to_host"),
    )


@pytest.fixture
def load(tmp_path, catalogue):
    """Load text that stands in ``x.yaml``."""

    def _load(text, *overrides):
        path = tmp_path / "x.yaml"
        path.write_text(text)
        return load_experiment(path, catalogue=catalogue, overrides=overrides)

    return _load


@pytest.fixture
def refusal(load, tmp_path):
    """Load text that is refused, and return the message without the folder."""

    def _refusal(text, *overrides):
        with pytest.raises(ConfigError) as raised:
            load(text, *overrides)
        return str(raised.value).replace(f"{tmp_path}/", "")

    return _refusal
