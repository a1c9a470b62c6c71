import json

import pytest
from making import case, environment, header, measurement, samples

from xpcs_bench.errors import CannotMeasure, RecordError
from xpcs_bench.run.journal import JOURNAL, Journal, read_journal
from xpcs_bench.run.store import compose, load, save

CASE = case()


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path) as open_journal:
        open_journal.header(header(CASE))
        open_journal.environment(environment())
        open_journal.measurement(measurement(CASE, 0, samples=samples(10, 20)))
    return tmp_path


def test_what_was_written_is_read(journal):
    evidence = read_journal(journal)
    assert evidence.header == header(CASE)
    assert evidence.environments == {environment().fingerprint: environment()}
    assert evidence.measurements == {
        (CASE.id, 0): measurement(CASE, 0, samples=samples(10, 20))
    }


@pytest.mark.parametrize("cut", [1, 5, 40, 200])
def test_a_line_that_was_cut_short_is_left_out(journal, cut):
    path = journal / JOURNAL
    whole = path.read_bytes()
    with Journal(journal) as resumed:
        resumed.measurement(measurement(CASE, 1, samples=samples(30)))
    grown = path.read_bytes()
    # the parent was killed while it wrote the second measurement
    second = grown.index(b'"process": 1')
    line_end = grown.index(b"\n", second)
    path.write_bytes(grown[: line_end - cut])
    assert read_journal(journal).measurements.keys() == {(CASE.id, 0)}
    with Journal(journal) as resumed:
        resumed.measurement(measurement(CASE, 1, samples=samples(40)))
    evidence = read_journal(journal)
    assert evidence.measurements[CASE.id, 1].observation.samples == samples(40)
    assert path.read_bytes().startswith(whole)


def test_damage_elsewhere_is_an_error_with_its_line(journal):
    path = journal / JOURNAL
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2][:-7]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(RecordError, match=r"journal.jsonl:3: this line is damaged"):
        read_journal(journal)


def test_a_journal_without_a_header_is_no_run(tmp_path):
    with Journal(tmp_path):
        pass
    with pytest.raises(RecordError, match="holds no header"):
        read_journal(tmp_path)
    with pytest.raises(RecordError, match="cannot be read"):
        read_journal(tmp_path / "elsewhere")


def test_a_later_schema_is_refused(journal):
    path = journal / JOURNAL
    text = path.read_text().replace('"schema_version": 1', '"schema_version": 99')
    path.write_text(text)
    with pytest.raises(RecordError, match="schema version 99; this program reads 1"):
        read_journal(journal)


def test_two_runs_cannot_share_a_journal(tmp_path):
    with Journal(tmp_path), pytest.raises(CannotMeasure, match="another run"):
        Journal(tmp_path)


def test_the_wall_time_of_all_sessions_adds_up(journal):
    path = journal / JOURNAL
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for at_s, row in enumerate(rows):
        row["at_s"] = float(at_s)
    second = [
        {"kind": "session", "at_s": 0.0, "content": {}},
        {"kind": "pause", "at_s": 7.5, "content": {}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *second]))
    assert read_journal(journal).wall_s == len(rows) - 1 + 7.5


def test_a_record_is_read_as_it_was_written(journal):
    record = compose(read_journal(journal), interrupted=False)
    save(record, journal)
    folder, again = load(journal)
    assert folder == journal
    assert again == record
    assert load(journal / "run.json")[1] == record


def test_a_folder_with_a_journal_alone_gives_an_interrupted_record(journal):
    _, record = load(journal)
    assert record.status == "interrupted"
    assert len(record.measurements) == 1


def test_a_case_without_measurement_makes_a_record_incomplete(tmp_path):
    with Journal(tmp_path) as open_journal:
        open_journal.header(header(CASE))
    assert compose(read_journal(tmp_path), interrupted=False).status == "incomplete"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is no run record"),
        ("[]", "is no run record"),
        ('{"header": {"schema_version": 0}}', "schema version 0"),
        ('{"header": {"schema_version": 1}}', "/header/run_id: Field required"),
    ],
)
def test_a_damaged_record_is_refused(tmp_path, content, complaint):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RecordError, match=complaint):
        load(tmp_path)


def test_an_empty_folder_is_no_run(tmp_path):
    with pytest.raises(RecordError, match=r"neither run\.json nor journal\.jsonl"):
        load(tmp_path)
