"""Tasks: data in fixed parts, with loss, metrics and augmentation.

``load_task`` makes one from a name or a path, ``Task.from_tensors`` and ``Task.from_datasets`` from
what a program holds. A `Problem` is a task without data, judged by what a network does.
``batches`` is what a training loop iterates over. A new named data set is a `TaskSource` registered
in ``TASKS``.
"""

from nasturtium.tasks._augment import Crop
from nasturtium.tasks._base import Task
from nasturtium.tasks._digits import Digits
from nasturtium.tasks._double_pole import BlindDoublePoleSource, DoublePole, DoublePoleSource
from nasturtium.tasks._fashion_mnist import FashionMNIST
from nasturtium.tasks._goals import Classification, Goal, MultiLabel, Regression, WeightedCrossEntropy
from nasturtium.tasks._gymnasium import (
    AcrobotSource,
    CartPoleSource,
    ControlSource,
    Gymnasium,
    GymnasiumSource,
    MountainCarContinuousSource,
    MountainCarSource,
    PendulumSource,
)
from nasturtium.tasks._idx import IdxFolder
from nasturtium.tasks._images import ImageFolder
from nasturtium.tasks._next_token import NextToken
from nasturtium.tasks._npz import NpzFile
from nasturtium.tasks._part import Part
from nasturtium.tasks._pieces import Augment, Loss, Metric, classification_error
from nasturtium.tasks._problem import Problem
from nasturtium.tasks._saved_dataset import SavedDataset
from nasturtium.tasks._sources import TASKS, FileSource, TaskSource, load_task
from nasturtium.tasks._split import Normalization, Split, batches
from nasturtium.tasks._stream import Stream
from nasturtium.tasks._table import from_table
from nasturtium.tasks._table_file import TableFile
from nasturtium.tasks._tally import MeanTally, Tally, TokenMean, WholeTally
from nasturtium.tasks._text import Text
from nasturtium.tasks._visual_discrimination import VisualDiscrimination, VisualDiscriminationSource
from nasturtium.tasks._xor import Xor, XorSource

__all__ = [
    "TASKS",
    "AcrobotSource",
    "Augment",
    "BlindDoublePoleSource",
    "CartPoleSource",
    "Classification",
    "ControlSource",
    "Crop",
    "Digits",
    "DoublePole",
    "DoublePoleSource",
    "FashionMNIST",
    "FileSource",
    "Goal",
    "Gymnasium",
    "GymnasiumSource",
    "IdxFolder",
    "ImageFolder",
    "Loss",
    "MeanTally",
    "Metric",
    "MountainCarContinuousSource",
    "MountainCarSource",
    "MultiLabel",
    "NextToken",
    "Normalization",
    "NpzFile",
    "Part",
    "PendulumSource",
    "Problem",
    "Regression",
    "SavedDataset",
    "Split",
    "Stream",
    "TableFile",
    "Tally",
    "Task",
    "TaskSource",
    "Text",
    "TokenMean",
    "VisualDiscrimination",
    "VisualDiscriminationSource",
    "WeightedCrossEntropy",
    "WholeTally",
    "Xor",
    "XorSource",
    "batches",
    "classification_error",
    "from_table",
    "load_task",
]
