"""NAS-Bench-NLP: the published runs of recurrent cells on WikiText-2, with their curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.benchmarking._base import Benchmark, Entry, benchmark
from nasturtium.benchmarking._data import table
from nasturtium.estimators import ESTIMATORS, Schedule, Table, Tabular
from nasturtium.spaces import decisions, integer

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture

REFERENCE = "Klyuchnikov et al. 2020, arXiv 2006.07116"
N_RUNS = 231
EPOCHS = 50
STOPS = (2, 6, 17)


@final
@ESTIMATORS.register("nasbench-nlp", is_listed=False)
@dataclass(frozen=True)
class NASBenchNLPTable(Tabular):
    """Looks up the runs of NAS-Bench-NLP: a validation loss after each of 50 epochs."""

    @property
    def table(self) -> Table:
        """Losses in nats a word; parameters as cost."""
        return _table()

    def row(self, architecture: Architecture) -> int | None:
        """Return the run's number."""
        run: int = architecture["run"]
        return run


@lru_cache
def _table() -> Table:
    columns = table("nasbench-nlp")
    steps = tuple(range(1, EPOCHS + 1))
    return Table(
        (Schedule(steps, {"valid_loss": columns["val_loss"]}, np.nan_to_num(columns["seconds"])),),
        costs={"params": columns["params"]},
        reports={"test_loss": columns["test_loss"][:, -1]},
        stops=STOPS,
    )


def _make(name: str) -> Benchmark:
    space = decisions(run=integer(0, N_RUNS - 1))
    return benchmark(name, space, NASBenchNLPTable(), ("valid_loss",), reference=REFERENCE)


ENTRIES = {
    "nasbench-nlp-wikitext2": Entry(
        "231 recurrent cells on WikiText-2 by number, with curves of 50 epochs: validation loss as signal, test loss "
        "reported",
        REFERENCE,
        _make,
    )
}
