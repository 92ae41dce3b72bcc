import os
from contextlib import closing

import pytest

from nasturtium.errors import StorageError, UsageError
from nasturtium.storage import SqlStorage, new_owner, open_storage
from nasturtium.trials import Note

NOTE = Note("mark", {})


def url(path):
    return f"sqlite:///{path}"


def test_nothing_is_made_before_the_first_append(tmp_path):
    storage = SqlStorage(url(tmp_path / "new.db"))
    assert storage.studies() == []
    assert storage.read("s") == []
    storage.release("s", new_owner())
    assert storage.append("s", [], after=0) == 0
    assert list(tmp_path.iterdir()) == []
    storage.append("s", [NOTE], after=0)
    assert storage.read("s") == [NOTE]
    storage.close()
    assert [item.name for item in tmp_path.iterdir()] == ["new.db"]


def test_looking_makes_no_database(tmp_path):
    with pytest.raises(UsageError, match=r"no database at .*new.db; check the path"):
        open_storage(url(tmp_path / "new.db"), create=False)
    assert list(tmp_path.iterdir()) == []


def test_looking_into_an_empty_file_finds_no_studies(tmp_path):
    (tmp_path / "empty.db").touch()
    with pytest.raises(UsageError, match=r"no studies in sqlite:.*empty.db; check the URL"):
        open_storage(url(tmp_path / "empty.db"), create=False)
    assert (tmp_path / "empty.db").read_bytes() == b""


def test_an_empty_file_becomes_a_database(tmp_path):
    (tmp_path / "empty.db").touch()
    with closing(open_storage(url(tmp_path / "empty.db"))) as storage:
        storage.append("s", [NOTE], after=0)
    with closing(open_storage(url(tmp_path / "empty.db"), create=False)) as storage:
        assert storage.studies() == ["s"]


def test_a_database_made_by_another_process_is_found_later(tmp_path):
    with closing(SqlStorage(url(tmp_path / "a.db"))) as early:
        assert early.studies() == []
        with closing(SqlStorage(url(tmp_path / "a.db"))) as storage:
            storage.append("s", [NOTE], after=0)
        assert early.studies() == ["s"]


@pytest.mark.parametrize("create", [True, False])
def test_a_newer_schema_is_refused_and_left_alone(old_database, run_sql, create):
    run_sql(old_database, "INSERT INTO nasturtium_migrations VALUES (7, 'from_the_future');")
    before = old_database.read_bytes()
    with pytest.raises(
        StorageError,
        match=r"newer nasturtium \(schema 7, this release knows 1\); upgrade nasturtium\.$",
    ):
        open_storage(url(old_database), create=create)
    assert old_database.read_bytes() == before
    assert [item.name for item in old_database.parent.iterdir()] == ["old.db"]


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, create):
    path = tmp_path / "table.csv"
    path.write_text("arch,valid_error\n" * 100)
    with pytest.raises(StorageError, match=r"begins with b'arch,valid_error'; name another file"):
        open_storage(url(path), create=create)
    assert path.read_text() == "arch,valid_error\n" * 100


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path, run_sql):
    path = tmp_path / "other.db"
    run_sql(path, "CREATE TABLE recipes (name TEXT);")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"other.db with a table 'recipes'; name another file"):
        SqlStorage(url(path))
    assert path.read_bytes() == before


def test_a_damaged_database_is_one_clear_line(old_database):
    old_database.write_bytes(old_database.read_bytes()[:100] + b"\xff" * 5000)
    with pytest.raises(StorageError, match=r"a database can be read, got .*old.db") as caught:
        SqlStorage(url(old_database))
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(UsageError, match="is a file, got the folder"):
        SqlStorage(url(tmp_path))


def test_the_folder_of_a_database_exists(tmp_path):
    with pytest.raises(UsageError, match=r"make .*missing or name another"):
        SqlStorage(url(tmp_path / "missing" / "a.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_rights(old_database):
    old_database.chmod(0o000)
    with pytest.raises(StorageError, match="can't be read by this user"):
        open_storage(url(old_database), create=False)
    old_database.chmod(0o400)
    with pytest.raises(StorageError, match="can't be written by this user"):
        open_storage(url(old_database))
    old_database.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="can't be written by this user"):
            open_storage(url(old_database.parent / "new.db"))
    finally:
        old_database.parent.chmod(0o700)


def test_a_relative_path_does_not_move_with_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(SqlStorage("sqlite:///here.db")) as storage:
        monkeypatch.chdir(tmp_path / "elsewhere")
        storage.append("s", [NOTE], after=0)
    assert (tmp_path / "here.db").exists()
