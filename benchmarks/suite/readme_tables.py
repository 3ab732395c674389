"""Results tables: measured artifacts and peers, in Markdown."""

from __future__ import annotations

from pathlib import Path

from genrekit.bench.machine.hardware import Machine
from genrekit.bench.results import BenchDocument, ModelBench
from genrekit.files import read_bounded
from genrekit.strict_json import parse_json

from ..peers import comparison as peers
from ..report.sources import Sources

_MAX_LOG_BYTES = 1 << 20
# Which of a processor's features decide how fast int8 runs, the best first.
_INT8 = ("AVX-512 VNNI", "AVX-VNNI", "I8MM", "dotprod", "AVX-512", "AVX2", "NEON")


def artifact_table(sources: Sources) -> str:
    """Return size, accuracy and speed of every measured artifact."""
    lines = []
    for bench in sources.benches:
        lines += [
            f"{_machine(bench.machine)}, {bench.conditions.threads} thread, {bench.created[:10]}:",
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


def packaged_table(folder: Path) -> str:
    """Return what the packaged models know, as `make packaged-models` measured it.

    Parameters
    ----------
    folder : Path
        Has `pretrained_model.json` and `tiny_model.json`.
    """
    if not (folder / "pretrained_model.json").is_file():
        return ""
    pretrained, tiny = (
        parse_json(read_bounded(folder / f"{name}_model.json", _MAX_LOG_BYTES), name)
        for name in ("pretrained", "tiny")
    )
    rows = [
        ("`default`, clips of 2 to 3 s, artists unheard by the head", pretrained["clips"]),
        ("`default`, songs of 30 s, artists unheard by the head", pretrained["songs"]),
        ("`default`, real songs that are not called unknown", pretrained["kept"]),
        ("`default`, sounds that are no music called unknown", pretrained["rejected"]),
        *(
            (f"`default`, clips and songs after {name}", s)
            for name, s in pretrained["robust"].items()
        ),
        ("`tiny`, pictures of tracks by unheard artists (from scratch)", tiny["test"]),
    ]
    lines = ["| what | share [95 %] | n |", "|---|--:|--:|"]
    for what, share in rows:
        low, high = share["ci95"]
        lines.append(f"| {what} | {share['value']:.3f} [{low:.3f}, {high:.3f}] | {share['n']} |")
    low, high = pretrained["error_ci95"]
    lines.append(
        f"| `default`, expected calibration error | {pretrained['error']:.3f} "
        f"[{low:.3f}, {high:.3f}] | {pretrained['calibrated_on']} |"
    )
    return "\n".join(lines)


def peer_table(sources: Sources) -> str:
    """Return what else does the same work, and how."""
    return "\n".join(
        f"{document.work}, {_machine(document.machine)}, {document.created[:10]}:\n\n"
        f"{peers.render(document)}"
        for document in sources.peers
    )


def _machine(machine: Machine) -> str:
    best = next((name for name in _INT8 if name in machine.cpu_features), None)
    features = f" ({best})" if best else ""
    return f"{machine.board or machine.cpu}{features}, {machine.cores} cores"
