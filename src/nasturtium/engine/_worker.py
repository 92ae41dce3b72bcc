"""What runs in a worker process: load the workload, then evaluate one job after another.

The engine starts it by ``python -c`` and not by multiprocessing, which would run the user's
script a second time unless that guards against it. Both ends of the pipe send pickles:

    engine                         worker
                                   Ready, or Broken and the end
    number, Job (cloudpickle)      Reported
    Decision                       Reported ... then Done or Failed
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import mmap
import os
import pickle
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nasturtium.engine._base import Job, Message, Reported, Workload
from nasturtium.engine._evaluation import Evaluation, failure, reason_of
from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LIFELINE_SECONDS = 0.5
PR_SET_PDEATHSIG = 1

CANT_LOAD = (
    "a worker must be able to load estimator, space and task, got {}; make it importable there "
    "or use the inline executor."
)


@final
@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded the workload."""


@final
@dataclass(frozen=True, slots=True)
class Broken:
    """The worker can't load the workload, and ends.

    Args:
        message: Rule, value got and way out.
    """

    message: str


def main(pipe: int, workload: int, engine: int, threads: int, memory_bytes: int) -> None:
    """Run a worker until the engine closes the pipe or dies.

    Args:
        pipe: File descriptor of this end of the pipe.
        workload: File descriptor of the pickled workload.
        engine: Process id of the engine.
        threads: Threads that torch may use.
        memory_bytes: Most memory of this process, or 0 for no limit.
    """
    del sys.argv[1:]  # what is for this function is not for candidates
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine to act upon
    end_with(engine)
    faulthandler.enable(all_threads=False)
    connection: Connection[Any, Any] = Connection(pipe)
    try:
        loaded = load(workload)
        settle_torch(threads)
        if memory_bytes:
            limit_memory(memory_bytes)
    except UsageError as error:
        connection.send(Broken(str(error)))
        return
    except BaseException as error:
        connection.send(Broken(CANT_LOAD.format(reason_of(error))))
        return
    gc.collect()
    gc.freeze()  # so that a collection after each job costs next to nothing
    connection.send(Ready())
    serve(connection, loaded)


def end_with(engine: int) -> None:
    """See to it that this process ends soon after the engine, however that ends.

    The kernel does it at once on Linux, even while C code holds the interpreter; elsewhere a
    thread looks twice a second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def watch() -> None:
        while os.getppid() == engine:
            time.sleep(LIFELINE_SECONDS)
        os.killpg(0, signal.SIGKILL)  # with all that a candidate has started

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def load(workload: int) -> Workload:
    """Return the workload that the engine pickled."""
    with mmap.mmap(workload, 0, access=mmap.ACCESS_READ) as data:
        loaded: Workload = pickle.loads(data)
    os.close(workload)
    return loaded


def settle_torch(threads: int) -> None:
    """Set torch's threads, and let denormal numbers be zero, if the workload has loaded torch."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)


def limit_memory(memory_bytes: int) -> None:
    """Let allocations fail beyond a limit.

    Raises:
        UsageError: The limit leaves nothing for a candidate, or this system has none.
    """
    if sys.platform != "linux":
        raise UsageError(
            f"a limit of memory (memory_bytes, --memory) works on Linux, got {sys.platform}; leave it out."
        )
    import resource

    # RLIMIT_DATA counts the writable private memory; RLIMIT_AS would count what torch's
    # libraries and memory-mapped data only reserve.
    status = Path("/proc/self/status").read_text()
    taken = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:"))
    if memory_bytes <= taken:
        raise UsageError(
            "a limit of memory (memory_bytes, --memory) is for a whole worker, which holds "
            f"{taken / 1e6:,.0f} MB before the first candidate, got {memory_bytes / 1e6:,.0f} MB; raise it."
        )
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def serve(connection: Connection[Any, Any], workload: Workload) -> None:
    """Evaluate one job after another until the engine hangs up."""
    with suppress(EOFError, ConnectionError):
        while True:
            number: int = connection.recv()
            evaluate(connection, workload, number, connection.recv_bytes())
            gc.collect()  # networks in reference cycles


def evaluate(connection: Connection[Any, Any], workload: Workload, number: int, pickled: bytes) -> None:
    """Evaluate one job; whatever it raises is its failure, SystemExit included."""
    try:
        job: Job = pickle.loads(pickled)
        make = workload.checkpoints or NoCheckpoints
        evaluation = Evaluation(workload, job, make(job.references))
    except BaseException as error:
        connection.send_bytes(pickle.dumps(failure(number, error)))
        return
    while True:
        message, data = advance(evaluation, number)
        connection.send_bytes(data)
        if not isinstance(message, Reported):
            return
        evaluation.decision = connection.recv()


def advance(evaluation: Evaluation, number: int) -> tuple[Message, bytes]:
    """Return what came of the next step, and its pickle.

    Not ``Connection.send``: that pickles tensors in torch's way, by handles to shared memory.
    """
    try:
        message = evaluation.advance()
        return message, pickle.dumps(message)
    except BaseException as error:
        failed = failure(number, error)
        return failed, pickle.dumps(failed)


@final
class NoCheckpoints:
    """Stands in where a study keeps no checkpoints.

    Args:
        references: Nothing that could be loaded.
    """

    def __init__(self, references: Mapping[int, str]) -> None:
        del references

    def load(self, number: int) -> bytes | None:
        """Return None: there is none."""
        del number
        return None

    def reference(self, number: int) -> str | None:
        """Return None: nothing is kept."""
        del number
        return None

    def save(self, data: bytes) -> str:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"checkpoints of worker processes need a place, got none for {len(data)} bytes; "
            "give the study a storage or use the inline executor."
        )
