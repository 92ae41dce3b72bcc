"""Candidates, jobs and a small engine for tests of executors, and of what runs estimators."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from nasturtium.engine._base import Executor, Job, Message, Reported, Workload
from nasturtium.estimators import Assignment, Context, Estimator
from nasturtium.spaces import Architecture, decisions, integer
from nasturtium.trials import Decision, Fidelity, Measurement

Script = Callable[[Assignment, Context], Iterator[Measurement]]
"""What an estimator's ``evaluate`` is."""

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for a message."""

ARCHITECTURE = Architecture({"layers": 2})


@final
@dataclass(frozen=True)
class Scripted(Estimator):
    """Evaluates as a function says: for tests of what runs estimators.

    Args:
        script: Called as ``evaluate``.
    """

    script: Script

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Return what the script returns."""
        return self.script(assignment, context)


@final
@dataclass(frozen=True)
class Folder:
    """Checkpoints as numbered files of a folder.

    Args:
        path: The folder, which exists.
        references: File names that may be loaded, by number.
    """

    path: str
    references: Mapping[int, str]

    def load(self, number: int) -> bytes | None:
        """Return the file's content, if there is one."""
        name = self.references.get(number)
        return None if name is None else (Path(self.path) / name).read_bytes()

    def reference(self, number: int) -> str | None:
        """Return the reference of what ``load`` gives."""
        return self.references.get(number)

    def save(self, data: bytes) -> str:
        """Write a file and return its name."""
        name = f"checkpoint-{len(list(Path(self.path).iterdir()))}"
        (Path(self.path) / name).write_bytes(data)
        return name


def workload_of(estimator: Estimator | Script, checkpoints: str | None = None) -> Workload:
    """Return a workload without data.

    Args:
        estimator: An estimator, or a script for one.
        checkpoints: A folder.
    """
    return Workload(
        estimator if isinstance(estimator, Estimator) else Scripted(estimator),
        decisions(layers=integer(1, 4)),
        None,
        checkpoints=None if checkpoints is None else partial(Folder, checkpoints),
    )


def job_of(number: int = 0, *, epochs: int = 3, references: Mapping[int, str] | None = None) -> Job:
    """Return a job with the one architecture of the laws."""
    return Job(Assignment(number, ARCHITECTURE, Fidelity(epochs)), 0, references or {})


def counting(assignment: Assignment, context: Context) -> Iterator[Measurement]:
    """Yield a measurement of one second for every epoch from the leg's start to its end."""
    del context
    for step in range(assignment.start, assignment.fidelity.epochs + 1):
        yield Measurement(step, {"loss": 1.0 / (1 + step)}, seconds=1.0)


def heard(executor: Executor) -> Sequence[Message]:
    """Return the next messages.

    Raises:
        AssertionError: There were none in time.
    """
    messages = executor.receive(PATIENCE)
    assert messages, f"a running job must send a message, got none in {PATIENCE:g} s"
    return messages


def run(executor: Executor, *jobs: Job, stop_at: int | None = None) -> dict[int, list[Message]]:
    """Run jobs to their ends and return each one's messages.

    Args:
        executor: Started and free for that many jobs.
        jobs: The jobs, all submitted at once.
        stop_at: The step whose measurement is answered by STOP.
    """
    said: dict[int, list[Message]] = {job.assignment.number: [] for job in jobs}
    for job in jobs:
        executor.submit(job)
    running = set(said)
    while running:
        for message in heard(executor):
            assert message.number in running, f"{message} is of no job under way"
            said[message.number].append(message)
            if isinstance(message, Reported):
                stop = message.measurement.step == stop_at
                executor.answer(message.number, Decision.STOP if stop else Decision.CONTINUE)
            else:
                running.remove(message.number)
    return said


def last_of(executor: Executor, number: int = 0) -> Message:
    """Run one job and return its last message."""
    return run(executor, job_of(number))[number][-1]


def metrics_of(executor: Executor, number: int = 0) -> Mapping[str, float]:
    """Run one job and return its first metrics.

    Raises:
        AssertionError: It has none.
    """
    said = run(executor, job_of(number))[number]
    assert isinstance(said[0], Reported), f"expected a measurement, got {said}"
    return said[0].measurement.metrics
