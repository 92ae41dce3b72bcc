"""URLs of databases, and what stands at the path of one before SQLite touches it."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from nasturtium.errors import StorageError, UsageError


def parse_url(text: str) -> URL:
    """Return the URL of an absolute file, or of PostgreSQL with the driver that we use.

    Raises:
        UsageError: It is neither.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = URL.create("unknown")
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(
            f"storage is a URL such as sqlite:///studies.db or postgresql://user@host/studies, got {text!r}; write one."
        )
    if url.host or url.query or url.database in (None, "", ":memory:"):
        raise UsageError(
            f"a SQLite URL is sqlite:/// and the path of a file, got {text!r}; write "
            "sqlite:///studies.db, or name no storage to keep a study in memory."
        )
    return url.set(drivername="sqlite", database=str(Path(str(url.database)).resolve()))


def sqlite_path(url: URL) -> Path | None:
    """Return the file of a SQLite database; None for a server."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def check_sqlite_file(path: Path, *, create: bool) -> None:
    """Check that a database is at a path, or (``create``) can be made there.

    Raises:
        UsageError: There is nothing, and nothing can or shall be made.
        StorageError: It is no SQLite database, or must not be read or written.
    """
    if path.is_dir():
        raise UsageError(f"a SQLite database is a file, got the folder {path}; name a file in it.")
    if not path.exists():
        if not create:
            raise UsageError(f"no database at {path}; check the path, or run `nasturtium search`.")
        if not path.parent.is_dir():
            raise UsageError(f"the folder of a database exists, got {path}; make {path.parent} or name another.")
        _check_rights(path.parent, os.W_OK | os.X_OK, "written")
        return
    _check_rights(path, os.R_OK, "read")
    if create:
        _check_rights(path, os.W_OK, "written")
    with path.open("rb") as file:
        head = file.read(16)
    if head not in (b"", b"SQLite format 3\0"):
        raise StorageError(
            f"a SQLite database begins as one, got {path}, which begins with {head!r}; name another file."
        )


def _check_rights(path: Path, rights: int, verb: str) -> None:
    if not os.access(path, rights):
        raise StorageError(f"{path} can't be {verb} by this user; change its rights or the URL.")
