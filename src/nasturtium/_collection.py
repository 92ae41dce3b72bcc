"""Garbage collection while what is made all stays: looking through it again and again is in vain.

How often garbage is collected is a setting of the process, so that searches in several threads, or one
inside another, share it: the first changes it, the last puts it back.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_LOCK = Lock()
_BEFORE: list[tuple[int, int, int]] = []
"""The thresholds before each search that is under way; the first entry is the user's."""


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold off garbage collection while many objects are made that all stay: a fifth of the time."""
    with _LOCK:
        was_enabled = gc.isenabled()
        gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def rare_collection() -> Iterator[None]:
    """Collect garbage less often while a log grows, which all stays: an eighth of a cheap trial's time."""
    with _LOCK:
        _BEFORE.append(gc.get_threshold())
        youngest, *older = _BEFORE[-1]
        gc.set_threshold(max(youngest, 10_000) if youngest else 0, *older)
    try:
        yield
    finally:
        with _LOCK:
            before = _BEFORE.pop()
            if not _BEFORE:
                gc.set_threshold(*before)
