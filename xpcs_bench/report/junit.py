"""Verdicts as JUnit XML, which every CI system shows as the outcome of tests.

One suite for each rule, one test for each subject. JUnit has no word for what cannot be
told: it is a skipped test whose message begins with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree import ElementTree as ET

from xpcs_bench.records import Outcome, RunRecord, Verdict

__all__ = ["render"]

_TAGS = {
    Outcome.FAIL: "failure",
    Outcome.ERROR: "error",
    Outcome.SKIP: "skipped",
    Outcome.INCONCLUSIVE: "skipped",
}
"""By outcome: the element that says so; none for a pass."""
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, written in any way."""


def render(record: RunRecord) -> str:
    """Return the verdicts of a record as a JUnit file."""
    rules: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in record.summary.verdicts:
        rules[verdict.rule].append(verdict)
    root = ET.Element("testsuites", _counts(record.summary.verdicts))
    root.set("name", _text(record.header.name))
    for rule, verdicts in rules.items():
        suite = ET.SubElement(root, "testsuite", _counts(verdicts))
        suite.set("name", _text(f"{record.header.name}.{rule}"))
        suite.set("timestamp", record.header.started)
        for verdict in verdicts:
            suite.append(_test(record, verdict))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counts(verdicts: tuple[Verdict, ...] | list[Verdict]) -> dict[str, str]:
    tags = [_TAGS.get(verdict.outcome) for verdict in verdicts]
    return {
        "tests": str(len(tags)),
        "failures": str(tags.count("failure")),
        "errors": str(tags.count("error")),
        "skipped": str(tags.count("skipped")),
    }


def _test(record: RunRecord, verdict: Verdict) -> ET.Element:
    test = ET.Element(
        "testcase",
        classname=_text(f"{record.header.name}.{verdict.rule}"),
        name=_text(verdict.subject),
        # tests are the judging of what was measured, and that takes no time
        time="0",
    )
    tag = _TAGS.get(verdict.outcome)
    if tag is not None:
        doubt = verdict.outcome is Outcome.INCONCLUSIVE
        words = f"cannot tell: {verdict.reason}" if doubt else verdict.reason
        said = ET.SubElement(test, tag, message=_text(words))
        if tag != "skipped":
            said.set("type", verdict.rule)
            said.text = _text("\n".join((words, *verdict.evidence)))
    return test


def _text(words: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", words)
