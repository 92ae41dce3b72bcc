"""The contract of storage: the one place where a study's state lives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import Event


class Storage(ABC):
    """Keeps the append-only logs of studies.

    Guarantees: an append is atomic and durable against the death of the process; the events of a
    study have consecutive positions from 0; what was read once is read the same ever after. All
    methods may be called by several threads and processes at the same time, forked ones included.
    Nothing is written before the first ``append`` or ``acquire``. The name of a study is printable
    text; every method raises UsageError at another.
    """

    @abstractmethod
    def studies(self) -> list[str]:
        """Return the names of all studies, the oldest first."""

    @abstractmethod
    def append(self, study: str, events: Sequence[Event], after: int) -> int:
        """Append events if the log has the length ``after``, and return its new length.

        A study exists from its first event on.

        Raises:
            LogMovedOn: The log has another length; nothing was written.
            StorageError: The database can't be written.
            UsageError: An event holds something that JSON has no form for.
        """

    @abstractmethod
    def read(self, study: str, since: int = 0) -> list[Event]:
        """Return the events from a position on; empty for an unknown study.

        Raises:
            StorageError: The database can't be read, or an event in it is damaged.
        """

    @abstractmethod
    def acquire(self, study: str, owner: str) -> None:
        """Take or renew the lease of a study, so that one engine runs it at a time.

        The study need not exist yet. A lease ends by ``release``; at once if its owner was a
        process of this machine that is gone; and 60 seconds after it was last renewed, unless its
        owner is a process of this machine that is alive.

        Args:
            study: The study's name.
            owner: What ``new_owner`` returned in the process that runs the study.

        Raises:
            LeaseTaken: Another living owner has it.
        """

    @abstractmethod
    def release(self, study: str, owner: str) -> None:
        """Give the lease back; nothing happens if another has it."""

    @abstractmethod
    def checkpoints(self, study: str) -> str:
        """Return the URL where a study's checkpoints belong: always the same for this storage."""

    @abstractmethod
    def close(self) -> None:
        """Close connections; may be called twice."""


def check_study_name(study: str) -> None:
    """Check the name of a study.

    Raises:
        UsageError: It is empty, or holds what can't be printed.
    """
    if not (study and study.isprintable()):
        raise UsageError(f"a study's name is printable text, got {study!r}; give another name.")
