"""Bounds that every input must keep: only `GenreKitError` comes out, in little time and memory."""

from __future__ import annotations

import resource
import time
import tracemalloc

from targets import Target

from genrekit.errors import GenreKitError

MAX_SECONDS = 1.0  # of CPU: a busy machine is not the parser's fault
MAX_BYTES = 64 << 20
_SUSPECT_KB = 1 << 10  # of growth of the process that is looked at closely


class BrokenBoundError(AssertionError):
    """A target took too long or too much memory, or refused in more than one line."""


def attempt(target: Target, data: bytes) -> bool:
    """Run a target once; return whether it took the input.

    Raises
    ------
    BrokenBoundError
        If it took over a second, or its error is not one line.
    Exception
        Whatever else than `GenreKitError` came out of the target.
    """
    start = time.process_time()
    taken = True
    try:
        target(data)
    except GenreKitError as error:
        taken = False
        if not str(error) or "\n" in str(error):
            raise BrokenBoundError(f"not one line: {error!r}") from error
    if (seconds := time.process_time() - start) > MAX_SECONDS:
        raise BrokenBoundError(f"{seconds:.1f} s, over {MAX_SECONDS}")
    return taken


def attempt_traced(target: Target, data: bytes) -> int:
    """Run a target under a tracer of every allocation; return the peak in bytes.

    Raises
    ------
    BrokenBoundError
        As `attempt`; also if the peak is over 64 MB.
    """
    tracemalloc.start()
    try:
        attempt(target, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > MAX_BYTES:
        raise BrokenBoundError(f"{peak >> 20} MB, over {MAX_BYTES >> 20}")
    return peak


def attempt_watched(target: Target, data: bytes) -> None:
    """Run a target; where the process grew by it, run it once more under the tracer.

    Tracing every input would make a fuzzer several times slower.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    attempt(target, data)
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > _SUSPECT_KB:
        attempt_traced(target, data)
