"""NAS-Bench-101: a sample of 14,000 cells with four trainings each.

Ying et al. 2019, "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML (arXiv 1902.09635).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.benchmarking._base import Benchmark, Entry, benchmark
from nasturtium.benchmarking._data import table
from nasturtium.errors import UsageError
from nasturtium.estimators import ESTIMATORS, Schedule, Table, Tabular
from nasturtium.spaces import decisions, integer

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture

REFERENCE = "Ying et al. 2019, arXiv 1902.09635"
EPOCHS = (4, 12, 36, 108)
N_SAMPLE = 14_000


@final
@ESTIMATORS.register("nasbench101-14k", is_listed=False)
@dataclass(frozen=True)
class NASBench101Large(Tabular):
    """Looks up the sample: validation errors of a training each of 4, 12, 36 and 108 epochs.

    Args:
        epochs: The training whose validation error is the signal; shorter ones are cheaper
            fidelities.
    """

    epochs: int = 108

    def __post_init__(self) -> None:
        """Check the epochs."""
        if self.epochs not in EPOCHS:
            raise UsageError(f"epochs is one of {EPOCHS}, got {self.epochs}; choose one of them.")

    @property
    def table(self) -> Table:
        """Errors; parameters as cost."""
        return _large_table(self.epochs)

    def row(self, architecture: Architecture) -> int | None:
        """Return the cell's place in the sample."""
        cell: int = architecture["cell"]
        return cell


@lru_cache
def _large_table(epochs: int) -> Table:
    cells = table("nasbench101-14k")
    error = {e: 1 - cells[f"val_acc_e{e}"].astype(np.float64) for e in EPOCHS}
    seconds = cells["train_time_s_e108"].astype(np.float64) / 108
    schedules = tuple(
        Schedule((e,), {"valid_error": error[e][:, None]}, e * seconds[:, None]) for e in EPOCHS if e <= epochs
    )
    return Table(schedules, {"params": cells["params"]}, {"valid_error_e108": error[108]})


def _make_large(name: str) -> Benchmark:
    estimator = NASBench101Large(int(name.rpartition("-e")[2]))
    seconds = "published for 108 epochs, in proportion to the epochs for fewer"
    return benchmark(name, decisions(cell=integer(0, N_SAMPLE - 1)), estimator, reference=REFERENCE, seconds=seconds)


ENTRIES = {
    f"nasbench101-14k-e{e}": Entry(
        f"a sample of 14,000 cells by number: {e}-epoch validation error as signal, that of 108 epochs reported",
        REFERENCE,
        _make_large,
    )
    for e in EPOCHS
}
