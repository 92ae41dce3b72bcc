"""What a search is about: data that networks are trained on, or a problem that they are put to.

Everything that differs between the two is here: what is usual, how a network is tested, what an
export says of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch

from nasturtium.estimators._judging import judge
from nasturtium.networks import build
from nasturtium.spaces import Genomes
from nasturtium.tasks import Problem, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nasturtium.estimators._checkpoint import Checkpoint
    from nasturtium.networks import Network
    from nasturtium.spaces import Space

PROBLEM_STEPS = 8
"""Length of the sequences for which a network of a problem that remembers is traced."""


class Subject(ABC):
    """A task, as those who test and deliver networks see it.

    Class attributes:
        trains: Whether networks are trained on it.
        estimator: The usual estimator's name.
    """

    trains: ClassVar[bool]
    estimator: ClassVar[str]

    @property
    @abstractmethod
    def space(self) -> str:
        """The usual space, as a name or a call."""

    @property
    @abstractmethod
    def objective(self) -> str:
        """The usual objective."""

    @property
    @abstractmethod
    def n_test(self) -> int:
        """The number of examples or episodes in the test."""

    @property
    @abstractmethod
    def counts_examples(self) -> bool:
        """Whether the test error is a share of them."""

    @abstractmethod
    def tested(self, space: Space, state: Checkpoint) -> Mapping[str, float]:
        """Return what the test says of a network."""

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """What an export says of the data."""

    @property
    @abstractmethod
    def files(self) -> Mapping[str, str]:
        """Text files that an export puts beside the network."""

    @abstractmethod
    def sequence(self) -> Tensor:
        """Return the example with which a network that runs over time is traced."""


@final
@dataclass(frozen=True)
class Data(Subject):
    """A task of data.

    Args:
        task: With its test part.
    """

    task: Task

    trains: ClassVar[bool] = True
    estimator: ClassVar[str] = "training"

    @property
    def space(self) -> str:
        """Recurrent networks for texts, chains for images, perceptrons for the rest."""
        return "recurrent" if self.task.over_time else "chain" if len(self.task.input_shape) == 3 else "mlp"

    @property
    def objective(self) -> str:
        """That of the task's goal."""
        return self.task.goal.objective

    @property
    def n_test(self) -> int:
        """The number of test examples."""
        return len(self.task.test())

    @property
    def counts_examples(self) -> bool:
        """Whether the test error is a share of independent examples."""
        return self.task.goal.counts_examples

    def tested(self, space: Space, state: Checkpoint) -> Mapping[str, float]:
        """Return the task's metrics on the test part."""
        return judge(restored(space, state), self.task, self.task.test(), "test")

    @property
    def facts(self) -> Mapping[str, Any]:
        """How inputs are normalized, and what outputs mean."""
        normalization = self.task.normalization
        channels = {"mean": list(normalization.mean), "std": list(normalization.std)} if normalization.mean else {}
        return {**channels, **self.task.goal.facts}

    @property
    def files(self) -> Mapping[str, str]:
        """What makes a user's raw data into examples."""
        return self.task.files

    def sequence(self) -> Tensor:
        """Return a few examples of the training part."""
        return self.task.train.sample()


@final
@dataclass(frozen=True)
class Play(Subject):
    """A problem.

    Args:
        problem: What networks are put to.
    """

    problem: Problem

    trains: ClassVar[bool] = False
    estimator: ClassVar[str] = "simulation"
    objective: ClassVar[str] = "valid_error"
    counts_examples: ClassVar[bool] = True
    facts: ClassVar[Mapping[str, Any]] = {}
    files: ClassVar[Mapping[str, str]] = {}

    @property
    def space(self) -> str:
        """That of the problem."""
        return self.problem.space

    @property
    def n_test(self) -> int:
        """The number of episodes in the test."""
        return self.problem.n_test

    def tested(self, space: Space, state: Checkpoint) -> Mapping[str, float]:
        """Return what the test's episodes say."""
        assert isinstance(space, Genomes), "a network that is put to a problem holds its weights"
        return dict(self.problem.test(space, state.architecture))

    def sequence(self) -> Tensor:
        """Return zeros over ``PROBLEM_STEPS`` steps."""
        return torch.zeros(2, PROBLEM_STEPS, *self.problem.input_shape)


def subject_of(task: Task | Problem) -> Subject:
    """Return what a search of this task is about."""
    return Play(task) if isinstance(task, Problem) else Data(task)


def restored(space: Space, state: Checkpoint) -> Network:
    """Return the network of a checkpoint, with its weights."""
    network = build(space.graph(state.architecture).simplified())
    network.load_state_dict(dict(state.network))
    return network
