"""The seed document's claims: none is missing from its table, none is made up."""

import json
import subprocess
from pathlib import Path

import pytest

from xpcs_bench.config.load import load_experiment
from xpcs_bench.run.prepare import catalogue

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "claims" / "seed.yaml"


@pytest.fixture
def quotes(load):
    return load("claims", "quotes")


@pytest.fixture
def study(load):
    return load("claims", "study")


@pytest.fixture(scope="module")
def claims():
    return load_experiment(CONFIG, catalogue=catalogue()).experiment.claims


@pytest.fixture
def rows(quotes):
    return quotes.table_rows(quotes.TABLE.read_text())


def test_every_claim_stands_in_the_table_and_the_table_names_no_other(claims, rows):
    assert {claim.id for claim in claims} == {
        name for _, ids, _ in rows for name in ids
    }


def test_a_sentence_without_a_claim_has_a_reason(rows):
    assert len(rows) > 60
    for sentence, ids, why in rows:
        assert ids or why, sentence


def test_a_claim_quotes_of_a_sentence_that_names_it(claims, rows, quotes):
    """All of it is looked for in the document itself, which is not in this checkout."""
    for claim in claims:
        pairs = [
            (quotes.plain(part), quotes.plain(piece))
            for sentence, ids, _ in rows
            if claim.id in ids
            for piece in sentence.split("...")
            for part in claim.says.split("...")
        ]
        assert any(part in piece or piece in part for part, piece in pairs), claim.id


def test_every_claim_names_document_and_section(claims):
    assert all(c.source.startswith("jax-backend-architecture.rst, ") for c in claims)


def test_the_cells_of_both_tables_are_claims(claims):
    ids = {claim.id for claim in claims}
    operations = ("qmap", "partition", "model")
    cells = {f"jit-{o}-{c}" for o in operations for c in ("first", "cached", "speedup")}
    cells |= {f"convert-{n}-{d}" for n in (100, 1024, 4096) for d in ("cpu", "gpu")}
    assert cells <= ids


@pytest.mark.parametrize(
    ("quotation", "there"),
    [
        ("the first call", True),
        ("The ``first`` call", False),
        ("``first``\n  call ... slow", True),
        ("slow ... first call", False),
        ("**slow**", True),
    ],
)
def test_a_quotation_is_looked_for_in_order_and_without_markup(
    quotes, quotation, there
):
    assert quotes.occurs(quotation, "that the *first*\n call is `slow`.") is there


def scripted(study, monkeypatch, tmp_path, *, code, outcome="fail"):
    """Let the command write a run, and end with a code."""
    run = tmp_path / "reports" / "claims-seed-x"
    asked = []

    def command(arguments, **options):
        asked.append(arguments)
        run.mkdir(parents=True)
        for name in (*study.KEPT, "journal.jsonl"):
            (run / name).write_text(name)
        claim = {"id": "c", "outcome": outcome, "reason": "r"}
        said = {
            "record": "reports/claims-seed-x/run.json",
            "summary": {"claims": [claim]},
        }
        return subprocess.CompletedProcess(arguments, code, stdout=json.dumps(said))

    monkeypatch.setattr(study.subprocess, "run", command)
    monkeypatch.setattr(study, "ROOT", tmp_path)
    monkeypatch.setattr(study, "RECORD", tmp_path / "reports" / "claims")
    monkeypatch.setattr(study.sys, "argv", ["study.py", "--set", "a=1"])
    return asked


def test_a_false_claim_is_an_answer_and_is_kept(study, monkeypatch, tmp_path):
    asked = scripted(study, monkeypatch, tmp_path, code=1)
    assert study.main() == 0
    assert asked[0][1:] == ["run", study.CONFIG, "--json", "--set", "a=1"]
    kept = tmp_path / "reports" / "claims"
    assert {path.name for path in kept.iterdir()} == set(study.KEPT)
    assert not (tmp_path / "reports" / "claims-seed-x").exists()


def test_a_claim_that_was_lost_is_no_answer(study, monkeypatch, tmp_path):
    scripted(study, monkeypatch, tmp_path, code=1, outcome="error")
    assert study.main() == 4


def test_a_run_that_could_not_measure_leaves_the_ledger_as_it_was(
    study, monkeypatch, tmp_path
):
    scripted(study, monkeypatch, tmp_path, code=4)
    assert study.main() == 4
    assert not (tmp_path / "reports" / "claims").exists()
