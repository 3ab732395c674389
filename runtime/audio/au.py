"""Sun .au headers.

Six big-endian 32-bit numbers: the magic `.snd`, the offset of the samples, their size in bytes
(0xFFFFFFFF where it was not known), encoding, sample rate, channels; then an annotation of any
length. Nothing follows the samples. What a header promises is cut to what the file holds.

References
----------
NeXT and Sun Microsystems, audio(4) file header, <multimedia/audio_filehdr.h>.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from ..errors import AudioError
from .pcm import Encoding, PcmLayout

HEADER_BYTES = 24
UNKNOWN_SIZE = 0xFFFF_FFFF

_ENCODINGS = {
    1: Encoding("mulaw", 1, ">"),
    2: Encoding("signed", 1, ">"),
    3: Encoding("signed", 2, ">"),
    4: Encoding("signed", 3, ">"),
    5: Encoding("signed", 4, ">"),
    6: Encoding("float", 4, ">"),
    7: Encoding("float", 8, ">"),
}


def is_au(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of a .au."""
    return head[:4] == b".snd"


def read_au_layout(file: BinaryIO) -> PcmLayout | None:
    """Find the samples of a .au file.

    Parameters
    ----------
    file : binary file
        Seekable, of a file for which `is_au` holds.

    Returns
    -------
    PcmLayout or None
        None if the header is sound but the encoding is not one of ours (A-law, ADPCM, ...).

    Raises
    ------
    AudioError
        If the header is cut off or its numbers are out of bounds.
    """
    file_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES:
        raise AudioError(f"header of {len(header)} bytes: must be {HEADER_BYTES}; it is cut off")
    offset, size, code, sample_rate, channels = struct.unpack(">4x5I", header)
    if not HEADER_BYTES <= offset <= file_size:
        raise AudioError(f"data offset {offset}: must be {HEADER_BYTES}..{file_size}, in the file")
    encoding = _ENCODINGS.get(code)
    if encoding is None:
        return None
    available = file_size - offset
    # As nothing follows the samples, a size of 0 before some bytes was never filled in.
    data_bytes = available if size in (0, UNKNOWN_SIZE) else min(size, available)
    frames = data_bytes // (max(1, channels) * encoding.width)
    return PcmLayout(sample_rate, channels, encoding, offset, frames)
