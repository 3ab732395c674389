"""Distil: a small model learns from what larger ones say, not from the labels alone.

Teacher and student see the very same window, augmented and mixed (Beyer et al.: "consistent
teaching"), so that every random window is a new lesson even on few tracks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from genrekit.errors import ConfigError
from genrekit.train.fitting.torch_learner import TorchLearner


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Distillation:
    """How a student listens to its teachers.

    Parameters
    ----------
    temperature : float
        Both distributions are softened by it; at least 1.
    soft_share : float
        Weight of the teachers against the labels, 0..1.
    feature_weight : float
        Weight of the difference between the similarities of a batch's windows in the student's
        features and in the first teacher's; 0 leaves features out.
    student_layer, teacher_layer : str
        Names of the modules whose outputs are the features; needed with a `feature_weight`.

    References
    ----------
    Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015. Tung, Mori,
    "Similarity-preserving knowledge distillation", ICCV 2019: features.
    """

    temperature: float = 2.0
    soft_share: float = 0.7
    feature_weight: float = 0.0
    student_layer: str = ""
    teacher_layer: str = ""

    def __post_init__(self) -> None:
        if not 1.0 <= self.temperature <= 100.0:
            raise ConfigError(f"temperature={self.temperature}: must be 1..100")
        if not 0.0 <= self.soft_share <= 1.0 or self.feature_weight < 0.0:
            raise ConfigError(
                f"soft_share={self.soft_share}, feature_weight={self.feature_weight}: must be "
                "0..1 and not negative"
            )
        if self.feature_weight > 0.0 and not (self.student_layer and self.teacher_layer):
            raise ConfigError("feature_weight: name student_layer and teacher_layer with it")


def distillation_loss(
    student: torch.Tensor,
    teacher: torch.Tensor,
    targets: torch.Tensor,
    *,
    temperature: float,
    soft_share: float,
) -> torch.Tensor:
    """Blend the distance to the teachers with the cross-entropy of the labels.

    Parameters
    ----------
    student : float32, shape (n, labels)
        Logits.
    teacher : float32, shape (n, labels)
        Probabilities, already softened.
    targets : float32, shape (n, labels)
        Probabilities.
    temperature, soft_share : float

    Returns
    -------
    float32, shape ()
        In nats; the soft part is multiplied by the temperature squared, so that its gradients
        keep their size.
    """
    softened = functional.log_softmax(student / temperature, dim=1)
    soft = functional.kl_div(softened, teacher, reduction="batchmean") * temperature**2
    hard = functional.cross_entropy(student, targets)
    return soft_share * soft + (1.0 - soft_share) * hard


class DistillingLearner(TorchLearner):
    """Fits a student to its teachers and the labels; used as any learner.

    Parameters
    ----------
    student : torch.nn.Module
    teachers : sequence of torch.nn.Module
        Take the same inputs; their probabilities are averaged.
    plan : Distillation
    weight_decay : float
    device : torch.device
    """

    def __init__(
        self,
        student: nn.Module,
        teachers: Sequence[nn.Module],
        plan: Distillation,
        weight_decay: float,
        device: torch.device,
    ) -> None:
        if not teachers:
            raise ConfigError("distillation needs at least one teacher")
        super().__init__(student, weight_decay, device)
        self._plan = plan
        self._teachers = [teacher.to(device).eval().requires_grad_(False) for teacher in teachers]
        self._similarity = (
            _Similarity(student, self._teachers[0], plan) if plan.feature_weight else None
        )

    def loss(self, inputs: tuple[torch.Tensor, ...], targets: torch.Tensor) -> torch.Tensor:
        """Compute the blended loss of one batch."""
        plan = self._plan
        with torch.no_grad():
            said = [teacher(*inputs) / plan.temperature for teacher in self._teachers]
            soft = torch.stack([logits.softmax(dim=1) for logits in said]).mean(dim=0)
        loss = distillation_loss(
            self.model(*inputs),
            soft,
            targets,
            temperature=plan.temperature,
            soft_share=plan.soft_share,
        )
        if self._similarity is None:
            return loss
        return loss + plan.feature_weight * self._similarity.distance()


class _Similarity:
    """Listens to one layer of each model and compares which windows each finds alike.

    Similarities of windows within a batch have no channels, so layers of any two widths can be
    compared without a mapping that would have to be trained.
    """

    def __init__(self, student: nn.Module, teacher: nn.Module, plan: Distillation) -> None:
        self._heard: dict[str, torch.Tensor] = {}
        self._listen("student", student, plan.student_layer)
        self._listen("teacher", teacher, plan.teacher_layer)

    def _listen(self, name: str, model: nn.Module, layer: str) -> None:
        try:
            module = model.get_submodule(layer)
        except AttributeError as error:
            raise ConfigError(f"the {name} has no layer {layer!r:.60}") from error

        def hear(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
            self._heard[name] = output.flatten(1)

        module.register_forward_hook(hear)

    def distance(self) -> torch.Tensor:
        """Mean squared difference of both similarity matrices, rows of unit length."""
        mine, theirs = (
            functional.normalize(heard @ heard.T)
            for heard in (self._heard["student"], self._heard["teacher"])
        )
        return functional.mse_loss(mine, theirs)
