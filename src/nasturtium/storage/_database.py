"""Database: connections to SQLite or PostgreSQL that survive threads, forks and other writers."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from nasturtium.errors import MissingExtraError, StorageError, UsageError
from nasturtium.storage._migrations import MIGRATIONS, check_schema, migrate
from nasturtium.storage._urls import check_sqlite_file, parse_url, sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import URL, CursorResult
    from sqlalchemy.engine import Connection, Engine

BUSY_SECONDS = 60.0
"""How long a write waits for another process's."""

_INHERITED: list[Engine] = []
"""A parent process's engines: were they collected here, they would close what the parent uses."""

_CLOCKS = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
}


@final
class Database:
    """A database with the schema that this release knows, made when it is first written to.

    Statements are written with ``?`` for parameters. Reads see what is committed and keep nobody
    waiting; on SQLite, a writing transaction takes the write lock when it begins.

    Args:
        url: Such as ``sqlite:///studies.db`` or ``postgresql://user@host/studies``.
        durable: Whether a commit also survives a power cut (SQLite; a server has its own rules).
        create: Whether to make the database if there is none.

    Raises:
        UsageError: The URL is wrong, or there is nothing there and ``create`` is off.
        StorageError: What is there can't be used.
        MissingExtraError: The driver for PostgreSQL is not installed.
    """

    def __init__(self, url: str, *, durable: bool, create: bool) -> None:
        self._url = parse_url(url)
        self._durable = durable
        self.name = self._url.set(drivername=self._url.get_backend_name()).render_as_string()
        self.path: Path | None = sqlite_path(self._url)
        if self.path is not None:
            check_sqlite_file(self.path, create=create)
        self._pid = os.getpid()
        self._engine = self._new_engine()
        self._schema = 0
        try:
            if not self.exists() and not create:
                raise UsageError(f"no studies in {self.name}; check the URL, or run `nasturtium search`.")
            if 0 < self._schema < len(MIGRATIONS):
                self._migrate()
        except BaseException:
            self.close()
            raise

    def exists(self) -> bool:
        """Return whether there is a database of studies, whoever made it.

        Raises:
            StorageError: There is something else, or it is of a newer release.
        """
        if self._schema == 0 and (self.path is None or self.path.exists()):
            with self.reading() as connection:
                self._schema = check_schema(connection, self.name)
        return self._schema > 0

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with; every statement sees what is committed by then."""
        with self._translated("read"), self._living().connect() as connection:
            yield connection.execution_options(nasturtium_reads=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection within a transaction, committed unless something is raised."""
        if not self._schema and not self.exists():
            self._migrate()
        with self._translated("written"), self._living().begin() as connection:
            yield connection

    def execute(self, connection: Connection, statement: str, parameters: Sequence[Any] = ()) -> CursorResult[Any]:
        """Run a statement with a tuple of parameters, or once for each tuple of a list."""
        if self.path is None:
            statement = statement.replace("?", "%s")
        return connection.exec_driver_sql(statement, parameters)

    def now(self, connection: Connection) -> float:
        """Return the seconds since 1970 on the database's clock, which all its users share."""
        return float(connection.exec_driver_sql(_CLOCKS[connection.dialect.name]).scalar_one())

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        self._living().dispose()

    def _migrate(self) -> None:
        """Bring the schema up to date; of several processes at a time, one does it."""
        with self._translated("written"):
            if self.path is not None:
                _use_wal(self._living())
            with self._living().begin() as connection:
                if self.path is None:
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310593858021)")
                schema = migrate(connection)
            self._schema = schema  # after the commit: other threads read as soon as they see it

    def _living(self) -> Engine:
        """Return this process's engine: a connection must not be used on both sides of a fork."""
        if self._pid != os.getpid():
            _INHERITED.append(self._engine)
            self._engine = self._new_engine()
            self._pid = os.getpid()
        return self._engine

    def _new_engine(self) -> Engine:
        if self.path is not None:
            return _sqlite_engine(self._url, durable=self._durable)
        try:
            return create_engine(self._url, pool_pre_ping=True)
        except ImportError as error:
            raise MissingExtraError(
                "storage on PostgreSQL needs psycopg; pip install 'nasturtium[postgres]'."
            ) from error

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        """Raise what SQLAlchemy raises as one line of ours."""
        try:
            yield
        except SQLAlchemyError as error:
            cause = " ".join(str(getattr(error, "orig", None) or error).split())
            raise StorageError(
                f"a database can be {verb}, got {cause!r} from {self.name}; mend that and resume."
            ) from error


def _sqlite_engine(url: URL, *, durable: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None  # transactions begin below, not by the driver's guess
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("nasturtium_reads"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _use_wal(engine: Engine) -> None:
    """Let readers and a writer work at the same time, from now on and for every process.

    While another process does the same, SQLite refuses at once, whatever the timeout.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                reads = connection.execution_options(nasturtium_reads=True)
                reads.exec_driver_sql("PRAGMA journal_mode = WAL")
            return
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
