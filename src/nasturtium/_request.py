"""What a search is asked for, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nasturtium.estimators import Estimator
    from nasturtium.schedulers import Scheduler
    from nasturtium.spaces import Space
    from nasturtium.storage import Storage
    from nasturtium.strategies import Strategy
    from nasturtium.tasks import Problem, Task
    from nasturtium.trials import Objective

MINUTES = 5.0
"""Time of a search that is given neither a time nor a number of candidates."""


@final
@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of ``nas.search``, which explains them, and of ``nasturtium search``.

    Args:
        task: The data.
        target: Of a table, the column to be told.
        space: Which networks are allowed.
        strategy: How to search.
        estimator: How to judge a candidate.
        scheduler: How far each is trained.
        objectives: What to make small.
        limits: Greatest values by metric.
        minutes: Time for the whole job.
        trials: Number of candidates, instead.
        workers: Candidates at a time.
        memory_bytes: Most memory of a worker; None means no limit.
        seed: For everything random.
        name: Name in the storage.
        storage: URL of a database, or one that is open.
        out: Folder for the results.
        baseline: A network of the user's own, ``"FILE.py:CLASS"``.
        command: The command line, if it was one.
        latency_file: Another device's measurements.

    Raises:
        UsageError: A number is not positive, the seed is negative, or the task is none.
    """

    task: Task | Problem | str
    target: str | None = None
    space: Space | str | None = None
    strategy: Strategy | str = "regularized-evolution"
    estimator: Estimator | str | None = None
    scheduler: Scheduler | str = "fixed"
    objectives: Sequence[str | Objective] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    minutes: float | None = None
    trials: int | None = None
    workers: int = 1
    memory_bytes: int | None = None
    seed: int = 0
    name: str | None = None
    storage: Storage | str | None = None
    out: str | Path | None = None
    baseline: str | None = None
    command: str | None = None
    latency_file: str | Path | None = None

    def __post_init__(self) -> None:
        """Check the numbers, and that there is a task."""
        from nasturtium.tasks import Problem, Task

        if not isinstance(self.task, Task | Problem | str):
            raise UsageError(
                f"a task is a Task, a Problem, a name or a path, got {type(self.task).__name__}; write 'digits', say."
            )
        if self.seed < 0:
            raise UsageError(f"a seed is at least 0, got {self.seed}; take another.")
        for what, value in {"minutes": self.minutes, "trials": self.trials, "workers": self.workers}.items():
            if value is not None and not value > 0:
                raise UsageError(f"{what} is positive, got {value}; raise it.")

    @property
    def time(self) -> float | None:
        """The minutes; ``MINUTES`` where nothing ends the search."""
        return MINUTES if self.minutes is None and self.trials is None else self.minutes
