"""A worker process as the engine sees it: start it, talk to it, learn how it died, kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any, final

from nasturtium.engine._evaluation import one_line

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from nasturtium.engine._base import Job
    from nasturtium.trials import Decision

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from nasturtium.engine._worker import main; main(*map(int, sys.argv[2:]))"
)
TAIL_BYTES = 8_192
PIPE_BYTES = 1 << 20
EXIT_SECONDS = 5.0
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@final
class WorkerProcess:
    """A worker process and the job it has.

    Args:
        workload: File descriptor of the pickled workload.
        threads: Threads that torch may use.
        memory_bytes: Most memory, or 0.
    """

    def __init__(self, workload: int, threads: int, memory_bytes: int) -> None:
        self.job: Job | None = None
        self.is_ready = False
        self.is_waiting = False
        self.started = self.begun = self.heard = time.monotonic()
        self._tail = b""
        self._is_mute = False
        self.connection, other = Pipe()
        self.stderr, stderr = error_pipe()
        paths = json.dumps([str(path) for path in sys.path])
        numbers = (other.fileno(), workload, os.getpid(), threads, memory_bytes)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BOOT, paths, *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=(other.fileno(), workload),
                env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
                start_new_session=True,
            )
        except BaseException:
            self._hang_up()
            raise
        finally:
            other.close()
            os.close(stderr)

    @property
    def is_running(self) -> bool:
        """Whether it has a job that it goes on with, rather than wait for an answer."""
        return self.job is not None and not self.is_waiting

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def sources(self) -> list[Connection[Any, Any] | int]:
        """What there is to wait for: the pipe, and the standard error while it is open."""
        return [self.connection] if self._is_mute else [self.connection, self.stderr]

    def submit(self, job: Job, pickled: bytes) -> None:
        """Send a job; should the worker be dead, ``receive`` will find out."""
        self.read_stderr()
        self._tail = b""
        self.job = job
        self.is_waiting = False
        self.begun = self.heard = time.monotonic()
        with suppress(OSError):
            self.connection.send(job.assignment.number)
            self.connection.send_bytes(pickled)

    def greet(self) -> None:
        """Note that the worker has loaded the workload; from here on it is to be heard."""
        self.is_ready = True
        self.heard = time.monotonic()

    def answer(self, decision: Decision) -> None:
        """Send the answer to a measurement."""
        self.is_waiting = False
        self.heard = time.monotonic()
        with suppress(OSError):
            self.connection.send(decision)

    def read_stderr(self) -> None:
        """Take what the worker wrote to its standard error, lest it waits for a reader."""
        with suppress(BlockingIOError):
            data = os.read(self.stderr, PIPE_BYTES)
            self._tail = (self._tail + data)[-TAIL_BYTES:]
            self._is_mute = not data

    def end(self) -> tuple[str, str]:
        """Wait for a process that has hung up, and return how it ended and its last words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_SECONDS)
        words = self.kill()
        return cause_of_death(self._process.returncode, words), words

    def kill(self) -> str:
        """End the process at once, with all that it has started, and return its last words."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # none can help a process in the kernel
            self._process.wait(EXIT_SECONDS)
        self.read_stderr()
        self._hang_up()
        return self._tail.decode(errors="replace")

    def _hang_up(self) -> None:
        self.connection.close()
        os.close(self.stderr)


def error_pipe() -> tuple[int, int]:
    """Return both ends of a pipe for a standard error that the engine reads now and then."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # a candidate waits when it is full, so make it large
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reading, writing


def cause_of_death(code: int | None, words: str) -> str:
    r"""Return one line that says how a process ended.

    Args:
        code: Its exit code, or minus the signal.
        words: The last it wrote to its standard error.

    Example:
        >>> cause_of_death(3, "")
        'exited with code 3'
        >>> cause_of_death(-11, "loading\nFatal Python error: Segmentation fault")
        "killed by SIGSEGV; last words: 'loading'"
    """
    words, _, _ = words.partition("Fatal Python error:")
    last = next((line for line in reversed(words.splitlines()) if line.strip()), "")
    if code is None:
        cause = "closed its pipe"
    elif code >= 0:
        cause = f"exited with code {code}"
    elif -code in {s.value for s in signal.Signals}:
        cause = f"killed by {signal.Signals(-code).name}"
    else:
        cause = f"killed by signal {-code}"
    if code == -signal.SIGKILL:
        cause += ", perhaps by the system for want of memory"
    return one_line(f"{cause}; last words: {last.strip()!r}") if last else cause
