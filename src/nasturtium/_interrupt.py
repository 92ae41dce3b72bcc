"""Interruptions: the first signal ends a command in good order, the second at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, final

import typer

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from rich.console import Console

INTERRUPTED = 130
"""The exit code."""

SHOW_CURSOR = b"\x1b[?25h\n"


@final
class Interruptible:
    """A block that SIGINT (Ctrl-C) or SIGTERM ends with exit code 130 and a line on the way on.

    The signal raises KeyboardInterrupt in the main thread, so that the engine puts back what is in
    flight and ends its workers. A second one ends the process at once; its workers end with it, and
    the log is whole at any moment.

    Args:
        console: Where the line goes.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.way_on = ""
        """The command that goes on; empty as long as nothing is stored."""
        self._is_first = True
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interruptible:
        """Take the signals over; in another thread than the main one nothing happens."""
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._handle) for each in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the signals back; after an interruption, say how to go on and exit."""
        for each, handler in self._before.items():
            signal.signal(each, handler)  # type: ignore[arg-type]
        if isinstance(error, KeyboardInterrupt):
            self._say()
            raise typer.Exit(INTERRUPTED) from error

    def _say(self) -> None:
        if self.way_on:
            self.console.print(f"interrupted; everything measured is kept: {self.way_on}")
        else:
            self.console.print("interrupted before there was anything to keep; nothing was written.")

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._is_first:
            self._is_first = False
            raise KeyboardInterrupt
        if os.isatty(sys.stdout.fileno()):
            os.write(sys.stdout.fileno(), SHOW_CURSOR)
        os.write(2, f"interrupted: {self.way_on}\n".encode())
        os._exit(INTERRUPTED)
