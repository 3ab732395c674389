"""Peers document: what `python -m genrekit.benchmarks.peers.comparison --json` writes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final, Literal

from genrekit.bench.machine.hardware import Machine
from genrekit.bench.paired import Latency, Ratio
from genrekit.documents import read_document
from genrekit.train.evaluation.metrics import Share

KIND: Final = "genrekit-peers"
SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PeerResult:
    """One way to do the same work.

    Parameters
    ----------
    name : str
    packages : tuple of str
        What a user installs for it, with versions.
    install_bytes : int
        Of these packages and all that they need, on disk.
    model_bytes : int
        Of the file that it loads.
    latency : Latency
        From samples to probabilities, warm.
    ratio : Ratio or None
        Its time by the first way's in the same round; None for the first itself.
    cold_start : Latency
        From the start of a process to its first prediction.
    peak_bytes : int
        Resident memory at the most.
    accuracy : Share
        Of the clips.
    agreement : float
        Share of them with the label of the first way.
    """

    name: str
    packages: tuple[str, ...]
    install_bytes: int
    model_bytes: int
    latency: Latency
    ratio: Ratio | None
    cold_start: Latency
    peak_bytes: int
    accuracy: Share
    agreement: float


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PeersDocument:
    """All ways, measured in the same rounds; those that do not run here, with the reason."""

    kind: Literal["genrekit-peers"] = KIND
    schema: int = SCHEMA_VERSION
    created: str
    machine: Machine
    work: str
    results: tuple[PeerResult, ...]
    absent: dict[str, str]


def read_peers(path: Path) -> PeersDocument:
    """Read a document from a file; raises as `read_document`."""
    return read_document(path, PeersDocument, command="genrekit.benchmarks.peers.comparison --json")
