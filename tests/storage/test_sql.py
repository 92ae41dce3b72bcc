import math
import sys
from contextlib import closing

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from nasturtium.errors import LeaseTaken, MissingExtraError, StorageError, UsageError
from nasturtium.spaces import Architecture
from nasturtium.storage import SqlStorage, new_owner
from nasturtium.trials import Asked, Ended, Fidelity, Measured, Note, Proposal, State

NOTES = [Note("mark", {"number": i}) for i in range(3)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "studies.db"


@pytest.fixture
def storage(path):
    with closing(SqlStorage(f"sqlite:///{path}")) as storage:
        yield storage


@pytest.fixture
def statements():
    """Return the list of statements and commits that SQLAlchemy sends from now on."""
    seen = []

    def executed(connection, cursor, statement, parameters, context, executemany):
        seen.append(statement.split()[0])

    def committed(connection):
        seen.append("COMMIT")

    event.listen(Engine, "after_cursor_execute", executed)
    event.listen(Engine, "commit", committed)
    yield seen
    event.remove(Engine, "after_cursor_execute", executed)
    event.remove(Engine, "commit", committed)


def test_an_append_is_one_insert_and_one_commit(storage, statements):
    storage.append("s", NOTES, after=0)
    statements.clear()
    storage.append("s", NOTES, after=3)
    assert statements == ["BEGIN", "SELECT", "INSERT", "COMMIT"]


def test_a_refused_append_commits_nothing(storage, statements):
    storage.append("s", NOTES, after=0)
    statements.clear()
    with pytest.raises(StorageError, match="got after=2 at length 3; read it again"):
        storage.append("s", NOTES, after=2)
    assert "INSERT" not in statements
    assert "COMMIT" not in statements


def test_reading_holds_no_lock(storage, path, run_sql):
    storage.append("s", NOTES, after=0)
    storage.read("s")
    # The write-ahead log can be emptied only while nobody reads; the first number is "busy".
    assert run_sql(path, "", "PRAGMA wal_checkpoint(TRUNCATE)") == [(0, 0, 0)]


def test_wal_and_what_a_commit_waits_for(path):
    modes = {}
    for durable in (False, True):
        with closing(SqlStorage(f"sqlite:///{path}", durable=durable)) as storage:
            storage.append(f"durable {durable}", NOTES, after=0)
            with storage._database.reading() as connection:
                modes[durable] = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
                ]
    assert modes == {False: ["wal", 1], True: ["wal", 2]}  # 1 is NORMAL, 2 is FULL


def test_schema_1_is_read_and_continued(old_database):
    with closing(SqlStorage(f"sqlite:///{old_database}")) as storage:
        created, asked, measured, ended = storage.read("old")
        assert storage.append("old", NOTES, after=4) == 7
        assert storage.studies() == ["old"]
    assert created == Note("created", {"seed": 7})
    proposal = Proposal(Architecture({"op": "c", "size": (3, 5)}))
    assert asked == Asked(0, proposal, 1, Fidelity(epochs=4))
    assert isinstance(measured, Measured)
    assert measured.measurement.metrics["valid_error"] == 0.1
    assert math.isnan(measured.measurement.metrics["loss"])
    assert ended == Ended(0, State.FINISHED)


@pytest.mark.parametrize(
    "damage",
    [
        "data = '{\"seed\":'",
        "kind = 'ended', data = '[]'",
        "data = '1,2'",
        "kind = 'ended'",
        "kind = 'asked', data = '{\"n\":0}'",
    ],
)
def test_a_damaged_event_is_one_clear_line(old_database, run_sql, damage):
    run_sql(old_database, f"UPDATE nasturtium_events SET {damage} WHERE position = 0;")
    with (
        closing(SqlStorage(f"sqlite:///{old_database}")) as storage,
        pytest.raises(StorageError, match=r"study 'old' of sqlite:.*restore the database") as caught,
    ):
        storage.read("old")
    assert "\n" not in str(caught.value)


def test_json_only(storage):
    with pytest.raises(UsageError, match=r"an event holds JSON data, got .*object.*; convert it"):
        storage.append("s", [Note("mark", {"value": object()})], after=0)


def test_a_full_disk_is_one_clear_line_and_nothing_is_half_written(storage, monkeypatch):
    storage.append("s", NOTES, after=0)
    with storage._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(StorageError, match="database or disk is full"):
        storage.append("s", [Note("mark", {"text": "x" * 10_000_000})], after=3)
    assert storage.read("s") == NOTES


def test_the_lease_of_another_machine_ends_by_its_age(storage, path, run_sql):
    stranger, owner = "elsewhere:1:5-abcd", new_owner()
    storage.acquire("s", stranger)
    with pytest.raises(LeaseTaken, match=r"'s', which process 1 on elsewhere runs \(seen 0 s ago"):
        storage.acquire("s", owner)
    run_sql(path, "UPDATE nasturtium_leases SET renewed = renewed - 59;")
    with pytest.raises(LeaseTaken, match="seen 59 s ago"):
        storage.acquire("s", owner)
    run_sql(path, "UPDATE nasturtium_leases SET renewed = renewed - 2;")
    storage.acquire("s", owner)
    with pytest.raises(LeaseTaken):
        storage.acquire("s", stranger)


def test_renewing_makes_a_lease_young(storage, path, run_sql):
    storage.acquire("s", "elsewhere:1:5-abcd")
    run_sql(path, "UPDATE nasturtium_leases SET renewed = renewed - 100;")
    storage.acquire("s", "elsewhere:1:5-abcd")
    with pytest.raises(LeaseTaken, match="seen 0 s ago"):
        storage.acquire("s", new_owner())


def test_the_lease_of_a_living_process_of_this_machine_does_not_age(storage, path, run_sql):
    storage.acquire("s", new_owner())  # its evaluation may keep it from renewing
    run_sql(path, "UPDATE nasturtium_leases SET renewed = renewed - 10000;")
    with pytest.raises(LeaseTaken):
        storage.acquire("s", new_owner())


def test_each_study_has_its_own_checkpoints_beside_the_database(storage, tmp_path):
    urls = [storage.checkpoints(name) for name in ("a/b", "a-b", "ü" * 200, "..")]
    assert len(set(urls)) == 4
    beside = (tmp_path / "studies.db.checkpoints").resolve().as_uri()
    assert {url.rpartition("/")[0] for url in urls} == {beside}


def test_postgresql_without_its_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nasturtium\[postgres\]'"):
        SqlStorage("postgresql://me:secret@localhost/studies")
