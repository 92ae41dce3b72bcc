"""The laws of storages, over every storage."""

import os
from functools import partial

import pytest

from nasturtium.storage import MemoryStorage, SqlStorage
from nasturtium.testing._storages import storage_checks

POSTGRES = os.environ.get("NASTURTIUM_TEST_POSTGRES")  # such as postgresql://me@localhost/postgres
CASES = [pytest.param(check, id=name) for name, check in storage_checks()]
OWN_CASES = [pytest.param(check, id=name) for name, check in storage_checks(shared=False)]


@pytest.mark.parametrize("check", OWN_CASES)
def test_memory(check):
    storage = MemoryStorage()
    check(lambda: storage)


@pytest.mark.parametrize("check", CASES)
def test_sqlite(check, tmp_path):
    check(partial(SqlStorage, f"sqlite:///{tmp_path / 'studies.db'}"))


@pytest.fixture
def postgres_url():
    """Return the URL of a new database on the server that the environment names."""
    if POSTGRES is None:
        pytest.skip("NASTURTIUM_TEST_POSTGRES names no server")
    psycopg = pytest.importorskip("psycopg")
    name = f"nasturtium_{os.urandom(6).hex()}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield POSTGRES.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.postgres
@pytest.mark.parametrize("check", CASES)
def test_postgresql(check, postgres_url):
    check(partial(SqlStorage, postgres_url))
