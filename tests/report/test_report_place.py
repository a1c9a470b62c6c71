import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_page import resolve

from xpcs_bench.config import Detector
from xpcs_bench.report.place import Place

leaves = st.none() | st.booleans() | st.integers() | st.text()
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def walk(place):
    yield place
    if isinstance(place.value, (list, dict)):
        for child in place:
            yield from walk(child)


@given(documents)
def test_value_and_pointer_never_part(document):
    for place in walk(Place(document)):
        if place.pointer:
            assert resolve(document, place.pointer) is place.value


@given(st.text())
def test_the_key_is_the_last_step(key):
    assert Place({key: 1})[key].key == key


def test_a_model_is_walked_by_its_fields():
    detector = Detector(name="d", shape=(2, 3), pixel_size_um=75.0)
    assert [side.pointer for side in Place(detector)["shape"]] == [
        "/shape/0",
        "/shape/1",
    ]


def test_what_is_not_in_the_file_is_refused():
    detector = Detector(name="d", shape=(2, 3), pixel_size_um=75.0)
    with pytest.raises(KeyError, match="'model_fields' is no field of Detector"):
        Place(detector)["model_fields"]
    with pytest.raises(TypeError, match="has no items"):
        list(Place(3))
