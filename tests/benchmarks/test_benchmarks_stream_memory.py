"""The study of streaming at a small size: it checks values, and its bound can fail."""

import pytest


@pytest.fixture
def section(load, monkeypatch):
    module = load("memory", "stream_section")
    monkeypatch.setattr(module, "SHAPE", (70, 16, 20))
    monkeypatch.setattr(module, "SMALL_BIN", 20)
    monkeypatch.setattr(module, "BINS", 3)
    return module


def test_a_row_is_measured_and_checked(section, tmp_path):
    path = tmp_path / "series.h5"
    section.write_series(path)
    row = section.measure(path, "numpy", "float32")
    assert row["file_bytes"] > 2 * 70 * 16 * 20
    assert row["stated_bytes"] > row["state_bytes"] > 0
    assert row["bound_bytes"] > row["stated_bytes"]


def test_wrong_values_are_no_row(section, tmp_path, monkeypatch):
    path = tmp_path / "series.h5"
    section.write_series(path)

    def wrong(*args, **options):
        found = section_correlate(*args, **options)
        found["g2"][3, -1] *= 1 + 1e-9
        return found

    section_correlate = section.correlate_file
    monkeypatch.setattr(section, "correlate_file", wrong)
    with pytest.raises(AssertionError):
        section.measure(path, "numpy", "float64")


def test_the_table_says_whether_the_bound_holds(section):
    row = {
        "backend": "numpy",
        "dtype": "float64",
        "file_bytes": 2**30,
        "state_bytes": 2**27,
        "peak_bytes": 2**28,
        "bound_bytes": 2**28,
    }
    assert section.lines([row])[-1].endswith("| 256 | 256 | holds |")
    row["peak_bytes"] += 1
    assert section.lines([row])[-1].endswith("| EXCEEDED |")
