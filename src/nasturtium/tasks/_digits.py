"""The digits that come with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from nasturtium.tasks._augment import photo_augmentation
from nasturtium.tasks._base import Task
from nasturtium.tasks._sources import TASKS, TaskSource


@TASKS.register("digits")
@final
@dataclass(frozen=True)
class Digits(TaskSource):
    """1,797 handwritten digits of 8 x 8 grey pixels, part of scikit-learn.

    References:
        Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI repository.
    """

    def load(self) -> Task:
        """Return the task; a fifth of the digits is kept for the test."""
        from sklearn.datasets import load_digits  # takes a second, and only this task wants it

        data = load_digits()
        return Task.from_tensors(
            data.images.astype(np.uint8),  # whole numbers from 0 to 16
            data.target,
            augment=photo_augmentation((1, 8, 8), mirror=False),
            name="digits",
        )
