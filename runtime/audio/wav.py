"""WAV headers: RIFF, RF64 and BW64.

A file is `RIFF`, a 32-bit size, `WAVE`, then chunks: a four-letter name, a 32-bit size and that
many bytes, padded to an even number. `fmt ` describes the samples, `data` holds them; all other
chunks are passed over. In RF64 and BW64, `ds64` holds 64-bit sizes. All numbers are
little-endian and none is trusted: what a header promises is cut to what the file holds.

References
----------
IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991).
EBU Tech 3306, "RF64: An extended File Format for Audio Data" (2009).
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from ..errors import AudioError
from .pcm import Encoding, PcmLayout

MAX_CHUNKS = 1_000  # passed over before `data`
UNKNOWN_SIZE = 0xFFFF_FFFF  # of a stream whose length was not known, or stands in `ds64`

FORMAT_PCM, FORMAT_FLOAT, FORMAT_MULAW, FORMAT_EXTENSIBLE = 1, 3, 7, 0xFFFE
# An extensible format's 16-byte identifier is the format tag and this tail.
GUID_TAIL = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")

_WIDEST = 4  # bytes of a PCM sample
_ENCODINGS = {
    (FORMAT_PCM, 8): Encoding("unsigned", 1, "<"),
    (FORMAT_PCM, 16): Encoding("signed", 2, "<"),
    (FORMAT_PCM, 24): Encoding("signed", 3, "<"),
    (FORMAT_PCM, 32): Encoding("signed", 4, "<"),
    (FORMAT_FLOAT, 32): Encoding("float", 4, "<"),
    (FORMAT_FLOAT, 64): Encoding("float", 8, "<"),
    (FORMAT_MULAW, 8): Encoding("mulaw", 1, "<"),
}


def is_wav(head: bytes) -> bool:
    """Tell whether the first 12 bytes of a file are those of a WAV."""
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def read_wav_layout(file: BinaryIO) -> PcmLayout | None:
    """Find the samples of a WAV file.

    Parameters
    ----------
    file : binary file
        Seekable, of a file for which `is_wav` holds.

    Returns
    -------
    PcmLayout or None
        None if the header is sound but the samples are compressed (ADPCM, A-law, ...).

    Raises
    ------
    AudioError
        If the header is broken or its numbers are out of bounds.
    """
    file_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    riff_size = struct.unpack("<4xI4x", file.read(12))[0]
    position = 12
    format_body: bytes | None = None
    data_size_64: int | None = None
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            raise AudioError(f"no data chunk in {file_size} bytes; the file is cut off")
        name, size = struct.unpack("<4sI", header)
        position += 8
        if name == b"data":
            break
        if name == b"fmt ":
            format_body = file.read(min(size, 40))
        elif name == b"ds64":
            body = file.read(min(size, 16))
            data_size_64 = struct.unpack("<8xQ", body)[0] if len(body) == 16 else None
        position += size + size % 2
    else:
        raise AudioError(f"no data chunk among the first {MAX_CHUNKS} chunks")

    if format_body is None:
        raise AudioError("no fmt chunk before the data chunk")
    available = file_size - position
    if size == UNKNOWN_SIZE:
        size = available if data_size_64 is None else data_size_64
    elif size == 0 and riff_size + 8 != file_size:
        size = available  # a stream: an empty file's sizes agree, a stream's were never filled in
    return _layout(format_body, position, min(size, available))


def _layout(format_body: bytes, data_offset: int, data_bytes: int) -> PcmLayout | None:
    if len(format_body) < 16:
        raise AudioError(f"fmt chunk of {len(format_body)} bytes: must be at least 16")
    tag, channels, sample_rate, _, block_align, bits = struct.unpack("<HHIIHH", format_body[:16])
    if tag == FORMAT_EXTENSIBLE:
        if len(format_body) < 40:
            raise AudioError(f"extensible fmt chunk of {len(format_body)} bytes: must be 40")
        if format_body[26:40] != GUID_TAIL:
            return None
        tag = struct.unpack("<H", format_body[24:26])[0]
    if tag not in (FORMAT_PCM, FORMAT_FLOAT, FORMAT_MULAW):
        return None
    container = _container_bits(bits, block_align, channels) if tag == FORMAT_PCM else bits
    encoding = _ENCODINGS.get((tag, container))
    if encoding is None:
        offered = {FORMAT_FLOAT: "32 or 64", FORMAT_MULAW: "8"}.get(tag, "1..32")
        raise AudioError(f"{bits} bits per sample: must be {offered}")
    if block_align != channels * encoding.width:
        raise AudioError(
            f"block align {block_align}: must be channels x bytes per sample = "
            f"{channels} x {encoding.width}"
        )
    # A block align of 0 needs 0 channels, which PcmLayout refuses.
    frames = data_bytes // max(1, block_align)
    return PcmLayout(sample_rate, channels, encoding, data_offset, frames)


def _container_bits(bits: int, block_align: int, channels: int) -> int:
    """Return the width in which PCM samples are stored: 12 bits stand at the top of 16 or more."""
    least = -(-bits // 8)
    given = block_align // channels if channels and block_align % channels == 0 else least
    return 8 * (given if least <= given <= _WIDEST else least)
