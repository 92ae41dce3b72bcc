"""How the workers of LocalExecutor begin, what they show meanwhile, and how they end."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from nasturtium.engine import _local
from nasturtium.engine._base import Failed
from nasturtium.engine._local import LocalExecutor
from nasturtium.errors import NasturtiumError, UsageError
from nasturtium.estimators import Function
from nasturtium.testing._executor_cases import (
    PATIENCE,
    counting,
    heard,
    job_of,
    last_of,
    metrics_of,
    workload_of,
)
from nasturtium.trials import Decision

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs prctl and /proc of Linux")


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


def test_a_start_that_takes_for_ever_is_given_up(started, monkeypatch):
    monkeypatch.setattr(_local, "START_SECONDS", 0.1)
    executor = started(Loads(exec, "import threading; threading.Event().wait()"))
    executor.submit(job_of())
    with pytest.raises(NasturtiumError, match=r"load the workload within 0\.1 s, got none"):
        executor.receive(PATIENCE)


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


def test_candidates_see_no_arguments(started):
    assert metrics_of(started(lambda a: {"n": len(sys.argv)})) == {"n": 1}


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
    assert last.reason.startswith("UsageError: checkpoints of worker processes need a place, got none")


# --- the end ------------------------------------------------------------------------------------


def test_close_leaves_no_process_and_no_descriptor(ends):
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
def test_workers_end_with_a_killed_engine(tmp_path, busy, ends):
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
        workers = [int(float(process.stdout.readline())) for _ in range(2)]
        process.kill()
    assert [ends(worker, 2.0) for worker in workers] == [True, True]


def test_an_engine_that_forgets_to_close_leaves_no_worker(tmp_path, ends):
    process = script(tmp_path, "print(run(executor, job_of(0))[0][0].measurement.metrics['pid'])")
    out, _ = process.communicate(timeout=PATIENCE)
    assert ends(int(float(out)), 2.0)
