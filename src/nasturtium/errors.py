"""Every error that nasturtium raises on purpose.

NasturtiumError
├── UsageError (ValueError)             wrong input; the command line exits with 2
│   ├── UnknownNameError (KeyError)     no component of that name
│   ├── RequirementError                two parts that can't work together
│   ├── ShapeError                      an operation can't take its inputs
│   ├── DataError                       a task's data is unusable
│   └── StudyExistsError                a study of that name is stored already
├── NoFeasibleNeighbor (RuntimeError)   the limits rejected every try
├── SearchFinished (RuntimeError)       the strategy has nothing left to propose
├── StorageError (RuntimeError)         the database can't be used
│   ├── LogMovedOn                      somebody else appended first
│   └── LeaseTaken                      another engine runs this study
├── ParityError (RuntimeError)          an exported file computes something else than its network
└── MissingExtraError (ImportError)     an optional package is not installed

Every message has three parts: the rule, the value got, the way out.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class NasturtiumError(Exception):
    """The root of every error that nasturtium raises on purpose."""


class UsageError(NasturtiumError, ValueError):
    """Wrong input: the message says the rule, the value got and the way out."""


class UnknownNameError(UsageError, KeyError):
    """No component of that name; the message offers near matches."""

    def __str__(self) -> str:
        """Return the plain message (KeyError would quote it)."""
        return str(self.args[0])


class RequirementError(UsageError):
    """Two parts that can't work together, such as a strategy and a space."""


class ShapeError(UsageError):
    """An operation can't take the shapes that reach it."""


class DataError(UsageError):
    """A task's data is unusable; the message names the file or the array."""


class StudyExistsError(UsageError):
    """A study of that name is stored already."""


class NoFeasibleNeighbor(NasturtiumError, RuntimeError):  # noqa: N818 - the term of the design
    """The limits of a space rejected every one of a bounded number of tries."""


class SearchFinished(NasturtiumError, RuntimeError):  # noqa: N818 - a signal like StopIteration
    """The strategy has nothing left to propose."""


class StorageError(NasturtiumError, RuntimeError):
    """The database can't be used."""


class LogMovedOn(StorageError):  # noqa: N818 - the term of the design
    """Somebody else appended to the log first."""


class LeaseTaken(StorageError):  # noqa: N818 - the term of the design
    """Another engine runs this study."""


class ParityError(NasturtiumError, RuntimeError):
    """A file that was exported computes something else than the network."""


class MissingExtraError(NasturtiumError, ImportError):
    """An optional package is not installed; the message names the extra."""


def arguments_of(component: object, *names: str) -> str:
    """Return the arguments of a component that a message is about, as they were given.

    Example:
        >>> arguments_of(3 + 4j, "real", "imag")
        'real=3.0, imag=4.0'
    """
    return ", ".join(f"{name}={getattr(component, name)!r}" for name in names)


def near_matches(name: str, known: Iterable[str]) -> str:
    """Return the sentence that helps after a mistyped name.

    Example:
        >>> near_matches("nasnett", ["nasnet", "chain"])
        "did you mean 'nasnet'? Known: chain, nasnet."
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(names)}."
