"""Where tasks come from: named data sets, files and folders, and the text that names one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nasturtium._registry import Registry, parameters
from nasturtium.errors import DataError, UnknownNameError, UsageError, near_matches

if TYPE_CHECKING:
    from nasturtium.tasks._base import Task
    from nasturtium.tasks._problem import Problem


class TaskSource(ABC):
    """Something a task is loaded from; its constructor stores its arguments unchanged."""

    @abstractmethod
    def load(self) -> Task | Problem:
        """Return the task; the same one in every process as long as the data stays.

        Raises:
            DataError: The data is missing or unusable; the message names the file.
        """


class FileSource(TaskSource):
    """A source that is found by looking at a path; its first argument is ``path``.

    Class attributes:
        packed: What may stand in place of a path: names of data in the wheel.
    """

    packed: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def reads(cls, path: Path) -> bool:
        """Return whether an existing file or folder looks like what this source reads.

        At most one registered source says so. It looks at names, not into files.
        """


TASKS: Registry[TaskSource] = Registry("task", "nasturtium.tasks")


def load_task(text: str, *, target: str | None = None) -> Task | Problem:
    """Return the task that a text names, as on the command line.

    Args:
        text: A name such as ``"digits"``; a call with arguments such as
            ``"image-folder(path='photos', size=32)"``; a name and its path, such as
            ``"text:play.txt"``; or the path of a folder of class folders with images, of a folder
            of IDX files, of a ``.npz`` file with x and y, of a ``.csv`` or ``.parquet`` table, or
            of a ``.txt`` file. A name wins over a file of the same name; write ``./digits`` for
            that one.
        target: Of a table, the column to be told from the others.

    Raises:
        UnknownNameError: Neither a name nor a path; near matches are offered.
        UsageError: There is a target, and the data is no table.
        DataError: The path does not exist, or its data is unusable.

    Example:
        >>> load_task("digits")
        Task(digits: (1, 8, 8) -> 10 classes; 1151 train, 287 valid, 359 test)
    """
    try:
        source = _targeted(_source(text), target, text)
        return replace(source.load(), source=_text(source))
    except OSError as error:  # a folder without permission, a disk that fails
        raise DataError(f"a task must be readable, got {text!r} ({error}); mend that.") from error


def _targeted(source: TaskSource, target: str | None, text: str) -> TaskSource:
    if target is None:
        return source
    given = {key: getattr(source, key) for key in parameters(type(source))}
    if "target" not in given:
        raise UsageError(f"a target is a column of a .csv or .parquet file, got {target!r} for {text!r}; leave it out.")
    return TASKS.make(str(TASKS.name_of(type(source))), {**given, "target": target})


def _source(text: str) -> TaskSource:
    name = text.partition("(")[0].strip()
    if name in TASKS.names():
        return TASKS.create(text)
    kind, colon, path = text.partition(":")
    if colon and kind in TASKS.names():
        return _source_of_kind(kind, path)
    # Path.exists raises on some texts that are no path, such as a very long one.
    if os.path.exists(os.path.expanduser(text)):
        return _source_at(Path(text).expanduser().resolve())
    if _looks_like_a_path(text):
        raise DataError(f"a task's path must exist, got {text!r}; check the spelling.")
    known = near_matches(name, TASKS.names())
    raise UnknownNameError(f"unknown task {text!r}, which is no file either; {known}")


def _source_of_kind(kind: str, path: str) -> TaskSource:
    """Return the source of a text such as ``"text:play.txt"``."""
    cls = TASKS.get(kind)
    if not issubclass(cls, FileSource):
        raise UsageError(f"a path follows the name of a task that reads files, got {kind}:{path}; write {kind}.")
    if path in cls.packed:
        return TASKS.make(kind, {"path": path})
    if not os.path.exists(os.path.expanduser(path)):
        names = f", or write {kind}:{' or '.join(cls.packed)}" if cls.packed else ""
        raise DataError(f"a task's path must exist, got {path!r}; check the spelling{names}.")
    return TASKS.make(kind, {"path": str(Path(path).expanduser().resolve())})


def _source_at(path: Path) -> TaskSource:
    for name, cls in TASKS:
        if issubclass(cls, FileSource) and cls.reads(path):
            return TASKS.make(name, {"path": str(path)})
    if path.is_dir():
        # What no other source knows; it also says best what a folder lacks.
        return TASKS.make("image-folder", {"path": str(path)})
    raise DataError(
        f"a task's file must be a .npz, .csv, .parquet or .txt, got {path}; save arrays by numpy.savez(file, x=x, y=y)."
    )


def _looks_like_a_path(text: str) -> bool:
    return any(mark in text for mark in (os.sep, "/", "~")) or bool(Path(text).suffix)


def _text(source: TaskSource) -> str:
    """Return the text from which the source is made again."""
    given = {key: getattr(source, key) for key in parameters(type(source))}
    defaults = parameters(type(source))
    arguments = [f"{key}={value!r}" for key, value in given.items() if value != defaults[key]]
    name = TASKS.name_of(type(source))
    return f"{name}({', '.join(arguments)})" if arguments else str(name)
