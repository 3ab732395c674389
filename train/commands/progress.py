"""Progress: a bar with the time left on a terminal, now and then a line in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG_PERIOD_S = 30.0  # of lines where no terminal shows bars

Show = Callable[[str, int, int], None]


@contextmanager
def progress_bars() -> Iterator[Show]:
    """Show on stderr how far it got, while the context lasts.

    Yields
    ------
    callable
        Called with a title, things done and things in all; a new title opens a new bar.
        What starts with the same word continues the bar of that word.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks = {}

        def show(title: str, done: int, total: int) -> None:
            word = title.split(maxsplit=1)[0]
            if word not in tasks:
                tasks[word] = bars.add_task(title, total=total)
            bars.update(tasks[word], description=title, completed=done, total=total)

        yield show


def _lines(console: Console) -> Show:
    """Return a `show` that prints a line when the last one is `LOG_PERIOD_S` old."""
    last = time.monotonic()

    def show(title: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LOG_PERIOD_S:
            last = now
            console.print(f"{title}: {done}/{total}", highlight=False, soft_wrap=True)

    return show
