import pytest

from xpcs_bench.config.document import parse_document
from xpcs_bench.config.override import apply_override
from xpcs_bench.errors import ConfigError


def after(text, *overrides):
    document = parse_document(text, "x.yaml")
    for override in overrides:
        apply_override(document, override)
    return document


@pytest.mark.parametrize(
    ("text", "override", "data"),
    [
        ("a: 1", "a=2", {"a": 2}),
        ("a: 1", "b.c=2e-3", {"a": 1, "b": {"c": 0.002}}),
        ("a: {b: 1, c: 2}", "a.b=[no, 010]", {"a": {"b": ["no", 10], "c": 2}}),
        ("a: {b: 1}", "a={c: 2}", {"a": {"c": 2}}),
        ("a:", "a.b=1", {"a": {"b": 1}}),
        ("a: [x, y]", "a.1=z", {"a": ["x", "z"]}),
        ("a: [x, y]", "a[1]=z", {"a": ["x", "z"]}),
        ("a: x", "a.0=z", {"a": ["z"]}),
        ("k: [qmap]", "k.0.qmap.c=1", {"k": [{"qmap": {"c": 1}}]}),
        ("k: [{qmap: }]", "k[0].qmap.c=1", {"k": [{"qmap": {"c": 1}}]}),
        ("k: qmap", "k.0.qmap.c=1", {"k": [{"qmap": {"c": 1}}]}),
        ("a: 1", "a=b=c", {"a": "b=c"}),
        ("a: 1", "a=null", {"a": None}),
        ("a: 1", " a =2", {"a": 2}),
    ],
)
def test_a_value_is_put_where_its_path_leads(text, override, data):
    assert after(text, override).data == data


def test_later_overrides_see_earlier_ones():
    assert after("a: 1", "a={b: 2}", "a.b=3").data == {"a": {"b": 3}}


def test_what_is_set_stands_on_the_command_line_and_the_rest_in_the_file():
    document = after("a: {b: [1, 2]}\nc: 3", "a.b=[4, {d: 5}]")
    assert document.where(("a", "b", 1, "d")) == "--set a.b=[4, {d: 5}]"
    assert document.where(("a", "b"), key=True) == "--set a.b=[4, {d: 5}]"
    assert document.where(("a",)) == "x.yaml:1:4"
    assert document.where(("c",)) == "x.yaml:2:4"


def test_a_part_that_was_replaced_is_no_longer_in_the_file():
    document = after("a: {b: {c: 1}}", "a.b=2")
    assert document.where(("a", "b", "c")) == "--set a.b=2"


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("a", "is not of the form path=value"),
        ("=1", "is not of the form path=value"),
        ("a..b=1", "is not of the form path=value"),
        ("a[x]=1", "is not of the form path=value"),
        ("a=", "has no value"),
        ("a=  ", "has no value"),
        ("a=[1", "is not YAML"),
        ("a=!x y", "tag"),
        ("a=# c", "holds no value"),
        ("l.7=1", "'7' is not in the list l. Allowed: an index, 0 to 1"),
        ("l.x=1", "'x' is not in the list l"),
        ("e.0=1", "none, it is empty"),
        ("s.t=1", "'text' has no part 't'"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line(override, says):
    with pytest.raises(ConfigError) as raised:
        after("a: 1\nl: [1, 2]\ns: text\ne: []", override)
    message = str(raised.value)
    assert message.startswith(f"--set {override}: ")
    assert says in message
    assert "\n" not in message
