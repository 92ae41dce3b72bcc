"""Predictions for raw rows of a table: ``python predict.py rows.csv > predictions.csv``.

An export puts this file beside model.py; it needs torch and safetensors only. ``table.json`` says
how each column becomes features, as found on the training part of the data.

    from predict import predict
    predict([{"age": 41, "color": "red"}])  # a dictionary a row, as from csv.DictReader
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null", "none"})
"""Cells, in lower case, that hold no value."""


def text_of(cell: object) -> str | None:
    """Return a cell as text without spaces around it; None if it holds no value."""
    text = "" if cell is None else str(cell).strip()
    return None if text.lower() in MISSING else text


def number_of(cell: object) -> float | None:
    """Return a cell as a number; None if it holds no value or none that is finite."""
    text = text_of(cell)
    try:
        number = math.nan if text is None else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def features(column: Mapping[str, Any], cells: Sequence[object]) -> list[list[float]]:
    """Return the features that a column becomes, each a list of a number a row.

    A number is itself, what is missing filled; where values were missing in the training part,
    another feature says so. A category is one feature a level, and one for all rarer levels.
    """
    if column["kind"] == "number":
        numbers = [number_of(cell) for cell in cells]
        filled = [column["fill"] if number is None else number for number in numbers]
        marks = [[float(number is None) for number in numbers]] if column["marks_missing"] else []
        return [filled, *marks]
    texts = [text_of(cell) for cell in cells]
    known = set(column["levels"])
    found = [[float(text == level) for text in texts] for level in column["levels"]]
    if column["has_others"]:
        found.append([float(text not in known) for text in texts])
    return found


def encode(table: Mapping[str, Any], rows: Sequence[Mapping[str, object]]) -> list[tuple[float, ...]]:
    """Return the network's input, before ``model.prepare``: a tuple of features a row."""
    found = [each for column in table["columns"] for each in features(column, [row[column["name"]] for row in rows])]
    return list(zip(*found, strict=True))


def predict(rows: Sequence[Mapping[str, object]], folder: str | Path | None = None) -> list[dict[str, Any]]:
    """Return what the network says of each row: the target, and for classes their probabilities.

    Args:
        rows: Values by column name; columns that the network does not use may be there too.
        folder: Where model.py and the others are; by default beside this file.
    """
    folder = Path(__file__).parent if folder is None else Path(folder)
    table = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    with torch.no_grad():
        outputs = model.load(folder)(model.prepare(torch.tensor(encode(table, rows), dtype=torch.float64)))
    name = table["target"]
    if hasattr(model, "TARGETS"):
        return [{name: value} for value in model.read(outputs)[:, 0].tolist()]
    answers = []
    for shares in outputs.softmax(1).tolist():
        best = max(range(len(shares)), key=shares.__getitem__)
        probabilities = {f"probability of {c}": p for c, p in zip(model.CLASSES, shares, strict=True)}
        answers.append({name: model.CLASSES[best], **probabilities})
    return answers


def main() -> None:
    """Read a CSV file with a line of column names, write predictions as CSV."""
    with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
        head = file.readline()
        file.seek(0)
        rows = list(csv.DictReader(file, delimiter=max(",;\t", key=head.count)))
    answers = predict(rows)
    writer = csv.DictWriter(sys.stdout, answers[0].keys())
    writer.writeheader()
    writer.writerows(answers)


if __name__ == "__main__":
    main()
