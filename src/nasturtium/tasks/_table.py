"""Tables: columns of numbers and categories, some of their cells empty, become vectors.

What an encoding learns (medians, levels, means) it learns from the training part alone. It is
written down as JSON, and the code that applies it, ``_predict.py``, is the code that an export puts
beside the network: so the rows of a user are encoded as those of the training were.
"""

from __future__ import annotations

import json
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from nasturtium.errors import DataError, UsageError, near_matches
from nasturtium.tasks import _predict
from nasturtium.tasks._base import Task, assembled, parts_of
from nasturtium.tasks._pieces import Pieces
from nasturtium.tasks._predict import features, number_of, text_of
from nasturtium.tasks._split import Normalization
from nasturtium.tasks._targets import targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nasturtium.tasks._goals import Kind
    from nasturtium.tasks._pieces import Augment, Loss, Metric

MOST_LEVELS = 32
"""So many levels of a category are features of their own; rarer ones share one."""

MOST_CLASSES = 20
"""A target of whole numbers is one of classes if there are at most so many different ones."""

Cells = list[object]


def from_table(
    table: Mapping[str, Sequence[object]],
    target: str,
    *,
    kind: Kind | None = None,
    balanced: bool = False,
    metric: Metric | Mapping[str, Metric] | None = None,
    loss: Loss | None = None,
    augment: Augment | None = None,
    name: str = "table",
) -> Task:
    """Return the task to tell one column of a table from the others.

    A column whose values are all numbers is one of numbers, every other one of categories. Empty
    numbers are filled with the median, and a further feature marks them; empty categories are a
    level. The ``MOST_LEVELS`` most frequent levels are features, the others share one. Numbers are
    standardized. All of this is found on the training part. An exported network has it beside it,
    in ``table.json`` and ``predict.py``.

    Args:
        table: Cells by column name; a pandas ``DataFrame`` will do. None, NaN and texts such as
            ``"NA"`` are empty.
        target: The column to be told.
        kind: ``"classification"`` or ``"regression"``; by default, texts and at most
            ``MOST_CLASSES`` different whole numbers are classes.
        balanced: As in ``Task.from_tensors``.
        metric: Likewise.
        loss: Likewise.
        augment: Likewise.
        name: Likewise.

    Raises:
        UsageError: The kind is another.
        DataError: The table is unusable; see the message.

    Example:
        >>> table = {"size": [1.5, None, 3.0] * 10, "color": ["red", "blue", "red"] * 10, "kind": "aba" * 10}
        >>> table["size"] = [(size or 9) + i / 10 if i else None for i, size in enumerate(table["size"])]
        >>> from_table(table, target="kind").input_shape
        (4,)
    """
    if kind == "multi-label":
        raise UsageError(f"a table has one target, got kind={kind!r}; use Task.from_tensors for several labels.")
    cells: dict[str, Cells] = {str(column): list(values) for column, values in table.items()}
    _check(cells, target)
    y = _target(cells.pop(target), target, kind)
    is_number = y.dtype.kind == "f"
    columns = {column: values for column, values in cells.items() if any(text_of(cell) for cell in values)}
    if not columns:
        raise DataError(f"a table must have a column beside the target {target!r}, got none with values; add one.")
    found = kind or ("regression" if is_number else "classification")
    values, goal = targets(y, found, (target,) if is_number else None, target)
    numeric = {column: _is_numeric(cells) for column, cells in columns.items()}
    parts = parts_of(_keys(columns, numeric), values, goal)
    specs = [_spec(column, columns[column], parts.train, is_number=numeric[column]) for column in columns]
    x = np.array([each for spec in specs for each in features(spec, columns[spec["name"]])], np.float32).T
    return assembled(
        np.ascontiguousarray(x),
        values,
        parts,
        goal.fitted(values[parts.train], balanced=balanced),
        normalization=_normalization(x[parts.train], specs),
        pieces=Pieces(metric, loss, augment),
        name=name,
        files=_files(target, specs),
    )


def _check(cells: Mapping[str, Cells], target: str) -> None:
    if target not in cells:
        raise DataError(f"the target must be a column, got {target!r}; {near_matches(target, cells)}")
    lengths = {column: len(values) for column, values in cells.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the columns of a table must have one length, got {lengths}; mend it.")


def _target(cells: Cells, target: str, kind: Kind | None) -> NDArray[Any]:
    """Return the target as texts, whole numbers or floats."""
    texts = [text_of(cell) for cell in cells]
    missing = [row for row, text in enumerate(texts) if text is None]
    if missing:
        raise DataError(
            f"the target {target!r} must hold a value in every row, got {len(missing)} without one, the first in row "
            f"{missing[0] + 1}; fill them, or leave those rows out."
        )
    numbers = [number_of(cell) for cell in cells]
    if kind == "classification" or any(number is None for number in numbers):
        return np.array(texts, np.str_)
    found = np.array(numbers, np.float64)
    is_whole = bool((found == np.round(found)).all())
    if kind is None and is_whole and len(np.unique(found)) <= MOST_CLASSES:
        return found.astype(np.int64)
    return found


def _is_numeric(cells: Cells) -> bool:
    return all(text_of(cell) is None or number_of(cell) is not None for cell in cells)


def _keys(columns: Mapping[str, Cells], numeric: Mapping[str, bool]) -> NDArray[np.uint64]:
    """Return 64 bits for each cell, shape ``(n, columns)``, by which rows are told apart."""
    found = []
    for column, cells in columns.items():
        if numeric[column]:
            numbers = [number_of(cell) for cell in cells]
            filled = [np.nan if number is None else number + 0.0 for number in numbers]
            found.append(np.array(filled, np.float64).view(np.uint64))
        else:
            digests = (blake2b((text_of(cell) or "").encode(), digest_size=8).digest() for cell in cells)
            found.append(np.frombuffer(b"".join(digests), ">u8").astype(np.uint64))
    return np.ascontiguousarray(np.array(found).T)


def _spec(column: str, cells: Cells, train: NDArray[np.int64], *, is_number: bool) -> dict[str, Any]:
    """Return how a column is encoded, found on the training part: JSON data."""
    seen = [cells[row] for row in train.tolist()]
    if is_number:
        numbers = [number for number in map(number_of, seen) if number is not None]
        fill = median(numbers) if numbers else 0.0
        marks = 0 < len(numbers) < len(seen)
        return {"name": column, "kind": "number", "fill": fill, "marks_missing": marks}
    counts = Counter(map(text_of, seen))
    frequent = sorted(counts, key=lambda level: (-counts[level], level or ""))
    has_others = len(frequent) > MOST_LEVELS
    return {"name": column, "kind": "category", "levels": frequent[:MOST_LEVELS], "has_others": has_others}


def _normalization(x: NDArray[np.float32], specs: Sequence[Mapping[str, Any]]) -> Normalization:
    """Return the normalization of numbers; what is 0 or 1 stays, for a rare 1 would become huge."""
    fitted = Normalization.fit(np.ascontiguousarray(x))
    mean, std = list(fitted.mean), list(fitted.std)
    position = 0
    for spec in specs:
        is_number = spec["kind"] == "number"
        width = 1 + spec["marks_missing"] if is_number else len(spec["levels"]) + spec["has_others"]
        for at in range(position + is_number, position + width):
            mean[at], std[at] = 0.0, 1.0
        position += width
    return Normalization(tuple(mean), tuple(std))


def _files(target: str, specs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    table = {"target": target, "columns": list(specs)}
    code = Path(_predict.__file__).read_text(encoding="utf-8")
    return {"table.json": json.dumps(table, indent=2, ensure_ascii=False) + "\n", "predict.py": code}
