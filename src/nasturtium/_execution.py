"""Where a study's evaluations run: the executor of a name, and the checkpoints each evaluation sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from nasturtium.engine import Executor, InlineExecutor, SimulatedExecutor
from nasturtium.errors import UsageError, near_matches
from nasturtium.storage import CheckpointStore, CheckpointView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.engine import Workload


def make_executor(
    name: str | None, workers: int, patience: float | None = None, memory_bytes: int | None = None
) -> Executor:
    """Return the executor of a name; None means inline for one worker, else local.

    Raises:
        UsageError: There is no such executor, the number of workers is not positive, or only worker
            processes have a limit of memory.
    """
    if workers < 1:
        raise UsageError(f"workers is at least 1, got {workers}; raise it.")
    is_inline = name == "inline" or (name is None and workers == 1)
    if memory_bytes is not None and (is_inline or name == "simulated"):
        raise UsageError(
            f"memory is limited in worker processes only, got memory_bytes={memory_bytes:,}; use executor='local'."
        )
    if name == "simulated":
        return SimulatedExecutor(workers)
    if name == "inline" and workers > 1:
        raise UsageError(f"the inline executor has one worker, got workers={workers}; use executor='local'.")
    if is_inline:
        return InlineExecutor()
    if name in (None, "local"):
        from nasturtium.engine import LocalExecutor  # needs multiprocessing

        return LocalExecutor(workers, patience=patience, memory_bytes=memory_bytes)
    raise UsageError(f"unknown executor {name!r}; {near_matches(str(name), ['inline', 'local', 'simulated'])}")


def check_memory_leaves_room(workload: Workload, memory_bytes: int) -> None:
    """Start a worker with this limit of memory, and end it: what it loads must fit.

    Raises:
        UsageError: The limit leaves nothing for a candidate, or this system has none.
    """
    from nasturtium.engine import LocalExecutor  # needs multiprocessing

    executor = LocalExecutor(memory_bytes=memory_bytes)
    try:
        executor.start(workload)
        executor.await_worker()
    finally:
        executor.close()


@final
class CheckpointViews:
    """Makes the checkpoint view of one evaluation, in whichever process it runs."""

    def __init__(self, store: CheckpointStore) -> None:
        self.store = store

    def __call__(self, references: Mapping[int, str]) -> CheckpointView:
        return CheckpointView(self.store, references)
