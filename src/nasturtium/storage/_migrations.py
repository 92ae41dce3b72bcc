"""Migrations: small functions that lead from one schema of the database to the next.

Each is applied once, in order, and recorded. A migration that was released never changes; a new
schema is a new function at the end of ``MIGRATIONS``. Its number, counted from 1, is the schema's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Double, Integer, MetaData, Table, Text, inspect

from nasturtium.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection

_RECORD = Table(
    "nasturtium_migrations",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)


def logs_and_leases(connection: Connection) -> None:
    """Make the tables of studies, of their events and of their leases."""
    tables = MetaData()
    Table(
        "nasturtium_studies",
        tables,
        Column("id", Integer, primary_key=True),
        Column("name", Text, nullable=False, unique=True),
    )
    Table(
        "nasturtium_events",
        tables,
        Column("study_id", Integer, primary_key=True, autoincrement=False),
        Column("position", Integer, primary_key=True, autoincrement=False),
        Column("kind", Text, nullable=False),
        Column("data", Text, nullable=False),
    )
    Table(
        "nasturtium_leases",
        tables,
        Column("study", Text, primary_key=True),
        Column("owner", Text, nullable=False),
        Column("renewed", Double, nullable=False),
    )
    tables.create_all(connection, checkfirst=False)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (logs_and_leases,)


def check_schema(connection: Connection, name: str) -> int:
    """Return the number of a database's schema; 0 if there is nothing in it yet.

    Raises:
        StorageError: It is newer than this release, or a SQLite file of another program.
    """
    tables = inspect(connection).get_table_names()
    found = _schema(connection, tables)
    if found > len(MIGRATIONS):
        raise StorageError(
            f"{name} was made by a newer nasturtium (schema {found}, this release knows "
            f"{len(MIGRATIONS)}); upgrade nasturtium."
        )
    if tables and found == 0 and connection.dialect.name == "sqlite":
        raise StorageError(
            f"a database of studies holds nothing else, got {name} with a table {tables[0]!r}; name another file."
        )
    return found


def migrate(connection: Connection) -> int:
    """Apply what is missing, within a transaction that keeps others out; return the schema."""
    done = _schema(connection, inspect(connection).get_table_names())
    if done == 0:
        _RECORD.create(connection)
    for number, migration in enumerate(MIGRATIONS[done:], start=done + 1):
        migration(connection)
        connection.execute(_RECORD.insert().values(number=number, name=migration.__name__))
    return max(done, len(MIGRATIONS))


def _schema(connection: Connection, tables: Sequence[str]) -> int:
    if _RECORD.name not in tables:
        return 0
    number = connection.exec_driver_sql(f"SELECT max(number) FROM {_RECORD.name}").scalar()
    return int(number or 0)
