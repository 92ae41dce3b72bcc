"""The tables in the wheel: read and checked; ``data/README.md`` has provenance, columns and licences."""

from __future__ import annotations

import io
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.errors import NasturtiumError, UnknownNameError, near_matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FOLDER = files("nasturtium.benchmarking") / "data"


@cache
def checksums() -> Mapping[str, str]:
    """Return the SHA-256 of every table by its name."""
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return MappingProxyType({name.removesuffix(".npz"): digest for digest, name in map(str.split, lines)})


@cache
def table(name: str) -> Mapping[str, NDArray[Any]]:
    """Return a table's columns, read once a process and not writable.

    Raises:
        UnknownNameError: There is no such table.
        NasturtiumError: The file is not the one that was packed.

    Example:
        >>> cells = table("nasbench201")
        >>> cells["ops"].shape, round(float(cells["c10_test_e200"].max()), 2)
        ((15625, 6), 94.37)
    """
    if name not in checksums():
        raise UnknownNameError(f"unknown table {name!r}; {near_matches(name, checksums())}")
    data = (FOLDER / f"{name}.npz").read_bytes()
    if sha256(data).hexdigest() != checksums()[name]:
        raise NasturtiumError(f"a table must be as it was packed, got another {name}.npz; reinstall nasturtium.")
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        columns = {column: archive[column] for column in archive.files}
    for values in columns.values():
        values.flags.writeable = False
    return MappingProxyType(columns)
