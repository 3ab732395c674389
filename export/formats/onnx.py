"""ONNX export: a PyTorch model as one self-contained float graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import onnx
import torch

from genrekit.artifact.sections import InputSpec
from genrekit.errors import EngineError

# The exporter writes 18 natively; asking for 17 would have it converted down.
OPSET = 18
OUTPUT = "logits"


def export_onnx(model: torch.nn.Module, inputs: Sequence[InputSpec]) -> bytes:
    """Export a model for any number of windows, its weights inside.

    The same model gives the same bytes: what the exporter notes about its own run (source
    lines, stack traces, versions) is left out.

    Parameters
    ----------
    model : torch.nn.Module
        Takes one float32 tensor, shape (windows, *spec.shape), per input, in their order, and
        gives logits, shape (windows, labels). It is moved to the CPU and set to evaluation.
    inputs : sequence of InputSpec
        Name the graph's inputs and give their shapes.

    Returns
    -------
    bytes
        A checked ModelProto; its output is named `OUTPUT`.

    Raises
    ------
    EngineError
        If the model cannot be traced or exported.
    """
    model = model.cpu().eval()
    # Training leaves channels last, which the exporter would write down as extra shape operators.
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # not in its stub
    # Two windows: torch.export takes an axis of size 1 for a constant.
    example = tuple(torch.zeros(2, *spec.shape) for spec in inputs)
    windows = torch.export.Dim("windows")
    try:
        with warnings.catch_warnings():
            # torch's exporter uses what torch has deprecated, and copies weights it need not.
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                model,
                example,
                input_names=[spec.name for spec in inputs],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamic_shapes=tuple({0: windows} for _ in inputs),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # torch's exporters share no root but Exception
        cause = error.__cause__ or error  # the exporter wraps it into a page of advice
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        raise EngineError(f"torch cannot export this model to ONNX: {reason:.300}") from error
    if program is None:
        raise EngineError("torch exported nothing")
    graph = program.model_proto
    strip_notes(graph)
    onnx.checker.check_model(graph, full_check=True)
    return bytes(graph.SerializeToString(deterministic=True))


def strip_notes(model: onnx.ModelProto) -> None:
    """Remove, in place, everything that does not change what the graph computes."""
    for field in ("metadata_props", "doc_string", "producer_name", "producer_version"):
        model.ClearField(field)
    graph = model.graph
    # Shapes of inner tensors are inferred again by whoever loads the graph.
    graph.ClearField("value_info")
    noted = [graph, *graph.node, *graph.input, *graph.output, *graph.initializer]
    for item in noted:
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    used = {node.domain for node in graph.node} | {function.domain for function in model.functions}
    kept = [opset for opset in model.opset_import if opset.domain in used | {""}]
    del model.opset_import[:]
    model.opset_import.extend(kept)
