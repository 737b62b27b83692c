"""Strangers' JSON is read as it was written, or refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.strict_json import DEEPEST, EXACT, TooDeep, Unreadable, read_object

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_what_is_read_is_what_was_written(content: dict[str, object]) -> None:
    assert read_object(json.dumps(content).encode()) == content
    assert read_object(json.dumps(content, ensure_ascii=False, indent=1).encode()) == content


@given(st.binary(max_size=60))
def test_whatever_comes_is_an_object_or_a_refusal(raw: bytes) -> None:
    status, content = 0, None
    try:
        content = read_object(raw)
    except Refusal as refusal:
        status = refusal.status
    assert status == 400 or isinstance(content, dict)


def test_so_many_levels_and_no_more() -> None:
    assert read_object(nested(DEEPEST))
    for levels in (DEEPEST + 1, 900, 100_000):
        with pytest.raises(TooDeep):
            read_object(nested(levels))


def test_a_number_with_a_point_is_whole_where_it_is_exact() -> None:
    read = read_object(b'{"a": 2.0, "b": 1.5, "c": 2e1, "d": 9007199254740993.0, "e": 1e400, "f": -0.0}')
    assert [(value, type(value)) for value in (read["a"], read["c"], read["f"])] == [(2, int), (20, int), (0, int)]
    assert {type(read[name]) for name in "bde"} == {float}
    assert (read["b"], read["e"]) == (1.5, float("inf"))
    assert type(read_object(f'{{"a": {EXACT - 1}.0}}'.encode())["a"]) is int


@pytest.mark.parametrize("name", ["a", "", "名", "\\ud800"])
def test_a_name_said_twice_is_refused_at_any_depth(name: str) -> None:
    for raw in (f'{{"{name}": 1, "{name}": 1}}', f'{{"x": [{{"{name}": 1, "{name}": 2}}]}}'):
        with pytest.raises(Unreadable, match="twice"):
            read_object(raw.encode())
