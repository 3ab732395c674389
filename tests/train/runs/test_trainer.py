from __future__ import annotations

import dataclasses
import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from genrekit.classify.prediction import softmax
from genrekit.errors import ConfigError, DataError, FileError
from genrekit.files import unfinished_form
from genrekit.locks import locked_folder
from genrekit.train.data.datasets import DataSource, audio_source, open_dataset
from genrekit.train.fitting.loop import EpochResult, History, one_cycle
from genrekit.train.hyperparameters import Hyperparameters
from genrekit.train.models.registry import ARCHITECTURES, architecture
from genrekit.train.runs.run import Run
from genrekit.train.runs.trainer import Observer, Plan, train

from .train_and_die import SHORT

SCRIPT = Path(__file__).with_name("train_and_die.py")


def _settings(model: str, **changes: object) -> Hyperparameters:
    return dataclasses.replace(architecture(model).hyperparameters, **{**SHORT, **changes})  # type: ignore[arg-type]  # the values' types vary


def _plan(songs: Path, model: str, **changes: object) -> Plan:
    settings = _settings(model, **changes)
    return Plan(source=audio_source(songs), model=model, hyperparameters=settings)


@pytest.fixture(scope="module")
def image_run(songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a ResNet18 run of one epoch."""
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.getbasetemp()
        patch.setenv("GENREKIT_CACHE", str(base / "cache"))
        folder = tmp_path_factory.mktemp("runs") / "resnet18"
        return train(_plan(songs, "resnet18", epochs=1), folder, device="cpu", jobs=1)


@pytest.fixture(scope="module")
def vector_run(songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return an MLP run that has learned its three genres."""
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.getbasetemp()
        patch.setenv("GENREKIT_CACHE", str(base / "cache"))
        folder = tmp_path_factory.mktemp("runs") / "mlp"
        return train(_plan(songs, "mlp", epochs=25), folder, jobs=1)


def test_a_run_folder_holds_what_the_exporter_needs(image_run: Run) -> None:
    names = {path.name for path in image_run.folder.iterdir()}
    assert names == {
        "run.json",
        "best.pt",
        "history.json",
        "metrics.json",
        "confusion.png",
        "learning_curves.png",
    }
    again = Run.load(image_run.folder)
    assert again.settings == image_run.settings
    assert again.labels == ("clicks", "noise", "tones")
    assert again.settings.representation.inputs[0].shape == (1, 64, 130)
    assert again.settings.deployable
    assert not again.settings.data.synthetic
    assert Path(again.settings.data.path).is_absolute()


def test_stored_results_are_those_of_the_loaded_model(image_run: Run) -> None:
    model = image_run.load_model()
    assert not model.training
    for track, result in zip(image_run.tracks("test"), image_run.metrics.test.tracks, strict=True):
        windows = image_run.windows(track)
        with torch.inference_mode():
            logits = model(torch.from_numpy(windows)).numpy()
        assert result.id == track.id
        assert result.windows == len(windows)
        np.testing.assert_allclose(result.logits, logits.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(result.probabilities, softmax(logits).mean(axis=0), atol=1e-5)


def test_the_mlp_s_stored_results_are_those_of_the_loaded_model(vector_run: Run) -> None:
    model = vector_run.load_model()
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [
        512,
        256,
        128,
        64,
        3,
    ]
    for track, result in zip(
        vector_run.tracks("test"), vector_run.metrics.test.tracks, strict=True
    ):
        logits = model(vector_run.windows(track), training=False).numpy()
        np.testing.assert_allclose(result.logits, logits.mean(axis=0), atol=1e-4)


def test_tones_noise_and_clicks_can_be_learned(vector_run: Run) -> None:
    assert vector_run.metrics.test.scores.accuracy.value == 1.0
    assert vector_run.metrics.parameters == 57 * 512 + 512 + sum(
        a * b + b for a, b in ((512, 256), (256, 128), (128, 64), (64, 3))
    )


def test_normalisation_is_measured_on_training_tracks_alone(image_run: Run) -> None:
    windowed = image_run.windowed(image_run.tracks("train"), jobs=1)
    frames = np.concatenate([features[0] for features in windowed.features.values()])
    normalisation = image_run.representation.inputs[0].normalisation
    assert normalisation.kind == "fixed"
    np.testing.assert_allclose(normalisation.mean, frames.mean(axis=0, dtype=float), rtol=1e-6)
    np.testing.assert_allclose(normalisation.std, frames.std(axis=0, dtype=float), rtol=1e-6)


def test_calibration_inputs_are_windows_of_training_tracks(image_run: Run) -> None:
    inputs = image_run.calibration_inputs(9)
    assert inputs.shape == (9, 1, 64, 130)
    assert inputs.dtype == np.float32
    pool = np.concatenate([image_run.windows(track) for track in image_run.tracks("train")])
    for window in inputs:
        assert (pool == window).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(inputs, image_run.calibration_inputs(9))


def test_tracks_of_another_folder_can_be_judged(image_run: Run, songs: Path) -> None:
    fresh = open_dataset(audio_source(songs)).tracks[:2]
    windowed = image_run.windowed(fresh, jobs=1)
    np.testing.assert_array_equal(windowed.windows(fresh[0].id)[0], image_run.windows(fresh[0]))


def test_a_finished_run_is_left_as_it_is(image_run: Run, songs: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in image_run.folder.iterdir()}
    train(_plan(songs, "resnet18", epochs=1), image_run.folder, device="cpu", jobs=1)
    assert before == {path.name: path.stat().st_mtime_ns for path in image_run.folder.iterdir()}


def test_a_run_of_other_settings_is_refused_and_they_are_named(image_run: Run, songs: Path) -> None:
    with pytest.raises(DataError, match=r"hyperparameters\.epochs \(1 then, 2 now\)"):
        train(_plan(songs, "resnet18", epochs=2), image_run.folder, jobs=1)


def test_a_folder_with_other_files_is_not_filled(songs: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="holds other files"):
        train(_plan(songs, "mlp"), tmp_path, jobs=1)


def test_two_processes_do_not_train_in_one_folder(image_run: Run, songs: Path) -> None:
    with (
        locked_folder(image_run.folder),
        pytest.raises(FileError, match="another genrekit is working in it"),
    ):
        train(_plan(songs, "resnet18", epochs=1), image_run.folder, device="cpu", jobs=1)


def test_a_run_killed_at_its_first_file_is_begun_again(songs: Path, tmp_path: Path) -> None:
    unfinished_form(tmp_path / "run.json").write_text("{")
    train(_plan(songs, "mlp", epochs=1), tmp_path, jobs=1)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_unfinished_run_says_how_to_finish_it(image_run: Run, tmp_path: Path) -> None:
    shutil.copy(image_run.folder / "run.json", tmp_path)
    with pytest.raises(DataError, match="run the same command again"):
        Run.load(tmp_path)
    with pytest.raises(DataError, match=r"no run\.json in it"):
        Run.load(tmp_path / "missing")


def test_a_run_document_with_an_odd_key_is_refused(image_run: Run, tmp_path: Path) -> None:
    document = json.loads((image_run.folder / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**document, "colour": "red"}))
    with pytest.raises(ConfigError, match="colour"):
        Run.load(tmp_path)


def test_weights_that_would_run_code_are_refused(image_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(image_run.folder, folder)
    mark = tmp_path / "executed"
    torch.save({"x": _Bomb(mark)}, folder / "best.pt")
    with pytest.raises(DataError, match="not a file of torch weights"):
        Run.load(folder).load_model()
    assert not mark.exists()


class _Bomb:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _touch, (str(self._mark),)


def _touch(path: str) -> None:
    Path(path).touch()


def test_a_corrupt_song_is_named_and_left_out(songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    (folder / "noise" / "noise.00002.wav").write_bytes(b"RIFF....WAVEjunk")
    said: list[str] = []
    plan = _plan(folder, "mlp", epochs=1)
    run = train(plan, tmp_path / "run", jobs=1, observer=Observer(say=said.append))
    assert list(run.settings.excluded) == ["noise.00002"]
    assert said[0].startswith("left out noise.00002: ")
    split = run.settings.split
    assert "noise.00002" not in {*split.train, *split.valid, *split.test}
    assert len(split.train) + len(split.valid) + len(split.test) == 17


def test_training_stops_when_validation_no_longer_gains(songs: Path, tmp_path: Path) -> None:
    # So small a rate changes no weight by more than rounding: nothing after epoch 1 is better.
    plan = _plan(songs, "mlp", epochs=40, patience=2, learning_rate=1e-30, weight_decay=0.0)
    run = train(plan, tmp_path / "run", jobs=1)
    assert run.metrics.epochs == 3
    assert run.metrics.best_epoch == 1


@pytest.mark.parametrize(
    ("model", "source", "message"),
    [
        ("resnet18", DataSource(kind="features", path="t.csv"), "use --model mlp"),
        ("mlp", DataSource(kind="images", path="p", image_recipe="plain"), "use --model resnet18"),
    ],
)
def test_models_refuse_data_that_they_cannot_see(
    model: str, source: DataSource, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        ARCHITECTURES[model].represent(source)


def test_lists_go_with_the_splits_that_have_them(songs: Path) -> None:
    with pytest.raises(ConfigError, match="--splits-dir"):
        Plan(source=audio_source(songs), model="mlp", protocol="filtered")
    with pytest.raises(ConfigError, match="split 'lucky'"):
        Plan(source=audio_source(songs), model="mlp", protocol="lucky")


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing() -> None:
    rates = [one_cycle(i / 1_000) for i in range(1_001)]
    assert rates[0] == pytest.approx(0.04)
    assert max(rates) == rates[200] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.0)
    assert rates[:201] == sorted(rates[:201])
    assert rates[200:] == sorted(rates[200:], reverse=True)


def test_of_equally_accurate_epochs_the_one_with_less_loss_is_best() -> None:
    rows = [
        EpochResult(epoch=i + 1, train_loss=1, valid_loss=loss, valid_accuracy=share, seconds=1)
        for i, (share, loss) in enumerate([(0.5, 1.0), (0.6, 1.2), (0.6, 1.1), (0.6, 1.1)])
    ]
    assert History(epochs=tuple(rows)).best_epoch == 3


def _run_script(songs: Path, run: Path, model: str, step: int) -> int:
    command = [sys.executable, str(SCRIPT), str(songs), str(run), model, str(step)]
    return subprocess.run(command, check=False).returncode


@pytest.mark.slow
@pytest.mark.parametrize(("model", "weights"), [("resnet18", "best.pt"), ("mlp", "best.npz")])
def test_a_killed_run_taken_up_again_ends_with_the_same_weights(
    songs: Path, tmp_path: Path, model: str, weights: str
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert _run_script(songs, whole, model, -1) == 0
    # Three epochs of three steps: it dies in the midst of the second.
    assert _run_script(songs, broken, model, 5) == -signal.SIGKILL
    assert not (broken / "metrics.json").exists()
    assert _run_script(songs, broken, model, -1) == 0
    ours, theirs = _arrays(broken / weights), _arrays(whole / weights)
    assert len(ours) == len(theirs) >= 10
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(left, right)
    kept = [json.loads((run / "history.json").read_text())["epochs"] for run in (whole, broken)]
    assert [row["train_loss"] for row in kept[0]] == [row["train_loss"] for row in kept[1]]
    assert all(math.isfinite(row["train_loss"]) for row in kept[0])


def _arrays(path: Path) -> list[np.ndarray]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            return [archive[name] for name in archive.files]
    return [value.numpy() for value in torch.load(path, weights_only=True).values()]


def test_both_frameworks_live_in_one_process_whichever_comes_first() -> None:
    code = (
        "from genrekit.train.models.frameworks import import_keras; import_keras();"
        "import torch, torchvision; print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "alive\n"
    assert done.stderr == ""  # TensorFlow's C++ greeting is gone, too
