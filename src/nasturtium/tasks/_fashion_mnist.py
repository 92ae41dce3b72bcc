"""Fashion-MNIST, from Debian's package or from its published files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from nasturtium.errors import DataError
from nasturtium.tasks._idx import IdxFolder, idx_task
from nasturtium.tasks._sources import TASKS, TaskSource

if TYPE_CHECKING:
    from nasturtium.tasks._base import Task

VARIABLE = "NASTURTIUM_DATA"
"""The environment variable with a folder that holds a folder ``fashion-mnist``."""

DEBIAN = "/usr/share/datasets/fashion-mnist"

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@TASKS.register("fashion-mnist")
@final
@dataclass(frozen=True)
class FashionMNIST(TaskSource):
    """70,000 articles of clothing of 28 x 28 grey pixels, 10,000 of them the published test set.

    Args:
        path: The folder with its four IDX files; by default ``$NASTURTIUM_DATA/fashion-mnist``,
            else where Debian's package ``dataset-fashion-mnist`` puts them.

    References:
        Xiao, Rasul & Vollgraf 2017, arXiv 1708.07747.
    """

    path: str | None = None

    def load(self) -> Task:
        """Return the task: 48,000 images for training, 12,000 for validation."""
        base = os.environ.get(VARIABLE)
        usual = [DEBIAN] if base is None else [str(Path(base) / "fashion-mnist"), DEBIAN]
        folders = usual if self.path is None else [self.path]
        for folder in map(Path, folders):
            if IdxFolder.reads(folder):
                return idx_task(folder, name="fashion-mnist", mirror=True, classes=CLASSES)
        raise DataError(
            f"fashion-mnist needs its four IDX files, got none in {' or '.join(folders)}; "
            "apt-get install dataset-fashion-mnist, or pass the folder that holds them as the task."
        )
