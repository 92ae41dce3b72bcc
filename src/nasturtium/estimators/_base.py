"""The contract of a performance estimator, torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

from nasturtium._registry import Registry
from nasturtium.trials import Fidelity, Measurement, Rung

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.graphs import Edit
    from nasturtium.spaces import Architecture, Space


@final
@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be evaluated.

    Args:
        number: The trial's number.
        architecture: The candidate, or None for the whole space (one-shot).
        fidelity: Where this leg ends.
        start: The step at which this leg begins; 0 unless the trial was paused.
        parents: Numbers of the trials it came from; the first donates weights.
        edits: What leads from the first parent to it.
        replicate: Another number is another training seed for the same architecture.
    """

    number: int
    architecture: Architecture | None
    fidelity: Fidelity
    start: int = 0
    parents: tuple[int, ...] = ()
    edits: tuple[Edit, ...] = ()
    replicate: int = 0


class Checkpoints(Protocol):
    """The checkpoints that one evaluation may read and write."""

    def load(self, number: int) -> bytes | None:
        """Return the latest checkpoint of this trial or a parent; None if there is none (any more)."""

    def reference(self, number: int) -> str | None:
        """Return what identifies the bytes that ``load`` gives, so that a process reads them once."""

    def save(self, data: bytes) -> str:
        """Store a checkpoint durably and return the reference to put in a measurement."""


@final
@dataclass(frozen=True)
class Context:
    """What an evaluation works with.

    Args:
        space: The space, bound to the task.
        task: The data without its test split, or None (functions, tables).
        seed: For all randomness of this evaluation; depends on the study's seed, the architecture
            and the replicate, never on the trial's number.
        checkpoints: Where state is read and written.
        device: A torch device, such as ``"cpu"``.
        deadline: Seconds that the evaluation may take at most, or None.
    """

    space: Space
    task: Any
    seed: int
    checkpoints: Checkpoints
    device: str = "cpu"
    deadline: float | None = None


class Estimator(ABC):
    """Tells how good an architecture is: a stream of measurements.

    Estimators are immutable and picklable, and touch neither storage nor strategy. They see the
    training and the validation data only, never the test split.

    Class attributes:
        requires: Capabilities that a space must have, such as ``Networks``.
        whole_space: Whether it can train the whole space (one-shot estimators).
        is_random: Whether it draws from ``Context.seed``; where it does not, the seed is 0.
        reference: The publication, for the docs.
    """

    requires: ClassVar[tuple[type, ...]] = ()
    whole_space: ClassVar[bool] = False
    is_random: ClassVar[bool] = True
    reference: ClassVar[str] = ""

    @abstractmethod
    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield what is learned, step by step.

        The first measurement of a trial is at step 0 and carries every cost that needs no
        training; a leg that continues (``assignment.start > 0``) begins after its start. The last
        measurement of a leg is at ``assignment.fidelity.epochs``, and the checkpoint that the next
        leg needs is saved before it is yielded. The worker goes on only after the engine's answer;
        it closes the stream to stop the trial. Whatever is raised makes the trial fail with that
        reason.
        """

    def ladder(self) -> tuple[Rung, ...]:
        """Return the fidelities on offer from the cheapest to the fullest, which is the default."""
        return (Rung(Fidelity()),)

    def final(self, epochs: int) -> Estimator | None:
        """Return the estimator of the final training on all data but the test split.

        Args:
            epochs: Its length, fixed beforehand.

        Returns:
            None if there is nothing to train (functions, tables).
        """
        del epochs
        return None

    @property
    def inherits(self) -> bool:
        """Whether results depend on a parent's weights, and so not on the candidate alone."""
        return False

    def metrics(self) -> tuple[str, ...]:
        """Return the names of the metrics it reports; empty if they are not known beforehand."""
        return ()


class Diverged(RuntimeError):  # noqa: N818 - a state of the training, not of the program
    """The training's loss is not finite; the trial fails with this reason."""


ESTIMATORS: Registry[Estimator] = Registry("estimator", "nasturtium.estimators")
