import io
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from xpcs_bench.config.document import MAX_DEPTH, MAX_NODES, parse_document
from xpcs_bench.config.text_file import MAX_BYTES, read_text
from xpcs_bench.errors import ConfigError


def data_of(text):
    return parse_document(text, "x.yaml").data


def refusal(text):
    with pytest.raises(ConfigError) as raised:
        parse_document(text, "x.yaml")
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("-7", -7),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("2024-13-45", "2024-13-45"),
        ("=", "="),
        ("'010'", "010"),
        ('"<<"', "<<"),
        ("1%", "1%"),
        ("10 keV", "10 keV"),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    found = data_of(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_line_and_column():
    document = parse_document("a:\n  - b: 1\n    c: [x, {d: 2}]\n", "x.yaml")
    assert document.where(("a", 0, "c", 1, "d")) == "x.yaml:3:16"
    assert document.where(("a", 0, "c", 1, "d"), key=True) == "x.yaml:3:13"
    assert document.where(("a", 0, "b"), key=True) == "x.yaml:2:5"
    assert document.where(("a",)) == "x.yaml:2:3"


def test_a_value_that_is_not_there_stands_where_its_parent_does():
    document = parse_document("a:\n  b: 1\n", "x.yaml")
    assert document.where(("a", "c", 4)) == "x.yaml:2:3"
    assert document.where(("z",), key=True) == "x.yaml:1:1"
    assert document.get(("a", "b")) == 1
    assert document.get(("a", "b", "c")) is None
    assert document.get(("a", 0)) is None


def test_an_alias_stands_where_it_is_written_and_its_parts_where_they_are():
    document = parse_document("a: &x [1, 2]\nb: *x\n", "x.yaml")
    assert document.data == {"a": [1, 2], "b": [1, 2]}
    assert document.data["a"] is not document.data["b"]
    assert document.where(("b",)) == "x.yaml:2:4"
    assert document.where(("b", 1)) == "x.yaml:1:11"


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3:1", "'a' is written a second time; the first"),
        ("a: 1\na: 3\n", "x.yaml:2:1", "the first is at x.yaml:1:1"),
        ("a: {b: 1, b: 2}", "x.yaml:1:11", "a second time"),
        ("1: a", "x.yaml:1:1", "the key 1 is not text"),
        ("null: a", "x.yaml:1:1", "the key None is not text"),
        ("? [a]\n: b", "x.yaml:1:3", "the key a collection is not text"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1", "a second YAML document"),
        ("%YAML 1.1\n---\na: no\n", "x.yaml:2:1", "YAML 1.1"),
        ("a: !!python/object:os.system x", "x.yaml:1:4", "tag"),
        ("a: !foo {b: 1}", "x.yaml:1:4", "the tag '!foo' is not read"),
        ("!!map\na: 1", "x.yaml:1:1", "tag"),
        ("a: *b", "x.yaml:1:4", "names no anchor above it"),
        ("a: &b [*b]", "x.yaml:1:8", "never end"),
        ("a: &b {c: {d: *b}}", "x.yaml:1:15", "never end"),
        ("a: &b {c: 1}\nd:\n  <<: *b", "x.yaml:3:3", "merge keys"),
        ("a:\n\t- b", "x.yaml:2:1", "tab"),
        ("a: [1,\n", "x.yaml:2:1", "is not YAML"),
        ("a: b: c", "x.yaml:1:5", "is not YAML"),
        ("a: 'b", "x.yaml:1:6", "is not YAML"),
        ("a: 1\nb: \x00", "x.yaml:2:4", "'\\x00' is not allowed"),
        ("a: .nan", "x.yaml:1:4", "not a finite number"),
        ("a: -.inf", "x.yaml:1:4", "not a finite number"),
        ("a: 1e999", "x.yaml:1:4", "'1e999' is not a finite number"),
        ("a: 0x" + "F" * 5000, "x.yaml:1:4", "too large a whole number"),
        (f"a: {2**63}", "x.yaml:1:4", "too large a whole number"),
        ('a: "\\ud83d\\ude00"', "x.yaml:1:4", "half a character"),
        ("a: " + "9" * 5000, "x.yaml:1:4", "not a number that can be read"),
        ("", "x.yaml", "holds no value"),
        ("# only a comment\n", "x.yaml", "holds no value"),
        ("[" * 5000, f"x.yaml:1:{MAX_DEPTH + 2}", "nested deeper"),
        ("a: [" + "0," * (MAX_NODES + 1) + "]", "x.yaml:1:", "more than 50,000 values"),
    ],
)
def test_what_is_refused_is_located_and_explained(text, where, says):
    message = refusal(text)
    assert message.startswith(f"{where}"), message
    assert says in message, message


def test_an_alias_bomb_is_refused_before_it_is_expanded():
    lines = ["a0: &a0 [" + "x," * 10 + "]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}," * 10 + "]" for n in range(1, 60)]
    assert refusal("\n".join(lines)).startswith("x.yaml:5:")


def test_nesting_is_counted_through_aliases():
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    assert "nested deeper" in refusal("\n".join(lines))


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(
            max_codepoint=0xFFFF, codec="utf-8", exclude_categories=["Cs", "Cc"]
        ),
        max_size=8,
    )
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdef-_ .:#<", max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(TREES)
def test_json_is_read_as_what_it_says(tree):
    document = parse_document(json.dumps({"a": tree}, ensure_ascii=False), "x.yaml")
    assert document.data == {"a": tree}


@given(TREES)
def test_what_ruamel_writes_is_read_back(tree):
    out = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.dump({"a": tree}, out)
    assert parse_document(out.getvalue(), "x.yaml").data == {"a": tree}


@given(st.text(max_size=60))
def test_any_text_is_data_or_one_refusal(text):
    try:
        document = parse_document(text, "x.yaml")
    except ConfigError as error:
        said = str(error)
    else:
        said = document.where(())
    assert said.startswith("x.yaml")


def file_refusal(path):
    with pytest.raises(ConfigError) as raised:
        read_text(path)
    return str(raised.value)


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "quickstart.yaml").write_text("a: 1")
    message = file_refusal(tmp_path / "quikstart.yaml")
    assert "no such file" in message
    assert f"Did you mean {str(tmp_path / 'quickstart.yaml')!r}?" in message
    assert "no such file" in file_refusal(tmp_path / "no" / "where.yaml")


def test_a_directory_is_refused(tmp_path):
    assert "is a directory" in file_refusal(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("a: 1")
    assert "cannot be read" in file_refusal(tmp_path / "file" / "x.yaml")


def test_a_name_with_a_null_byte_is_refused(tmp_path):
    assert "cannot be read" in file_refusal(tmp_path / "a\0b")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file"
)
def test_a_file_without_permission_is_refused(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    assert "may not be read" in file_refusal(path)


def test_a_denied_file_says_so_whoever_runs_the_test(tmp_path, monkeypatch):
    def denied(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    assert "may not be read by this user" in file_refusal(tmp_path / "x.yaml")


def test_bytes_that_are_not_utf8_are_located(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    assert "byte 0xe9 at offset 9" in file_refusal(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    assert data_of(read_text(path)[1]) == {"a": 1}


def test_a_large_file_is_refused_without_reading_it(tmp_path, monkeypatch):
    path = tmp_path / "x.yaml"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    asked = []
    real = type(path).open

    def watched(self, *args):
        file = real(self, *args)
        read = file.read

        class Watched:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

            def read(self, size):
                asked.append(size)
                return read(size)

        return Watched()

    monkeypatch.setattr(type(path), "open", watched)
    assert "larger than 1 MiB" in file_refusal(path)
    assert asked == [MAX_BYTES + 1]
