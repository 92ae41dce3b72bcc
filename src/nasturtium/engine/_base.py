"""The contract of an executor: where evaluations run, and the clock they run by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nasturtium.estimators._base import Assignment, Checkpoints, Estimator
    from nasturtium.spaces import Space
    from nasturtium.trials import Decision, Measurement


@final
@dataclass(frozen=True)
class Workload:
    """What every evaluation of a study shares; sent to a worker once.

    Args:
        estimator: The estimator.
        space: The bound space.
        task: The data without its test split, or None.
        device: A torch device.
        checkpoints: Makes an evaluation's checkpoints from ``Job.references``; picklable where
            workers are other processes. None keeps them in memory, where there is one.
    """

    estimator: Estimator
    space: Space
    task: Any
    device: str = "cpu"
    checkpoints: Callable[[Mapping[int, str]], Checkpoints] | None = None


@final
@dataclass(frozen=True)
class Job:
    """One leg of one trial.

    Args:
        assignment: What is to be evaluated.
        seed: For all randomness of the evaluation.
        references: Latest checkpoint of this trial and its parents, by number.
        deadline: Seconds that the leg may take at most, or None. An estimator is told; where
            workers are other processes, a job that takes longer is ended.
    """

    assignment: Assignment
    seed: int
    references: Mapping[int, str] = field(default_factory=dict)
    deadline: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Reported:
    """A running job has a measurement and waits for the answer."""

    number: int
    measurement: Measurement


@final
@dataclass(frozen=True, slots=True)
class Done:
    """A job's stream has ended, or was closed after the answer STOP."""

    number: int


@final
@dataclass(frozen=True, slots=True)
class Failed:
    """A job raised, diverged, ran out of memory or hung: the candidate's fault.

    Args:
        number: The trial's number.
        reason: One line, such as ``"ValueError: kernel larger than image"``; begins with
            ``diverged``, ``out of memory`` or ``timed out`` where that is what happened.
        details: The traceback, for a log; may be empty.
    """

    number: int
    reason: str
    details: str = ""


@final
@dataclass(frozen=True, slots=True)
class Died:
    """A job's worker process died under it; a new worker takes its place.

    Args:
        number: The trial's number.
        reason: One line, such as ``"killed by SIGSEGV"``.
        details: The last that the worker wrote to its standard error; may be empty.
    """

    number: int
    reason: str
    details: str = ""


Message = Reported | Done | Failed | Died


class Executor(ABC):
    """Runs jobs and owns the clock.

    The engine calls it from one thread, which lives until ``close``. Between ``start`` and ``close``
    at most ``n_workers`` jobs are under way; a job's messages arrive in order: ``Reported`` any number of times, each
    followed by one ``answer``, then one of the other three. Whatever a candidate does wrong is a
    message; what keeps every candidate from being evaluated is raised. The laws are
    ``nasturtium.testing.executor_checks``.
    """

    longest_wait_seconds: ClassVar[float] = 1.0
    """How long the engine waits in ``receive`` before it renews leases and displays; a simulated clock, which
    does not wait, sets ``inf``."""

    @property
    @abstractmethod
    def n_workers(self) -> int:
        """How many jobs can be under way."""

    @abstractmethod
    def start(self, workload: Workload) -> None:
        """Get ready for the jobs of a study; may be called again after ``close``.

        Raises:
            UsageError: The workload can't be sent to a worker.
        """

    @abstractmethod
    def now(self) -> float:
        """Return the seconds of this executor's clock; only differences mean anything."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Begin a job.

        Raises:
            UsageError: Its number is under way, or ``n_workers`` jobs are.
        """

    @abstractmethod
    def answer(self, number: int, decision: Decision) -> None:
        """Answer a job's measurement: go on, or close its stream."""

    @abstractmethod
    def receive(self, timeout: float | None = None) -> Sequence[Message]:
        """Return what has arrived, waiting for at least one message up to ``timeout`` seconds.

        Empty after the timeout, and at once if no message can come: no job is under way, or each
        waits for its answer. An executor that runs a job in this process can't keep the timeout.

        Raises:
            UsageError: A worker can't load the workload.
            NasturtiumError: Workers die while they start.
        """

    @abstractmethod
    def close(self) -> None:
        """End every job and worker at once; may be called twice."""
