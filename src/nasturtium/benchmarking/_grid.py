"""The grid: every strategy with every seed, in parallel, each run written down when it is over."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, final

import cloudpickle
from filelock import FileLock, Timeout

from nasturtium._files import replace_file
from nasturtium._versions import versions
from nasturtium.benchmarking._run import Protocol, Run, run_once
from nasturtium.errors import UsageError
from nasturtium.estimators import ESTIMATORS
from nasturtium.schedulers import SCHEDULERS
from nasturtium.spaces import SPACES
from nasturtium.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from nasturtium.benchmarking._base import Benchmark

RANDOM = "random-search"
"""Always in the grid: what does not beat it has not searched."""

FILE = "runs.jsonl"
"""The grid's first line says what was asked, each other one holds a run."""

LOCK = ".runs.lock"
"""Held by the process that runs the grid."""


@final
@dataclass(frozen=True)
class Grid:
    """What is compared.

    Args:
        benchmark: On what.
        strategies: Calls such as ``"regularized-evolution(population_size=10)"``.
        seeds: Number of seeds, 0 to ``seeds - 1``.
        protocol: How each run goes.
    """

    benchmark: Benchmark
    strategies: tuple[str, ...]
    seeds: int
    protocol: Protocol

    def __post_init__(self) -> None:
        """Check every component before the first run, and put random search first."""
        if self.seeds < 1 or self.protocol.trials < 1 or self.protocol.workers < 1:
            raise UsageError(
                f"seeds, trials and workers are at least 1, got {self.seeds}, {self.protocol.trials} and "
                f"{self.protocol.workers}; raise them."
            )
        for strategy in self.strategies:
            STRATEGIES.create(strategy)
        SCHEDULERS.create(self.protocol.scheduler)
        random = [strategy for strategy in self.strategies if strategy.partition("(")[0] == RANDOM] or [RANDOM]
        others = [strategy for strategy in self.strategies if strategy not in random]
        object.__setattr__(self, "strategies", (*random, *others))

    @property
    def cells(self) -> list[tuple[str, int]]:
        """Every (strategy, seed)."""
        return [(strategy, seed) for strategy in self.strategies for seed in range(self.seeds)]

    @property
    def header(self) -> dict[str, Any]:
        """What must be the same when a grid goes on, as JSON data."""
        benchmark = self.benchmark
        header = {
            "benchmark": benchmark.name,
            "space": SPACES.describe(benchmark.space),
            "estimator": ESTIMATORS.describe(benchmark.estimator),
            "objectives": benchmark.objectives,
            "nasturtium": versions()["nasturtium"],
            **asdict(self.protocol),
        }
        return dict(json.loads(json.dumps(header)))


def run_grid(
    grid: Grid, folder: Path | None = None, *, processes: int = 1, watch: Callable[[int, int], None] | None = None
) -> list[Run]:
    """Run what is still missing and return all runs, by strategy and seed.

    With a folder every run is appended to ``runs.jsonl`` when it is over, and a grid that was
    interrupted goes on: each run depends on its strategy and seed alone, so that the results are
    those of an uninterrupted grid.

    Args:
        grid: What to compare.
        folder: Where runs are kept; None keeps them in memory only.
        processes: How many runs at a time, each in a process of its own.
        watch: Called with (runs that are over, all runs) after each.

    Raises:
        UsageError: The folder holds another grid, or another process runs one there.
    """
    with nullcontext() if folder is None else _locked(folder):
        return _completed(grid, folder, processes, watch)


def _completed(grid: Grid, folder: Path | None, processes: int, watch: Callable[[int, int], None] | None) -> list[Run]:
    done = {} if folder is None else _read(grid, folder / FILE)
    cells = grid.cells
    missing = [cell for cell in cells if cell not in done]
    n_done = len(cells) - len(missing)
    if watch is not None:
        watch(n_done, len(cells))
    with closing(_runs(grid, missing, processes)) as runs:
        for n_over, run in enumerate(runs, start=n_done + 1):
            done[run.strategy, run.seed] = run
            if folder is not None:
                _append(grid, folder / FILE, run)
            if watch is not None:
                watch(n_over, len(cells))
    return [done[cell] for cell in cells]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from a folder; the lock goes with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(
            f"one grid at a time runs in a folder, got {folder}, where another process runs one; wait for it, or "
            "take another --out."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _read(grid: Grid, path: Path) -> dict[tuple[str, int], Run]:
    """Return the runs of a file by strategy and seed; none if there is no file, or not even its first line."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole, end, cut = text.rpartition("\n")
    if cut:  # the process ended while it wrote a line, which is dropped
        replace_file(path, whole + end)
    if not whole:
        return {}
    header, *lines = whole.split("\n")
    found = json.loads(header)
    if found != grid.header:
        raise UsageError(f"{path} holds the grid {found}, got {grid.header}; take another --out.")
    runs = map(Run.from_json, lines)
    return {(run.strategy, run.seed): run for run in runs}


def _append(grid: Grid, path: Path, run: Run) -> None:
    """Write a run down, the first one below the header."""
    with path.open("a", encoding="utf-8") as file:
        if not file.tell():
            file.write(json.dumps(grid.header) + "\n")
        file.write(run.to_json() + "\n")


def _runs(grid: Grid, cells: Sequence[tuple[str, int]], processes: int) -> Generator[Run, None, None]:
    if processes == 1 or len(cells) < 2:
        yield from (run_once(grid.benchmark, strategy, seed, grid.protocol) for strategy, seed in cells)
        return
    job = cloudpickle.dumps(partial(run_once, grid.benchmark, protocol=grid.protocol))
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(job,))
    try:
        for future in as_completed([pool.submit(_run, strategy, seed) for strategy, seed in cells]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


_JOB: list[Callable[..., Run]] = []
"""What a worker process runs; it gets it once."""


def _start(job: bytes) -> None:
    _JOB[:] = [cloudpickle.loads(job)]


def _run(strategy: str, seed: int) -> Run:
    return _JOB[0](strategy=strategy, seed=seed)
