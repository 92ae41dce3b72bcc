"""Files that storage must handle, written without the code under test."""

import sqlite3
from contextlib import closing

import pytest

# Schema 1 as the first release wrote it. It never changes: databases of that release exist.
SCHEMA_1 = """
CREATE TABLE nasturtium_migrations (
    number INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (number)
);
CREATE TABLE nasturtium_studies (
    id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (name)
);
CREATE TABLE nasturtium_events (
    study_id INTEGER NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (study_id, position)
);
CREATE TABLE nasturtium_leases (
    study TEXT NOT NULL, owner TEXT NOT NULL, renewed DOUBLE NOT NULL, PRIMARY KEY (study)
);
INSERT INTO nasturtium_migrations VALUES (1, 'logs_and_leases');
INSERT INTO nasturtium_studies VALUES (1, 'old');
INSERT INTO nasturtium_events VALUES
    (1, 0, 'created', '{"seed":7}'),
    (1, 1, 'asked', '{"n":0,"p":{"architecture":{"op":"c","size":[3,5]}},"at":1,"f":{"epochs":4}}'),
    (1, 2, 'measured', '{"n":0,"s":4,"m":{"valid_error":0.1,"loss":NaN},"t":1.5,"c":"abc"}'),
    (1, 3, 'ended', '{"n":0,"s":"finished"}');
"""


@pytest.fixture
def run_sql():
    """Return a function that runs a script on a SQLite file and returns a query's rows."""

    def run(path, script, query="SELECT 1"):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(script)
            return connection.execute(query).fetchall()

    return run


@pytest.fixture
def old_database(tmp_path, run_sql):
    """Return the path of a database of schema 1."""
    path = tmp_path / "old.db"
    run_sql(path, SCHEMA_1)
    return path
