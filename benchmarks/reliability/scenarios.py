"""Command scenarios: tiny runs of every command that writes, to be disturbed and compared."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

_SEED = "5"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One command and how often it is to be killed.

    Parameters
    ----------
    name : str
    arguments : tuple of str
        Of `genrekit`; `{inputs}` and `{out}` stand for folders.
    goal : int
        Kills aimed at.
    appends : bool
        Whether its results grow row by row; else they appear whole.
    takes : str
        An input that is copied to `{out}` first, because the command works in it.
    """

    name: str
    arguments: tuple[str, ...]
    goal: int
    appends: bool = False
    takes: str = ""

    def command(self, program: Path, inputs: Path, out: Path) -> list[str]:
        """Return the command line."""
        places = {"{inputs}": str(inputs), "{out}": str(out)}
        words = list(self.arguments)
        for sign, place in places.items():
            words = [word.replace(sign, place) for word in words]
        return [str(program), *words]

    def environment(self, inputs: Path, out: Path) -> dict[str, str]:
        """Return the environment: one thread, and a cache that the command fills itself.

        An exporter's features are those of the training before it, as with a user.
        """
        fills = self.name in ("train", "reproduce")
        cache = (out if fills else inputs) / "cache"
        return {**os.environ, "GENREKIT_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


def _classify(form: str, jobs: int) -> Scenario:
    return Scenario(
        name=f"classify --out .{form}",
        arguments=(
            *("classify", "{inputs}/songs", "-r", "--engine", "numpy"),
            *("--jobs", str(jobs), "--out", f"{{out}}/rows.{form}"),
        ),
        goal=34,
        appends=form != "parquet",
    )


SCENARIOS = (
    Scenario(
        name="data synth",
        arguments=(
            *("data", "synth", "{out}/songs", "--tracks-per-genre", "6", "--duration", "5"),
            *("--seed", _SEED, "--jobs", "2"),
        ),
        goal=100,
    ),
    _classify("jsonl", jobs=2),
    _classify("csv", jobs=1),
    _classify("parquet", jobs=1),
    Scenario(
        name="train",
        arguments=(
            *("train", "{inputs}/songs", "--model", "small_cnn", "--epochs", "8", "--jobs", "1"),
            *("--device", "cpu", "--out", "{out}/run"),
        ),
        goal=100,
    ),
    Scenario(
        name="export",
        arguments=("export", "{inputs}/run", "--out", "{out}/model.onnx"),
        goal=100,
    ),
    Scenario(
        name="reproduce",
        arguments=(
            *("reproduce", "--data", "{inputs}/songs", "--only", "features-neighbour"),
            *("--protocol", "track", "--jobs", "1", "--device", "cpu", "--out", "{out}/report"),
        ),
        goal=100,
    ),
    Scenario(
        name="compress",
        arguments=(
            *("compress", "{out}/run", "--target-size", "1MB", "--epochs", "1"),
            *("--out", "{out}/model.onnx"),
        ),
        goal=100,
        takes="run",
    ),
)

# What the scenarios start from; made once, in this order.
INPUTS = (
    Scenario(
        name="songs",
        arguments=(
            *("data", "synth", "{inputs}/songs", "--tracks-per-genre", "4", "--duration", "6"),
            *("--jobs", "1"),
        ),
        goal=0,
    ),
    Scenario(
        name="run",
        arguments=(
            *("train", "{inputs}/songs", "--model", "small_cnn", "--epochs", "2", "--jobs", "1"),
            *("--device", "cpu", "--out", "{inputs}/run"),
        ),
        goal=0,
    ),
)
