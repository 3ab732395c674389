"""Program: run commands of genrekit and tell what each said, opened and tried.

Reads a JSON list of argument lists from standard input; prints one JSON object per command.
Opening a socket and unpickling are forbidden: they raise.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from typing import Any

FORBIDDEN = ("socket.", "pickle.find_class", "marshal.load", "os.system", "os.exec")
FORBIDDEN += ("urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.")
ENGINES = ("onnxruntime", "ai_edge_litert", "tflite_runtime", "tensorflow")

opened: list[str] = []
tried: list[str] = []
started: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is opened; refuse what is forbidden."""
    if event == "open" and isinstance(arguments[0], str | bytes):
        opened.append(os.fsdecode(arguments[0]))
    elif event == "subprocess.Popen":
        started.append(os.fsdecode(arguments[0]))
    elif event.startswith(FORBIDDEN) and not _is_import():
        tried.append(event)
        raise PermissionError(f"forbidden: {event}")


def _is_import() -> bool:
    """Tell whether the import system itself is at work: it unmarshals Python's own bytecode."""
    frame = sys._getframe(2)
    return frame.f_code.co_filename.startswith("<frozen importlib")


def run(arguments: list[str]) -> dict[str, Any]:
    """Run one command."""
    from genrekit.commands.main import main

    for noted in (opened, tried, started):
        noted.clear()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:
            status = -1
            traceback.print_exc()
    return {
        "status": status,
        "stdout": out.getvalue(),
        "stderr": err.getvalue(),
        "opened": sorted(set(opened)),
        "tried": list(tried),
        "started": list(started),
        "engines": [name for name in ENGINES if name in sys.modules],
    }


if __name__ == "__main__":
    commands = json.load(sys.stdin)
    sys.addaudithook(watch)
    for command in commands:
        print(json.dumps(run(command)), flush=True)
