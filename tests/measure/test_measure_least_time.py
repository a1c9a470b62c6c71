"""What no call can take less than: bounds that are known from a scripted copy."""

import pytest
from measure_scripts import Clock

from xpcs_bench.kernels.kernel import Work
from xpcs_bench.measure import least_time as module
from xpcs_bench.measure.clock import now_ns
from xpcs_bench.measure.least_time import LeastTime, copy_ns, least_time

MIB = 2**20


class Copying:
    """Copies at a known rate, and notes how much it was asked for."""

    def __init__(self, bytes_per_ns=10):
        self.bytes_per_ns = bytes_per_ns
        self.copied = []

    def __call__(self, nbytes, clock):
        self.copied.append(nbytes)
        return nbytes / self.bytes_per_ns


def least(nbytes=0, flops=0, *, cores=2, platform="cpu", copy=None):
    return least_time(Work(flops, nbytes), platform, cores, Clock(), copy or Copying())


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_every_core_moves_its_share_sixteen_times_as_fast_as_we_copy_it(cores):
    copy = Copying()
    found = least(16 * MIB, cores=cores, copy=copy)
    assert copy.copied == [16 * MIB // cores]
    assert found.ns == pytest.approx(16 * MIB / cores / 10 / 16)
    said = "1 core " if cores == 1 else f"{cores} cores "
    assert f"16.0 MiB (inputs read once, outputs written once) take {said}" in (
        found.reason
    )


def test_a_large_share_is_copied_in_part():
    copy = Copying()
    found = least(2**31, cores=1, copy=copy)
    assert copy.copied == [2**24]
    assert found.ns == pytest.approx(2**31 / 10 / 16)


def test_a_share_that_takes_no_time_cannot_tell():
    copy = Copying()
    assert least(2 * (2**16 - 1), copy=copy) is None
    assert copy.copied == []
    assert least(2 * 2**16, copy=copy) is not None


def test_work_of_nothing_cannot_tell():
    assert least() is None
    assert least(platform="gpu") is None


def test_operations_are_held_against_what_no_core_does():
    found = least(flops=10**9, cores=4)
    assert found.ns == pytest.approx(10**9 / 4e13 * 1e9)
    assert "1 000 000 000 operations take 4 cores" in found.reason


def test_the_longer_of_both_decides():
    by_bytes = least(16 * MIB).ns
    assert least(16 * MIB, flops=1).ns == by_bytes
    assert least(16 * MIB, flops=10**12).ns == least(flops=10**12).ns > by_bytes


@pytest.mark.parametrize("platform", ["gpu", "tpu"])
def test_a_device_has_bounds_that_are_known_and_nobody_copies(platform):
    copy = Copying()
    found = least(10**9, platform=platform, copy=copy)
    assert found.ns == pytest.approx(10**9 / 1e14 * 1e9)
    assert "100 TB/s" in found.reason
    assert least(flops=10**12, platform=platform).ns == pytest.approx(1e5)
    assert copy.copied == []


def test_what_is_known_of_devices_is_within_the_bounds():
    """NVIDIA's B200 and AMD's MI300X, by their data sheets."""
    for bandwidth in (8e12, 5.3e12, 17.2e12, 148 * 128 * 1.965e9):
        assert bandwidth < module._DEVICE_BYTES / 2
    for rate in (80e12, 2.5e15):
        assert rate < module._DEVICE_FLOPS / 2


def test_below_at_and_above():
    bound = LeastTime(1000.0, "its work takes longer")
    said = bound.refusal(999.0, "jax")
    assert said.startswith("a call took 999 ns, and its work takes longer: what was")
    assert "block_until_ready of backend 'jax'" in said
    assert bound.refusal(1000.0, "jax") == ""
    assert bound.refusal(1001.0, "jax") == ""


@pytest.mark.parametrize(
    ("nbytes", "passes"), [(2**16, 16), (2**20, 1), (2**22, 1), (3 * 2**16, 5)]
)
@pytest.mark.parametrize(
    ("costs", "shortest", "readings"),
    [
        # the first touches the arrays; then at least three, and a millisecond of them
        ([1, 900_000, 700_000, 800_000], 700_000, 3),
        ([1, *[90_000] * 10, 50_000, *[90_000] * 9], 50_000, 12),
    ],
)
def test_copying_is_the_shortest_of_some_readings_of_warm_passes(
    monkeypatch, nbytes, passes, costs, shortest, readings
):
    clock = Clock()
    left = iter(costs)
    copied = []

    def copyto(target, source):
        assert target.nbytes + source.nbytes == nbytes
        copied.append(1)
        if len(copied) % passes == 0:
            clock.spend(next(left))

    monkeypatch.setattr(module.np, "copyto", copyto)
    assert copy_ns(nbytes, clock) == shortest / passes
    assert len(copied) == (1 + readings) * passes


def test_real_copying_takes_time():
    assert copy_ns(2**18, now_ns) > 0
