"""The ledger of claims, in every format."""

from report_scripts import Script, finding

from xpcs_bench.records import Outcome
from xpcs_bench.report.cells import plain
from xpcs_bench.report.exporters import export, write_report
from xpcs_bench.report.markdown import MOST_ROWS
from xpcs_bench.report.tables import describe


def section(record, name="claims"):
    return next(one for one in describe(record) if one.name == name)


def test_every_claim_stands_beside_what_was_found(record_of):
    (table,) = section(record_of("claimed")).tables
    rows = [[plain(cell) for cell in row.cells] for g in table.groups for row in g.rows]
    assert rows[0][0] == "first-call"
    assert rows[0][2:6] == [
        "about 200 ms (100 ms to 400 ms)",
        "186 ms [182, 190]",
        "pass",
        "all of the interval lies within what is claimed.",
    ]
    measured = {row[0]: row[3] for row in rows}
    assert measured["behaviour"] == "values equal: True"
    assert measured["on-a-gpu"] == "none"
    outcomes = [row[4] for row in rows]
    assert outcomes == ["pass", "cannot tell", "fail", "skip", "error"]


def test_claims_of_one_source_stand_together_in_their_order(record_of):
    (table,) = section(record_of("claimed")).tables
    assert [plain(group.heading) for group in table.groups] == [
        "a document, First calls",
        "a document, Boundaries",
        "a document, First calls",
    ]


def test_the_verdict_counts_them_and_lists_them_nowhere_else(record_of):
    record = record_of("claimed")
    verdict = section(record, "verdict")
    assert (
        "Claims: 1 pass, 1 skip, 1 cannot tell, 1 fail, 1 error. "
        in plain(verdict.lead)
    )  # fmt: skip
    tables = [table for one in describe(record) for table in one.tables]
    rules = [table for table in tables if table.name.startswith("rules")]
    assert not sum(table.n_rows for table in rules)


def test_without_claims_nothing_is_said_of_them(record_of, pages):
    record = record_of("small")
    assert "Claims" not in plain(section(record, "verdict").lead)
    assert "Claims" not in export(record, "markdown")
    assert 'id="claims"' not in pages["small"].html
    assert 'id="claims"' in pages["claimed"].html


def test_the_ledger_is_a_file_of_its_own_where_there_are_claims(record_of, tmp_path):
    files = write_report(record_of("claimed"), tmp_path / "claimed")
    ledger = files.paths["claims"]
    assert ledger.name == "claims.md"
    assert "# Claims: claimed" in ledger.read_text()
    write_report(record_of("small"), tmp_path / "small")
    assert not (tmp_path / "small" / "claims.md").exists()


def test_the_ledger_has_all_of_them():
    many = Script(name="many")
    many.claims += [finding(f"c{n}", Outcome.PASS) for n in range(MOST_ROWS + 3)]
    record = many.record()
    ledger, summary = export(record, "claims"), export(record, "markdown")
    assert f"| `c{MOST_ROWS + 2}` |" in ledger
    assert f"| `c{MOST_ROWS + 2}` |" not in summary
    assert "3 more rows are in report.html." in summary


def test_a_quotation_does_not_end_its_row(record_of):
    row = next(
        line
        for line in export(record_of("claimed"), "claims").splitlines()
        if "`first-call`" in line
    )
    assert r"\`h5py\` raises \| \`\`TypeError\`\`" in row
    assert row.count(" | ") == 6


def test_the_terminal_shows_outcomes(record_of):
    text = export(record_of("claimed"), "terminal")
    assert "first-call-again  cannot tell" in text
