"""Trees: XGBoost's gradient-boosted trees, kept as matrices.

A tree becomes three tables: the value and the threshold that each inner node compares, which
leaf lies on which side of which node, and what each leaf says. A window then finds its leaf by
one matrix product, on any engine that multiplies.

References
----------
Chen, Guestrin: "XGBoost: a scalable tree boosting system", KDD 2016. Nakandala et al.: "A tensor
compiler for unified machine learning prediction serving" (Hummingbird), OSDI 2020.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from genrekit.arrays import Float32, Int64
from genrekit.artifact.sections import InputSpec

from .closed_form import ClosedFormModel, vector_size

ROUNDS = 120  # trees per genre
DEPTH = 4
LEARNING_RATE = 0.1
SHARE = 0.7  # of the windows and of the values that a tree may look at
_STEEP = 1e30  # a difference times this, clipped to 0..1, is "greater than" without a comparison


class BoostedTrees(ClosedFormModel):
    """Logits are the sums of what the genre's trees say.

    Parameters
    ----------
    n_values, n_labels : int
    """

    values: torch.Tensor
    thresholds: torch.Tensor
    sides: torch.Tensor
    left_turns: torch.Tensor
    says: torch.Tensor
    start: torch.Tensor

    def __init__(self, n_values: int, n_labels: int) -> None:
        super().__init__(n_labels)
        self.n_values = n_values
        self.register_buffer("values", torch.zeros(n_labels, dtype=torch.int64))
        self.register_buffer("thresholds", torch.zeros(n_labels, 1))
        self.register_buffer("sides", torch.zeros(n_labels, 1, 2))
        self.register_buffer("left_turns", torch.zeros(n_labels, 1, 2))
        self.register_buffer("says", torch.zeros(n_labels, 1, 2))
        self.register_buffer("start", torch.zeros(n_labels))

    def solve(self, windows: Float32, labels: Int64) -> None:
        """Boost trees, one per genre and round."""
        import xgboost

        settings = {
            "objective": "multi:softprob",
            "num_class": self.n_labels,
            "max_depth": DEPTH,
            "eta": LEARNING_RATE,
            "subsample": SHARE,
            "colsample_bytree": SHARE,
            "seed": int(torch.initial_seed() % 2**31),
            "nthread": torch.get_num_threads(),
        }
        booster = xgboost.train(settings, xgboost.DMatrix(windows, labels), ROUNDS)
        dumped = [json.loads(tree) for tree in booster.get_dump(dump_format="json")]
        trees = [_Tables(tree) for tree in dumped]
        self.fill(
            values=np.concatenate([tree.values for tree in trees]),
            thresholds=np.stack([tree.thresholds for tree in trees]),
            sides=np.stack([tree.sides for tree in trees]),
            left_turns=np.stack([tree.left_turns for tree in trees])[:, None],
            says=np.stack([tree.says for tree in trees])[:, None],
            start=_start(booster, self.n_labels),
        )

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Compute logits, shape (windows, labels)."""
        trees, nodes = self.thresholds.shape
        # Left is where the value is below the threshold: exactly 1 there, exactly 0 elsewhere.
        seen = windows.index_select(1, self.values).reshape(-1, trees, nodes)
        left = ((self.thresholds - seen) * _STEEP).clamp(0.0, 1.0)
        # A leaf is reached if every turn on its path was taken; else the sum falls short.
        agreed = left.transpose(0, 1) @ self.sides  # (trees, windows, leaves)
        reached = (agreed - self.left_turns + 1.0).clamp(0.0, 1.0)
        said = (reached * self.says).sum(dim=2).transpose(0, 1)  # (windows, trees)
        return said.reshape(-1, trees // self.n_labels, self.n_labels).sum(dim=1) + self.start


class _Tables:
    """One tree, filled up to DEPTH: below an early leaf every leaf says the same."""

    def __init__(self, root: dict[str, Any]) -> None:
        nodes, leaves = 2**DEPTH - 1, 2**DEPTH
        self.values = np.zeros(nodes, np.int64)
        self.thresholds = np.zeros(nodes, np.float32)
        self.sides = np.zeros((nodes, leaves), np.float32)
        self.left_turns = np.zeros(leaves, np.float32)
        self.says = np.zeros(leaves, np.float32)
        for leaf in range(leaves):
            for level in range(DEPTH):
                node = 2**level - 1 + (leaf >> (DEPTH - level))
                is_left = not leaf >> (DEPTH - 1 - level) & 1
                self.sides[node, leaf] = 1.0 if is_left else -1.0
                self.left_turns[leaf] += is_left
        self._place(root, 0, 0)

    def _place(self, node: dict[str, Any], index: int, level: int) -> None:
        if "leaf" in node:
            span = 2 ** (DEPTH - level)
            first = (index - (2**level - 1)) * span
            self.says[first : first + span] = node["leaf"]
            return
        self.values[index] = int(node["split"].removeprefix("f"))
        self.thresholds[index] = node["split_condition"]
        children = {child["nodeid"]: child for child in node["children"]}
        self._place(children[node["yes"]], 2 * index + 1, level + 1)
        self._place(children[node["no"]], 2 * index + 2, level + 1)


def _start(booster: Any, n_labels: int) -> Float32:
    """Return the logits before any tree."""
    settings = json.loads(booster.save_config())["learner"]["learner_model_param"]
    given = settings["base_score"]
    parts = json.loads(given) if given.startswith("[") else [float(given)]
    return np.resize(np.asarray(parts, np.float32), n_labels)


def boosted_trees(inputs: tuple[InputSpec, ...], n_labels: int) -> BoostedTrees:
    """Build boosted trees for one vector."""
    return BoostedTrees(vector_size(inputs), n_labels)
