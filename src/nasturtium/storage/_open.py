"""The storage that a URL stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.storage._memory import MemoryStorage

if TYPE_CHECKING:
    from nasturtium.storage._base import Storage


def open_storage(url: str | None = None, *, create: bool = True) -> Storage:
    """Return the storage at a URL.

    Args:
        url: Such as ``sqlite:///studies.db`` or ``postgresql://user@host/studies``; None means the
            memory of this process.
        create: Whether to make the database if there is none; off for commands that only look.

    Raises:
        UsageError: The URL is wrong, or there is nothing there and ``create`` is off.
        StorageError: What is there is no database of ours, or made by a newer release.
        MissingExtraError: The driver for PostgreSQL is not installed.
    """
    if url is None:
        return MemoryStorage()
    from nasturtium.storage._sql import SqlStorage  # SQLAlchemy takes a fifth of a second to import

    return SqlStorage(url, create=create)
