"""Journal: a study's log in memory and in storage, kept equal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from nasturtium.errors import LogMovedOn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.storage._base import Storage
    from nasturtium.trials import Event, History, Log

RENEW_SECONDS = 15.0
FLUSH_SECONDS = 1.0


@final
class Journal:
    """Appends events to the log at once and to storage in few transactions.

    What is added is visible to every history at once. It is durable after ``flush``; what is not
    flushed yet belongs to evaluations in flight, which are run again after a crash.

    Args:
        log: The log in memory; holds what storage holds.
        storage: Where it is kept.
        study: The study's name.
        owner: Who runs it, for the lease; None means that somebody else sees to it.
    """

    def __init__(self, log: Log, storage: Storage, study: str, owner: str | None = None) -> None:
        self.log = log
        self.storage = storage
        self.study = study
        self.owner = owner
        self._committed = len(log)
        self._is_uncertain = False
        self._flushed_at = self._renewed_at = time.monotonic()

    def history(self) -> History:
        """Return the view of everything added so far."""
        return self.log.history()

    def add(self, *events: Event) -> None:
        """Append events to the log; durable with the next flush."""
        self.log.append(events)

    def flush(self) -> None:
        """Append what is new to storage, in one transaction.

        Raises:
            LogMovedOn: Another process wrote to this study.
        """
        if self._is_uncertain:  # Ctrl-C came between the commit and our noting it, or before it
            self._committed += len(self.storage.read(self.study, self._committed))
        new: Sequence[Event] = self.log.events(self._committed)
        if not new:
            return
        self._is_uncertain = True
        try:
            self._committed = self.storage.append(self.study, new, after=self._committed)
        except LogMovedOn:
            self._is_uncertain = False
            raise
        self._is_uncertain = False

    def tick(self) -> None:
        """Now and then make progress durable for onlookers, and renew the lease."""
        now = time.monotonic()
        if now - self._flushed_at > FLUSH_SECONDS:
            self._flushed_at = now
            self.flush()
        if self.owner is not None and now - self._renewed_at > RENEW_SECONDS:
            self._renewed_at = now
            self.storage.acquire(self.study, self.owner)
