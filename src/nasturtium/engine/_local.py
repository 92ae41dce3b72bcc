"""LocalExecutor: worker processes of this machine, started once a study.

Not concurrent.futures or loky: a future is one call with one result, while a job here is a
stream whose every measurement waits for an answer; and their pools break as a whole when one
worker dies, where this must tell which trial died and go on. The standard library's pipes and
``multiprocessing.connection.wait`` are the kept part.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
import time
from multiprocessing.connection import wait
from typing import IO, TYPE_CHECKING, final

import cloudpickle

from nasturtium.engine._base import Died, Executor, Failed, Job, Message, Reported, Workload
from nasturtium.engine._evaluation import reason_of
from nasturtium.engine._process import WorkerProcess
from nasturtium.engine._worker import Broken, Ready
from nasturtium.errors import NasturtiumError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import Decision

LOOK_SECONDS = 0.25
"""How often workers are looked after that say nothing."""

START_SECONDS = 300.0
"""How long a worker may take to load the workload."""

MAX_STARTS = 3
"""How many workers in a row may die before they are ready."""


@final
class LocalExecutor(Executor):
    """Evaluates in worker processes, which a candidate may crash, hang or fill.

    A worker gets the estimator, space and task once, so lambdas, local classes and those of a
    script or notebook work, and scripts need no ``if __name__ == "__main__"``. What candidates
    print is not shown. Workers end with the engine, even when that is killed. POSIX only.

    Args:
        workers: Number of processes.
        threads: Threads that torch may use in each; one each is fastest (two processes with one
            thread do 1.9 times the work of one process, one with two threads 1.3 times).
        memory_bytes: Most memory of a worker (Linux); a candidate that wants more fails. None
            means no limit.
        patience: Seconds without a measurement after which a candidate counts as hanging; None
            means that it may take for ever.

    Raises:
        UsageError: An argument is out of its range.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        threads: int = 1,
        memory_bytes: int | None = None,
        patience: float | None = None,
    ) -> None:
        for name, value in (("workers", workers), ("threads", threads)):
            if value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}; raise it.")
        for name, limit in (("memory_bytes", memory_bytes), ("patience", patience)):
            if limit is not None and limit <= 0:
                raise UsageError(f"{name} must be positive or None, got {limit}; raise it.")
        self.workers = workers
        self.threads = threads
        self.memory_bytes = memory_bytes
        self.patience = patience
        self._processes: list[WorkerProcess] = []
        self._workload: IO[bytes] | None = None
        self._n_false_starts = 0

    @property
    def n_workers(self) -> int:
        """The number of processes."""
        return self.workers

    def start(self, workload: Workload) -> None:
        """Start the workers; they load the workload while the engine goes on.

        Raises:
            UsageError: The workload can't be pickled.
        """
        self.close()
        file = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        try:
            cloudpickle.dump(workload, file)
            file.flush()
        except Exception as error:
            file.close()
            raise UsageError(
                "estimator, space and task must be picklable for worker processes, got "
                f"{reason_of(error)}; change it or use the inline executor."
            ) from error
        self._workload = file
        self._n_false_starts = 0
        for _ in range(self.workers):
            self._begin()

    def now(self) -> float:
        """Return the monotonic clock of this machine."""
        return time.monotonic()

    def submit(self, job: Job) -> None:
        """Send a job to an idle worker, or to a new one in place of a dead one."""
        number = job.assignment.number
        n_jobs = sum(process.job is not None for process in self._processes)
        if self._workload is None or n_jobs == self.workers or self._find(number) is not None:
            raise UsageError(
                f"at most {self.workers} jobs of different numbers are under way after start, got "
                f"trial {number} with {n_jobs} under way; receive the end of one first."
            )
        self._send(job)

    def answer(self, number: int, decision: Decision) -> None:
        """Send the answer to the worker that waits for it; nothing happens if it is gone."""
        process = self._find(number)
        if process is not None and process.is_waiting:
            process.answer(decision)

    def receive(self, timeout: float | None = None) -> Sequence[Message]:
        """Return what has arrived, waiting for at least one message up to ``timeout`` seconds."""
        end = None if timeout is None else self.now() + timeout
        while any(process.is_running for process in self._processes):
            left = LOOK_SECONDS if end is None else max(0.0, end - self.now())
            messages = self._listen(min(left, LOOK_SECONDS))
            if messages or (end is not None and self.now() >= end):
                return messages
        return ()

    def close(self) -> None:
        """Kill every worker, busy or not."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.kill()
        if self._workload is not None:
            self._workload.close()
            self._workload = None

    def await_worker(self) -> None:
        """Wait until a worker is ready, after ``start``.

        Raises:
            UsageError: It can't load the workload, or the limit of memory leaves nothing for a candidate.
        """
        while self._processes and not any(process.is_ready for process in self._processes):
            self._listen(LOOK_SECONDS)

    def _find(self, number: int) -> WorkerProcess | None:
        for process in self._processes:
            if process.job is not None and process.job.assignment.number == number:
                return process
        return None

    def _begin(self) -> WorkerProcess:
        assert self._workload is not None
        process = WorkerProcess(self._workload.fileno(), self.threads, self.memory_bytes or 0)
        self._processes.append(process)
        return process

    def _send(self, job: Job) -> None:
        """Give a job to an idle worker, the readier the better."""
        idle = [process for process in self._processes if process.job is None]
        for process in idle:
            if process.is_ready and process.is_dead:
                self._bury(process)
        idle = [process for process in idle if process in self._processes]
        chosen = max(idle, key=lambda process: process.is_ready) if idle else self._begin()
        chosen.submit(job, cloudpickle.dumps(job))

    def _listen(self, pause: float) -> list[Message]:
        """Return what arrives within a pause, and what is to be said of silent workers."""
        heard = set(wait([source for p in self._processes for source in p.sources], pause))
        messages = []
        for process in list(self._processes):
            if process.stderr in heard:
                process.read_stderr()
            message = self._hear(process) if process.connection in heard else self._look_after(process)
            if message is not None:
                messages.append(message)
        return messages

    def _hear(self, process: WorkerProcess) -> Message | None:
        """Take one message of a worker."""
        try:
            said = pickle.loads(process.connection.recv_bytes())
        except (EOFError, OSError):
            return self._bury(process)
        except Exception as error:  # it holds something that only the worker can import
            return self._fail(process, reason_of(error))
        if isinstance(said, Broken):
            raise UsageError(said.message)
        if isinstance(said, Ready):
            self._n_false_starts = 0
            process.greet()
            return None
        if isinstance(said, Reported):
            process.is_waiting = True
        else:
            process.job = None
        message: Message = said
        return message

    def _fail(self, process: WorkerProcess, reason: str) -> Failed | None:
        """End a worker whose job can't go on, and return what its candidate did."""
        self._processes.remove(process)
        words = process.kill()
        return None if process.job is None else Failed(process.job.assignment.number, reason, words)

    def _bury(self, process: WorkerProcess) -> Died | None:
        """Note the death of a worker; a job that it had not begun goes to another."""
        self._processes.remove(process)
        reason, words = process.end()
        job = process.job
        if process.is_ready:
            return None if job is None else Died(job.assignment.number, reason, words)
        self._n_false_starts += 1
        if self._n_false_starts == MAX_STARTS:
            raise NasturtiumError(
                f"worker processes must start, got {MAX_STARTS} in a row that failed, the last "
                f"{reason}; run {sys.executable} -c 'import nasturtium.engine' to see more."
            )
        if job is not None:
            self._send(job)
        return None

    def _look_after(self, process: WorkerProcess) -> Message | None:
        """Notice a worker that died or hangs without a word."""
        if not process.is_running:
            return None
        reason = self._overdue(process)
        if (reason is None and not process.is_dead) or process.connection.poll():
            return None  # well, or to be heard at once
        return self._bury(process) if reason is None else self._fail(process, reason)

    def _overdue(self, process: WorkerProcess) -> str | None:
        """Return by which limit a worker's job is late, if it is."""
        now = self.now()
        deadline = None if process.job is None else process.job.deadline
        if deadline is not None and now - process.begun > deadline:
            return f"timed out: longer than {deadline:g} s"
        if not process.is_ready:
            if now - process.started > START_SECONDS:
                raise NasturtiumError(
                    f"a worker must load the workload within {START_SECONDS:g} s, got none; make the task smaller."
                )
        elif self.patience is not None and now - process.heard > self.patience:
            return f"timed out: no measurement for {self.patience:g} s"
        return None
