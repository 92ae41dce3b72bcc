"""Storage in the memory of this process: for studies with ``storage=None``."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, final

from nasturtium.errors import LeaseTaken, LogMovedOn
from nasturtium.storage._base import Storage, check_study_name
from nasturtium.storage._checkpoints import CheckpointStore
from nasturtium.storage._leases import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import Event


@final
class MemoryStorage(Storage):
    """Keeps logs as they are, without encoding them.

    Example:
        >>> from nasturtium.trials import Note
        >>> storage = MemoryStorage()
        >>> storage.append("mine", [Note("created", {"seed": 0})], after=0)
        1
        >>> storage.read("mine")
        [Note(kind='created', data={'seed': 0})]
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._logs: dict[str, list[Event]] = {}
        self._owners: dict[str, str] = {}
        self._stores: dict[str, CheckpointStore] = {}

    def studies(self) -> list[str]:
        """Return the names of all studies, the oldest first."""
        return list(self._logs)

    def append(self, study: str, events: Sequence[Event], after: int) -> int:
        """Append events if the log has the length ``after``."""
        check_study_name(study)
        with self._lock:
            length = len(self._logs.get(study, ()))
            if length != after:
                raise LogMovedOn(f"an append continues the log, got {after=} at length {length}; read it again.")
            if events:
                self._logs.setdefault(study, []).extend(events)
            return after + len(events)

    def read(self, study: str, since: int = 0) -> list[Event]:
        """Return the events from a position on; empty for an unknown study."""
        check_study_name(study)
        return self._logs.get(study, [])[since:]

    def acquire(self, study: str, owner: str) -> None:
        """Take or renew the lease; it does not age, because its owner lives in this process."""
        check_study_name(study)
        with self._lock:
            holder = self._owners.setdefault(study, owner)
        if holder != owner:
            raise LeaseTaken(
                f"one engine runs a study at a time, got study {study!r}, which {in_words(holder)} runs; wait for it."
            )

    def release(self, study: str, owner: str) -> None:
        """Give the lease back; nothing happens if another has it."""
        check_study_name(study)
        with self._lock:
            if self._owners.get(study) == owner:
                del self._owners[study]

    def checkpoints(self, study: str) -> str:
        """Return a temporary folder that goes with this storage."""
        check_study_name(study)
        if study not in self._stores:
            self._stores[study] = CheckpointStore()
        return self._stores[study].url

    def close(self) -> None:
        """Remove the checkpoints; the logs stay."""
        for store in self._stores.values():
            store.close()
