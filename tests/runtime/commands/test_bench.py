"""`genrekit bench` from command to document and back."""

from __future__ import annotations

import dataclasses
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genrekit.artifact.container import Artifact
from genrekit.bench.paired import Latency
from genrekit.bench.regression import compare_bench, is_slower
from genrekit.bench.results import BenchDocument, read_bench
from genrekit.commands.main import main
from genrekit.errors import ConfigError
from genrekit.strict_json import encode

FEW = ["--rounds", "5", "--processes", "2", "--force"]


@pytest.fixture(scope="module")
def json_path(
    artifact: Artifact, tflite_artifact: Artifact, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("bench") / "bench.json"
    models = [str(artifact.path), str(tflite_artifact.path)]
    extra = ["--profile", "--minutes", "0.02"]
    assert main(["bench", *models, "--json", str(path), *FEW, *extra]) == 0
    return path


@pytest.fixture
def document(json_path: Path) -> BenchDocument:
    return read_bench(json_path)


def test_the_document_has_every_model_with_its_own_engine(
    document: BenchDocument, artifact: Artifact
) -> None:
    onnx, tflite = document.models
    assert (onnx.engine, tflite.engine) == ("onnxruntime", "litert")
    assert onnx.bytes == artifact.path.stat().st_size
    assert onnx.gzip_bytes == len(gzip.compress(artifact.path.read_bytes(), 9))
    assert onnx.model_sha256 == artifact.card.model_sha256
    assert onnx.accuracy == artifact.card.training.accuracy


def test_stages_add_up_to_the_total(document: BenchDocument) -> None:
    for model in document.models:
        stream = model.single_stream
        stages = (stream.decode, stream.resample, stream.features, stream.inference)
        assert 0.5 * stream.total.mean_ms < sum(s.mean_ms for s in stages)
        assert sum(s.mean_ms for s in stages) <= stream.total.mean_ms
        assert stream.total.n == 5
        assert stream.windows == 1
        assert stream.audio_s == pytest.approx(3.0, abs=1e-3)
        assert stream.realtime_factor == pytest.approx(stream.total.p50_ms / 3e3, rel=1e-3)
        assert stream.total_percentiles_ms[100] == pytest.approx(stream.total.max_ms, rel=1e-3)


def test_offline_is_a_long_clip_and_batches(document: BenchDocument) -> None:
    for model in document.models:
        offline = model.offline
        assert offline.audio_s == pytest.approx(30.0, abs=1e-3)
        assert offline.windows_per_s == pytest.approx(1e3 * offline.windows / offline.total.p50_ms)
        assert [batch.windows for batch in offline.batches] == [1, 4, 16]


def test_a_fresh_process_takes_longer_and_more_than_its_model(document: BenchDocument) -> None:
    for model in document.models:
        cold, memory = model.cold_start, model.memory
        assert cold.total.p50_ms > 50.0  # no Python with NumPy starts faster
        assert cold.imports.p50_ms < cold.total.p50_ms
        assert 10 << 20 < memory.imported <= memory.loaded <= memory.peak < 1 << 30
        assert memory.model == memory.peak - memory.imported


def test_efficiency_is_the_operations_by_the_engines_time(document: BenchDocument) -> None:
    for model in document.models:
        limit = model.efficiency
        expected = limit.operations.macs / (model.engine_alone.p50_ms / 1e3)
        assert limit.macs_per_s == pytest.approx(expected)
        assert limit.share == pytest.approx(expected / limit.ceiling.macs_per_s)
        assert limit.ceiling.engine == model.engine
        assert limit.ceiling.macs_per_s > 1e8


def test_what_was_asked_for_is_there(document: BenchDocument) -> None:
    for model in document.models:
        assert model.sustained is not None
        assert model.sustained.predictions >= 1
        assert model.profile
        assert model.threads[0].threads == 1
    (speedup,) = document.speedups
    assert speedup.first == document.models[0].model
    assert speedup.total.n == 5


def test_the_same_document_is_no_regression(document: BenchDocument) -> None:
    assert not compare_bench(document, document).regressed


def test_a_slower_larger_or_hungrier_model_is_a_regression(document: BenchDocument) -> None:
    model = document.models[0]
    faster = Latency.of(np.full(50, 1e-6))
    for quantity, old in {
        "engine alone": dataclasses.replace(model, engine_alone=faster),
        "file size": dataclasses.replace(model, bytes=model.bytes // 2),
        "peak memory": dataclasses.replace(
            model, memory=dataclasses.replace(model.memory, peak=model.memory.peak // 2)
        ),
    }.items():
        comparison = compare_bench(dataclasses.replace(document, models=(old,)), document)
        assert [c.quantity for c in comparison.changes if c.regressed] == [quantity]


def test_noise_is_no_regression_and_a_tenth_is() -> None:
    rng = np.random.default_rng(0)
    first, again, slower = (
        Latency.of(factor * rng.normal(1e-2, 1e-3, 200)) for factor in (1.0, 1.0, 1.15)
    )
    assert not is_slower(first, again)
    assert is_slower(first, slower)


def test_another_machine_does_not_compare(document: BenchDocument) -> None:
    elsewhere = dataclasses.replace(document.machine, cpu="Cortex-A72")
    with pytest.raises(ConfigError, match="different machines"):
        compare_bench(dataclasses.replace(document, machine=elsewhere), document)


def test_a_regression_is_exit_status_1(
    document: BenchDocument, artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = dataclasses.replace(document.models[0], bytes=1)
    old = tmp_path / "old.json"
    old.write_text(json.dumps(encode(dataclasses.replace(document, models=(model,)))))
    status = main(["bench", str(artifact.path), "--compare", str(old), *FEW, "--engine", "numpy"])
    out, err = capsys.readouterr()
    assert status == 1
    assert "WORSE  linear.onnx  file size" in out
    assert "run by onnxruntime then, numpy now" in err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "not written by"),
        ('{"kind": "genrekit-bench", "schema": 99}', "schema 99"),
        ('{"kind": "genrekit-bench", "schema": 1}', "missing keys"),
    ],
)
def test_a_strange_document_is_one_line(
    tmp_path: Path,
    artifact: Artifact,
    capsys: pytest.CaptureFixture[str],
    text: str,
    reason: str,
) -> None:
    old = tmp_path / "old.json"
    old.write_text(text)
    assert main(["bench", str(artifact.path), "--compare", str(old), *FEW]) == 1
    err = capsys.readouterr().err
    assert reason in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["--rounds", "0"], ["--processes", "0"], ["--minutes", "-1"], ["--threads", "0"]]
)
def test_bounds_are_kept(
    artifact: Artifact, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["bench", str(artifact.path), *words]) == 1
    assert words[0].removeprefix("--") in capsys.readouterr().err


def test_numpys_engine_has_no_profiler(
    artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", str(artifact.path), "--engine", "numpy", "--profile", *FEW]
    assert main(command) == 1
    assert "no profiler" in capsys.readouterr().err


def test_resident_memory_sees_an_allocation_and_keeps_its_peak() -> None:
    # In a process of its own: the allocator of one that ran other tests may hold so much already.
    program = (
        "import json, numpy as np\n"
        "from genrekit.bench.cold_start import resident_bytes\n"
        "now, _ = resident_bytes()\n"
        "block = np.ones(50 << 20, np.uint8)\n"
        "print(json.dumps([now, *resident_bytes(), block.nbytes]))\n"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    now, with_block, peak, size = json.loads(out)
    assert with_block - now > 0.9 * size
    assert peak >= with_block
