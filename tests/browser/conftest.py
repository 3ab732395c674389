"""A report of real measurements, and headless Chromium to look at it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver

from genrekit.artifact.container import Artifact
from genrekit.benchmarks.evaluation import Evaluation, Judgement
from genrekit.benchmarks.report.page import report
from genrekit.commands.main import main
from genrekit.strict_json import encode
from genrekit.train.data.datasets import audio_source
from genrekit.train.evaluation.metrics import compare, score
from genrekit.train.models.registry import architecture
from genrekit.train.runs.trainer import Plan, train

from ..runtime.conftest import artifact, card, tflite_artifact  # noqa: F401 - fixtures
from ..train.conftest import GENRES, compose, write_song

AXE = Path(os.environ.get("GENREKIT_AXE", "build/browser/node_modules/axe-core/axe.min.js"))
SCREENSHOTS = Path("build/browser/screenshots")


@pytest.fixture(scope="session")
def sources(
    tmp_path_factory: pytest.TempPathFactory,
    artifact: Artifact,  # noqa: F811
    tflite_artifact: Artifact,  # noqa: F811
) -> dict[str, Path]:
    """A bench of two artifacts, an evaluation of both and a run, all made by the kit itself."""
    folder = tmp_path_factory.mktemp("report")
    bench, evaluation = folder / "bench.json", folder / "evaluation.json"
    models = [artifact.path, tflite_artifact.path]
    few = ["--rounds", "5", "--processes", "1", "--force", "--profile", "--minutes", "0.05"]
    assert main(["bench", *map(str, models), "--json", str(bench), *few]) == 0
    evaluation.write_text(json.dumps(encode(_evaluation(models, artifact.card.labels))))
    return {"bench": bench, "evaluation": evaluation, "run": _run(folder)}


def _evaluation(models: list[Path], labels: tuple[str, ...]) -> Evaluation:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(len(labels)), 20)
    said = [
        np.where(rng.random(truth.size) < right, truth, rng.integers(len(labels), size=truth.size))
        for right in (0.9, 0.7)
    ]
    first = said[0].tolist()
    return Evaluation(
        data="unseen",
        labels=labels,
        judgements=tuple(
            Judgement(
                model=str(model),
                bytes=model.stat().st_size,
                scores=score(truth.tolist(), own.tolist(), labels),
                against_first=compare(truth.tolist(), first, own.tolist()) if index else None,
            )
            for index, (model, own) in enumerate(zip(models, said, strict=True))
        ),
        unreadable=(),
    )


def _run(folder: Path) -> Path:
    for index, genre in enumerate(GENRES):
        for track in range(6):
            path = folder / "songs" / genre / f"{genre}.{track:05d}.wav"
            write_song(path, compose(genre, 100 * index + track))
    settings = dataclasses.replace(architecture("mlp").hyperparameters, epochs=8, batch_size=8)
    plan = Plan(source=audio_source(folder / "songs"), model="mlp", hyperparameters=settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENREKIT_CACHE", str(folder / "cache"))
        return train(plan, folder / "mlp", jobs=1).folder


@pytest.fixture(scope="session")
def page(sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report(list(sources.values())), "utf-8")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """Chromium that logs its console and every request."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    assert binary, "install Debian's packages chromium and chromium-driver"
    assert driver, "install Debian's packages chromium and chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # selenium's own
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's source, fetched by `make test-browser`."""
    assert AXE.is_file(), f"{AXE}: run 'make test-browser', which fetches axe-core"
    return AXE.read_text("utf-8")
