"""Strict JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrekit.errors import ConfigError
from genrekit.strict_json import canonical_json, decode, encode, parse_json


@dataclasses.dataclass(frozen=True)
class Leaf:
    level: float
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Tree:
    count: int
    kind: Literal["a", "b"]
    top: float | None
    leaves: tuple[Leaf, ...]
    table: dict[str, int]


TREE = Tree(3, "a", None, (Leaf(0.5, ("x", "ü")),), {"k": 1})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def test_a_document_comes_back_as_it_went() -> None:
    assert decode(Tree, parse_json(canonical_json(TREE), "tree")) == TREE


def test_canonical_json_is_the_standard_librarys_with_sorted_keys_and_no_spaces() -> None:
    text = canonical_json(TREE)
    assert text == json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "unknown or missing keys: 'extra'"),
        ({"count": True}, r"count: expected int, got bool"),
        ({"count": 3.0}, r"count: expected int, got float"),
        ({"kind": "c"}, r"kind: 'c' is not one of"),
        ({"top": "1"}, r"top: expected float, got str"),
        ({"leaves": [{"level": 1}]}, r"leaves\[0\]: unknown or missing keys: 'names'"),
        ({"table": {"k": "v"}}, r"table.k: expected int, got str"),
        ({"leaves": {}}, r"leaves: expected a list"),
    ],
)
def test_a_document_of_another_shape_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        decode(Tree, {**encode(TREE), **change})


@pytest.mark.parametrize(
    "text", ["NaN", '{"a": Infinity}', '{"a": 1e999}', '{"a":1,"a":2}', "{", "[" * 100_000]
)
def test_json_that_is_not_strict_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_json(text, "text")


def test_a_huge_integer_is_no_float() -> None:
    with pytest.raises(ConfigError):
        decode(Leaf, {"level": 10**400, "names": []})


@given(json_values)
def test_any_json_value_gives_a_tree_or_a_config_error(value: Any) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(decode(Tree, value), Tree)
