"""Train, and die by SIGKILL at a step: `train_and_die.py SONGS RUN MODEL STEP` (-1: never)."""

import dataclasses
import os
import signal
import sys
from pathlib import Path

from genrekit.train.data.datasets import audio_source
from genrekit.train.models.registry import architecture
from genrekit.train.runs.trainer import Observer, Plan, train

SHORT = {"epochs": 3, "batch_size": 8, "crops_per_track": 2, "spec_augment": False}


def main(songs: str, run: str, model: str, step: str) -> None:
    def on_step(done: int, total: int, history: object) -> None:
        del total, history
        if done == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    settings = dataclasses.replace(architecture(model).hyperparameters, **SHORT)
    plan = Plan(source=audio_source(songs), model=model, hyperparameters=settings)
    train(plan, Path(run), device="cpu", jobs=1, observer=Observer(steps=on_step))


if __name__ == "__main__":
    main(*sys.argv[1:])
