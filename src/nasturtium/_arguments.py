"""How the command line reads values: numbers, limits, names; each wrong one is one clear line."""

from __future__ import annotations

import os
import re
import sys
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nasturtium.errors import StudyExistsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nasturtium.storage import Storage


def positive(example: str) -> Callable[[str], float]:
    """Return a parser of finite numbers above 0.

    Args:
        example: How the option is used, such as ``"--minutes 10"``.
    """

    def parse(text: str) -> float:
        number = _number(text)
        if not (isfinite(number) and number > 0):
            raise typer.BadParameter(f"a number above 0 is wanted, got {text!r}; write {example}.")
        return number

    return parse


def whole(example: str, least: int) -> Callable[[str], int]:
    """Return a parser of whole numbers.

    Args:
        example: How the option is used, such as ``"--trials 30"``.
        least: The smallest that is allowed.
    """

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise typer.BadParameter(f"a whole number from {least} on is wanted, got {text!r}; write {example}.")
        return number

    return parse


def memory(text: str) -> int:
    """Return the bytes of a size such as ``2GB`` or ``800MB``.

    Example:
        >>> memory("1.5 GB"), memory("800MB")
        (1500000000, 800000000)
    """
    sizes = {"MB": 10**6, "GB": 10**9}
    size = _number(text[:-2]) * sizes.get(text[-2:].upper(), nan)
    if not (isfinite(size) and size >= 1):
        raise typer.BadParameter(f"a size in MB or GB is wanted, got {text!r}; write --memory 2GB.")
    return int(size)


def _number(text: str) -> float:
    """Return the number of a text; NaN if it is none."""
    try:
        return float(text)
    except ValueError:
        return nan


def check_memory(memory_bytes: int | None, executor: str) -> None:
    """Check that a limit of memory can be kept.

    Raises:
        UsageError: Candidates are evaluated in the process of the search.
    """
    if memory_bytes is not None and executor == "inline":
        raise UsageError("--memory limits worker processes, got --executor inline; use --executor local.")


def check_budget(minutes: float | None, trials: int | None, *, is_needed: bool) -> None:
    """Check that a budget is given once.

    Raises:
        UsageError: Both are given, or none where one is needed.
    """
    if minutes is not None and trials is not None:
        raise UsageError(f"a budget is minutes or trials, got --minutes {minutes:g} and --trials {trials}; drop one.")
    if is_needed and minutes is None and trials is None:
        raise UsageError("a search needs a budget, got none; add --minutes 5, or --trials 30.")


def parse_limits(texts: Sequence[str]) -> dict[str, float]:
    """Return the greatest values by metric.

    Raises:
        UsageError: A text is no METRIC=VALUE, or two are on one metric.

    Example:
        >>> parse_limits(["params=100000"])
        {'params': 100000.0}
    """
    limits: dict[str, float] = {}
    for text in texts:
        metric, _, value = (part.strip() for part in text.partition("="))
        number = _number(value)
        if not metric or not isfinite(number):
            raise UsageError(
                f"a limit is METRIC=VALUE with a number, got --limit {text!r}; write --limit params=100000."
            )
        if metric in limits:
            raise UsageError(
                f"a metric has one limit, got {metric}={limits[metric]:g} and {metric}={number:g}; drop one."
            )
        limits[metric] = number
    return limits


def n_cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def default_workers(trials: int | None) -> int:
    """Return how many candidates are evaluated at a time if the user does not say.

    A search by the clock takes all cores. One by trials has one worker: then, and only then, the
    same seed gives the same search again.
    """
    return 1 if trials is not None else n_cores()


def check_new_name(name: str, storage: Storage) -> None:
    """Check the name of a new study.

    Raises:
        UsageError: It is taken, or of a form that is reserved.
    """
    if "/" in name or not (name and name.isprintable()):
        raise UsageError(
            "a study's name is printable text without '/' (NAME/final@N is its final training), "
            f"got {name!r}; choose another --name."
        )
    if name in storage.studies():
        raise StudyExistsError(
            f"a new search has a new name, got {name!r}, which is stored; choose another --name, "
            f"or go on with `nasturtium resume {name}`."
        )


def fresh_name(task: str, storage: Storage) -> str:
    """Return a name that is free, after the task: ``digits-1``, ``digits-2``, ..."""
    stem = file_name(Path(task.partition("(")[0]).stem) or "study"
    taken = set(storage.studies())
    number = 1
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def file_name(text: str) -> str:
    """Return a text as the name of a file or folder.

    Example:
        >>> file_name("../first try")
        'first-try'
    """
    return re.sub(r"[^\w.@+-]+", "-", text).strip("-.")


def explain(error: typer.TyperException, commands: Sequence[str], arguments: Sequence[str]) -> str:
    """Return what is wrong with a command line, in one line that says where to read on.

    Args:
        error: What Typer says.
        commands: The commands there are.
        arguments: The command line.
    """
    command = next((word for word in arguments if word in commands), None)
    text = " ".join(error.format_message().split()).rstrip(".")
    where = "nasturtium --help" if command is None else f"nasturtium {command} --help"
    if command is None and "command" in text:
        text += f" (commands: {', '.join(commands)})"
    return f"{text[:1].lower()}{text[1:]}; see `{where}`."
