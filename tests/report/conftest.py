"""Records of every kind, and the page of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from report_scripts import SCRIPTS

from xpcs_bench.records import RunRecord


@pytest.fixture(params=SCRIPTS)
def any_record(request: pytest.FixtureRequest) -> RunRecord:
    """Each kind of record in turn."""
    return SCRIPTS[request.param]().record()


@pytest.fixture
def record_of() -> Callable[[str], RunRecord]:
    """Make the record of a script by its name."""
    return lambda name: SCRIPTS[name]().record()
