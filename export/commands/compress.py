"""The command `genrekit compress`: parse, check, call, tell."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from genrekit.errors import ConfigError

if TYPE_CHECKING:
    from genrekit.train.runs.run import Run

    from ..search.candidates import CandidateFactory
    from ..search.search import Candidate

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_UNITS = {"": 1, "kb": 1_000, "mb": 1_000_000, "kib": 1 << 10, "mib": 1 << 20}
_EXAMPLES = """\
examples:
  genrekit compress runs/small_cnn --target-size 100kB --out small.onnx
  genrekit compress runs/small_cnn --target-latency 2ms --out fast.onnx
  genrekit compress runs/resnet18 --max-loss 1.0 --out resnet18.onnx
  genrekit compress runs/resnet18 --pareto pareto.png
  genrekit compress runs/mlp --target-size 80kB --out mlp.tflite

Candidates are kept in RUN/compress; a search that was stopped goes on where it was.
"""


def register(subparsers: Subparsers) -> None:
    """Add `genrekit compress`."""
    parser = subparsers.add_parser(
        "compress",
        help="search for the best small version of a trained model",
        description=(
            "Distil, prune, quantize; judge every candidate on the validation tracks, "
            "in pairs with the model itself; write the one that the target asks for, with its "
            "card. The test tracks are looked at once, for the file that is written."
        ),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model_run", type=Path, metavar="RUN", help="folder of genrekit train")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--target-size", type=parse_size, metavar="SIZE", help="at most, such as 200kB or 1MB"
    )
    target.add_argument(
        "--target-latency", type=parse_ms, metavar="TIME", help="of a window, at most: 2ms"
    )
    target.add_argument(
        "--max-loss", type=float, metavar="POINTS", help="of validation accuracy: smallest file"
    )
    target.add_argument("--pareto", type=Path, metavar="PNG", help="draw all candidates instead")
    parser.add_argument("--out", type=Path, metavar="FILE", help="*.onnx or *.tflite to write")
    parser.add_argument(
        "--epochs", type=int, default=10, metavar="N", help="of each fine-tuning (default: 10)"
    )
    parser.add_argument("--licence", default="not stated", metavar="TEXT", help="for the card")
    parser.set_defaults(run=_run)


def parse_size(text: str) -> int:
    """Read a number of bytes: `1MB` is 1,000,000, `1MiB` is 1,048,576."""
    match = re.fullmatch(r"([0-9.]+)\s*([a-z]*)", text.strip().lower())
    if not match or match[2] not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r}: not a size such as 200kB or 1MB")
    return round(float(match[1]) * _UNITS[match[2]])


def parse_ms(text: str) -> float:
    """Read milliseconds: `2`, `2ms` or `0.002s`."""
    match = re.fullmatch(r"([0-9.]+)\s*(ms|s|)", text.strip().lower())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r}: not a time such as 2ms")
    return float(match[1]) * (1_000.0 if match[2] == "s" else 1.0)


def _run(args: argparse.Namespace) -> None:
    from genrekit.locks import locked_folder
    from genrekit.train.runs.run import Run

    if args.pareto is None and args.out is None:
        raise ConfigError("name the file to write with --out, or draw with --pareto")
    factory = open_factory(Run.load(args.model_run), args.epochs)
    with locked_folder(factory.folder):
        _search(factory, args)


def _search(factory: CandidateFactory[Any], args: argparse.Namespace) -> None:
    from genrekit.train.commands.progress import progress_bars

    from ..search.search import Target, choose, make_all, time_all, warnings_of

    recipes = factory.recipes()
    with progress_bars() as show:
        results = make_all(
            factory, recipes, on_progress=lambda done, total: show("candidates", done, total)
        )
    found = time_all(factory, recipes)
    print(describe(found))
    for result in results:
        if result.rejected:
            print(f"rejected {result.name}: {result.rejected}")
    for warning in warnings_of(found):
        print(f"warning: {warning}")
    if args.pareto is not None:
        from ..search.pareto import draw_pareto

        draw_pareto(found, args.pareto)
        print(args.pareto)
        return
    from ..writing.verified import side_of

    target = Target(size=args.target_size, latency_ms=args.target_latency, max_loss=args.max_loss)
    chosen = choose(found, target).result
    recipe = next(recipe for recipe in recipes if recipe.name == chosen.name)
    finished = factory.finish(recipe, args.out, side_of(factory.run, "test"), licence=args.licence)
    artifact, proof = finished.artifact, finished.proof
    low, high = proof.tracks.ci95
    print(
        f"{artifact.path}: {chosen.name}, {artifact.size:,} bytes with card\n"
        f"test: {proof.before.value:.1%} before, {proof.after.value:.1%} after, difference "
        f"{100 * proof.tracks.difference:+.1f} points (95 % interval {100 * low:+.1f} to "
        f"{100 * high:+.1f}), n={proof.tracks.n}, McNemar p = {proof.tracks.p_value:.2g}"
    )


def open_factory(run: Run, epochs: int) -> CandidateFactory[Any]:
    """Open the factory of candidates for a run's kind of network.

    Raises
    ------
    ConfigError
        If there is none.
    """
    kind = run.architecture.framework, run.representation.inputs[0].layout
    if kind == ("torch", "channel_band_frame"):
        from ..search.image_candidates import ImageCandidateFactory

        return ImageCandidateFactory(run, epochs)
    if kind == ("tf_keras", "vector"):
        from ..search.mlp_candidates import MlpCandidateFactory

        return MlpCandidateFactory(run, epochs)
    raise ConfigError(
        f"{run.folder}: {run.settings.model}: only image networks and perceptrons are compressed"
    )


def describe(found: list[Candidate]) -> str:
    """Tabulate candidates, with their accuracy on the validation tracks."""
    lines = [f"{'candidate':<30}{'bytes':>10}{'ms':>8}{'speed':>7}{'valid':>7}  interval, loss"]
    for candidate in found:
        result, paired = candidate.result, candidate.result.paired
        low, high = result.accuracy.ci95 or (0.0, 1.0)
        lost = (
            f", {100 * paired.difference:+.1f} points (McNemar p = {paired.p_value:.2g})"
            if paired
            else ""
        )
        lines.append(
            f"{result.name:<30}{result.bytes:>10,}{candidate.latency_ms:>8.3f}"
            f"{candidate.speedup.median:>6.1f}x{result.accuracy.value or 0.0:>7.1%}  "
            f"{low:.1%} to {high:.1%}{lost}"
        )
    return "\n".join(lines)
