"""InlineExecutor: evaluates in this process, one candidate at a time."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, final

from nasturtium.engine._base import Executor, Job, Message, Reported, Workload
from nasturtium.engine._evaluation import Evaluation
from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nasturtium.trials import Decision


@final
class InlineExecutor(Executor):
    """Evaluates in this process: for functions, tables, simulators and debugging.

    A candidate that hangs or kills the process takes the search with it; ``LocalExecutor``
    survives both. KeyboardInterrupt and SystemExit pass through ``receive``.
    """

    def __init__(self) -> None:
        self._workload: Workload | None = None
        self._memory: dict[int, tuple[str, bytes]] = {}
        self._number = -1
        self._evaluation: Evaluation | None = None
        self._is_waiting = False

    @property
    def n_workers(self) -> int:
        """One."""
        return 1

    def start(self, workload: Workload) -> None:
        """Take the workload as it is, without a copy."""
        self._workload = workload

    def now(self) -> float:
        """Return the monotonic clock of this machine."""
        return time.monotonic()

    def submit(self, job: Job) -> None:
        """Take a job; it runs whenever ``receive`` is called."""
        workload = self._workload
        if workload is None or self._evaluation is not None:
            state = "none" if workload is None else f"trial {self._number} under way"
            raise UsageError(f"one job at a time after start, got {state}; receive its end first.")
        self._number = job.assignment.number
        self._evaluation = begun(workload, job, self._memory)
        self._is_waiting = False

    def answer(self, number: int, decision: Decision) -> None:
        """Note the answer; the next ``receive`` acts on it."""
        if self._evaluation is not None and number == self._number:
            self._evaluation.decision = decision
            self._is_waiting = False

    def receive(self, timeout: float | None = None) -> Sequence[Message]:
        """Run the candidate to its next measurement or its end, however long it takes."""
        del timeout
        evaluation = self._evaluation
        if evaluation is None or self._is_waiting:
            return ()
        self._evaluation = None  # what passes through has ended the stream
        message = evaluation.advance()
        if isinstance(message, Reported):
            self._evaluation = evaluation
            self._is_waiting = True
        return (message,)

    def close(self) -> None:
        """Close the candidate's stream and forget the workload, but no checkpoint."""
        evaluation, self._evaluation = self._evaluation, None
        self._workload = None
        if evaluation is not None:
            evaluation.close()


def begun(workload: Workload, job: Job, memory: dict[int, tuple[str, bytes]]) -> Evaluation:
    """Return the evaluation of a job in this process, which keeps checkpoints in memory if nobody else does."""
    if workload.checkpoints is None:
        return Evaluation(workload, job, MemoryCheckpoints(memory, job.assignment.number, job.references))
    return Evaluation(workload, job, workload.checkpoints(job.references))


SERIAL = itertools.count()
"""Numbers the checkpoints in memory, so that no two studies of this process mix theirs up."""


@final
class MemoryCheckpoints:
    """The latest checkpoint of every trial, gone with the executor.

    Args:
        memory: Reference and data by trial.
        number: The trial that saves.
        references: What may be loaded.
    """

    __slots__ = ("_memory", "_number", "_references")

    def __init__(self, memory: dict[int, tuple[str, bytes]], number: int, references: Mapping[int, str]) -> None:
        self._memory = memory
        self._number = number
        self._references = references

    def load(self, number: int) -> bytes | None:
        """Return the checkpoint that the reference of this number names."""
        reference, data = self._memory.get(number, (None, b""))
        return data if reference is not None and reference == self._references.get(number) else None

    def reference(self, number: int) -> str | None:
        """Return the reference of what ``load`` gives."""
        return self._references.get(number)

    def save(self, data: bytes) -> str:
        """Keep a checkpoint in place of the trial's earlier one."""
        reference = f"memory:{next(SERIAL)}"
        self._memory[self._number] = (reference, data)
        return reference
