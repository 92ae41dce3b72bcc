"""What ``doctor`` looks at: what works on this machine, and how to get the rest."""

from __future__ import annotations

import importlib.util
import os
import platform
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, final

from rich.table import Table
from rich.text import Text

from nasturtium._arguments import n_cores
from nasturtium.errors import NasturtiumError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from nasturtium.spaces import Architecture

LEAST_BYTES = 2 * 2**30
"""Memory under which torch and two workers get tight."""


@final
@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis.

    Args:
        what: What was looked at.
        is_well: Whether it works.
        says: What was found, or what is missing and how to get it.
        is_needed: Whether nothing works without it.
    """

    what: str
    is_well: bool
    says: str
    is_needed: bool = False


def diagnose(console: Console) -> bool:
    """Print what works on this machine, and return whether everything that is needed does."""
    is_well = True
    for check in CHECKS:  # some take seconds, so each is shown as soon as it is known
        finding = check()
        is_well &= finding.is_well or not finding.is_needed
        console.print(_row(finding))
    verdict = "everything that is needed works" if is_well else "something needed is broken"
    console.print(Text(verdict, style="bold"))
    return is_well


def _row(finding: Finding) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=7)
    table.add_column(width=13)
    table.add_column(overflow="fold")
    mark, style = _mark(finding)
    table.add_row(Text(mark, style=style), Text(finding.what), Text(finding.says))
    return table


def _mark(finding: Finding) -> tuple[str, str]:
    if finding.is_well:
        return "ok", "green"
    return ("broken", "bold red") if finding.is_needed else ("missing", "yellow")


def _python() -> Finding:
    return Finding("python", True, f"{platform.python_version()} at {sys.executable}")


def _torch() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("torch", False, f"{error}; pip install torch", is_needed=True)
    device = f"CUDA {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "no CUDA; trains on the CPU"
    value = torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3))
    return Finding("torch", float(value) == 9.0, f"{torch.__version__}, {device}", is_needed=True)


def _cores() -> Finding:
    threads = os.environ.get("OMP_NUM_THREADS")
    limit = f" (OMP_NUM_THREADS={threads})" if threads else ""
    return Finding("cores", True, f"{n_cores()} of {os.cpu_count()} usable; a worker takes one thread{limit}")


def _memory() -> Finding:
    if sys.platform == "win32":
        return Finding("memory", True, "not looked at on this system")
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    free = page * os.sysconf("SC_AVPHYS_PAGES") if sys.platform == "linux" else total
    says = f"{total / 2**30:.1f} GB, {free / 2**30:.1f} GB of it unused"
    if total < LEAST_BYTES:
        return Finding("memory", False, f"{says}; 2 GB are wanted, or use --workers 1")
    return Finding("memory", True, says)


def _scikit_learn() -> Finding:
    return _package("scikit-learn", "pip install scikit-learn", "the task digits and forests", is_needed=True)


def _onnx() -> Finding:
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        got = f"no {', '.join(missing)}: networks are exported without model.onnx"
        return Finding("onnx", False, f"{got}; pip install 'nasturtium[onnx]'")
    return Finding("onnx", True, f"onnx {version('onnx')}, onnxruntime {version('onnxruntime')}")


def _pandas() -> Finding:
    return _package("pandas", "pip install 'nasturtium[frame]'", "history.to_frame()")


def _gymnasium() -> Finding:
    return _package("gymnasium", "pip install 'nasturtium[control]'", "control tasks such as cartpole")


def _psycopg() -> Finding:
    return _package("psycopg", "pip install 'nasturtium[postgres]'", "storage on PostgreSQL")


def _package(name: str, way_out: str, purpose: str, *, is_needed: bool = False) -> Finding:
    try:
        return Finding(name, True, f"{version(name)}, for {purpose}", is_needed)
    except PackageNotFoundError:
        return Finding(name, False, f"not installed, for {purpose}; {way_out}", is_needed)


def _fashion_mnist() -> Finding:
    from nasturtium.tasks import TASKS

    try:
        task = TASKS.create("fashion-mnist").load()
    except NasturtiumError as error:
        return Finding("fashion-mnist", False, str(error))
    return Finding("fashion-mnist", True, repr(task))


def _sqlite() -> Finding:
    """Make a database in the working folder, where studies are kept by default, and remove it."""
    what, way_out = (
        "sqlite",
        "change to a folder of your own, or use --storage sqlite:////PATH/FILE",
    )
    try:
        with tempfile.TemporaryDirectory(prefix=".nasturtium-doctor-", dir=Path.cwd()) as folder:
            connection = sqlite3.connect(Path(folder) / "doctor.db")
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                connection.execute("CREATE TABLE t (x)")
            finally:
                connection.close()
    except (OSError, sqlite3.Error) as error:
        return Finding(what, False, f"can't write in {Path.cwd()} ({error}); {way_out}", is_needed=True)
    if mode != "wal":
        return Finding(
            what,
            False,
            f"no write-ahead log in {Path.cwd()} (got {mode}); {way_out}",
            is_needed=True,
        )
    return Finding(what, True, f"{sqlite3.sqlite_version}, write-ahead log in {Path.cwd()}", is_needed=True)


def _worker() -> Finding:
    """Start a worker process as a search does, and have it evaluate two candidates."""
    from nasturtium._study import Study
    from nasturtium.estimators import Function
    from nasturtium.spaces import choice, decisions

    begun = time.monotonic()
    study = Study(space=decisions(a=choice(1, 2, 3)), estimator=Function(answer))
    try:
        study.run("random-search", trials=2, executor="local")
    except (NasturtiumError, OSError) as error:
        return Finding("worker", False, f"{error}", is_needed=True)
    seconds = time.monotonic() - begun
    finished = study.history.finished()
    if len(finished) < 2:
        reasons = {trial.reason for trial in study.history.trials()}
        return Finding("worker", False, f"a worker process gave no answer: {reasons}", is_needed=True)
    return Finding("worker", True, f"a worker process started and answered in {seconds:.1f} s", is_needed=True)


def answer(architecture: Architecture) -> dict[str, float]:
    """Return what the worker of the diagnosis is asked for."""
    return {"valid_error": 1.0 / float(architecture["a"])}


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _torch,
    _cores,
    _memory,
    _scikit_learn,
    _onnx,
    _pandas,
    _gymnasium,
    _psycopg,
    _fashion_mnist,
    _sqlite,
    _worker,
)
"""What is looked at, in this order; a new check is a function and a line here."""
