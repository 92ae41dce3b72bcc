"""Checkpoints: content-addressed files in a folder that every worker reaches."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
import weakref
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, final
from urllib.parse import urlsplit

from nasturtium.errors import StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_REFERENCE = re.compile(r"[0-9a-f]{40}")
_TEMPORARY = re.compile(r"\.[0-9a-f]{40}\.[0-9a-f]{8}\.tmp")
_GRACE_SECONDS = 3600.0
"""A worker may have just written what nobody refers to yet."""


@final
class CheckpointStore:
    """A folder of checkpoints; each is a file named by the hash of its bytes.

    A file appears whole or not at all, and never changes. The folder belongs to one study: what
    the study's log does not refer to is waste. Any number of processes may read and write at the
    same time. A store pickles as its URL.

    Args:
        url: Such as ``file:///data/checkpoints``; None means a temporary folder that goes with
            this process, or with ``close``.

    Raises:
        UsageError: The URL names no folder.

    Example:
        >>> store = CheckpointStore()
        >>> reference = store.put(b"weights")
        >>> store.get(reference)
        b'weights'
        >>> store.close()
    """

    def __init__(self, url: str | None = None) -> None:
        self._remove: weakref.finalize[[Path, int], CheckpointStore] | None = None
        if url is not None:
            self._folder = _folder(url)
        else:
            name = f"nasturtium-{secrets.token_hex(8)}"
            self._folder = Path(tempfile.gettempdir()).resolve() / name
            self._remove = weakref.finalize(self, _remove_temporary, self._folder, os.getpid())

    @property
    def url(self) -> str:
        """Where it is."""
        return self._folder.as_uri()

    def put(self, data: bytes) -> str:
        """Store bytes durably and return the reference to them.

        Raises:
            StorageError: The folder can't be written.
        """
        reference = _hash(data)
        temporary = self._folder / f".{reference}.{secrets.token_hex(4)}.tmp"
        with self._translated("written"):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self._folder / reference)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        return reference

    def get(self, reference: str) -> bytes | None:
        """Return the bytes; None if they are missing or damaged."""
        if not _REFERENCE.fullmatch(reference):
            return None
        try:
            data = (self._folder / reference).read_bytes()
        except OSError:
            return None
        return data if _hash(data) == reference else None

    def prune(self, keep: Collection[str], surplus: Sequence[str] = (), *, budget_bytes: int = 0) -> list[str]:
        """Delete what is not needed, and return the references that are gone.

        Called now and then by the engine that runs the study. What is neither kept nor surplus
        goes as soon as it is an hour old, the remains of interrupted writes included.

        Args:
            keep: What must stay, whatever its size.
            surplus: What may go, in the order in which it should (worst first).
            budget_bytes: Surplus goes only while all files together are larger than this.

        Raises:
            StorageError: The folder can't be read or written.
        """
        kept, ordered = set(keep), list(dict.fromkeys(surplus))
        known = kept.union(ordered)
        with self._translated("pruned"):
            files = self._files()
            now = time.time()
            gone = [
                name for name, (_, changed) in files.items() if name not in known and now - changed > _GRACE_SECONDS
            ]
            total = sum(size for size, _ in files.values()) - sum(files[n][0] for n in gone)
            for name in ordered:
                if total > budget_bytes and name in files and name not in kept:
                    total -= files[name][0]
                    gone.append(name)
            for name in gone:
                (self._folder / name).unlink(missing_ok=True)
        return [name for name in gone if _REFERENCE.fullmatch(name)]

    def close(self) -> None:
        """Remove a temporary folder; others stay. May be called twice."""
        if self._remove is not None:
            self._remove()

    def _files(self) -> dict[str, tuple[int, float]]:
        """Return size and time of the files that are ours, by name; others are left alone."""
        files = {}
        for entry in os.scandir(self._folder) if self._folder.exists() else ():
            if _REFERENCE.fullmatch(entry.name) or _TEMPORARY.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # a worker has just renamed it
                    status = entry.stat()
                    files[entry.name] = (status.st_size, status.st_mtime)
        return files

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"a folder of checkpoints can be {verb}, got {error.strerror!r} at {self._folder}; "
                "make room, change its rights or name another."
            ) from error

    def __reduce__(self) -> tuple[type[CheckpointStore], tuple[str]]:
        """Pickle the URL alone."""
        return (CheckpointStore, (self.url,))


@final
class CheckpointView:
    """The checkpoints that one evaluation may read and write; picklable.

    Args:
        store: Where they are.
        references: The latest checkpoint of the trial and its parents, by number.
    """

    def __init__(self, store: CheckpointStore, references: Mapping[int, str]) -> None:
        self.store = store
        self.references = dict(references)

    def load(self, number: int) -> bytes | None:
        """Return the latest checkpoint of this trial or a parent; None if there is none."""
        reference = self.references.get(number)
        return None if reference is None else self.store.get(reference)

    def reference(self, number: int) -> str | None:
        """Return the reference of what ``load`` gives."""
        return self.references.get(number)

    def save(self, data: bytes) -> str:
        """Store a checkpoint durably and return the reference to put in a measurement."""
        return self.store.put(data)


def study_folder(folder: Path, study: str) -> Path:
    """Return a study's own folder in another, whatever the study's name."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", study)[:40]
    unique = blake2b(study.encode(), digest_size=4).hexdigest()
    return folder / f"{readable}-{unique}"


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    from urllib.request import url2pathname  # brings HTTP along, which takes longer than all the rest

    folder = Path(url2pathname(parts.path))
    is_file_url = parts.scheme == "file" and parts.netloc in ("", "localhost")
    if not is_file_url or not folder.is_absolute():
        raise UsageError(
            f"checkpoints go to a folder with a URL such as file:///data/checkpoints, got {url!r}; write one."
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"checkpoints go to a folder, got the file {folder}; name another.")
    return folder


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=20).hexdigest()


def _remove_temporary(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # not in a forked child
        shutil.rmtree(folder, ignore_errors=True)
