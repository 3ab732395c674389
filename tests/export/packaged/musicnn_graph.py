"""The judge, run as a program: the wheel's own TensorFlow 1 graph on patches.

python musicnn_graph.py WHEEL PATCHES.npy OUT.npz
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def main() -> None:
    wheel, patches, out = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(wheel) as archive:
        folder = Path(name)
        for part in ("index", "data-00000-of-00001", "meta"):
            (folder / f"m.{part}").write_bytes(archive.read(f"musicnn/MSD_musicnn/.{part}"))
        meta = tf1.MetaGraphDef()
        meta.ParseFromString((folder / "m.meta").read_bytes())
        graph_def = tf1.graph_util.extract_sub_graph(meta.graph_def, ["model/Sigmoid"])
        for node in graph_def.node:
            node.attr.pop("_output_shapes", None)
        reader = tf.train.load_checkpoint(str(folder / "m"))
        with tf1.Graph().as_default() as graph:
            tf1.import_graph_def(graph_def, name="")
            logits = graph.get_operation_by_name("model/Sigmoid").inputs[0]
            weights = logits.op.inputs[0]  # of the last dense layer: what it multiplies
            embedding = weights.op.inputs[0]
            while embedding.op.type in ("Identity", "Merge", "Mul", "Switch"):
                if embedding.op.type == "Mul":  # dropout's scale
                    break
                embedding = embedding.op.inputs[0]
            with tf1.Session() as session:
                for node in graph_def.node:
                    if node.op in ("VariableV2", "Variable"):
                        value = reader.get_tensor(node.name)
                        session.run(
                            tf1.raw_ops.Assign(
                                ref=graph.get_tensor_by_name(f"{node.name}:0"), value=value
                            )
                        )
                given = {"model/Placeholder:0": np.load(patches), "model/Placeholder_2:0": False}
                found = session.run({"logits": logits, "embedding": embedding}, given)
    np.savez(out, **found)


if __name__ == "__main__":
    main()
