"""SimulatedExecutor: as many workers as you like on a clock that runs as fast as the computer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.engine._base import Executor, Job, Message, Reported, Workload
from nasturtium.engine._inline import begun
from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.engine._evaluation import Evaluation
    from nasturtium.trials import Decision


@final
@dataclass(slots=True)
class _Task:
    """A job on a virtual worker; ``at`` is when it began or got its last answer."""

    evaluation: Evaluation
    at: float
    is_waiting: bool = False


@final
class SimulatedExecutor(Executor):
    """Evaluates in this process and lets ``Measurement.seconds`` pass on a virtual clock.

    Virtual workers work at the same time: messages arrive in the order in which they would in
    real time, so that schedulers, stopping and asynchronous strategies see what they would see, and
    the clock jumps from one message to the next. Messages of the same moment arrive in the order in
    which their jobs began or were answered.

    Args:
        workers: Number of virtual workers.
        charges_search: Whether the CPU time that this process spends between evaluations, on the
            strategy and the engine, passes on the clock as well. Results then depend on the machine.

    Example:
        >>> from nasturtium import Study
        >>> from nasturtium.estimators import Function
        >>> from nasturtium.spaces import choice, decisions
        >>> estimator = Function(lambda a: {"valid_error": a["x"] / 4, "seconds": 60.0 * a["x"]})
        >>> study = Study(space=decisions(x=choice(1, 2, 3, 4)), estimator=estimator)
        >>> study = study.run("random-search", trials=4, executor=SimulatedExecutor(workers=4))
        >>> [(trial.architecture["x"], trial.ended_at) for trial in study.history.finished()]
        [(1, 60.0), (2, 120.0), (3, 180.0), (4, 240.0)]
    """

    longest_wait_seconds: ClassVar[float] = inf

    def __init__(self, workers: int = 1, *, charges_search: bool = False) -> None:
        if workers < 1:
            raise UsageError(f"workers is at least 1, got {workers}; raise it.")
        self.charges_search = charges_search
        self._n_workers = workers
        self._workload: Workload | None = None
        self._memory: dict[int, tuple[str, bytes]] = {}
        self._tasks: dict[int, _Task] = {}
        self._ready: list[int] = []
        self._arrivals: list[tuple[float, int, Message]] = []
        self._n_arrivals = 0
        self._clock = 0.0
        self._search_seconds = 0.0
        self._charged_until = time.process_time()

    @property
    def search_seconds(self) -> float:
        """The CPU time that this process spent between evaluations so far, charged or not."""
        return self._search_seconds

    @property
    def n_workers(self) -> int:
        """The number of virtual workers."""
        return self._n_workers

    def start(self, workload: Workload) -> None:
        """Take the workload as it is, without a copy; the clock goes on where it was."""
        self._workload = workload
        self._charged_until = time.process_time()

    def now(self) -> float:
        """Return the virtual clock, which begins at 0."""
        if self._workload is not None:
            until = time.process_time()
            self._search_seconds += until - self._charged_until
            if self.charges_search:
                self._clock += until - self._charged_until
            self._charged_until = until
        return self._clock

    def submit(self, job: Job) -> None:
        """Begin a job on a free worker, now."""
        workload, number = self._workload, job.assignment.number
        if workload is None or number in self._tasks or len(self._tasks) >= self._n_workers:
            state = "none" if workload is None else f"{sorted(self._tasks)} under way"
            raise UsageError(
                f"at most {self._n_workers} jobs of different numbers after start, got {number} with {state}; "
                "receive an end first."
            )
        self._tasks[number] = _Task(begun(workload, job, self._memory), self.now())
        self._ready.append(number)

    def answer(self, number: int, decision: Decision) -> None:
        """Note the answer; the worker goes on from now."""
        task = self._tasks.get(number)
        if task is not None and task.is_waiting:
            task.evaluation.decision = decision
            task.is_waiting = False
            task.at = self.now()
            self._ready.append(number)

    def receive(self, timeout: float | None = None) -> Sequence[Message]:
        """Return the next message and set the clock to its moment, or to that of the timeout."""
        now = self.now()
        self._advance()
        self._charged_until = time.process_time()
        until = inf if timeout is None else now + timeout
        if not self._arrivals:
            return ()
        if self._arrivals[0][0] > until:
            self._clock = until
            return ()
        at, _, message = heappop(self._arrivals)
        self._clock = max(self._clock, at)  # one that came while the strategy was at work waited
        if isinstance(message, Reported):
            self._tasks[message.number].is_waiting = True
        else:
            del self._tasks[message.number]
        return (message,)

    def _advance(self) -> None:
        """Run every job that can go on to its next message."""
        while self._ready:
            number = self._ready.pop(0)
            task = self._tasks.pop(number)  # what passes through has ended the stream
            message = task.evaluation.advance()
            self._tasks[number] = task
            seconds = message.measurement.seconds if isinstance(message, Reported) else 0.0
            heappush(self._arrivals, (task.at + seconds, self._n_arrivals, message))
            self._n_arrivals += 1

    def close(self) -> None:
        """Close every stream and forget the workload, but no checkpoint and not the clock."""
        tasks, self._tasks = list(self._tasks.values()), {}
        self._ready.clear()
        self._arrivals.clear()
        self._workload = None
        for task in tasks:
            task.evaluation.close()
