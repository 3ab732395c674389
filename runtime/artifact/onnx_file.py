"""Card inside an .onnx file: one `metadata_props` entry, found without the protobuf package.

A ModelProto is a run of fields in any order; the card's entry is appended as the last one,
and the model's own bytes are all the others, in their order.
"""

from __future__ import annotations

from ..errors import ArtifactError
from .protobuf import length_field, walk

CARD_KEY = b"genrekit.card"
MAX_FIELDS = 10_000  # of a ModelProto; a real one has a few dozen
_MAX_ENTRY_FIELDS = 16  # of one metadata entry; a real one has two
# Field numbers of ModelProto and StringStringEntryProto in onnx.proto.
_IR_VERSION, _GRAPH, _METADATA_PROPS = 1, 7, 14
_KEY, _VALUE = 1, 2


def split(data: bytes) -> tuple[bytes, bytes | None]:
    """Take an .onnx file apart.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    model : bytes
        The file without the card's entry.
    card : bytes or None
        The card's JSON; None if there is none.

    Raises
    ------
    ArtifactError
        If it is not a whole ONNX model, or carries two cards.
    """
    view = memoryview(data)
    seen: set[int] = set()
    card: bytes | None = None
    kept: list[memoryview] = []
    for number, value, start, end in walk(view):
        seen.add(number)
        if len(kept) >= MAX_FIELDS:
            raise ArtifactError(f"over {MAX_FIELDS} fields: no model has as many")
        text = _card_text(value) if number == _METADATA_PROPS else None
        if text is None:
            kept.append(view[start:end])
        elif card is not None:
            raise ArtifactError("two cards in one file")
        else:
            card = text
    if not {_IR_VERSION, _GRAPH} <= seen:
        raise ArtifactError("not an ONNX model")
    return b"".join(kept), card


def join(model: bytes, card: bytes) -> bytes:
    """Append the card's entry to a model that has none."""
    entry = length_field(_KEY, CARD_KEY) + length_field(_VALUE, card)
    return model + length_field(_METADATA_PROPS, entry)


def _card_text(entry: int | memoryview) -> bytes | None:
    if isinstance(entry, int):
        raise ArtifactError("metadata is not a message")
    key, text = b"", None
    for count, (number, value, _, _) in enumerate(walk(entry)):
        if count >= _MAX_ENTRY_FIELDS:
            raise ArtifactError(f"a metadata entry of over {_MAX_ENTRY_FIELDS} fields")
        if number == _KEY and isinstance(value, memoryview):
            key = bytes(value[: len(CARD_KEY) + 1])
        elif number == _VALUE and isinstance(value, memoryview):
            text = value
    return bytes(text) if key == CARD_KEY and text is not None else None
