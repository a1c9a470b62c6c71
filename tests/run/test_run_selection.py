import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpcs_bench.errors import ConfigError
from xpcs_bench.run.selection import parse_selection

IDS = ["qmap/eiger-4m/jax", "qmap/eiger-4m/numpy", "partition/lambda/jax"]


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("qmap", [0, 1]),
        ("QMAP", [0, 1]),
        ("qmap and jax", [0]),
        ("not jax", [1]),
        ("qmap and not jax or partition", [1, 2]),
        ("qmap and (jax or numpy)", [0, 1]),
        ("not (qmap or partition)", []),
        ("not not jax", [0, 2]),
    ],
)
def test_words_are_joined(expression, kept):
    accept = parse_selection(expression)
    assert [index for index, name in enumerate(IDS) if accept(name)] == kept


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "ends where a word is expected"),
        ("qmap and", "ends where a word is expected"),
        ("(qmap", "not closed"),
        ("qmap)", "left over"),
        ("qmap jax", "'jax' is left over"),
        ("or qmap", "'or' stands where a word"),
    ],
)
def test_what_cannot_be_read_is_refused(expression, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_selection(expression)


word = st.sampled_from(["qmap", "jax", "numpy", "lambda", "4m"])


@given(word, word, st.sampled_from(IDS))
def test_de_morgan(one, other, name):
    both = parse_selection(f"not ({one} and {other})")
    either = parse_selection(f"not {one} or not {other}")
    assert both(name) == either(name)
