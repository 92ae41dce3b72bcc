import pytest

from nasturtium.errors import UsageError
from nasturtium.storage import open_storage
from nasturtium.storage._urls import parse_url, sqlite_path


@pytest.mark.parametrize("text", ["studies.db", "mysql://me@localhost/x", "", "://", "sqlite"])
def test_other_urls_are_refused(text):
    with pytest.raises(UsageError, match=r"storage is a URL such as sqlite:///studies\.db"):
        open_storage(text)


@pytest.mark.parametrize(
    "text",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/a.db", "sqlite:///a?b=1"],
)
def test_other_sqlite_urls_are_refused(text):
    with pytest.raises(UsageError, match="name no storage to keep a study in memory"):
        open_storage(text)


def test_sqlite_paths_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sqlite_path(parse_url("sqlite:///a.db")) == tmp_path.resolve() / "a.db"
    assert sqlite_path(parse_url(f"sqlite:///{tmp_path}/b c.db")) == tmp_path.resolve() / "b c.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_postgresql_uses_psycopg(scheme):
    url = parse_url(f"{scheme}://me:secret@host:5433/studies")
    assert url.drivername == "postgresql+psycopg"
    assert sqlite_path(url) is None
