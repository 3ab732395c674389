"""MPEG audio headers: whether an MP3 says how long it is.

A decoder that trusts an estimate stops early in a file of variable bit rate that has no table of
contents, and in several files joined to one.

References
----------
ISO/IEC 11172-3. Xing's and Fraunhofer's headers as LAME and FFmpeg read them.
"""

from __future__ import annotations

import os
from typing import BinaryIO

_HEAD_BYTES = 4_096  # behind the tags: the first frame and its header
_LONGEST_TAG = 1 << 28
_MOST_TAGS = 8
_JOINED = 1.05  # a file that is this much longer than it says


def may_be_cut_short(file: BinaryIO) -> bool:
    """Whether an MP3 lacks its length, or is longer than the length that it names.

    Parameters
    ----------
    file : binary file
        Seekable, of any kind; False for what is no MP3.
    """
    size = file.seek(0, os.SEEK_END)
    start = _behind_tags(file)
    file.seek(start)
    head = file.read(_HEAD_BYTES)
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 not in (0xE2, 0xE6, 0xE4):
        return False
    for word in (b"Xing", b"Info"):
        place = head.find(word, 0, 200)
        if place >= 0:
            flags = int.from_bytes(head[place + 4 : place + 8], "big")
            at = place + 8 + (4 if flags & 1 else 0)
            told = int.from_bytes(head[at : at + 4], "big") if flags & 2 else 0
            return not told or size - start > told * _JOINED
    return b"VBRI" not in head[:200]


def _behind_tags(file: BinaryIO) -> int:
    """Return where the first frame should begin: behind any number of ID3v2 tags."""
    position = 0
    for _ in range(_MOST_TAGS):
        file.seek(position)
        tag = file.read(10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        size = 0
        for byte in tag[6:10]:
            size = size << 7 | byte & 0x7F
        position += 10 + min(size, _LONGEST_TAG)
    return position
