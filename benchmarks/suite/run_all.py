"""Results: measure this machine for the repository, and keep its tables in step.

`python -m genrekit.benchmarks.suite.run_all DEMO` (which is `make bench`) measures the demo's
artifacts and the features, writes `results/*.json` and refreshes the tables; `--endurance`
measures what takes longer: a day of live sound, a file of ten hours, sizes of installations;
`--tables` only refreshes the tables from what is there.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from genrekit.artifact.packaged import choose_model, packaged_models
from genrekit.bench.cold_start import fresh_environment
from genrekit.errors import GenreKitError
from genrekit.files import write_whole

from ..report.sources import read_sources
from ..reproduction.rows import read_rows
from ..reproduction.tables import leak_table, real_table
from . import targets
from .readme_tables import artifact_table, packaged_table, peer_table

FOLDER = Path(__file__).parents[1] / "results"
PAGES = (Path(__file__).parents[1] / "README.md", Path(__file__).parents[2] / "README.md")
ARTIFACTS = ("resnet18_fp32.onnx", "resnet18_int8.onnx", "mlp_dense.tflite", "mlp_pruned.tflite")
_SPEED, _PEERS = ".benchmarks.speed", ".benchmarks.peers.comparison"
_FOOTPRINT = ".benchmarks.footprint.dependency_size"
# A page holds a table between `<!-- table: NAME -->` and `<!-- table end -->`.
_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- table end -->)", re.DOTALL)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and refresh; return 0, or the status of the command that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", nargs="?", type=Path, help="folder that `make demo` filled")
    parser.add_argument("--endurance", action="store_true", help="measure what takes longer")
    parser.add_argument("--tables", action="store_true", help="only refresh the tables")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    args = parser.parse_args(argv)
    if (args.demo is not None) + args.endurance + args.tables != 1:
        parser.error("give the demo's folder, --endurance or --tables")
    try:
        if args.demo and (status := _measure(args.demo, ["--force"] if args.force else [])):
            return status
        if args.endurance and (status := _endure()):
            return status
        for page in PAGES:
            write_whole(page, refreshed(page.read_text("utf-8"), read_tables()))
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"results: {error}\n")
        return 1
    return 0


def read_tables(folder: Path = FOLDER) -> dict[str, str]:
    """Return the tables of a folder's documents, by the names that pages give them."""
    sources = read_sources(_documents(folder))
    rows = read_rows(folder / "report.json")
    tables = {
        "artifacts": artifact_table(sources),
        "peers": peer_table(sources),
        "targets": targets.render(targets.read_targets(folder)),
        "real": real_table(rows),
        "leaks": leak_table(rows),
        "packaged": packaged_table(folder),
    }
    return {name: text.strip() or "Not measured yet." for name, text in tables.items()}


def refreshed(page: str, tables: dict[str, str]) -> str:
    """Return a page with what stands between its markers made anew."""
    return _TABLE.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", page)


def _measure(demo: Path, forced: list[str]) -> int:
    """Run the commands that a user would; each model family is compared within itself."""
    models = [demo / name for name in ARTIFACTS]
    steps: list[tuple[str, list[object]]] = [
        (f"{_SPEED}.feature_speed", ["--json", FOLDER / "features.json"]),
        (
            f"{_SPEED}.startup",
            ["--model", models[1], "--json", FOLDER / "startup.json", *forced],
        ),
        (f"{_SPEED}.live_cpu", ["--json", FOLDER / "live_cost.json", *forced]),
    ]
    for name, group in (
        ("packaged", [packaged_models()[name] for name in ("default", "tiny")]),
        ("images", models[:2]),
        ("vectors", models[2:]),
    ):
        out = FOLDER / f"bench-{name}.json"
        words = ["bench", *group, "--json", out, "--profile", "--minutes", 1, *forced]
        steps.append(("", words))
    words = [demo / "runs" / "resnet18", *models[:2], "--songs", demo / "unseen"]
    steps.append((_PEERS, [*words, "--json", FOLDER / "peers.json", *forced]))
    if status := _run_all(steps):
        return status
    return _run("", "report", *_documents(FOLDER), "-o", demo / "results.html")


def _endure() -> int:
    model = choose_model(None)
    return _run_all(
        [
            (f"{_SPEED}.soak", ["--model", model, "--json", FOLDER / "soak.json"]),
            (
                f"{_SPEED}.long_file",
                ["--model", model, "--json", FOLDER / "long_file.json"],
            ),
            (_FOOTPRINT, ["--json", FOLDER / "footprint.json"]),
        ]
    )


def _documents(folder: Path) -> list[Path]:
    """Return what a report shows; others keep their results in the same folder."""
    return sorted(folder.glob("bench-*.json")) + sorted(folder.glob("peers.json"))


def _run_all(steps: Sequence[tuple[str, Sequence[object]]]) -> int:
    """Run one after another until one fails; return its status."""
    return next((status for module, words in steps if (status := _run(module, *words))), 0)


def _run(module: str, *words: object) -> int:
    """Run a module of this kit, or with an empty name the command itself."""
    command = [sys.executable, "-m", f"genrekit{module}", *map(str, words)]
    # One thread, also where NumPy's or torch's libraries would take all cores.
    environment = fresh_environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    return subprocess.run(command, env=environment).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
