"""Check a finished APK: what it is, asks for, holds, and how it is signed and aligned.

`python check_apk.py FILE --abis arm64-v8a [x86_64]` prints what was found and exits 1 on the
first thing that is wrong. Needs aapt, apksigner, zipalign and readelf.
"""

# ruff: noqa: T201, S603 -- a script: it prints, and runs commands of its own

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from genrekit.artifact.container import read_artifact

MAX_ARM64_BYTES = 18_000_000
PAGE_BYTES = 16_384
# Upstream's own libraries whose segments are not aligned to 16 KB: they do not load on phones
# with such pages, where the core's own engine takes over.
KNOWN_4K = {"libtensorflowlite_jni.so"}
ENGINES = {".onnx": "libonnxruntime.so", ".tflite": "libtensorflowlite_jni.so"}


class WrongApkError(Exception):
    """Something about the APK is not as it must be."""


def require(fits: bool, message: str) -> None:
    """Raise `WrongApkError` unless `fits`."""
    if not fits:
        raise WrongApkError(message)


def output_of(*command: str) -> str:
    """Run a command that must succeed and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def check_manifest(apk: Path, abis: list[str]) -> None:
    """Check package, versions, the one permission and the one component."""
    badging = output_of("aapt", "dump", "badging", str(apk))
    for wanted in (
        "package: name='org.genrekit.demo'",
        "sdkVersion:'24'",
        "targetSdkVersion:'35'",
        "launchable-activity: name='genrekit.demo.MainActivity'",
    ):
        require(wanted in badging, f"aapt badging lacks {wanted}:\n{badging}")
    permissions = re.findall(r"uses-permission[^:]*: name='([^']*)'", badging)
    require(permissions == ["android.permission.RECORD_AUDIO"], f"permissions: {permissions}")
    native = re.findall(r"native-code: (.*)", badging)
    require(native == [" ".join(f"'{abi}'" for abi in abis)], f"native code: {native}")
    tree = output_of("aapt", "dump", "xmltree", str(apk), "AndroidManifest.xml")
    components = re.findall(r"E: (activity|service|receiver|provider)\b", tree)
    require(components == ["activity"], f"components: {components}")
    print(f"  {badging.splitlines()[0]}")
    print("  minSdk 24, targetSdk 35, permission RECORD_AUDIO alone, one activity")


def check_models(apk: zipfile.ZipFile, unpacked: Path) -> None:
    """Check that both kinds of model are there, whole; say what runs each."""
    names = [name for name in apk.namelist() if name.startswith("assets/")]
    suffixes = sorted({Path(name).suffix for name in names})
    require(suffixes == [".onnx", ".tflite"], f"assets: {names}")
    libraries = {Path(name).name for name in apk.namelist() if name.startswith("lib/")}
    for name in names:
        path = unpacked / Path(name).name
        path.write_bytes(apk.read(name))
        card = read_artifact(path).card
        native = ENGINES[path.suffix]
        engine = native if native in libraries else f"the core's own engine ({native} is absent)"
        print(f"  {name}: {card.name}, hashes ok, run by {engine}")


def check_libraries(apk: zipfile.ZipFile, unpacked: Path) -> None:
    """Check that native libraries are compressed and their segments suit 16 KB pages."""
    for info in apk.infolist():
        if not info.filename.endswith(".so"):
            continue
        require(info.compress_type == zipfile.ZIP_DEFLATED, f"{info.filename}: not compressed")
        path = unpacked / Path(info.filename).name
        path.write_bytes(apk.read(info))
        headers = output_of("readelf", "-lW", str(path))
        aligned = min(
            int(line.split()[-1], 16)
            for line in headers.splitlines()
            if line.split()[:1] == ["LOAD"]
        )
        require(
            aligned >= PAGE_BYTES or path.name in KNOWN_4K,
            f"{info.filename}: segments aligned to {aligned}",
        )
        note = "" if aligned >= PAGE_BYTES else " (upstream lacks 16 KB pages)"
        print(f"  {info.filename}: segments aligned to {aligned // 1024} KB{note}")


def check(path: Path, abis: list[str]) -> None:
    """Check everything.

    Raises
    ------
    WrongApkError
    """
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    check_manifest(path, abis)
    signed = output_of("apksigner", "verify", "--verbose", "--min-sdk-version", "24", str(path))
    require("Verified using v2 scheme (APK Signature Scheme v2): true" in signed, signed)
    print("  signed (v2), verified by apksigner")
    output_of("zipalign", "-c", "-p", "4", str(path))
    print("  aligned, verified by zipalign")
    unpacked = path.parent / "work" / "checked"
    unpacked.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path) as apk:
        check_models(apk, unpacked)
        check_libraries(apk, unpacked)
    if abis == ["arm64-v8a"]:
        size = path.stat().st_size
        require(size <= MAX_ARM64_BYTES, f"{size:,} bytes, over {MAX_ARM64_BYTES:,}")


def main() -> int:
    """Check the APK named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("apk", type=Path)
    parser.add_argument("--abis", nargs="+", required=True)
    args = parser.parse_args()
    try:
        check(args.apk, args.abis)
    except WrongApkError as error:
        print(f"{args.apk}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
