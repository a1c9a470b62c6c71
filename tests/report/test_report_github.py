import re

import pytest
from report_scripts import SCRIPTS

from xpcs_bench.records import Outcome, Verdict
from xpcs_bench.report import export

LINE = re.compile(r"::(error|warning|notice) title=[^:,\r\n]+::[^\r\n]+")


def judged(record, *verdicts):
    summary = record.summary.model_copy(update={"verdicts": verdicts})
    return record.model_copy(update={"summary": summary})


def verdict(outcome, subject="qmap", reason="said"):
    return Verdict(rule="parity", subject=subject, outcome=outcome, reason=reason)


def test_failures_are_errors_doubt_is_a_warning_and_the_rest_is_counted(record_of):
    record = judged(record_of("small"), *map(verdict, Outcome))
    levels = [line.split(" ")[0] for line in export(record, "github").splitlines()]
    assert levels == ["::error", "::error", "::warning", "::notice"]
    assert "1 pass, 1 fail, 1 error, 1 cannot tell, 1 skip." in export(record, "github")


def test_nothing_in_a_verdict_ends_its_line_or_its_title(record_of):
    bad = verdict(Outcome.FAIL, subject="a:b,c\n::error::d", reason="100 %\r\nmore")
    line, _ = export(judged(record_of("small"), bad), "github").splitlines()
    assert line == (
        "::error title=parity%3A a%3Ab%2Cc%0A%3A%3Aerror%3A%3Ad::100 %25%0D%0Amore"
    )


@pytest.mark.parametrize(("many", "lines"), [(10, 10), (11, 10), (500, 10)])
def test_more_than_github_shows_are_counted(many, lines, record_of):
    record = judged(record_of("small"), *[verdict(Outcome.FAIL)] * many)
    errors = [
        line
        for line in export(record, "github").splitlines()
        if line.startswith("::error")
    ]
    assert len(errors) == lines
    more = [line for line in errors if "more are in the summary" in line]
    assert more == [] if many <= lines else f"::{many - 9} more" in more[0]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_line_is_an_annotation(name, record_of):
    for line in export(record_of(name), "github").splitlines():
        assert LINE.fullmatch(line)
