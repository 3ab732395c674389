"""Progress: a bar with the time left, on a terminal and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show bars on stderr while the context lasts.

    Yields
    ------
    callable
        Called with a title, things done and things in all; a new title opens a new bar.
        What starts with the same word continues the bar of that word.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def show(title: str, done: int, total: int) -> None:
            word = title.split(maxsplit=1)[0]
            if word not in tasks:
                tasks[word] = bars.add_task(title, total=total)
            bars.update(tasks[word], description=title, completed=done, total=total)

        yield show
