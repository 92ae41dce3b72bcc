"""Files that a command writes: refused early where they can't be, there whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nasturtium.errors import UsageError


def writable_folder(out: str | Path) -> Path:
    """Return the folder's full path; it need not exist yet.

    Raises:
        UsageError: It can't be written.
    """
    folder = Path(out).resolve()
    parent = folder
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryFile(dir=parent):  # rights alone don't tell, least of all root's
            return folder
    except OSError as error:
        raise UsageError(
            f"--out is a folder that can be written, got {str(out)!r} ({error.strerror}); choose another."
        ) from error


def writable_file(path: Path, suffix: str, option: str = "--out") -> Path:
    """Return the path of a file that can be written.

    Raises:
        UsageError: It can't be, or has another suffix.
    """
    if path.suffix != suffix:
        raise UsageError(f"{option} is a file that ends in {suffix}, got {str(path)!r}; add the ending.")
    if path.is_dir():
        raise UsageError(f"{option} is a file, got the folder {str(path)!r}; name a file in it.")
    writable_folder(path.parent)
    return path


def replace_file(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
