"""The command `genrekit`: finds the subcommand, runs it, turns errors into one line.

The device's own commands are named here and start without scanning entry points; the other
folders plug theirs in through the entry-point group `genrekit.commands`, each a function
`register(subparsers)`.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..errors import GenreKitError
from .printable import printable

GROUP = "genrekit.commands"
# Each is a module of this folder, whose `register` adds it.
BUILT_IN = (
    "classify",
    "teach",
    "features",
    "verify",
    "inspect",
    "models",
    "listen",
    "doctor",
    "bench",
)
# The extra that holds what a plugged-in command imports when it runs.
EXTRAS = {
    "data": "train",
    "train": "train",
    "export": "export",
    "compress": "export",
    "evaluate": "bench",
    "report": "bench",
    "reproduce": "bench",
}

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_EPILOG = """\
examples:
  genrekit classify song.wav --model resnet18_int8.onnx
  genrekit verify resnet18_int8.onnx
  genrekit features song.wav --kind mfcc --out mfcc.npy
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0; 1 on an error that a user can cause; 130 when interrupted. argparse itself exits
        with 2 on wrong usage.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Before NumPy is imported: its products here are small, and starting a pool of threads
    # for them costs more than it gives. `--threads` is the engine's.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot show, it is told
            stream.reconfigure(errors="backslashreplace")
    try:
        args = _build_parser(arguments).parse_args(arguments)
        return args.run(args) or 0
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (GenreKitError, OSError) as error:
        print(f"genrekit: {_one_line(error)}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        command = next((word for word in arguments if word in EXTRAS), None)
        if command is None or str(error.name).startswith("genrekit"):
            raise
        install = f'pip install "genrekit[{EXTRAS[command]}]"'
        print(f"genrekit: {command} needs the package {error.name}: {install}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("genrekit: interrupted", file=sys.stderr)
        return 130


def run_process() -> int:
    """Run one command as a process of its own, and let it end quickly.

    As it ends, Python looks for cycles among all objects of all modules; whatever they hold, the
    system takes back a moment later. Without that search `classify` takes a tenth less time.
    """
    try:
        return main()
    finally:
        gc.freeze()


def _build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genrekit",
        description="From a folder of labelled songs to a small, checked music-genre model.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = next((word for word in arguments if not word.startswith("-")), None)
    if command in BUILT_IN and arguments[0] == command:
        _register_built_in(command, subparsers)
        return parser
    for name in BUILT_IN:
        _register_built_in(name, subparsers)
    _register_plugged_in(subparsers)
    return parser


def _register_built_in(name: str, subparsers: Subparsers) -> None:
    importlib.import_module(f".{name}", __package__).register(subparsers)


def _register_plugged_in(subparsers: Subparsers) -> None:
    """Add the commands of the other folders; what they need is imported when they run."""
    from importlib.metadata import entry_points  # 20 ms that the device's commands do not pay

    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        register: Callable[[Subparsers], None] = point.load()
        register(subparsers)


class _Version(argparse.Action):
    """Prints the installed version; importlib.metadata is imported only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"genrekit {version('genrekit')}")
        parser.exit()


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, GenreKitError):
        where = f"{error.filename}: " if error.filename else ""
        return printable(f"{where}{error.strerror or error}")
    return printable(" ".join(str(error).split()))
