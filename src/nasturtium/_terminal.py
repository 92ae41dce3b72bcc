"""Where a command writes: results, data for programs, complaints, and that it takes its time."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from rich.console import Console


def console() -> Console:
    """Return where results go; a pipe gets wide lines, so that no table is cut."""
    usual = Console(highlight=False)
    if usual.is_terminal:
        return usual
    return Console(highlight=False, width=max(usual.width, 160))


def error_console() -> Console:
    """Return where complaints go: one line each, however long."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def waiting(text: str) -> AbstractContextManager[object]:
    """Return what shows, on a terminal, that something takes its time."""
    shown = console()
    return shown.status(f"{text} ...") if shown.is_terminal else nullcontext()


@contextmanager
def progress(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show, on a terminal, how many of some parts are over; yields what is to be called with (over, all)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = error_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, disable=not shown.is_terminal, transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda over, total: bar.update(task, completed=over, total=total)


def say(text: str) -> None:
    """Write a text as it is."""
    Console(highlight=False, markup=False, soft_wrap=True).print(text)


def say_json(data: Any) -> None:
    """Write data as JSON."""
    sys.stdout.write(json.dumps(data, indent=2, allow_nan=False) + "\n")


def complain(text: str) -> None:
    """Write one line on standard error."""
    error_console().print(" ".join(f"error: {text}".split()))
