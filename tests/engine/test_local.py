"""LocalExecutor against real processes that crash, hang, fill the memory or lose their engine.

Candidates are lambdas and local functions, which travel by value: a worker can't import this file.
"""

import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing

import pytest

from nasturtium.engine._base import Died, Done, Failed, Job, Reported
from nasturtium.engine._local import LocalExecutor
from nasturtium.errors import NasturtiumError, UsageError
from nasturtium.estimators import Function
from nasturtium.testing._executor_cases import PATIENCE, counting, heard, job_of, run, workload_of
from nasturtium.trials import Decision, Measurement

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux' limits and /proc")


@pytest.fixture
def started():
    """Return what starts an executor for a function; every one is closed after the test."""
    executors = []

    def start(function, **arguments):
        executor = LocalExecutor(**arguments)
        executors.append(executor)
        executor.start(workload_of(Function(function)))
        return executor

    yield start
    for executor in executors:
        executor.close()


def metrics_of(executor, number=0):
    said = run(executor, job_of(number))[number]
    assert isinstance(said[0], Reported), said
    return said[0].measurement.metrics


def pids_of(said):
    return {messages[0].measurement.metrics["pid"] for messages in said.values()}


def last_of(executor, number=0):
    return run(executor, job_of(number))[number][-1]


def ends(pid, seconds=5.0):
    """Return whether a process has ended, or does so within some seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


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


def test_an_idle_worker_that_dies_is_replaced(started):
    executor = started(lambda a: {"pid": os.getpid()})
    first = metrics_of(executor)["pid"]
    os.kill(first, signal.SIGKILL)
    assert ends(first)
    assert metrics_of(executor, 1)["pid"] != first


def test_exit_in_a_candidate_is_its_failure(started):
    executor = started(lambda a: sys.exit("usage: train.py"))
    assert last_of(executor).reason == "SystemExit: usage: train.py"


def test_a_measurement_that_cannot_be_pickled_is_a_failure(started):
    executor = started(lambda a: {"loss": (i for i in range(3))})
    last = last_of(executor)
    assert isinstance(last, Failed)
    assert last.reason == "TypeError: cannot pickle 'generator' object"


def test_a_measurement_that_only_the_worker_can_load_is_a_failure(started):
    def function(architecture):
        sys.modules["there"] = there = type(sys)("there")
        exec("class Loss(float): pass", there.__dict__)
        return {"loss": there.Loss(0.5)}

    executor = started(function)
    assert last_of(executor).reason == "ModuleNotFoundError: No module named 'there'"


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
        assert {m.number for _ in (0, 1) for m in heard(executor)} == {0, 1}
        executor.patience = 0.2  # trial 1 has this long, and trial 0 waits for its answer meanwhile
        executor.answer(1, Decision.CONTINUE)
        assert heard(executor) == [Failed(1, "timed out: no measurement for 0.2 s")]
        executor.patience = PATIENCE
        executor.answer(0, Decision.CONTINUE)
        assert heard(executor) == [Done(0)]


def test_what_a_hanging_candidate_started_ends_with_it(started, tmp_path):
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
    with pytest.raises(
        UsageError, match=r"memory_bytes is for a whole worker.*got 1,048,576; raise it"
    ):
        executor.receive(PATIENCE)


# --- start --------------------------------------------------------------------------------------


class Loads:
    """Does something when it is unpickled."""

    def __init__(self, function, *arguments):
        self.made_by = function, arguments

    def __reduce__(self):
        return self.made_by


def test_a_workload_that_cannot_be_pickled_is_refused():
    lock = threading.Lock()
    with pytest.raises(UsageError, match=r"got TypeError: cannot pickle '_thread.lock' object"):
        LocalExecutor().start(workload_of(Function(lambda a: {"loss": lock.locked()})))


def test_a_workload_that_cannot_be_loaded_is_refused(started):
    executor = started(Loads(exec, "import no_such_module"))
    executor.submit(job_of())
    with pytest.raises(
        UsageError,
        match="got ModuleNotFoundError: No module named 'no_such_module'; make it importable",
    ):
        executor.receive(PATIENCE)


def test_workers_that_die_at_start_do_not_loop_for_ever(started):
    executor = started(Loads(exec, "import os; os.write(2, b'no licence'); os._exit(3)"))
    executor.submit(job_of())
    with pytest.raises(
        NasturtiumError,
        match=r"got 3 in a row that failed, the last exited with code 3; last words: 'no licence'",
    ):
        executor.receive(PATIENCE)


def test_a_job_whose_worker_dies_at_start_goes_to_the_next(started, tmp_path):
    flag = str(tmp_path / "died")
    code = f"import os\nif not os.path.exists({flag!r}): open({flag!r}, 'w').close(); os._exit(3)"
    load = Loads(exec, code)
    executor = started(lambda a: {"loss": 0.5 if load is None else 1.0})
    assert metrics_of(executor) == {"loss": 0.5}


def test_modules_on_the_path_of_the_engine_are_found(started, tmp_path, monkeypatch):
    (tmp_path / "my_metrics.py").write_text("def loss(architecture):\n    return {'loss': 0.25}\n")
    monkeypatch.syspath_prepend(tmp_path)
    import my_metrics

    assert metrics_of(started(my_metrics.loss)) == {"loss": 0.25}


def test_torch_has_the_threads_and_flushes_denormals(started):
    import torch

    def function(architecture):
        tiny = torch.full((8,), 1e-38) * 1e-3
        return {"threads": torch.get_num_threads(), "tiny": float(tiny.sum())}

    assert metrics_of(started(function, threads=2)) == {"threads": 2, "tiny": 0.0}


def test_the_environment_has_the_threads(started):
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    found = metrics_of(started(lambda a: {name: int(os.environ[name]) for name in names}))
    assert found == dict.fromkeys(names, 1)


# --- output and signals -------------------------------------------------------------------------


def test_what_candidates_print_is_not_shown(started, capfd):
    def function(architecture):
        for stream in (sys.stdout, sys.stderr):
            stream.write("from Python\n")
            stream.flush()
        os.system("echo from a child; echo from a child >&2")
        return {"loss": float(len(sys.stdin.read()))}

    assert metrics_of(started(function)) == {"loss": 0.0}
    assert capfd.readouterr() == ("", "")


def test_a_flood_of_output_blocks_nobody(started):
    def function(architecture):
        for _ in range(40):
            os.write(2, b"x" * (1 << 17))
        os.close(2)
        return {"loss": 0.5}

    executor = started(function, patience=PATIENCE)
    assert metrics_of(executor) == {"loss": 0.5}
    assert isinstance(last_of(executor, 1), Failed)


def test_ctrl_c_is_for_the_engine(started):
    executor = started(lambda a: os.kill(os.getpid(), signal.SIGINT) or {"loss": 0.5})
    assert metrics_of(executor) == {"loss": 0.5}


def test_a_save_without_a_place_is_a_clear_failure():
    def script(assignment, context):
        assert context.checkpoints.load(0) is None
        context.checkpoints.save(b"weights")
        yield from counting(assignment, context)

    executor = LocalExecutor()
    executor.start(workload_of(script))
    last = last_of(executor)
    executor.close()
    assert last.reason.startswith(
        "UsageError: checkpoints of worker processes need a place, got none"
    )


# --- the end ------------------------------------------------------------------------------------


def test_close_leaves_no_process_and_no_descriptor():
    before = sorted(os.listdir("/proc/self/fd"))
    executor = LocalExecutor(workers=2)

    def script(assignment, context):
        for measurement in counting(assignment, context):
            yield type(measurement)(0, {"pid": os.getpid()})
            threading.Event().wait()

    executor.start(workload_of(script))
    executor.submit(job_of(0))
    pid = int(heard(executor)[0].measurement.metrics["pid"])
    executor.answer(0, Decision.CONTINUE)
    executor.submit(job_of(1))
    begun = time.monotonic()
    executor.close()
    assert time.monotonic() - begun < 2.0
    assert ends(pid, 0)
    with pytest.raises(ProcessLookupError):  # reaped: not even a zombie
        os.kill(pid, 0)
    assert sorted(os.listdir("/proc/self/fd")) == before


SCRIPT = """
import os, re, sys, threading
from dataclasses import dataclass
import nasturtium.estimators as estimators
from nasturtium.engine._base import Done, Reported
from nasturtium.engine._local import LocalExecutor
from nasturtium.testing._executor_cases import job_of, run, workload_of
from nasturtium.trials import Decision, Measurement

FACTOR = 0.25


def loss(architecture):
    return FACTOR * architecture["layers"]


@dataclass(frozen=True, slots=True)
class Mine(estimators.Estimator):
    offset: float = 1.0

    def evaluate(self, assignment, context):
        metrics = {"loss": self.offset + loss(assignment.architecture), "pid": os.getpid()}
        yield Measurement(0, metrics)
        BUSY


executor = LocalExecutor(workers=2)
executor.start(workload_of(Mine()))
"""


def script(tmp_path, end, busy="pass"):
    """Return the process of a user's script, which does not guard its main."""
    path = tmp_path / "search.py"
    path.write_text(SCRIPT.replace("BUSY", busy) + textwrap.dedent(end))
    return subprocess.Popen(
        [sys.executable, "-W", "error", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_script_needs_no_main_guard(tmp_path):
    process = script(
        tmp_path,
        """
        said = run(executor, job_of(0), job_of(1))
        executor.close()
        print(*(messages[0].measurement.metrics["loss"] for messages in said.values()))
        """,
    )
    assert process.communicate(timeout=PATIENCE) == ("1.5 1.5\n", "")
    assert process.returncode == 0


@linux
@pytest.mark.parametrize(
    "busy",
    ["threading.Event().wait()", "re.match('(a+)+$', 'a' * 64 + 'b')"],
    ids=["waiting", "in C code that holds the interpreter"],
)
def test_workers_end_with_a_killed_engine(tmp_path, busy):
    process = script(
        tmp_path,
        """
        for number in (0, 1):
            executor.submit(job_of(number))
        while True:
            for message in executor.receive():
                executor.answer(message.number, Decision.CONTINUE)
                print(message.measurement.metrics["pid"], flush=True)
        """,
        busy,
    )
    with process:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        process.kill()
    assert [ends(worker, 2.0) for worker in workers] == [True, True]


def test_an_engine_that_forgets_to_close_leaves_no_worker(tmp_path):
    process = script(tmp_path, "print(run(executor, job_of(0))[0][0].measurement.metrics['pid'])")
    out, _ = process.communicate(timeout=PATIENCE)
    assert ends(int(out), 2.0)
