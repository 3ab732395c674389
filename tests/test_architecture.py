"""The laws of the house: import arrows, a bare runtime, nothing unpickled, no registry host."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each folder may import what stands to its right.
ORDER = ("benchmarks", "export", "train", "runtime")
THIRD_PARTY_OF_RUNTIME = {"numpy"}
# Imported by the runtime where they are used, never at import time.
LAZY_IN_RUNTIME = {
    "ai_edge_litert",
    "av",
    "matplotlib",
    "onnxruntime",
    "pyarrow",
    "scipy",
    "sounddevice",
    "soundfile",
    "tensorflow",
    "tflite_runtime",
}


def python_files(folder: str) -> list[Path]:
    files = sorted((ROOT / folder).glob("**/*.py"))
    assert files, folder
    return files


def imports(tree: ast.AST) -> Iterator[str]:
    """Absolute names of everything that a module imports, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("folder", ORDER)
def test_a_folder_is_imported_from_afar_by_its_whole_name_and_from_within_by_dots(
    folder: str,
) -> None:
    for path in python_files(folder):
        for name in imports(ast.parse(path.read_text("utf-8"))):
            parts = name.split(".")
            assert parts[0] not in ORDER, f"{path}: bare import of {name}"
            if parts[0] == "genrekit":
                home = parts[1] if len(parts) > 1 and parts[1] in ORDER else "runtime"
                assert home != folder, f"{path}: {name} should be relative"


def test_runtime_names_no_package_but_its_engines() -> None:
    known = set(sys.stdlib_module_names) | THIRD_PARTY_OF_RUNTIME | LAZY_IN_RUNTIME
    for path in python_files("runtime"):
        for name in imports(ast.parse(path.read_text("utf-8"))):
            assert name.split(".")[0] in known | {"genrekit"}, f"{path}: {name}"


def test_importing_the_cli_loads_numpy_and_nothing_else_from_outside() -> None:
    # With the parser built: as far as one gets without running a command.
    program = (
        "import sys; before = set(sys.modules)\n"
        "from genrekit.commands.main import _build_parser\n"
        "_build_parser(['classify'])\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(' '.join(sorted(new - set(sys.stdlib_module_names))))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) <= {"genrekit", "numpy"}


def test_importing_every_runtime_module_loads_no_lazy_package() -> None:
    paths = [path.relative_to(ROOT).with_suffix("") for path in python_files("runtime")]
    names = [f"genrekit.{'.'.join(path.parts[1:])}" for path in paths]
    names = [name.removesuffix(".__init__") for name in names if "__main__" not in name]
    program = (
        "import importlib, sys\n"
        f"[importlib.import_module(name) for name in {names!r}]\n"
        f"print(sorted({LAZY_IN_RUNTIME!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


UNPICKLERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# What must stand in each call of a function that would unpickle without it.
SAFE = {
    "torch.load": ("weights_only", "True"),
    "np.load": ("allow_pickle", "False"),
    "numpy.load": ("allow_pickle", "False"),
}
UNSAFE = {("allow_pickle", "True"), ("weights_only", "False"), ("safe_mode", "False")}


def unpickling(source: str) -> Iterator[str]:
    """Every way in which a module could run what a file says."""
    tree = ast.parse(source)
    yield from (name for name in imports(tree) if name.split(".")[0] in UNPICKLERS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"torch", "numpy"}:
            yield from (
                f"load, by that name: {node.lineno}" for a in node.names if a.name == "load"
            )
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        settings = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in {"eval", "exec", "compile", "__import__"}:
            yield f"{called}: {node.lineno}"
        if called.split(".")[-1] in {"read_pickle", "Unpickler", "unsafe_load"}:
            yield f"{called}: {node.lineno}"
        if called in SAFE and settings.get(SAFE[called][0]) != SAFE[called][1]:
            yield f"{called} without {SAFE[called][0]}: {node.lineno}"
        if UNSAFE & set(settings.items()):
            yield f"{called} says that it unpickles: {node.lineno}"


def test_nothing_is_unpickled_or_evaluated() -> None:
    for folder in ORDER:
        for path in python_files(folder):
            assert not list(unpickling(path.read_text("utf-8"))), path


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(f)",
        "torch.load(f, weights_only=False)",
        "from torch import load",
        "np.load(f)",
        "np.load(f, allow_pickle=True)",
        "archive.open(f, allow_pickle=True)",
        "pandas.read_pickle(f)",
        "tf_keras.models.load_model(f, safe_mode=False)",
        "exec(text)",
    ],
)
def test_the_walk_finds_what_unpickles(source: str) -> None:
    assert list(unpickling(source))
    assert not list(unpickling("torch.load(f, weights_only=True); np.load(f, allow_pickle=False)"))


def test_asserts_never_check_input() -> None:
    for folder in ORDER:
        for path in python_files(folder):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}"


def test_no_file_names_a_registry_host() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry." + "npmjs", "repo" + "1.maven"]
    hosts += ["repo.maven" + ".apache", "deb.debian" + ".org", "crates" + ".io"]
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        for host in hosts:
            assert host.encode() not in content, f"{name} names {host}"
