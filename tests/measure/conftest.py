import pytest

from xpcs_bench.measure import conversion, values


@pytest.fixture(autouse=True)
def _forget_what_a_worker_keeps(monkeypatch):
    """A worker measures one experiment; here every test is one."""
    monkeypatch.setattr(values, "_last_reference", {})
    monkeypatch.setattr(conversion, "_last_output", {})
