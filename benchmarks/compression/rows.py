"""Compression rows: one line of `results/compression.json` for each compressed form of a run."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from genrekit.artifact.container import read_artifact
from genrekit.documents import timestamp
from genrekit.engines.registry import load_engine
from genrekit.errors import ConfigError
from genrekit.export.search.candidates import LICENCE, CandidateFactory, Recipe, Result
from genrekit.export.search.search import Candidate, Target, choose, time_all
from genrekit.export.writing.comparison import ModelComparison, compare_models
from genrekit.export.writing.verified import Finished, TrackSet, engine_logits
from genrekit.strict_json import decode
from genrekit.train.evaluation.track_evaluation import Logits
from genrekit.train.runs.documents import read_document, write_document

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One compressed form; None is "not measured".

    Parameters
    ----------
    subject : str
        The run that it was made of.
    name : str
    chain : str
        What was done.
    format : {"onnx", "tflite", "gkdc"}
        The last is this kit's store of weights, for which there is no engine.
    data : str
        What `accuracy` is of.
    bytes, gzip_bytes : int
        Of the file, card included.
    ratio : float or None
        The run's own float file over this one.
    speedup, speedup_ci95 : float and pair of float, or None
        Time of the run's own float file over this one's, one thread, in paired rounds.
    against_float : float or None
        Time of the same network in float over this one's.
    latency_ms : float or None
        Of one window.
    parameters, macs : int
        Of the network, zeros included.
    valid_accuracy, valid_n, valid_difference
        On the tracks that the choice is made on; the difference is to the run's own network.
    accuracy, n, ci95
        Share of tracks right.
    paired_difference, paired_ci95, mcnemar_p, agreement
        With the run's own network, on the same tracks.
    chosen : str or None
        The target for which the validation tracks chose it.
    rejected : str or None
        Why no engine uses it as installed.
    evaluated : str or None
        When test tracks were looked at for this row, once.
    """

    subject: str
    name: str
    chain: str
    format: str
    data: str
    bytes: int
    gzip_bytes: int
    ratio: float | None
    speedup: float | None
    speedup_ci95: tuple[float, ...] | None
    against_float: float | None
    latency_ms: float | None
    parameters: int
    macs: int
    valid_accuracy: float | None
    valid_n: int
    valid_difference: float | None
    accuracy: float | None
    n: int
    ci95: tuple[float, ...] | None
    paired_difference: float | None
    paired_ci95: tuple[float, ...] | None
    mcnemar_p: float | None
    agreement: float | None
    chosen: str | None
    rejected: str | None
    evaluated: str | None


class RowBook:
    """Judges the forms of one run on its test tracks, each once, and remembers the rows.

    Parameters
    ----------
    subject : str
    factory : CandidateFactory
    valid, tracks : TrackSet
        To choose on, and to judge on: neither trained nor chosen on.
    folder : Path
        For rows and artifacts.
    """

    def __init__(
        self,
        subject: str,
        factory: CandidateFactory[Any],
        valid: TrackSet,
        tracks: TrackSet,
        folder: Path,
    ) -> None:
        self.subject, self.factory, self.folder = subject, factory, folder
        self.valid, self.tracks = valid, tracks

    def candidates(self, recipes: Sequence[Recipe], target: Target) -> list[Row]:
        """Judge and time every recipe, and mark the one that a target chooses."""
        results = {recipe.name: self._judged(recipe) for recipe in recipes}
        rows = [self._candidate(recipe, results[recipe.name]) for recipe in recipes]
        found = {
            c.result.name: dataclasses.replace(c, result=results[c.result.name])
            for c in time_all(self.factory, recipes)
        }
        try:
            chosen = choose(list(found.values()), target).result.name
        except ConfigError:
            chosen = ""
        plain = next(row.bytes for row in rows if row.name == self.factory.plain.name)
        return [
            dataclasses.replace(
                _timed(row, found.get(row.name), plain),
                chosen=_said(target) if row.name == chosen else None,
            )
            for row in rows
        ]

    def stored(
        self, name: str, chain: str, data: bytes, network: tuple[int, int], logits: Logits
    ) -> Row:
        """Judge weights that are stored as `data`; `network` is its parameters and MACs."""
        kept = self._proof(logits, self.valid)

        def make() -> Row:
            proof = self._proof(logits, self.tracks)
            result = Result(
                name=name,
                float_name="",
                steps=(chain,),
                format="gkdc",
                bytes=len(data),
                gzip_bytes=len(gzip.compress(data, 9, mtime=0)),
                parameters=network[0],
                macs=network[1],
                accuracy=kept.after,
                paired=kept.tracks,
                rejected=None,
            )
            return self._row(result, proof, result.bytes, result.gzip_bytes)

        row = self._kept(name, data, self.tracks, Row, make)
        return dataclasses.replace(
            row,
            valid_accuracy=kept.after.value,
            valid_n=kept.after.n,
            valid_difference=kept.tracks.difference,
        )

    def _judged(self, recipe: Recipe) -> Result:
        """Judge a candidate on the tracks to choose on, where they are not the run's own."""
        result = self.factory.result(recipe)
        if self.valid is self.factory.valid or result.rejected is not None:
            return result
        path = self.factory.artifact(recipe)

        def make() -> ModelComparison:
            artifact = read_artifact(path)
            logits = engine_logits(load_engine(artifact), artifact.card.inputs)
            return self._proof(logits, self.valid)

        proof = self._kept(
            f"{recipe.name}-valid", path.read_bytes(), self.valid, ModelComparison, make
        )
        return dataclasses.replace(result, accuracy=proof.after, paired=proof.tracks)

    def _proof(self, logits: Logits, tracks: TrackSet) -> ModelComparison:
        return compare_models(
            self.factory.before, logits, tracks.windowed, list(tracks.windowed.features)
        )

    def _candidate(self, recipe: Recipe, result: Result) -> Row:
        if result.rejected is not None:
            return self._row(result, None, result.bytes, result.gzip_bytes)
        source = self.factory.artifact(recipe).read_bytes()

        def make() -> Row:
            out = self.folder / f"{recipe.name}.{result.format}"
            done: Finished = self.factory.finish(recipe, out, self.tracks, licence=LICENCE)
            packed = len(gzip.compress(out.read_bytes(), 9, mtime=0))
            return self._row(result, done.proof, done.artifact.size, packed)

        row = self._kept(recipe.name, source, self.tracks, Row, make)
        return _chosen_on(row, result)

    def _kept(
        self, name: str, source: bytes, tracks: TrackSet, kind: type[T], make: Callable[[], T]
    ) -> T:
        """Look at tracks once for each file, however often this is run."""
        digest = hashlib.sha256(source).hexdigest()[:12]
        path = self.folder / f"{name}-{digest}-{len(tracks.windowed.features)}.json"
        if not path.is_file():
            write_document(path, make())
        return decode(kind, read_document(path), str(path))

    def _row(self, result: Result, proof: ModelComparison | None, size: int, packed: int) -> Row:
        paired = proof.tracks if proof else None
        now = timestamp()
        return Row(
            subject=self.subject,
            name=result.name,
            chain=", ".join(result.steps) or "float",
            format=result.format,
            data=self.tracks.title,
            bytes=size,
            gzip_bytes=packed,
            ratio=None,
            speedup=None,
            speedup_ci95=None,
            against_float=None,
            latency_ms=None,
            parameters=result.parameters,
            macs=result.macs,
            valid_accuracy=result.accuracy.value,
            valid_n=result.accuracy.n,
            valid_difference=result.paired.difference if result.paired else None,
            accuracy=proof.after.value if proof else None,
            n=proof.after.n if proof else 0,
            ci95=proof.after.ci95 if proof else None,
            paired_difference=paired.difference if paired else None,
            paired_ci95=paired.ci95 if paired else None,
            mcnemar_p=paired.p_value if paired else None,
            agreement=paired.agreement.value if paired else None,
            chosen=None,
            rejected=result.rejected,
            evaluated=now if proof else None,
        )


def with_ratio(row: Row, plain_bytes: int) -> Row:
    """Add how many times smaller a row's file is."""
    return dataclasses.replace(row, ratio=plain_bytes / row.bytes if row.bytes else None)


def _chosen_on(row: Row, result: Result) -> Row:
    return dataclasses.replace(
        row,
        valid_accuracy=result.accuracy.value,
        valid_n=result.accuracy.n,
        valid_difference=result.paired.difference if result.paired else None,
    )


def _timed(row: Row, candidate: Candidate | None, plain_bytes: int) -> Row:
    row = with_ratio(row, plain_bytes)
    if candidate is None:
        return row
    return dataclasses.replace(
        row,
        speedup=candidate.speedup.median,
        speedup_ci95=candidate.speedup.ci95,
        against_float=candidate.against_float.median,
        latency_ms=candidate.latency_ms,
    )


def _said(target: Target) -> str:
    if target.size is not None:
        return f"at most {target.size:,} bytes"
    if target.latency_ms is not None:
        return f"at most {target.latency_ms} ms"
    return f"at most {target.max_loss} points lost"
