"""The study of memory of C2: its words, and one small row without a fresh process."""

import pytest


@pytest.fixture
def section(load):
    return load("memory", "two_time_section")


def row(section, peak_mib):
    return {
        "backend": "numpy",
        "dtype": "float64",
        "input_bytes": 10 * section.MIB,
        "c2_bytes": 20 * section.MIB,
        "peak_bytes": peak_mib * section.MIB,
        "bound_bytes": 100 * section.MIB,
    }


def test_a_row_says_whether_the_bound_holds(section):
    *_, below, above = section.lines([row(section, 100), row(section, 101)])
    assert below == "| numpy | float64 | 10 | 20 | 100 | 100 | holds |"
    assert above == "| numpy | float64 | 10 | 20 | 101 | 100 | EXCEEDED |"


def test_the_study_fails_when_one_row_exceeds_its_bound(section, monkeypatch, capsys):
    monkeypatch.setattr(section.sys, "argv", ["two_time_section.py"])
    for peak, code in ((100, 0), (101, 1)):
        monkeypatch.setattr(
            section, "in_fresh_process", lambda *_, mib=peak: row(section, mib)
        )
        assert section.main() == code
    assert capsys.readouterr().out.count("EXCEEDED") == len(section.ROWS)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_row_is_measured_on_right_values_and_states_its_bound(
    section, monkeypatch, backend
):
    small = section.TwoTimeParams(frames=40, pixels=300, bins=1)
    monkeypatch.setattr(section, "PARAMS", small)
    found = section.measure(backend, "float32")
    assert found["input_bytes"] == 2 * 40 * 300
    assert found["c2_bytes"] == 4 * 40**2
    allowed = found["bound_bytes"] - found["stated_bytes"]
    assert allowed == section.ALLOWANCE_BYTES[backend]


def test_wrong_values_are_no_row(section, monkeypatch):
    small = section.TwoTimeParams(frames=40, pixels=300, bins=1)
    monkeypatch.setattr(section, "PARAMS", small)
    true = section.TwoTime.compute

    def wrong(*args):
        outputs = true(*args)
        return outputs | {"g2": outputs["g2"] * 1.01}

    monkeypatch.setattr(section.TwoTime, "compute", wrong)
    with pytest.raises(ArithmeticError, match="beyond rtol"):
        section.measure("numpy", "float64")
