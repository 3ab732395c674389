"""What Python says of real songs, for the JVM tests to compare with.

`python expected.py --out FILE MODEL...` classifies the WAV files of ../shared/data (beside the
checkout) with each model and writes labels and probabilities. A model of the 57 numbers gets one
song per genre: they take long. Without the songs the list is empty, with the reason in it, and the
JVM test is skipped with that reason.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from genrekit.classify.classifier import GenreClassifier
from genrekit.errors import AudioError
from genrekit.files import write_whole

CHECKOUT = Path(__file__).resolve().parents[1]
SONGS = CHECKOUT.parent / "shared" / "data" / "gtzan" / "genres_original"


def classify_all(model: Path, songs: list[Path]) -> dict[str, Any]:
    """Classify every song that Python can decode."""
    classifier = GenreClassifier.load(model, threads=1)
    if classifier.card.inputs[0].feature == "tabular":
        songs = list({song.parent: song for song in songs}.values())
    results = []
    audio_s = features_s = inference_s = 0.0
    for song in songs:
        try:
            prediction = classifier.classify(song)
        except AudioError:  # jazz.00054 of the Kaggle copy is no WAV
            continue
        audio_s += prediction.duration_s
        features_s += prediction.latency_ms["features"] / 1e3
        inference_s += prediction.latency_ms["inference"] / 1e3
        probabilities = {score.label: score.probability for score in prediction.ranking}
        results.append(
            {
                "song": str(song),
                "label": prediction.label,
                "probabilities": [probabilities[label] for label in classifier.card.labels],
                "segments": [segment.label for segment in prediction.segments],
            }
        )
    return {
        "model": str(model),
        "songs": results,
        "audio_s": audio_s,
        "features_s": features_s,
        "inference_s": inference_s,
    }


def main() -> None:
    """Write the expectations of every model given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("models", nargs="+", type=Path)
    args = parser.parse_args()
    songs = sorted(SONGS.glob("*/*.wav"))
    reason = "" if songs else f"no WAV files in {SONGS}"
    models = [path.resolve() for path in args.models]
    document = {"reason": reason, "models": [classify_all(model, songs) for model in models]}
    write_whole(args.out, json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
