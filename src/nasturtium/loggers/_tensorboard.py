"""TensorBoard: a run for each trial, and one for the best so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import MissingExtraError
from nasturtium.loggers._base import LOGGERS, Logger
from nasturtium.trials import Ended, Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import Event, History


@final
@LOGGERS.register("tensorboard")
@dataclass(frozen=True)
class TensorBoard(Logger):
    """Writes event files for ``tensorboard --logdir FOLDER``.

    The run ``trial-N`` has the trial's metrics over its epochs; the run ``study`` has the best value
    of each objective so far over the trials that are over.

    Args:
        folder: Where to; event files of an earlier run of the study are replaced.

    Raises:
        MissingExtraError: The extra ``tensorboard`` is not installed.
    """

    folder: str
    _writers: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _best: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that the package is there, before a search begins."""
        if find_spec("tensorboard") is None:
            raise MissingExtraError(
                "logger tensorboard needs tensorboard; install it with pip install 'nasturtium[tensorboard]'."
            )

    def open(self, history: History) -> None:
        """Remove what an earlier run of this study wrote."""
        del history
        for stale in Path(self.folder).glob("*/events.out.tfevents.*"):
            stale.unlink()

    def write(self, history: History, events: Sequence[Event]) -> None:
        """Write the metrics of each measurement, and the best so far at each end."""
        for event in events:
            if isinstance(event, Measured):
                values = {**event.measurement.metrics, **event.measurement.report}
                self._scalars(f"trial-{event.number}", values, event.measurement.step)
            elif isinstance(event, Ended):
                self._update(history, event.number)
        for writer in self._writers.values():
            writer.flush()

    def _update(self, history: History, number: int) -> None:
        trial = history.trial(number)
        step = history.completed.index(number) + 1 if number in history.completed else 0
        for objective in history.study.objectives:
            value = trial.metrics.get(objective.metric)
            if value is not None and step:
                better = max if objective.maximize else min
                self._best[objective.metric] = better(self._best.get(objective.metric, value), value)
        if step:
            self._scalars("study", {f"best {metric}": value for metric, value in self._best.items()}, step)
            if (writer := self._writers.pop(f"trial-{number}", None)) is not None:
                writer.close()

    def _scalars(self, run: str, values: dict[str, float], step: int) -> None:
        if run not in self._writers:
            from torch.utils.tensorboard import SummaryWriter

            self._writers[run] = SummaryWriter(str(Path(self.folder) / run))
        for name, value in values.items():
            self._writers[run].add_scalar(name, value, step)

    def close(self) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._best.clear()
