"""Storage in a SQL database: SQLite or PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from sqlalchemy.exc import IntegrityError

from nasturtium.errors import LeaseTaken, LogMovedOn, NasturtiumError, StorageError, UsageError
from nasturtium.storage._base import Storage, check_study_name
from nasturtium.storage._checkpoints import study_folder
from nasturtium.storage._database import Database
from nasturtium.storage._leases import LEASE_SECONDS, in_words, is_alive
from nasturtium.trials import Event, decode_events, encode_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

_STUDIES = "SELECT name FROM nasturtium_studies ORDER BY id"
_ID = "SELECT id FROM nasturtium_studies WHERE name = ?"
_NEW_STUDY = "INSERT INTO nasturtium_studies (name) VALUES (?)"
_LAST = "SELECT max(position) FROM nasturtium_events WHERE study_id = ?"
_APPEND = "INSERT INTO nasturtium_events (study_id, position, kind, data) VALUES (?, ?, ?, ?)"
_READ = """
    SELECT kind, data FROM nasturtium_events
    WHERE study_id = (SELECT id FROM nasturtium_studies WHERE name = ?) AND position >= ?
    ORDER BY position
"""
_HOLDER = "SELECT owner, renewed FROM nasturtium_leases WHERE study = ?"
# Changes nothing if somebody else has taken the lease since it was looked at.
_TAKE = """
    INSERT INTO nasturtium_leases (study, owner, renewed) VALUES (?, ?, ?)
    ON CONFLICT (study) DO UPDATE SET owner = excluded.owner, renewed = excluded.renewed
    WHERE nasturtium_leases.owner = ?
"""
_RELEASE = "DELETE FROM nasturtium_leases WHERE study = ? AND owner = ?"


@final
class SqlStorage(Storage):
    """Keeps the logs of studies in a SQL database.

    On SQLite, what is appended survives the death of the process, and with ``durable`` a power cut
    too; on PostgreSQL it survives what the server is set up to survive.

    Args:
        url: Such as ``sqlite:///studies.db`` or ``postgresql://user@host/studies``.
        durable: Whether SQLite waits for the disk at every append (milliseconds each).
        create: Whether to make the database if there is none; it is made at the first append.

    Raises:
        UsageError: The URL is wrong, or there is nothing there and ``create`` is off.
        StorageError: What is there is no database of ours, or made by a newer release.
        MissingExtraError: The driver for PostgreSQL is not installed.
    """

    def __init__(self, url: str, *, durable: bool = False, create: bool = True) -> None:
        self._database = Database(url, durable=durable, create=create)
        self._ids: dict[str, int] = {}

    def studies(self) -> list[str]:
        """Return the names of all studies, the oldest first."""
        if not self._database.exists():
            return []
        with self._database.reading() as connection:
            return [name for (name,) in self._database.execute(connection, _STUDIES)]

    def append(self, study: str, events: Sequence[Event], after: int) -> int:
        """Append events if the log has the length ``after``: one transaction, one commit."""
        check_study_name(study)
        try:
            rows = [encode_event(event) for event in events]
        except TypeError as error:
            raise UsageError(f"an event holds JSON data, got {error}; convert it first.") from error
        if not rows and after == 0 and not self._database.exists():
            return 0
        try:
            with self._database.writing() as connection:
                number = self._append(connection, study, rows, after)
        except StorageError as error:
            if isinstance(error.__cause__, IntegrityError):  # PostgreSQL: two at the same moment
                raise _moved_on(f"{after=}, which another process has filled") from error
            raise
        if number is not None:
            self._ids[study] = number  # known to others from now on, and never changed
        return after + len(rows)

    def _append(self, connection: Connection, study: str, rows: Sequence[tuple[str, str]], after: int) -> int | None:
        """Append within a transaction, and return the study's number if it exists."""
        number = self._ids.get(study) or self._id(connection, study)
        last = None
        if number is not None:
            last = self._database.execute(connection, _LAST, (number,)).scalar()
        length = 0 if last is None else last + 1
        if length != after:
            raise _moved_on(f"{after=} at length {length}")
        if not rows:
            return number
        if number is None:
            self._database.execute(connection, _NEW_STUDY, (study,))
            number = self._id(connection, study)
        numbered = [(number, at, kind, data) for at, (kind, data) in enumerate(rows, start=after)]
        self._database.execute(connection, _APPEND, numbered)
        return number

    def _id(self, connection: Connection, study: str) -> int | None:
        found: int | None = self._database.execute(connection, _ID, (study,)).scalar()
        return found

    def read(self, study: str, since: int = 0) -> list[Event]:
        """Return the events from a position on; empty for an unknown study."""
        check_study_name(study)
        if not self._database.exists():
            return []
        with self._database.reading() as connection:
            result = self._database.execute(connection, _READ, (study, since))
            rows: Sequence[Any] = result.fetchall()
        try:
            return decode_events(rows)
        except NasturtiumError:
            raise
        except (ValueError, LookupError, TypeError) as error:
            raise StorageError(
                f"events are read as they were written, got {error!r} in study {study!r} of "
                f"{self._database.name}; restore the database from a copy."
            ) from error

    def acquire(self, study: str, owner: str) -> None:
        """Take or renew the lease of a study."""
        check_study_name(study)
        with self._database.writing() as connection:
            now = self._database.now(connection)
            result = self._database.execute(connection, _HOLDER, (study,))
            found: Sequence[Any] | None = result.first()
            holder = owner if found is None else str(found[0])
            age_seconds = 0.0 if found is None else now - found[1]
            if holder != owner and _holds(holder, age_seconds):
                raise _taken(study, f"{in_words(holder)} runs (seen {age_seconds:.0f} s ago)")
            took = self._database.execute(connection, _TAKE, (study, owner, now, holder))
            if took.rowcount == 0:
                raise _taken(study, "another engine took at this moment")

    def release(self, study: str, owner: str) -> None:
        """Give the lease back; nothing happens if another has it."""
        check_study_name(study)
        if self._database.exists():
            with self._database.writing() as connection:
                self._database.execute(connection, _RELEASE, (study, owner))

    def checkpoints(self, study: str) -> str:
        """Return a folder of the study's own, beside a SQLite file or in the working folder."""
        check_study_name(study)
        database = self._database.path or Path.cwd() / "nasturtium"
        return study_folder(database.with_name(f"{database.name}.checkpoints"), study).as_uri()

    def close(self) -> None:
        """Close the connections; may be called twice."""
        self._database.close()


def _holds(owner: str, age_seconds: float) -> bool:
    """Return whether an owner still has the lease that it last renewed so long ago."""
    alive = is_alive(owner)
    return age_seconds < LEASE_SECONDS if alive is None else alive


def _taken(study: str, how: str) -> LeaseTaken:
    return LeaseTaken(f"one engine runs a study at a time, got study {study!r}, which {how}; wait or stop it.")


def _moved_on(got: str) -> LogMovedOn:
    return LogMovedOn(f"an append continues the log, got {got}; read it again.")
