"""Almost-valid files: built as a writer would build them, one number or piece gone wrong.

Random bytes rarely get behind a parser's first check; these do.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from targets import CORPUS

from genrekit.artifact.protobuf import length_field, write_varint

# The numbers at which parsers go wrong.
EDGES = [0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]
U16 = st.sampled_from([n for n in EDGES if n <= 0xFFFF]) | st.integers(0, 0xFFFF)
U32 = st.sampled_from(EDGES) | st.integers(0, 0xFFFF_FFFF)
U64 = U32 | st.integers(0, (1 << 64) - 1)


def spoiled(seeds: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Valid files with a few bytes or words overwritten, a piece cut out, doubled, or cut off."""

    @st.composite
    def build(draw: Callable[[Any], Any]) -> bytes:
        data = bytearray(draw(seeds))
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, max(0, len(data) - 1)))
            width = draw(st.sampled_from([1, 2, 4, 8]))
            number = draw(U64) & (1 << 8 * width) - 1
            data[at : at + width] = number.to_bytes(width, draw(st.sampled_from(["little", "big"])))
        at, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        change = draw(st.sampled_from(["keep", "cut out", "double", "cut off"]))
        if change == "cut out":
            del data[at:end]
        elif change == "double":
            data[at:at] = data[at:end]
        elif change == "cut off":
            del data[end:]
        return bytes(data)

    return build()


def seeds(target: str) -> st.SearchStrategy[bytes]:
    """Return the committed corpus of a target."""
    files = sorted((CORPUS / target).iterdir())
    return st.sampled_from([file.read_bytes() for file in files])


@st.composite
def wavs(draw: Callable[[Any], Any]) -> bytes:
    """Chunks in any order and number, their sizes right or not."""

    def chunk(name: bytes, body: bytes) -> bytes:
        size = len(body) if draw(st.booleans()) else draw(U32)
        return struct.pack("<4sI", name, size) + body + b"\0" * (len(body) % 2)

    channels, width = draw(st.sampled_from([0, 1, 2, 255, 65_535])), draw(st.integers(0, 9))
    align = channels * width & 0xFFFF if draw(st.integers(0, 4)) else draw(U16)
    fmt = struct.pack(
        "<HHIIHH",
        draw(st.sampled_from([1, 3, 7, 0xFFFE]) | U16),
        channels,
        draw(st.sampled_from([8_000, 22_050, 192_000]) | U32),
        draw(U32),
        align,
        8 * width if draw(st.integers(0, 4)) else draw(U16),
    )
    pieces = draw(
        st.lists(
            st.sampled_from(
                [
                    chunk(b"fmt ", fmt),
                    chunk(b"fmt ", fmt + draw(st.binary(max_size=24))),
                    chunk(b"ds64", struct.pack("<QQ", draw(U64), draw(U64))),
                    chunk(b"data", draw(st.binary(max_size=64))),
                    chunk(draw(st.binary(min_size=4, max_size=4)), draw(st.binary(max_size=9))),
                ]
            ),
            max_size=6,
        )
    )
    magic = draw(st.sampled_from([b"RIFF", b"RF64", b"BW64"]))
    return magic + struct.pack("<I", draw(U32)) + b"WAVE" + b"".join(pieces)


@st.composite
def aus(draw: Callable[[Any], Any]) -> bytes:
    """Six numbers and some samples."""
    numbers = (
        draw(st.sampled_from([24, 28]) | U32),
        draw(U32),
        draw(st.integers(0, 9) | U32),
        draw(st.sampled_from([8_000, 22_050]) | U32),
        draw(st.integers(0, 4) | U32),
    )
    return b".snd" + struct.pack(">5I", *numbers) + draw(st.binary(max_size=64))


_FIELD = st.integers(1, 15) | st.sampled_from([20, 25, (1 << 29) - 1])


def protobufs() -> st.SearchStrategy[bytes]:
    """Messages in messages, with the field numbers that an ONNX file uses."""

    def fields(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
        return st.lists(
            st.builds(length_field, _FIELD, parts)
            | st.builds(lambda n, v: write_varint(n << 3) + write_varint(v), _FIELD, U64),
            max_size=6,
        ).map(b"".join)

    leaves = st.binary(max_size=12) | st.sampled_from([b"x", b"y", b"Gemm", b"Conv", b""])
    return st.recursive(leaves, fields, max_leaves=25)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([1e308, 2**63, -1, "\ud800", "\n"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def json_documents(target: str) -> st.SearchStrategy[bytes]:
    """Valid documents with one value, somewhere inside, replaced, removed or added."""

    @st.composite
    def build(draw: Callable[[Any], Any]) -> bytes:
        document = json.loads(draw(seeds(target)))
        place = document
        while True:
            keys = list(place if isinstance(place, dict) else range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(_JSON)
            elif isinstance(place, dict) and draw(st.booleans()):
                place[draw(st.text(max_size=5))] = draw(_JSON)
            else:
                del place[key]
            break
        return json.dumps(document).encode()

    return build()


ALMOST_VALID: dict[str, st.SearchStrategy[bytes]] = {
    "wav": wavs() | spoiled(seeds("wav")),
    "au": aus() | spoiled(seeds("au")),
    "card": json_documents("card") | spoiled(seeds("card")),
    "config": json_documents("config") | spoiled(seeds("config")),
    "onnx_card": protobufs() | spoiled(seeds("onnx_card")),
    "tflite_card": spoiled(seeds("tflite_card")),
    "onnx_engine": protobufs() | spoiled(seeds("onnx_engine")),
    "tflite_engine": spoiled(seeds("tflite_engine")),
    "jsonl_rows": spoiled(seeds("jsonl_rows")),
    "csv_rows": spoiled(seeds("csv_rows")),
}
