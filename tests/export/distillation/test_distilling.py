"""Distil: the loss of the papers, and a student that follows its teachers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from genrekit.errors import ConfigError
from genrekit.export.distillation.distilling import (
    Distillation,
    DistillingLearner,
    distillation_loss,
)
from genrekit.train.inputs.minibatch import Batch

CPU = torch.device("cpu")


def network(seed: int, width: int = 12) -> torch.nn.Sequential:
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(8, width), torch.nn.ReLU(), torch.nn.Linear(width, 3)
    )


def batch(seed: int, n: int = 64) -> Batch:
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n, 8)).astype(np.float32)
    return Batch((inputs,), np.full((n, 3), 1 / 3, np.float32))


def test_without_a_soft_share_it_is_cross_entropy() -> None:
    logits, targets = torch.randn(5, 3), torch.eye(3)[[0, 1, 2, 0, 1]]
    teacher = torch.full((5, 3), 1 / 3)
    loss = distillation_loss(logits, teacher, targets, temperature=3.0, soft_share=0.0)
    torch.testing.assert_close(loss, functional.cross_entropy(logits, targets))


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_student_equal_to_its_teacher_has_no_soft_loss(temperature: float) -> None:
    logits, targets = torch.randn(5, 3, requires_grad=True), torch.eye(3)[[0, 1, 2, 0, 1]]
    soft = (logits.detach() / temperature).softmax(1)
    loss = distillation_loss(logits, soft, targets, temperature=temperature, soft_share=1.0)
    assert abs(loss.item()) < 1e-6
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.abs().max() < 1e-6


def test_a_student_comes_to_say_what_the_mean_of_its_teachers_says() -> None:
    teachers = [network(1), network(2)]
    plan = Distillation(temperature=1.0, soft_share=1.0)
    learner = DistillingLearner(network(3, width=48), teachers, plan, 0.0, CPU)
    learner.begin_epoch(0)
    for step in range(400):
        learner.step(batch(step), 0.01)
    unseen = batch(10_000, 256).inputs
    with torch.no_grad():
        said = [teacher(torch.from_numpy(unseen[0])).softmax(1) for teacher in teachers]
    mean = torch.stack(said).mean(0).numpy()
    mine = torch.from_numpy(learner.logits(unseen)).softmax(1).numpy()
    assert np.abs(mine - mean).mean() < 0.02


def test_features_draw_a_student_towards_its_teachers_similarities() -> None:
    def distance(weight: float) -> float:
        teacher, student = network(1), network(4)
        plan = (
            Distillation(
                soft_share=0.0, feature_weight=weight, student_layer="0", teacher_layer="0"
            )
            if weight
            else Distillation(soft_share=0.0)
        )
        learner = DistillingLearner(student, [teacher], plan, 0.0, CPU)
        for step in range(150):
            learner.step(batch(step), 0.01)
        inputs = torch.from_numpy(batch(10_000).inputs[0])
        with torch.no_grad():
            mine, theirs = (
                functional.normalize(f @ f.T) for f in (student[0](inputs), teacher[0](inputs))
            )
        return float(functional.mse_loss(mine, theirs))

    assert distance(1_000.0) < 0.5 * distance(0.0)


def test_impossible_plans_are_refused() -> None:
    for given in ({"temperature": 0.5}, {"soft_share": 1.5}, {"feature_weight": 1.0}):
        with pytest.raises(ConfigError):
            Distillation(**given)
    plan = Distillation(feature_weight=1.0, student_layer="nowhere", teacher_layer="0")
    with pytest.raises(ConfigError, match="student has no layer 'nowhere'"):
        DistillingLearner(network(0), [network(1)], plan, 0.0, CPU)
    with pytest.raises(ConfigError, match="at least one teacher"):
        DistillingLearner(network(0), [], Distillation(), 0.0, CPU)
