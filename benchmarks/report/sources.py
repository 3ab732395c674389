"""Report sources: run folders and JSON documents, read strictly into one value."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from genrekit.bench.results import KIND as BENCH
from genrekit.bench.results import BenchDocument, ModelBench, read_bench
from genrekit.errors import ConfigError
from genrekit.files import read_bounded
from genrekit.strict_json import decode, parse_json
from genrekit.train.evaluation.metrics import Scores, Share
from genrekit.train.fitting.loop import History
from genrekit.train.runs.documents import HISTORY, MAX_DOCUMENT_BYTES, Metrics, RunSettings
from genrekit.train.runs.run import Run

from ..evaluation import Evaluation
from ..peers.results import KIND as PEERS
from ..peers.results import PeersDocument, read_peers


@dataclasses.dataclass(frozen=True, slots=True)
class RunSource:
    """A finished training: what was asked, how it went, what came out."""

    name: str
    settings: RunSettings
    metrics: Metrics
    history: History


@dataclasses.dataclass(frozen=True, slots=True)
class SourceFile:
    """A JSON file behind the report, to be linked."""

    name: str
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class MeasuredAccuracy:
    """Accuracy of an artifact: by `genrekit evaluate` where that was given, else by its card.

    `agreement` is the card's: with what the artifact was compressed from.
    """

    share: Share
    source: str
    agreement: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """Everything that a report shows."""

    benches: tuple[BenchDocument, ...]
    evaluations: tuple[Evaluation, ...]
    peers: tuple[PeersDocument, ...]
    runs: tuple[RunSource, ...]
    files: tuple[SourceFile, ...]

    @property
    def models(self) -> tuple[ModelBench, ...]:
        """All measured artifacts."""
        return tuple(model for bench in self.benches for model in bench.models)

    def accuracy(self, model: ModelBench) -> MeasuredAccuracy | None:
        """Return what is known of an artifact's accuracy, or None."""
        for evaluation in self.evaluations:
            for judgement in evaluation.judgements:
                if Path(judgement.model).name == Path(model.model).name:
                    return MeasuredAccuracy(
                        judgement.scores.accuracy,
                        f"genrekit evaluate, {Path(evaluation.data).name}",
                        model.agreement,
                    )
        if not model.accuracy:
            return None
        entry = model.accuracy[0]  # of the file; that of what it was made from comes after it
        share = Share(value=entry.accuracy, n=entry.n, ci95=entry.ci95)
        return MeasuredAccuracy(share, f"its card, {entry.split}", model.agreement)

    def scores(self) -> list[tuple[str, tuple[str, ...], Scores]]:
        """Return (title, labels, scores) of everything with a confusion matrix."""
        found = [
            (Path(judgement.model).name, evaluation.labels, judgement.scores)
            for evaluation in self.evaluations
            for judgement in evaluation.judgements
        ]
        return found + [
            (f"{run.name}, test tracks", run.settings.labels, run.metrics.test.scores)
            for run in self.runs
        ]


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read run folders and JSON documents, in any order.

    Parameters
    ----------
    paths : sequence of Path
        Folders of `genrekit train`; files of `genrekit bench --json`, `genrekit evaluate
        --json` and `python -m genrekit.benchmarks.peers.comparison --json`.

    Raises
    ------
    ConfigError, DataError, FileError
        If one is none of these, or cannot be read.
    """
    benches: list[BenchDocument] = []
    evaluations: list[Evaluation] = []
    peers: list[PeersDocument] = []
    runs: list[RunSource] = []
    files: list[SourceFile] = []
    for path in paths:
        if path.is_dir():
            runs.append(_read_run(path))
            metrics = path / "metrics.json"
            name = f"{path.name}-metrics.json"
            files.append(SourceFile(name, read_bounded(metrics, MAX_DOCUMENT_BYTES)))
            continue
        content = read_bounded(path, MAX_DOCUMENT_BYTES)
        document = parse_json(content, str(path))
        kind = document.get("kind") if isinstance(document, dict) else None
        if kind == BENCH:
            benches.append(read_bench(path))
        elif kind == PEERS:
            peers.append(read_peers(path))
        elif isinstance(document, dict) and "judgements" in document:
            evaluations.append(decode(Evaluation, document, str(path)))
        else:
            raise ConfigError(
                f"{path}: neither of 'genrekit bench --json' nor 'genrekit evaluate --json' nor a "
                "run folder"
            )
        files.append(SourceFile(path.name, content))
    return Sources(tuple(benches), tuple(evaluations), tuple(peers), tuple(runs), tuple(files))


def _read_run(folder: Path) -> RunSource:
    run = Run.load(folder)
    path = folder / HISTORY
    document = parse_json(read_bounded(path, MAX_DOCUMENT_BYTES), str(path))
    return RunSource(folder.name, run.settings, run.metrics, decode(History, document, str(path)))
