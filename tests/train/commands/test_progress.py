from __future__ import annotations

import pytest

from genrekit.train.commands import progress
from genrekit.train.commands.progress import progress_bars


def test_a_log_gets_a_line_only_when_the_last_is_old(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with progress_bars() as show:
        for second in range(0, 100, 5):
            now = float(second)
            show("training, best so far 71.0%", second, 100)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"training, best so far 71.0%: {second}/100" for second in (30, 60, 90)
    ]
