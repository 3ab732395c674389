from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from genrekit.library.process_pool import process_pool

PARENT = """
import sys, time
from genrekit.library.process_pool import process_pool

if __name__ == "__main__":
    pool = process_pool(2)
    print(*{pool.submit(__import__("os").getpid).result() for _ in range(20)}, flush=True)
    for _ in range(2):
        pool.submit(time.sleep, float(sys.argv[1]))
    time.sleep(60)
"""


def is_running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_processes_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    for busy_s in ("0", "60"):  # waiting for work, and in the middle of it
        with subprocess.Popen(
            [sys.executable, program, busy_s], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            children = [int(word) for word in parent.stdout.readline().split()]
            assert children
            assert all(is_running(child) for child in children)
            parent.send_signal(signal.SIGKILL)
        end = time.monotonic() + 20.0
        while any(is_running(child) for child in children):
            assert time.monotonic() < end, f"{children} live on"
            time.sleep(0.05)


def test_the_initializer_runs_with_its_arguments(tmp_path: Path) -> None:
    with process_pool(1, os.chdir, tmp_path) as pool:
        assert pool.submit(os.getcwd).result() == str(tmp_path)
