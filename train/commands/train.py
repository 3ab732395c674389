"""The command `genrekit train`: parse, check, call, tell."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ..data.datasets import DataSource
    from ..evaluation.metrics import Share
    from ..fitting.loop import History
    from ..hyperparameters import Hyperparameters
    from ..runs.run import Run

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_TRAIN_EXAMPLES = """\
examples:
  genrekit train build/music --model resnet18 --out runs/resnet18
  genrekit train build/music --model mlp --out runs/mlp
  genrekit train --images gtzan/stft_5s --image-recipe stft_5s --model resnet18 \\
      --split filtered --splits-dir gtzan/splits --out runs/pictures
  genrekit train --features gtzan/features_30_sec.csv --model mlp \\
      --split filtered --splits-dir gtzan/splits --out runs/table

A run that was killed is taken up by giving the same command again.
"""


def train(subparsers: Subparsers) -> None:
    """Add `genrekit train`."""
    parser = subparsers.add_parser(
        "train",
        help="train a model",
        description="Train a model and judge it on tracks that it has not seen.",
        epilog=_TRAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA", help="folder of songs")
    parser.add_argument("--images", type=Path, metavar="DIR", help="pictures instead of songs")
    parser.add_argument(
        "--image-recipe",
        choices=("stft_5s", "plain"),
        help="how the pictures were made; 'plain' ones give a model that cannot be deployed",
    )
    parser.add_argument("--features", type=Path, metavar="CSV", help="Kaggle's table instead")
    parser.add_argument("--model", required=True, metavar="NAME", help=_MODELS)
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--split",
        default="stratified",
        metavar="NAME",
        help=(
            "stratified: 80/10/10 at random in each genre (default); track: 65/10/25; filtered, "
            "fold1, fold2, fold3: listed in --splits-dir; segments_80_20, segments_70_20_10: "
            "LEAKY, segments of one track on both sides"
        ),
    )
    parser.add_argument("--splits-dir", type=Path, metavar="DIR", help="folder of the lists")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--pretrained", action="store_true", help="resnet18 only: begin with ImageNet's weights"
    )
    parser.add_argument("--normalisation", choices=("fixed", "window"), help="of images")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--jobs", type=int, metavar="N", help="processes; default: one per core")
    _add_hyperparameters(parser)
    parser.set_defaults(run=_run_train)


_MODELS = (
    "images: resnet18, small_cnn, vgg16, vgg16_quarter, segment_cnn; series: lstm; both: "
    "image_and_series; 57 features: mlp, svm, boosted_trees, nearest_neighbour"
)
# Option, field of Hyperparameters, type, help.
_HYPERPARAMETERS = (
    ("--epochs", "epochs", int, "at most"),
    ("--batch-size", "batch_size", int, "windows per step"),
    ("--lr", "learning_rate", float, "peak learning rate"),
    ("--weight-decay", "weight_decay", float, "of AdamW"),
    ("--label-smoothing", "label_smoothing", float, "share of each target spread evenly"),
    ("--mixup", "mixup", float, "blend windows in pairs; 0 is off"),
    ("--crops-per-track", "crops_per_track", int, "random windows per track and epoch"),
    ("--patience", "patience", int, "epochs without gain before stopping"),
)


def _add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("fitting (defaults depend on the model)")
    for option, name, kind, text in _HYPERPARAMETERS:
        group.add_argument(option, dest=name, type=kind, metavar="X", help=text)
    group.add_argument(
        "--spec-augment",
        action=argparse.BooleanOptionalAction,
        help="blank stripes of training images",
    )


def _run_train(args: argparse.Namespace) -> None:
    import sys

    from genrekit.commands.printable import printable

    from ..runs.trainer import Observer, Plan
    from ..runs.trainer import train as train_model
    from .progress import progress_bars

    plan = Plan(
        source=_source(args),
        model=_model(args),
        protocol=args.split,
        splits_folder=args.splits_dir,
        seed=args.seed,
        hyperparameters=_hyperparameters(args),
        normalisation=args.normalisation,
    )
    with progress_bars() as show:

        def on_step(done: int, total: int, history: History) -> None:
            best = max((row.valid_accuracy for row in history.epochs), default=0.0)
            show(f"training, best so far {best:.1%}", done, total)

        observer = Observer(
            features=lambda done, total: show("features", done, total),
            steps=on_step,
            say=lambda line: print(printable(line), file=sys.stderr),
        )
        run = train_model(plan, args.out, device=args.device, jobs=args.jobs, observer=observer)
    _tell(run)


def _source(args: argparse.Namespace) -> DataSource:
    from genrekit.errors import ConfigError

    from ..data.datasets import DataSource, ImageRecipe, audio_source

    given = [value for value in (args.data, args.images, args.features) if value is not None]
    if len(given) != 1:
        raise ConfigError("give one of DATA, --images DIR and --features CSV")
    if args.image_recipe and args.images is None:
        raise ConfigError("--image-recipe goes with --images")
    if args.images is not None:
        recipe: ImageRecipe = args.image_recipe or "plain"
        return DataSource(kind="images", path=str(args.images), image_recipe=recipe)
    if args.features is not None:
        return DataSource(kind="features", path=str(args.features))
    return audio_source(args.data)


def _model(args: argparse.Namespace) -> str:
    return f"{args.model}_imagenet" if args.pretrained else str(args.model)


def _hyperparameters(args: argparse.Namespace) -> Hyperparameters:
    import dataclasses

    from ..models.registry import architecture

    names = [name for _, name, _, _ in _HYPERPARAMETERS] + ["spec_augment"]
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    return dataclasses.replace(architecture(_model(args)).hyperparameters, **given)


def _tell(run: Run) -> None:
    from genrekit.commands.printable import printable

    from ..data.protocols import protocol

    settings, metrics = run.settings, run.metrics
    split, way = settings.split, protocol(settings.split.protocol)
    unit = "segments" if way.by_segment else "tracks"
    kind = "synthetic music" if settings.data.synthetic else settings.data.kind
    sides = f"{len(split.train)}/{len(split.valid)}/{len(split.test)}"
    print(
        f"{run.folder}: {settings.model}, {metrics.parameters:,} parameters, {kind}, split "
        f"{way.label}, {sides} {unit}, best of {metrics.epochs} epochs is {metrics.best_epoch}, "
        f"{metrics.seconds:.0f} s"
    )
    if split.missing:
        print(f"{len(split.missing)} listed tracks are not in the data")
    print(f"{'':<12}{'recall':>8}{'precision':>11}{'F1':>8}{'n':>6}")
    for row in metrics.test.scores.per_class:
        print(
            f"{printable(row.label):<12.12}{_percent(row.recall):>8}{_percent(row.precision):>11}"
            f"{_percent(row.f1):>8}{row.recall.n:>6}"
        )
    for side, evaluation in (("valid", metrics.valid), ("test", metrics.test)):
        accuracy = evaluation.scores.accuracy
        low, high = accuracy.ci95 or (0.0, 1.0)
        print(
            f"{side} accuracy {_percent(accuracy)} of n={accuracy.n} {unit} "
            f"(95 % interval {low:.1%} to {high:.1%})"
        )
    if not settings.deployable:
        print("trained on pictures of unknown making: this model cannot be fed from audio")


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.1%}"
