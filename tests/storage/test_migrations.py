import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import Connection

from nasturtium.errors import StorageError
from nasturtium.storage import SqlStorage, _migrations
from nasturtium.trials import Note

QUERY = "SELECT number, name FROM nasturtium_migrations ORDER BY number"


def add_color(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE nasturtium_studies ADD COLUMN color TEXT")


def fail(connection: Connection) -> None:
    add_color(connection)
    connection.exec_driver_sql("SELECT * FROM no_such_table")


@pytest.fixture
def releases(monkeypatch):
    """Return a function that makes a later release of this one, with more migrations."""

    def release(*more):
        later = (*_migrations.MIGRATIONS, *more)
        monkeypatch.setattr("nasturtium.storage._migrations.MIGRATIONS", later)
        monkeypatch.setattr("nasturtium.storage._database.MIGRATIONS", later)

    return release


def test_a_new_database_records_its_migrations(tmp_path, run_sql):
    path = tmp_path / "a.db"
    with closing(SqlStorage(f"sqlite:///{path}")) as storage:
        storage.append("s", [Note("mark", {})], after=0)
    assert run_sql(path, "", QUERY) == [(1, "logs_and_leases")]


def test_a_new_database_has_the_tables_of_the_recorded_schema(tmp_path, old_database):
    path = tmp_path / "new.db"
    with closing(SqlStorage(f"sqlite:///{path}")) as storage:
        storage.append("s", [Note("mark", {})], after=0)

    def columns(file):
        with closing(sqlite3.connect(file)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {n: connection.execute(f"PRAGMA table_info({n})").fetchall() for (n,) in names}

    assert columns(path) == columns(old_database)


@pytest.mark.parametrize("create", [True, False])
def test_an_old_database_is_upgraded_once(old_database, run_sql, releases, create):
    releases(add_color)
    for _ in range(2):
        with closing(SqlStorage(f"sqlite:///{old_database}", create=create)) as storage:
            assert len(storage.read("old")) == 4
    assert run_sql(old_database, "", QUERY) == [(1, "logs_and_leases"), (2, "add_color")]
    assert run_sql(old_database, "", "SELECT name, color FROM nasturtium_studies") == [("old", None)]


def test_a_failed_upgrade_changes_nothing(old_database, run_sql, releases):
    releases(fail)
    with pytest.raises(StorageError, match="no such table"):
        SqlStorage(f"sqlite:///{old_database}")
    assert run_sql(old_database, "", QUERY) == [(1, "logs_and_leases")]
    assert run_sql(old_database, "", "SELECT * FROM nasturtium_studies") == [(1, "old")]
