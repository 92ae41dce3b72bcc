"""A numpy archive with the examples and their classes, labels or numbers."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from nasturtium.errors import DataError
from nasturtium.tasks._arrays import about
from nasturtium.tasks._augment import photo_augmentation
from nasturtium.tasks._base import Task
from nasturtium.tasks._sources import TASKS, FileSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.tasks._goals import Kind

HOW = "save arrays of numbers or strings by numpy.savez(file, x=x, y=y)."


@TASKS.register("npz-file")
@final
@dataclass(frozen=True)
class NpzFile(FileSource):
    """A .npz file with arrays x and y, perhaps also x_test, y_test and classes.

    The arrays are those of ``Task.from_tensors``. Images of 8 bits are augmented by small shifts,
    and in color by mirror images too.

    Args:
        path: The file.
        kind: What y is: ``"classification"``, ``"multi-label"`` or ``"regression"``; by default
            what it looks like.
        balanced: Whether rare classes weigh as much as frequent ones in the loss; there is
            ``valid_balanced_error`` then, too.
    """

    path: str
    kind: Kind | None = None
    balanced: bool = False

    @classmethod
    def reads(cls, path: Path) -> bool:
        """Return whether the name ends in ``.npz``."""
        return path.is_file() and path.suffix.lower() == ".npz"

    def load(self) -> Task:
        """Return the task."""
        arrays = _read(self.path)
        with about(self.path):
            missing = [name for name in ("x", "y") if name not in arrays]
            if missing:
                held = ", ".join(sorted(arrays)) or "nothing"
                raise DataError(f"it must hold x and y, got {held}; {HOW}")
            classes = arrays.get("classes")
            task = Task.from_tensors(
                arrays["x"],
                arrays["y"],
                x_test=arrays.get("x_test"),
                y_test=arrays.get("y_test"),
                kind=self.kind,
                balanced=self.balanced,
                classes=None if classes is None else np.ravel(classes).tolist(),
                name=Path(self.path).stem,
            )
        if task.train.x.dtype != torch.uint8:  # not pictures, as far as we can know
            return task
        is_color = task.input_shape[0] == 3
        return replace(task, augment=photo_augmentation(task.input_shape, mirror=is_color))


def _read(path: str) -> dict[str, NDArray[Any]]:
    try:
        # Pickled objects are refused: loading them would run code from the file.
        with zipfile.ZipFile(path) as archive:  # first, for numpy leaves a broken file open
            archive.infolist()
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise DataError(f"{path}: its arrays must not hold pickled objects; {HOW}") from error
        raise DataError(f"{path}: it must be a .npz file ({error}); {HOW}") from error
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(f"a .npz file must be readable, got {path} ({error}); {HOW}") from error
