"""Intervals hold the truth as often as they say, and the naive ones do not."""

import dataclasses

import pytest


@pytest.fixture
def study(load):
    return load("coverage", "study")


def test_honest_intervals_cover_and_naive_ones_do_not(study, load):
    """100 seeded series: 95 held are expected, 87 or fewer in one of 700 studies."""
    section = load("coverage", "fit_section")
    setting = dataclasses.replace(section.SETTINGS[0], pixels=1500, delays=30)
    data = section.simulate(setting, range(100), section.create_backend("numpy"))
    honest, status = section.cover(setting, data, correlated=True)
    assert (status == 1).all()
    held = dict(zip(section.NAMES, honest.sum(axis=0).tolist(), strict=True))
    assert all(88 <= count <= 100 for count in held.values()), held
    naive, _ = section.cover(setting, data, correlated=False)
    held = dict(zip(section.NAMES, naive.sum(axis=0).tolist(), strict=True))
    assert held["offset"] < 70
    assert held["stretching"] < 88
    # that they hold the truth by being too wide is not what is meant
    other = dataclasses.replace(
        setting, speckle=dataclasses.replace(setting.speckle, relaxation_frames=9.0)
    )
    wrong, _ = section.cover(other, data, correlated=True)
    assert wrong[:, 0].sum() < 60


def test_a_part_holds_within_its_limits_and_no_further(load):
    counted = load("coverage", "section").Counted
    assert [counted("x", n, 1000).holds for n in (929, 930, 970, 971)] == [
        False,
        True,
        True,
        False,
    ]


def test_the_interval_of_a_part_is_that_of_clopper_and_pearson(load):
    section = load("coverage", "section")
    # by the beta distribution
    from scipy.stats import beta

    low, high = section.binomial_interval(95, 100)
    assert low == pytest.approx(beta.ppf(0.025, 95, 6))
    assert high == pytest.approx(beta.ppf(0.975, 96, 5))


def test_the_study_says_what_holds_and_what_does_not(study, load):
    module = load("coverage", "section")
    rows = [
        module.Counted("good", 95, 100),
        module.Counted("bad", 80, 100),
        module.Counted("shown", 50, 100, asked=False),
    ]
    section = module.Section("one", "Drawn.", lambda: rows)
    record = {"versions": {"python": "3"}, "sections": {"one": study.count(section)}}
    text = study.markdown(record)
    assert "| good | 95 | 100 | 95.0% | 88.7% to 98.4% | holds |" in text
    assert "| DOES NOT HOLD |" in text
    assert text.splitlines()[-1].endswith("|  |")
    assert "Drawn." in text


def test_every_section_is_complete(study):
    for name, section in study.all_sections().items():
        assert section.name == name
        assert section.says.endswith(".")
