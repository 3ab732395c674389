"""Compression: the rows of `results/compression.json` and `.md`, from a run of the small network.

`python -m genrekit.benchmarks.compression RUN` judges every chain on the validation and the test
tracks of the run, times each in turn with a full ResNet18 of the same input, and adds Deep
Compression's stages. Nothing is chosen by what the test tracks say.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from genrekit.export.chain import Workshop, labels_of, onnx_logits
from genrekit.export.channel_pruning import count_macs, count_parameters
from genrekit.export.deep_compression import restore, share_weights, stages, store
from genrekit.export.onnx_export import export_onnx
from genrekit.export.proof import Logits, torch_logits
from genrekit.export.search import FLOAT, chains
from genrekit.runtime.arrays import Float32
from genrekit.runtime.errors import GenreKitError
from genrekit.runtime.files import write_whole
from genrekit.runtime.measure import time_rounds
from genrekit.train.documents import write_document
from genrekit.train.material import Material
from genrekit.train.metrics import PairedComparison, compare
from genrekit.train.models import architecture
from genrekit.train.run import Run

FOLDER = Path(__file__).parent / "results"
RESNET18 = "resnet18"
SPARSITIES = (0.3, 0.5, 0.7)  # of Deep Compression, without learning afterwards
SHARED_VALUES = 32
ROUNDS = 60


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One model; `ratio` and `speedup` are against ResNet18 in float at the same input.

    Pairs are with the run's own float network, on the same test tracks. None is "not measured":
    the float ResNet18 is here for its size and speed and was not trained.
    """

    name: str
    chain: str
    format: str
    data: str
    bytes: int
    gzip_bytes: int
    ratio: float
    speedup: float | None
    parameters: int
    macs: int
    valid_accuracy: float | None
    accuracy: float | None
    n: int
    ci95: tuple[float, ...] | None
    paired_difference: float | None
    paired_ci95: tuple[float, ...] | None
    mcnemar_p: float | None
    agreement: float | None


class Bench:
    """Judges models of one run on its test tracks, in pairs with the run's own network."""

    def __init__(self, workshop: Workshop, resnet: torch.nn.Module) -> None:
        self.workshop, self.resnet = workshop, resnet
        run = workshop.run
        self.data = f"{Path(run.settings.data.path).name}, {run.settings.split.protocol} split"
        self.resnet_graph = export_onnx(resnet, [workshop.spec])
        self._sides = {side: self._side(side) for side in ("valid", "test")}

    def _side(self, side: str) -> tuple[Material, list[str], list[int]]:
        tracks = self.workshop.run.tracks(side)
        material, names = self.workshop.run.material(tracks), [track.id for track in tracks]
        return material, names, labels_of(torch_logits(self.workshop.teacher), material, names)

    def compare(self, side: str, model: Logits) -> PairedComparison:
        """Compare a model with the run's own on one side of the split."""
        material, names, before = self._sides[side]
        truth = [material.targets[name] for name in names]
        return compare(truth, before, labels_of(model, material, names))

    def row(
        self, name: str, chain: str, stored: bytes, network: tuple[int, int], model: Logits
    ) -> Row:
        """Judge one model that is stored as `stored`; `network` is its parameters and MACs."""
        valid, test = self.compare("valid", model), self.compare("test", model)
        hits = round(test.after * test.n)
        return Row(
            name=name,
            chain=chain,
            format="onnx" if name != "deep compression" else "gkdc",
            data=self.data,
            bytes=len(stored),
            gzip_bytes=len(gzip.compress(stored, 9, mtime=0)),
            ratio=len(self.resnet_graph) / len(stored),
            speedup=None,
            parameters=network[0],
            macs=network[1],
            valid_accuracy=valid.after,
            accuracy=test.after,
            n=test.n,
            ci95=_interval(hits, test.n),
            paired_difference=test.difference,
            paired_ci95=test.ci95,
            mcnemar_p=test.p_value,
            agreement=test.agreement.value,
        )


def measure(run: Run, epochs: int, say: Callable[[str], None]) -> list[Row]:
    """Make every row.

    Parameters
    ----------
    run : Run
        Of a torch network on pictures.
    epochs : int
        Of each fine-tuning.
    say : callable
        Told what is being made.
    """
    workshop = Workshop(run, epochs)
    torch.manual_seed(0)
    resnet = architecture(RESNET18).build((workshop.spec,), len(run.labels))
    bench = Bench(workshop, resnet)
    rows, graphs = [_untrained(bench)], {RESNET18: bench.resnet_graph}
    for chain in chains():
        say(chain.name)
        made, graph = workshop.result(chain), workshop.model(chain)
        graphs[chain.name] = graph
        steps = ", ".join(chain.steps(epochs)) if chain != FLOAT else "float"
        logits = onnx_logits(graph, workshop.spec.name)
        rows.append(bench.row(chain.name, steps, graph, (made.parameters, made.macs), logits))
    speed = _speedups(graphs, workshop)
    rows = [dataclasses.replace(row, speedup=speed[row.name]) for row in rows]
    say("deep compression")
    return [*rows, *(_deep_compression(bench, sparsity) for sparsity in SPARSITIES)]


def _untrained(bench: Bench) -> Row:
    graph, spec = bench.resnet_graph, bench.workshop.spec
    return Row(
        name=RESNET18,
        chain="float, not trained: for size and speed",
        format="onnx",
        data=bench.data,
        bytes=len(graph),
        gzip_bytes=len(gzip.compress(graph, 6, mtime=0)),
        ratio=1.0,
        speedup=1.0,
        parameters=count_parameters(bench.resnet),
        macs=count_macs(bench.resnet, spec),
        valid_accuracy=None,
        accuracy=None,
        n=0,
        ci95=None,
        paired_difference=None,
        paired_ci95=None,
        mcnemar_p=None,
        agreement=None,
    )


def _speedups(graphs: dict[str, bytes], workshop: Workshop) -> dict[str, float]:
    spec = workshop.spec
    window: Float32 = np.random.default_rng(0).standard_normal((1, *spec.shape)).astype(np.float32)
    tasks = {
        name: partial(onnx_logits(graph, spec.name), (window,)) for name, graph in graphs.items()
    }
    seconds = time_rounds(tasks, rounds=ROUNDS)
    return {name: float(np.median(seconds[RESNET18] / taken)) for name, taken in seconds.items()}


def _deep_compression(bench: Bench, sparsity: float) -> Row:
    """Prune by magnitude, share what is left, store; judge what the decoder gives back."""
    workshop = bench.workshop
    network = workshop.run.load_model()
    tensors: dict[str, Float32] = {}
    for name, value in network.state_dict().items():
        weights = value.numpy().astype(np.float32)
        if weights.ndim > 1:
            bound = np.quantile(np.abs(weights), sparsity)
            weights = share_weights(np.where(np.abs(weights) > bound, weights, 0), SHARED_VALUES)
        tensors[name] = weights
    stored = store(tensors)
    restored = {name: torch.from_numpy(value) for name, value in restore(stored).items()}
    network.load_state_dict(restored)
    size = stages(tensors)
    chain = (
        f"{sparsity:.0%} of the weights pruned, not fine-tuned ({size.dense / size.pruned:.1f}x), "
        f"{SHARED_VALUES} shared values ({size.dense / size.shared:.1f}x), Huffman "
        f"({size.dense / size.coded:.1f}x)"
    )
    counts = (count_parameters(network), count_macs(network, workshop.spec))
    return bench.row("deep compression", chain, stored, counts, torch_logits(network.eval()))


def _interval(hits: int, n: int) -> tuple[float, ...]:
    from genrekit.train.metrics import wilson_interval

    return wilson_interval(hits, n)


def table(rows: Sequence[Row]) -> str:
    """Format rows for people."""
    lines = [
        "# Compression",
        "",
        f"Real pictures ({rows[0].data}), one thread. Ratio and speed are against ResNet18 in "
        "float at the same input; the difference is to the network named `pruned00-none`, on "
        f"the same {max(row.n for row in rows)} test tracks. Selection happens on the validation "
        "tracks only.",
        "",
        "| model | chain | bytes | ratio | speed | valid | test (95 % interval) | difference | p |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        speed = "-" if row.speedup is None else f"{row.speedup:.1f}x"
        cells = ["-", "-", "-", "-"]
        if row.accuracy is not None and row.ci95 is not None and row.paired_ci95 is not None:
            low, high = row.paired_ci95
            cells = [
                f"{row.valid_accuracy or 0.0:.1%}",
                f"{row.accuracy:.1%} ({row.ci95[0]:.1%} to {row.ci95[1]:.1%})",
                f"{100 * (row.paired_difference or 0.0):+.1f} ({100 * low:+.1f} to "
                f"{100 * high:+.1f})",
                f"{row.mcnemar_p:.2g}",
            ]
        head = f"| {row.name} | {row.chain} | {row.bytes:,} | {row.ratio:.0f}x | {speed} | "
        lines.append(head + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Make the rows; return 0, or 1 on an error that a user can cause."""
    parser = argparse.ArgumentParser(description="Measure every chain of compression on a run.")
    parser.add_argument("model_run", type=Path, metavar="RUN")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out", type=Path, default=FOLDER)
    args = parser.parse_args(argv)
    try:
        rows = measure(Run.load(args.model_run), args.epochs, _say)
        args.out.mkdir(parents=True, exist_ok=True)
        write_document(args.out / "compression.json", rows)
        write_whole(args.out / "compression.md", table(rows))
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"compression: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
