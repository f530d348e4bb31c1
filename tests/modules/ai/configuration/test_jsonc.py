"""JSON with comments: whatever is JSON means the same here, and every value knows where it stands."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.ai.domain.configuration.jsonc import Node, Source, plain, read, shown, walk

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
BLANKS = st.sampled_from(["", " ", "\n", "\t", "// one\n", "/* two\n lines */", "/**/ ", ' // "x": {\n'])


def understood(text: str) -> Node:
    node, problems = read(Source("x", text))
    assert problems == []
    assert node is not None
    return node


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_whatever_is_json_means_the_same(value: Any, indent: Any, ascii_only: bool) -> None:
    assert plain(understood(json.dumps(value, indent=indent, ensure_ascii=ascii_only))) == value


@given(st.data(), st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_comments_blanks_and_a_last_comma_change_nothing(data: st.DataObject, value: dict[str, Any]) -> None:
    def blank() -> str:
        return data.draw(BLANKS)

    members = (
        f"{blank()}{json.dumps(name)}{blank()}:{blank()}{json.dumps(each)}{blank()}" for name, each in value.items()
    )
    text = (
        blank()
        + "{"
        + ",".join(members)
        + ("," if value and data.draw(st.booleans()) else "")
        + blank()
        + "}"
        + blank()
    )
    assert plain(understood(text)) == value


@given(VALUES)
def test_every_value_stands_where_it_says(value: Any) -> None:
    text = json.dumps(value, indent=2)
    lines = text.split("\n")
    for _, node in walk(understood(text)):
        rest = lines[node.place.line - 1][node.place.column - 1 :]
        assert rest.startswith({"dict": "{", "list": "["}.get(type(node.value).__name__) or json.dumps(node.value))


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    node, problems = read(Source("x", text))
    assert node is not None or problems


@given(VALUES, st.data())
def test_a_file_that_ends_too_early_is_told_and_nothing_else_happens(value: Any, data: st.DataObject) -> None:
    text = json.dumps({"a": value})
    _, problems = read(Source("x", text[: data.draw(st.integers(0, len(text) - 1))]))
    assert problems


def test_paths_are_written_as_people_write_them() -> None:
    assert shown(("providers", "a", "models", 0)) == "providers.a.models[0]"
    assert shown(("aliases", "gpt-4.1")) == 'aliases."gpt-4.1"'
