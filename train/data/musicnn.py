"""musicnn: pretrained weights that know music, out of a wheel of the package index.

The wheel is fetched through pip, its SHA-256 is checked, and its checkpoint is read as data: none
of the wheel's code runs. What is kept is one safetensors file a network, with licence and origin.

References
----------
Pons, Serra: "musicnn: pre-trained convolutional neural networks for music audio tagging", late
breaking demo, ISMIR 2019.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np

from genrekit.arrays import Float32
from genrekit.engines.interpreters import prepare_tensorflow
from genrekit.errors import DataError
from genrekit.files import write_whole

Network = Literal["MSD", "MTT"]
NETWORKS: tuple[Network, ...] = ("MSD", "MTT")
REQUIREMENT = "musicnn==0.1.0"
SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
NOTICE = """\
Weights of musicnn 0.1.0: Copyright (c) Music Technology Group, Universitat Pompeu Fabra 2019. \
Code developed by Jordi Pons. Permission to use, copy, modify, and/or distribute this software \
for any purpose with or without fee is hereby granted, provided that the above copyright notice \
and this permission notice appear in all copies. THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR \
DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF \
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, \
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR \
PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR \
IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE. (ISC; taken from the wheel of that \
name. The same group offers its Essentia conversions of these networks as CC BY-NC-SA 4.0.)"""
CITATION = "Pons, Serra: musicnn, late breaking demo, ISMIR 2019"
# fmt: off
TAGS = {
    "MSD": (
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
        "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
        "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s",
        "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
        "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country",
        "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock",
        "60s", "rnb", "indie pop", "sad", "House", "happy",
    ),
}
# fmt: on
_MAX_WHEEL_BYTES = 1 << 26
_FILES = ("index", "data-00000-of-00001")
_OPTIMIZER = ("Adam", "beta1_power", "beta2_power", "global_step")


def fetch_musicnn(out: Path, *, wheel: Path | None = None) -> list[Path]:
    """Write the weights of both networks into a folder.

    Parameters
    ----------
    out : Path
        Folder to fill: `MSD_musicnn.safetensors` and `MTT_musicnn.safetensors`.
    wheel : Path, optional
        The wheel, where there is no network.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    DataError
        If the wheel cannot be had, is another one, or lacks a tensor; nothing is written then.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = wheel or _download(Path(folder))
        _check(source)
        found = {network: _read_checkpoint(source, network, Path(folder)) for network in NETWORKS}
    out.mkdir(parents=True, exist_ok=True)
    return [_write(out / f"{network}_musicnn.safetensors", found[network]) for network in NETWORKS]


def load_musicnn(path: Path) -> dict[str, Float32]:
    """Read a network's tensors, by the names of its checkpoint.

    Raises
    ------
    DataError
        If the file is gone, or not of a musicnn network.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors: dict[str, Float32] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path}: no weights of musicnn ({error}); make them with 'genrekit data get musicnn'"
        ) from error
    _require_whole(tensors, str(path))
    return tensors


def _download(folder: Path) -> Path:
    command = ("download", "--no-deps", "--quiet", "--dest", str(folder), REQUIREMENT)
    done = subprocess.run(  # noqa: S603 - pip of this Python, fixed words
        [sys.executable, "-m", "pip", *command], capture_output=True, text=True
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise DataError(
            f"{REQUIREMENT} cannot be fetched: {reason}; fetch its wheel elsewhere and name it "
            "with --wheel"
        )
    return wheels[0]


def _check(wheel: Path) -> None:
    try:
        size = wheel.stat().st_size
        if size > _MAX_WHEEL_BYTES:
            raise DataError(f"{wheel}: {size} bytes, over {_MAX_WHEEL_BYTES}: not musicnn 0.1.0")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{wheel}: cannot be read: {error.strerror}") from error
    if digest != SHA256:
        raise DataError(f"{wheel}: its SHA-256 is {digest}, musicnn 0.1.0 has {SHA256}")


def _read_checkpoint(wheel: Path, network: Network, folder: Path) -> dict[str, Float32]:
    prepare_tensorflow()
    import tensorflow as tf

    prefix = folder / network
    with zipfile.ZipFile(wheel) as archive:
        for name in _FILES:  # the wheel's have no prefix, which the reader needs
            member = archive.read(f"musicnn/{network}_musicnn/.{name}")
            prefix.with_name(f"{network}.{name}").write_bytes(member)
    reader = tf.train.load_checkpoint(str(prefix))
    names = reader.get_variable_to_shape_map()
    tensors = {
        name: np.asarray(reader.get_tensor(name), np.float32)
        for name in sorted(names)
        if not any(word in name for word in _OPTIMIZER)
    }
    _require_whole(tensors, f"{wheel}: {network}")
    return tensors


def _require_whole(tensors: dict[str, Float32], where: str) -> None:
    needed = {"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"}
    needed |= {f"{_numbered('conv2d', i)}/{part}" for i in range(8) for part in ("kernel", "bias")}
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    needed |= {f"{_numbered('batch_normalization', i)}/{p}" for i in range(11) for p in parts}
    if missing := sorted(needed - tensors.keys()):
        raise DataError(f"{where}: lacks {missing[0]}: not the weights of musicnn")


def _numbered(stem: str, index: int) -> str:
    return f"{stem}_{index}" if index else stem


def _write(path: Path, tensors: dict[str, Float32]) -> Path:
    from safetensors.numpy import save

    origin = {"licence": NOTICE, "citation": CITATION, "origin": f"{REQUIREMENT} ({SHA256})"}
    write_whole(path, save(tensors, metadata=origin))
    return path
