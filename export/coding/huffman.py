"""Huffman: canonical codes for symbols 0..255, whose lengths alone must be stored.

A coded stream is
    uint32   symbols in all
    uint16   n: symbols that may occur, 0..n-1
    n bytes  code length of each in bits; 0 does not occur
    bits     codes, first bit highest, padded with zeros to a whole byte
"""

from __future__ import annotations

import heapq
import struct

import numpy as np
from numpy.typing import NDArray

from genrekit.errors import ArtifactError, ConfigError

UInt8 = NDArray[np.uint8]
MAX_SYMBOLS = 1 << 28
_LONGEST = 32  # bits of a code; 256 symbols would need 2**33 occurrences to exceed it
_HEADER = struct.Struct("<IH")


def code_lengths(counts: NDArray[np.int64]) -> UInt8:
    """Find the lengths of optimal prefix codes.

    Parameters
    ----------
    counts : int64, shape (n,)
        How often each symbol occurs.

    Returns
    -------
    uint8, shape (n,)
        Bits; 0 for a symbol that does not occur.

    References
    ----------
    Huffman, "A method for the construction of minimum-redundancy codes", 1952.
    """
    lengths = np.zeros(len(counts), np.uint8)
    heap = [(int(count), symbol, [symbol]) for symbol, count in enumerate(counts) if count]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1  # one symbol still needs a bit
    heapq.heapify(heap)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        merged = first[2] + second[2]
        lengths[merged] += 1
        heapq.heappush(heap, (first[0] + second[0], min(first[1], second[1]), merged))
    return lengths


def encode(symbols: UInt8, n_symbols: int) -> bytes:
    """Code symbols.

    Parameters
    ----------
    symbols : uint8, shape (count,)
        Each below `n_symbols`.
    n_symbols : int
        1..256.
    """
    if not 1 <= n_symbols <= 256 or (len(symbols) and symbols.max() >= n_symbols):
        raise ConfigError(f"n_symbols={n_symbols}: must be 1..256 and above every symbol")
    lengths = code_lengths(np.bincount(symbols, minlength=n_symbols))
    codes = _canonical_codes(lengths)
    # One row of bits per symbol, then only the bits that count.
    places = np.arange(_LONGEST)
    shifts = np.maximum(lengths.astype(np.int64)[:, np.newaxis] - 1 - places, 0)
    table = ((codes[:, np.newaxis] >> shifts) & 1).astype(np.uint8)
    used = places < lengths[:, np.newaxis]
    bits = table[symbols][used[symbols]]
    return _HEADER.pack(len(symbols), n_symbols) + lengths.tobytes() + np.packbits(bits).tobytes()


def decode(data: bytes) -> tuple[UInt8, int]:
    """Decode a stream that stands at the start of `data`.

    Returns
    -------
    uint8, shape (count,)
        Symbols.
    int
        Bytes that the stream takes.

    Raises
    ------
    ArtifactError
        If it is truncated or no such stream.
    """
    if len(data) < _HEADER.size:
        raise ArtifactError(f"coded stream of {len(data)} bytes: truncated")
    count, n_symbols = _HEADER.unpack_from(data)
    start = _HEADER.size + n_symbols
    if count > min(MAX_SYMBOLS, 8 * len(data)) or not 1 <= n_symbols <= 256 or len(data) < start:
        raise ArtifactError(f"coded stream: {count} symbols of {n_symbols} in {len(data)} bytes")
    lengths = np.frombuffer(data, np.uint8, n_symbols, _HEADER.size)
    if lengths.max() > _LONGEST or (2.0 ** -lengths[lengths > 0].astype(float)).sum() > 1.0:
        raise ArtifactError("coded stream: its code lengths are no prefix code")
    codes = _canonical_codes(lengths)
    book = {(int(n), int(codes[s])): s for s, n in enumerate(lengths) if n}
    bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=start)).tolist()
    symbols, place = np.empty(count, np.uint8), 0
    for index in range(count):
        code = length = 0
        while (symbol := book.get((length, code))) is None:
            if place == len(bits) or length == _LONGEST:
                raise ArtifactError(f"coded stream: no symbol at bit {place}")
            code, length, place = code << 1 | bits[place], length + 1, place + 1
        symbols[index] = symbol
    return symbols, start + -(-place // 8)


def _canonical_codes(lengths: UInt8) -> NDArray[np.int64]:
    """Assign the codes, shorter ones first, then by symbol."""
    codes = np.zeros(len(lengths), np.int64)
    code = previous = 0
    for symbol in np.lexsort((np.arange(len(lengths)), lengths)):
        length = int(lengths[symbol])
        if not length:
            continue
        code <<= length - previous
        codes[symbol], code, previous = code, code + 1, length
    return codes
