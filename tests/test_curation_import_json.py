"""Walking through JSON record by record gives what decoding it at once gives, and the same complaints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.importers.annotations import parse_json
from curation.importers.json_entries import JsonEntries

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(st.text(max_size=4), values, max_size=4)


def walked(text: str) -> dict[str, Any]:
    """Put together again what the walk met; entries at their places are decoded a second time."""
    entries, found = JsonEntries(text.encode(), "gt.json"), {}
    for name, key, place, value in entries:
        again = entries.entry(place) if isinstance(key, str) else (key, entries.item(place))
        assert again == (key, value)
        found.setdefault(name, []).append((key, value))
    top = dict(entries._top)
    for name, pairs in found.items():
        top[name] = dict(pairs) if isinstance(top[name], dict) else [value for _, value in pairs]
    return top


@given(documents, st.sampled_from([None, 0, 2]), st.booleans())
def test_the_walk_meets_everything(document: dict[str, Any], indent: int | None, ascii: bool) -> None:
    assert walked(json.dumps(document, indent=indent, ensure_ascii=ascii)) == document


def complaint(text: str) -> str:
    with pytest.raises(UserError) as caught:
        list(JsonEntries(text.encode(), "gt.json"))
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a"',
        '{"a" 1}',
        '{"a": }',
        '{"a": 1 "b": 2}',
        '{"a": 1} x',
        '{"a": [1, 2',
        '{"a": [1 2]}',
        '{"a": {"b" 1}}',
        '{"a": {"b": 1, 2: 3}}',
        '{"a": {"b": tru}}',
        '{"a": "b',
    ],
)
def test_same_complaints_as_at_once(text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_json(text.encode(), "gt.json")
    assert complaint(text) == str(caught.value)


@given(documents, st.data())
def test_cut_short_is_never_whole(document: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(document)
    cut = data.draw(st.integers(0, len(text) - 1))
    assert complaint(text[:cut]).startswith("gt.json")


def test_what_is_no_character() -> None:
    assert complaint('{"a": ["\\ud800"]}') == (
        "gt.json has half a surrogate pair in a text. Unpack the publisher's archive again."
    )
    assert walked('{"a": ["\\ud83d\\ude00"]}') == {"a": ["😀"]}
