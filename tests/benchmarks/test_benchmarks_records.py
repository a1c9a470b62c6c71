"""The study of large plans and records: what it makes, and its words."""

import pytest

from xpcs_bench.run import store


@pytest.fixture
def study(load):
    return load("records", "study")


def test_the_plan_has_as_many_cases_as_it_says(study, tmp_path):
    plan = study.expand(study.experiment(study.PLAN, tmp_path))
    assert len(plan.cases) == 10_000
    assert plan.skipped == ()


def test_the_record_has_as_many_cases_and_samples_as_it_says(study, tmp_path):
    assert len(study.expand(study.experiment(study.RUN, tmp_path)).cases) == 1000
    # that many samples each: as many cases as a tenth of the detectors give
    loaded = study.experiment(study.RUN, tmp_path, detectors=1)
    plan = study.expand(loaded)
    place, made = study.evidence(loaded, plan, tmp_path / "runs")
    store.save(store.compose(made, interrupted=False), place)
    _, record = store.load(place)
    assert record.status == "complete"
    for case in plan.cases:
        rows = [row for row in record.measurements if row.case == case.id]
        assert sum(len(row.observation.samples) for row in rows) == study.SAMPLES
        assert all(
            len(row.observation.blocks) == row.observation.samples.block[-1] + 1
            for row in rows
        )
    assert len(record.summary.estimates) == len(plan.cases)


def test_what_was_done_is_told_with_what_it_took(study, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "RUN", study.RUN.replace("36, 72, 144", "36"))
    monkeypatch.setattr(study, "SAMPLES", 30)
    monkeypatch.setattr(study, "_SETUP", study._SETUP.replace("{last}", "64"))
    wrote = study.play("write", tmp_path)
    assert wrote["file_bytes"] > 0
    read = study.play("load", tmp_path)
    assert (read["cases"], read["samples"]) == (3 * 2 * 2, 3 * 2 * 2 * 30)
    assert set(wrote) & set(read) == {"wall_s", "cpu_s", "peak_bytes"}


def row(wall_s, **changes):
    return {"wall_s": wall_s, "cpu_s": 1.0, "peak_bytes": 1e8, "cases": 3} | changes


def text_of(study, *rows):
    record = {
        "circumstances": {"machine": "a machine", "python": "3", "pydantic": "2"},
        "figures": {"plan": study.condense([*rows])},
    }
    return study.markdown(record)


def test_processes_are_put_together(study):
    found = study.condense([row(3.0), row(1.0), row(1.5)])
    assert found["wall_s"] == {"median": 1.5, "least": 1.0, "most": 3.0}
    assert (found["processes"], found["cases"]) == (3, 3)


def test_a_row_says_whether_what_was_asked_is_met(study):
    text = text_of(study, row(3.0), row(1.0), row(1.5))
    assert "| 1.5 (1 to 3) | below 2: met | 1 (1 to 1) |" in text
    assert "| 100 (100 to 100) | below 200: met |" in text
    assert "| below 2: NOT met |" in text_of(study, row(2.5))
    assert "below 200: NOT met" in text_of(study, row(1.0, peak_bytes=3e8))


def test_what_is_not_asked_is_not_met_either(study):
    assert study._met(5.0, None) == ""
