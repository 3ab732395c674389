"""Finishing: the chosen candidate becomes an artifact, proven on the test tracks."""

from __future__ import annotations

from pathlib import Path

from genrekit.runtime.arrays import Float32
from genrekit.runtime.artifact import Artifact, read_artifact, write_artifact
from genrekit.runtime.card import Compression
from genrekit.runtime.engines import load_engine
from genrekit.runtime.errors import EngineError
from genrekit.runtime.verify import verify

from .cards import draft_card, provisional, with_proof, with_reference
from .chain import Chain, Workshop
from .onnx_export import OUTPUT, export_onnx
from .proof import Proof, prove, torch_logits


def finish(workshop: Workshop, chain: Chain, out: Path, *, licence: str) -> tuple[Artifact, Proof]:
    """Write a candidate with its card; nothing is written unless it verifies.

    Parameters
    ----------
    workshop : Workshop
        Has made the candidate.
    chain : Chain
    out : Path
        `*.onnx`.
    licence : str
        Of the file.

    Returns
    -------
    Artifact
    Proof
        The run's network before, the file after, on the test tracks.

    Raises
    ------
    EngineError
        If the file fails its own verification.
    """
    run, spec, model = workshop.run, workshop.spec, workshop.model(chain)
    card = draft_card(
        run,
        inputs=(spec,),
        output=OUTPUT,
        compression=Compression(
            steps=chain.steps(workshop.epochs),
            source_bytes=len(export_onnx(workshop.teacher, [spec])),
            label_agreement=None,
            agreement_n=0,
        ),
        licence=licence,
    )
    engine = load_engine(provisional(out, "onnx", model, card))

    def logits(inputs: tuple[Float32, ...]) -> Float32:
        return engine.run({spec.name: inputs[0]})

    tracks = run.tracks("test")
    material = run.material(tracks)
    proof = prove(torch_logits(workshop.teacher), logits, material, list(material.features))
    protocol = run.settings.split.protocol
    card = with_reference(with_proof(card, proof, f"test tracks of the {protocol} split"), engine)
    if not verify(provisional(out, "onnx", model, card)).passed:
        raise EngineError(f"{out}: not written, it fails its own verification")
    return read_artifact(write_artifact(out, model, card).path), proof
