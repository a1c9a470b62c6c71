from xml.etree import ElementTree as ET

import pytest
from report_scripts import SCRIPTS

from xpcs_bench.records import Outcome, Verdict
from xpcs_bench.report import export

REASONS = {
    Outcome.PASS: "measured",
    Outcome.FAIL: "map: 3 elements beyond <tolerance> & more",
    Outcome.ERROR: "crashed: \x1b[31mgone",
    Outcome.INCONCLUSIVE: "a control failed",
    Outcome.SKIP: "no gpu",
}


@pytest.fixture
def judged(record_of):
    """A record with one verdict of every outcome, of two rules."""
    record = record_of("small")
    verdicts = tuple(
        Verdict(
            rule="parity" if outcome is Outcome.FAIL else "measured",
            subject=f"qmap[a=1]/{outcome}",
            outcome=outcome,
            reason=reason,
            evidence=("/measurements/0",),
        )
        for outcome, reason in REASONS.items()
    )
    summary = record.summary.model_copy(update={"verdicts": verdicts})
    return record.model_copy(update={"summary": summary})


def test_each_verdict_is_a_test_of_its_rule(judged):
    root = ET.fromstring(export(judged, "junit"))
    suites = {suite.get("name"): suite for suite in root}
    name = judged.header.name
    assert list(suites) == [f"{name}.measured", f"{name}.parity"]
    measured = suites[f"{name}.measured"]
    assert [dict(measured.items())[key] for key in ("tests", "errors", "skipped")] == [
        "4",
        "1",
        "2",
    ]
    found = {
        test.get("name").rpartition("/")[2]: [child.tag for child in test]
        for test in root.iter("testcase")
    }
    assert found == {
        "pass": [],
        "fail": ["failure"],
        "error": ["error"],
        "inconclusive": ["skipped"],
        "skip": ["skipped"],
    }


def test_what_cannot_be_told_is_told_from_a_skip(judged):
    root = ET.fromstring(export(judged, "junit"))
    messages = [said.get("message") for said in root.iter("skipped")]
    assert messages == ["cannot tell: a control failed", "no gpu"]


def test_a_failure_carries_its_reason_and_its_evidence(judged):
    (said,) = ET.fromstring(export(judged, "junit")).iter("failure")
    assert said.get("message") == REASONS[Outcome.FAIL]
    assert said.text.splitlines() == [REASONS[Outcome.FAIL], "/measurements/0"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_whatever_a_record_holds_it_is_xml(name, record_of):
    record = record_of(name)
    root = ET.fromstring(export(record, "junit"))
    assert len(list(root.iter("testcase"))) == len(record.summary.verdicts)
    assert int(root.get("tests")) == len(record.summary.verdicts)
