"""A data set of Hugging Face's ``datasets`` on disk, as ``save_to_disk`` writes it; read by pyarrow alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import DataError, MissingExtraError, near_matches
from nasturtium.tasks._arrays import about
from nasturtium.tasks._images import task_of_images
from nasturtium.tasks._sources import TASKS, FileSource
from nasturtium.tasks._table import from_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.tasks._base import Task

Columns = dict[str, list[Any]]


@TASKS.register("saved-dataset")
@final
@dataclass(frozen=True)
class SavedDataset(FileSource):
    """A folder that ``save_to_disk`` of a ``Dataset`` or ``DatasetDict`` wrote.

    With a column of images, these are the examples, as in an image folder; the split ``test`` is the
    test set then. Else it is a table, whose splits are put together and divided anew.

    Args:
        path: The folder.
        target: The column to be told; by default the only column of class labels.
        size: As in ``image-folder``.
        balanced: As in ``image-folder``.
    """

    path: str
    target: str | None = None
    size: int | None = None
    balanced: bool = False

    @classmethod
    def reads(cls, path: Path) -> bool:
        """Return whether the folder has the files that ``save_to_disk`` writes."""
        return path.is_dir() and ((path / "dataset_dict.json").is_file() or (path / "state.json").is_file())

    def load(self) -> Task:
        """Return the task."""
        root = Path(self.path)
        with about(self.path):
            names = _json(root / "dataset_dict.json")["splits"] if (root / "dataset_dict.json").is_file() else [""]
            features = _json(root / names[0] / "dataset_info.json")["features"]
            target = self._target(features)
            splits = {name: _columns(root / name, features) for name in names}
            images = [name for name, feature in features.items() if _kind(feature) == "Image"]
            if not images:
                joined = {name: [cell for part in splits.values() for cell in part[name]] for name in features}
                return from_table(joined, target, balanced=self.balanced, name=root.name)
            test = splits.pop("test", {images[0]: [], target: []})
            return task_of_images(
                [_bytes(cell, images[0]) for part in splits.values() for cell in part[images[0]]],
                [label for part in splits.values() for label in part[target]],
                [_bytes(cell, images[0]) for cell in test[images[0]]],
                test[target],
                size=self.size,
                balanced=self.balanced,
                name=root.name,
            )

    def _target(self, features: Mapping[str, Any]) -> str:
        labels = [name for name, feature in features.items() if _kind(feature) == "ClassLabel"]
        if self.target is None and len(labels) == 1:
            return labels[0]
        if self.target is None:
            raise DataError(f"a target must be named, got none; add --target with one of {', '.join(features)}.")
        if self.target not in features:
            raise DataError(f"the target must be a column, got {self.target!r}; {near_matches(self.target, features)}")
        return self.target


def _kind(feature: Any) -> str:
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} must be readable ({error}); save the data set anew.") from error


def _columns(folder: Path, features: Mapping[str, Any]) -> Columns:
    """Return the cells of one split by column; class labels by their names."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError("saved data sets need pyarrow; pip install 'nasturtium[frame]'.") from error
    found: Columns = {name: [] for name in features}
    for entry in _json(folder / "state.json")["_data_files"]:
        try:
            with pyarrow.memory_map(str(folder / entry["filename"])) as source:
                table = pyarrow.ipc.open_stream(source).read_all()
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{entry['filename']} must be readable ({error}); save the data set anew.") from error
        for name in features:
            found[name] += table.column(name).to_pylist()
    for name, feature in features.items():
        if _kind(feature) == "ClassLabel":
            found[name] = [None if label in (None, -1) else feature["names"][label] for label in found[name]]
    return found


def _bytes(cell: Any, column: str) -> bytes:
    """Return a picture's file content, which the data set itself or the file it names holds."""
    if cell and cell.get("bytes"):
        return bytes(cell["bytes"])
    path = Path(cell["path"]) if cell and cell.get("path") else None
    if path is None or not path.is_file():
        raise DataError(f"every row must have a picture in {column!r}, got {cell}; remove those rows.")
    return path.read_bytes()
