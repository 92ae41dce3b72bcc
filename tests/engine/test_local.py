"""LocalExecutor against candidates that crash, hang or fill the memory of real processes.

Candidates are lambdas and local functions, which travel by value: a worker can't import this file.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from nasturtium.engine._base import Died, Done, Failed, Job, Reported
from nasturtium.engine._local import LocalExecutor
from nasturtium.errors import UsageError
from nasturtium.testing._executor_cases import (
    PATIENCE,
    counting,
    heard,
    job_of,
    last_of,
    metrics_of,
    run,
    workload_of,
)
from nasturtium.trials import Decision, Measurement

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")


def pids_of(said):
    return {messages[0].measurement.metrics["pid"] for messages in said.values()}


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, got 0; raise it"),
        ({"threads": 0}, "threads must be at least 1, got 0; raise it"),
        ({"memory_bytes": 0}, "memory_bytes must be positive or None, got 0"),
        ({"patience": -1.0}, r"patience must be positive or None, got -1\.0"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(UsageError, match=message):
        LocalExecutor(**arguments)


def test_a_job_needs_start():
    with pytest.raises(UsageError, match="under way after start, got trial 0 with 0 under way"):
        LocalExecutor().submit(job_of())


# --- candidates that take their process with them -----------------------------------------------


@pytest.mark.parametrize(
    ("crash", "reason"),
    [
        (lambda a: os._exit(3), "exited with code 3"),
        (lambda a: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
        (lambda a: __import__("ctypes").string_at(0), "killed by SIGSEGV"),
        (lambda a: os.write(2, b"lo!\n") and os.abort(), "killed by SIGABRT; last words: 'lo!'"),
    ],
    ids=["exit", "kill", "segfault", "abort"],
)
def test_a_crash_is_told_and_survived(started, tmp_path, crash, reason):
    flag = str(tmp_path / "crashed")

    def function(architecture):
        if os.path.exists(flag):
            return {"pid": os.getpid()}
        open(flag, "w").close()
        return crash(architecture)

    executor = started(function)
    died = last_of(executor, 4)
    assert isinstance(died, Died)
    assert died.number == 4
    assert died.reason.startswith(reason)
    assert metrics_of(executor, 4)["pid"] != os.getpid()


def test_a_crash_shows_where(started):
    executor = started(lambda a: os.abort())
    assert "evaluate" in last_of(executor).details


def test_a_crash_leaves_the_other_worker_alone():
    def script(assignment, context):
        if assignment.number == 2:
            os._exit(3)
        yield Measurement(0, {"pid": os.getpid()})

    executor = LocalExecutor(workers=2)
    executor.start(workload_of(script))
    with closing(executor):
        before = pids_of(run(executor, job_of(0), job_of(1)))
        said = run(executor, job_of(2), job_of(3))
        after = pids_of(run(executor, job_of(4), job_of(5)))
    assert said[2] == [Died(2, "exited with code 3")]
    assert said[3][-1] == Done(3)
    assert len(before) == len(after) == 2
    assert len(before & after) == 1


def test_a_crash_is_noticed_though_a_child_keeps_the_pipe_open(started, tmp_path, ends):
    note = tmp_path / "pid"

    def function(architecture):
        child = os.fork()
        if child == 0:
            threading.Event().wait()
        note.write_text(str(child))
        os._exit(3)

    assert last_of(started(function)) == Died(0, "exited with code 3")
    assert ends(int(note.read_text()))


def test_an_idle_worker_that_dies_is_replaced(started, ends):
    executor = started(lambda a: {"pid": os.getpid()})
    first = metrics_of(executor)["pid"]
    os.kill(first, signal.SIGKILL)
    assert ends(first)
    assert metrics_of(executor, 1)["pid"] != first


def test_exit_in_a_candidate_is_its_failure(started):
    executor = started(lambda a: sys.exit("usage: train.py"))
    assert last_of(executor).reason == "SystemExit: usage: train.py"


def test_a_metric_that_is_no_number_is_a_failure(started):
    last = last_of(started(lambda a: {"loss": "low"}))
    assert isinstance(last, Failed)
    assert last.reason == "ValueError: could not convert string to float: 'low'"


def test_a_measurement_that_cannot_be_pickled_is_a_failure(started):
    def script(assignment, context):
        yield Measurement(0, {"loss": 0.5}, note=(i for i in range(3)))

    last = last_of(started(script, is_script=True))
    assert isinstance(last, Failed)
    assert last.reason == "TypeError: cannot pickle 'generator' object"


def test_a_measurement_that_only_the_worker_can_load_is_a_failure(started):
    def script(assignment, context):
        sys.modules["there"] = there = type(sys)("there")
        exec("class Note(str): pass", there.__dict__)
        yield Measurement(0, {"loss": 0.5}, note=there.Note("here"))

    last = last_of(started(script, is_script=True))
    assert last.reason == "ModuleNotFoundError: No module named 'there'"


# --- candidates that hang -----------------------------------------------------------------------


def test_a_hang_is_ended_after_the_patience(started):
    executor = started(lambda a: threading.Event().wait(), patience=0.2)
    assert last_of(executor) == Failed(0, "timed out: no measurement for 0.2 s")


def test_a_stopped_process_hangs_too(started):
    executor = started(lambda a: os.kill(os.getpid(), signal.SIGSTOP), patience=0.2)
    assert last_of(executor) == Failed(0, "timed out: no measurement for 0.2 s")


def test_a_deadline_ends_a_job(started):
    executor = started(lambda a: threading.Event().wait())
    job = job_of()
    executor.submit(Job(job.assignment, 0, deadline=0.6))
    assert heard(executor) == [Failed(0, "timed out: longer than 0.6 s")]


def test_a_hang_after_a_measurement(started):
    def script(assignment, context):
        yield from counting(assignment, context)
        threading.Event().wait()

    executor = LocalExecutor(patience=1.0)
    executor.start(workload_of(script))
    with closing(executor):
        said = run(executor, job_of(epochs=1))[0]
    assert [type(message) for message in said] == [Reported, Reported, Failed]


def test_a_slow_engine_is_no_hang():
    def script(assignment, context):
        yield Measurement(0, {"loss": 0.5})
        if assignment.number == 1:
            threading.Event().wait()

    executor = LocalExecutor(workers=2, patience=PATIENCE)
    executor.start(workload_of(script))
    with closing(executor):
        for number in (0, 1):
            executor.submit(job_of(number))
        waiting = set()
        while waiting != {0, 1}:
            waiting |= {message.number for message in heard(executor)}
        executor.patience = 0.2  # trial 1 has this long, and trial 0 waits for its answer meanwhile
        executor.answer(1, Decision.CONTINUE)
        assert heard(executor) == [Failed(1, "timed out: no measurement for 0.2 s")]
        executor.patience = PATIENCE
        executor.answer(0, Decision.CONTINUE)
        assert heard(executor) == [Done(0)]


def test_what_a_hanging_candidate_started_ends_with_it(started, tmp_path, ends):
    note = tmp_path / "pid"

    def function(architecture):
        child = subprocess.Popen(["sleep", "1000"])
        note.write_text(str(child.pid))
        child.wait()

    executor = started(function, patience=0.2)
    assert isinstance(last_of(executor), Failed)
    assert ends(int(note.read_text()))


def test_receive_keeps_its_timeout(started):
    executor = started(lambda a: threading.Event().wait())
    executor.submit(job_of())
    begun = time.monotonic()
    assert list(executor.receive(0.05)) == []
    assert 0.05 <= time.monotonic() - begun < 1.0


# --- memory -------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(
    "greed",
    [
        lambda: bytearray(4 << 30),
        lambda: __import__("numpy").ones(1 << 29),
        lambda: [bytearray(1000) for _ in iter(int, 1)],
    ],
    ids=["bytearray", "numpy", "little by little"],
)
def test_memory_is_limited(started, greed):
    def function(architecture):
        return {"loss": len(greed())}

    executor = started(function, memory_bytes=300 << 20)
    last = last_of(executor)
    assert isinstance(last, Failed)
    assert last.reason.startswith("out of memory: ")
    again = last_of(executor, 1)
    assert again.reason == last.reason


@linux
def test_memory_of_torch_is_limited(started):
    import torch

    executor = started(lambda a: {"loss": torch.ones(1 << 30).sum()}, memory_bytes=1 << 30)
    last = last_of(executor)
    assert isinstance(last, Failed)
    assert "tried to allocate 4294967296 bytes" in last.reason
    assert last.reason.startswith("out of memory: ")


@linux
def test_a_limit_that_leaves_nothing_is_refused(started):
    executor = started(lambda a: {"loss": 0.5}, memory_bytes=1 << 20)
    executor.submit(job_of())
    with pytest.raises(UsageError, match=r"memory_bytes, --memory\) is for a whole worker.*got 1 MB; raise it"):
        executor.receive(PATIENCE)
    again = started(lambda a: {"loss": 0.5}, memory_bytes=1 << 20)
    with pytest.raises(UsageError, match="is for a whole worker"):  # before there is a candidate
        again.await_worker()
