import pytest

from xpcs_bench.config import Detector
from xpcs_bench.config.presets import PRESETS

ON_PURPOSE = {
    # read from measured files of the beamline, which pyFAI does not know
    "lambda-2m-8idi": "the tall arrangement at APS 8-ID-I; pyFAI has 1556 x 1556",
    "rigaku-500k": "not in pyFAI",
    "rigaku-3m": "not in pyFAI",
}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_detector_with_a_source(name):
    preset = PRESETS[name]
    shape = (preset.rows, preset.columns)
    detector = Detector(name=name, shape=shape, pixel_size_um=preset.pixel_size_um)
    assert detector.name == name.lower()
    assert preset.source


def test_the_sources_name_pyfai_except_where_the_difference_is_on_purpose():
    others = {name for name, p in PRESETS.items() if not p.source.startswith("pyFAI ")}
    assert others == set(ON_PURPOSE)


@pytest.mark.parametrize("name", sorted(PRESETS.keys() - ON_PURPOSE.keys()))
@pytest.mark.filterwarnings("ignore")  # of a library that is not under test
def test_presets_agree_with_pyfai(name):
    detectors = pytest.importorskip("pyFAI.detectors", reason="pyFAI is not installed")
    preset = PRESETS[name]
    known = getattr(detectors, preset.source.removeprefix("pyFAI "))()
    assert (preset.rows, preset.columns) == known.MAX_SHAPE
    sizes = [known.pixel1 * 1e6, known.pixel2 * 1e6]
    assert sizes == pytest.approx([preset.pixel_size_um] * 2, rel=1e-9)
