"""Results: measure the demo's artifacts for this repository, and keep its tables in step.

`python -m genrekit.benchmarks.results DEMO` (which is `make bench`) writes `results/*.json` and
refreshes the tables; `--tables` only refreshes them from what is there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from genrekit.runtime.bench_document import BenchDocument, ModelBench
from genrekit.runtime.errors import GenreKitError
from genrekit.runtime.files import write_whole

from .report_sources import Sources, read_sources

FOLDER = Path(__file__).parent / "results"
PAGES = (Path(__file__).parent / "README.md", Path(__file__).parents[1] / "README.md")
BEGIN, END = "<!-- results: made by `make bench` -->", "<!-- results end -->"
ARTIFACTS = ("resnet18_fp32.onnx", "resnet18_int8.onnx", "mlp_dense.tflite", "mlp_pruned.tflite")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and refresh; return 0, or the status of the command that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("demo", nargs="?", type=Path, help="folder that `make demo` filled")
    parser.add_argument("--tables", action="store_true", help="only refresh the tables")
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    args = parser.parse_args(argv)
    if (args.demo is None) == (not args.tables):
        parser.error("give the demo's folder, or --tables")
    try:
        if args.demo and (status := _measure(args.demo, force=args.force)):
            return status
        for page in PAGES:
            text = page.read_text("utf-8")
            if BEGIN in text:
                write_whole(page, refreshed(text, read_results()))
    except (GenreKitError, OSError) as error:
        sys.stderr.write(f"results: {error}\n")
        return 1
    return 0


def read_results(folder: Path = FOLDER) -> Sources:
    """Read the committed documents of this kind; there may be none."""
    return read_sources(_documents(folder))


def refreshed(page: str, sources: Sources) -> str:
    """Return a page with the table between its markers made anew."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{table(sources)}\n{END}{after}"


def table(sources: Sources) -> str:
    """Lay the results out in Markdown."""
    if not sources.benches:
        return "No results yet: `make bench` measures them.\n"
    lines = []
    for bench in sources.benches:
        machine = bench.machine
        lines += [
            f"{machine.board or machine.cpu}, {machine.cores} cores, {bench.conditions.threads} "
            f"thread, {bench.created[:10]}:",
            "",
            "| artifact | bytes | smaller | tracks right [95 %], n | same label | engine p50 ms "
            "| as fast [95 %] | file to genre p50 ms | peak MiB | cold start ms |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
            *(_row(sources, bench, model) for model in bench.models),
            "",
        ]
    return "\n".join(lines)


def _row(sources: Sources, bench: BenchDocument, model: ModelBench) -> str:
    accuracy, agreement = "", ""
    known = sources.accuracy(model)
    if known and known.share.value is not None and known.share.ci95 is not None:
        low, high = known.share.ci95
        accuracy = f"{known.share.value:.1%} [{low:.1%}, {high:.1%}], {known.share.n}"
        agreement = "" if known.agreement is None else f"{known.agreement:.1%}"
    speedup = next((s.engine_alone for s in bench.speedups if s.model == model.model), None)
    cells = (
        f"`{model.model}`",
        f"{model.bytes:,}",
        f"{model.source_bytes / model.bytes:.2f}x" if model.source_bytes else "",
        accuracy,
        agreement,
        f"{model.engine_alone.p50_ms:.3f}",
        f"{speedup.median:.2f}x [{speedup.ci95[0]:.2f}, {speedup.ci95[1]:.2f}]" if speedup else "",
        f"{model.single_stream.total.p50_ms:.1f}",
        f"{model.memory.peak / 2**20:.0f}",
        f"{model.cold_start.total.p50_ms:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _measure(demo: Path, *, force: bool) -> int:
    """Run the commands that a user would; each model family is compared within itself."""
    models = [demo / name for name in ARTIFACTS]
    forced = ["--force"] if force else []
    for name, pair in (("images", models[:2]), ("vectors", models[2:])):
        out = FOLDER / f"bench-{name}.json"
        words = ["bench", *pair, "--json", out, "--profile", "--minutes", 1, *forced]
        if status := _run("genrekit.runtime.cli", *words):
            return status
    peers = [demo / "runs" / "resnet18", *models[:2], "--songs", demo / "unseen"]
    status = _run("genrekit.benchmarks.peers", *peers, "--json", FOLDER / "peers.json", *forced)
    return status or _run(
        "genrekit.runtime.cli", "report", *_documents(FOLDER), "-o", demo / "results.html"
    )


def _documents(folder: Path) -> list[Path]:
    """Return what this module wrote; others keep their results in the same folder."""
    return sorted(folder.glob("bench-*.json")) + sorted(folder.glob("peers.json"))


def _run(module: str, *words: object) -> int:
    command = [sys.executable, "-m", module, *map(str, words)]
    # One thread, also where NumPy's or torch's libraries would take all cores.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
