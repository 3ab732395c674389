"""Strict JSON: frozen dataclasses to documents and back, every key and type checked.

A document must have exactly the keys of its dataclass, each of exactly its annotated type
(an int stands for a float, a bool for nothing but itself, a list for a tuple). Non-finite
numbers are refused both ways: they are not JSON.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from typing import Any, TypeVar

from .errors import ConfigError

T = TypeVar("T")
_LATER = "later"


def later(default: T) -> T:
    """Declare a field that came after the first schema of its document.

    A document that lacks it means `default`, and a value that equals it is left out: documents
    that do not need the field stay what they were, to the byte.
    """
    return dataclasses.field(default=default, metadata={_LATER: True})


def later_fields(value: Any) -> list[str]:
    """Name the `later` fields of a dataclass instance that differ from their defaults."""
    return [
        f.name
        for f in dataclasses.fields(value)
        if f.metadata.get(_LATER) and getattr(value, f.name) != f.default
    ]


def encode(value: Any) -> Any:
    """Turn a dataclass instance, nested as it may be, into plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = set(later_fields(value))
        return {
            f.name: encode(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.name in said or not f.metadata.get(_LATER)
        }
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return value


def canonical_json(value: Any) -> str:
    """Serialise with sorted keys and no spaces: one text for one value, to be hashed."""
    return json.dumps(
        encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def parse_json(text: str | bytes, where: str) -> Any:
    """Parse JSON, refusing NaN, infinities, duplicate keys and bottomless nesting.

    Raises
    ------
    ConfigError
        With `where` and the reason.
    """

    def refuse(constant: str) -> None:
        raise ConfigError(f"{where}: {constant} is not a JSON number")

    def finite(digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):  # 1e999
            raise ConfigError(f"{where}: {digits:.40} is too large for a number")
        return number

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ConfigError(f"{where}: a key appears twice")
        return members

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite, object_pairs_hook=unique)
    except ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not JSON: {error}") from error


def decode(kind: type[T], document: Any, where: str = "document") -> T:
    """Build a `kind` from a parsed JSON document.

    Parameters
    ----------
    kind : type
        A dataclass whose fields are annotated with bool, int, float, str, None, Literal,
        unions of these, tuples (`tuple[X, ...]`), `dict[str, X]`, or dataclasses.
    document : object
        What `parse_json` returned.
    where : str
        Path of the value, for messages.

    Raises
    ------
    ConfigError
        On an unknown or missing key, a wrong type, or a value that the dataclass refuses.
    """
    return typing.cast(T, _decode(kind, document, where))


@functools.cache
def _field_types(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _decode(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, where)
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list")
        item_kind = typing.get_args(kind)[0]
        return tuple(_decode(item_kind, item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: expected an object")
        item_kind = typing.get_args(kind)[1]
        return {key: _decode(item_kind, item, f"{where}.{key}") for key, item in value.items()}
    if origin is typing.Literal:
        choices = typing.get_args(kind)
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise ConfigError(f"{where}: {value!r:.80} is not one of {list(choices)}")
        return value
    if origin in (typing.Union, types.UnionType):
        return _decode_union(typing.get_args(kind), value, where)
    return _decode_scalar(kind, value, where)


def _decode_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected an object")
    fields = _field_types(kind)
    absent = _later_names(kind) - value.keys()
    if odd := (fields.keys() - absent) ^ value.keys():
        names = ", ".join(repr(name)[:80] for name in sorted(odd)[:8])
        raise ConfigError(f"{where}: unknown or missing keys: {names}")
    members = {name: _decode(fields[name], value[name], f"{where}.{name}") for name in value}
    try:
        made = kind(**members)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    # One text for one value, which hashes rely on: what says the default must be left out.
    if idle := (_later_names(kind) & value.keys()) - set(later_fields(made)):
        raise ConfigError(f"{where}: {', '.join(sorted(idle))}: is the default, leave it out")
    return made


@functools.cache
def _later_names(kind: Any) -> frozenset[str]:
    return frozenset(f.name for f in dataclasses.fields(kind) if f.metadata.get(_LATER))


def _decode_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    choices = [kind for kind in kinds if kind is not type(None)]
    if len(choices) == 1:
        return _decode(choices[0], value, where)
    for kind in choices:
        try:
            return _decode(kind, value, where)
        except ConfigError:
            continue
    raise ConfigError(f"{where}: {value!r:.80} has the wrong type")


def _decode_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and type(value) is int and abs(value) <= 2**53:
        return float(value)
    if type(value) is not kind:
        name = getattr(kind, "__name__", str(kind))
        raise ConfigError(f"{where}: expected {name}, got {type(value).__name__}")
    if kind is float and not math.isfinite(value):
        raise ConfigError(f"{where}: not a finite number")
    return value
