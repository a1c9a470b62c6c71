"""Records of every kind, and the page of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from report_page import Page
from report_scripts import SCRIPTS

from xpcs_bench.records import RunRecord
from xpcs_bench.report.exporters import export


@pytest.fixture(scope="session")
def records() -> Mapping[str, RunRecord]:
    """Every kind of record by the name of its script."""
    return {name: script().record() for name, script in SCRIPTS.items()}


@pytest.fixture(scope="session")
def pages(records: Mapping[str, RunRecord]) -> Mapping[str, Page]:
    """The page of each record, made once: drawing is the slow part."""
    return {name: Page(export(record, "html")) for name, record in records.items()}


@pytest.fixture
def record_of(records: Mapping[str, RunRecord]) -> Callable[[str], RunRecord]:
    """Return the record of a script by its name."""
    return records.__getitem__
