"""NAS-Bench-101: all 2,532 cells of at most five vertices, and a sample of 14,000 of up to seven.

Ying et al. 2019, "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML (arXiv 1902.09635);
Bakhtiarifard, Igel & Selvan 2022, "EC-NAS: Energy Consumption Aware Tabular Benchmarks for Neural
Architecture Search" (arXiv 2210.06015).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from nasturtium.benchmarking._base import Benchmark, Entry, benchmark
from nasturtium.benchmarking._data import table
from nasturtium.errors import UsageError
from nasturtium.estimators import ESTIMATORS, Schedule, Table, Tabular
from nasturtium.spaces import SPACES, NASBench101, integer
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._tree import Block, group_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.graphs import Graph, Shape
    from nasturtium.spaces import Architecture

REFERENCE = "Ying et al. 2019, arXiv 1902.09635"
ENERGY = "Bakhtiarifard et al. 2022, arXiv 2210.06015"
SMALL = NASBench101(max_vertices=5)
EPOCHS = (4, 12, 36, 108)
N_SAMPLE = 14_000


@final
@ESTIMATORS.register("nasbench101-5v", is_listed=False)
@dataclass(frozen=True)
class NASBench101Small(Tabular):
    """Looks up the cells of at most five vertices, trained for 4 epochs, measured after 2 as well."""

    @property
    def table(self) -> Table:
        """Errors; parameters as cost."""
        return _small_table()

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of the cell's official hash."""
        return _small_row(architecture)


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


@final
@SPACES.register("nasbench101-14k", is_listed=False)
@dataclass(frozen=True, kw_only=True)
class NASBench101Sample(ClosedNetworkSpace):
    """The 14,000 cells of the sample by number: for random search, predictors and schedulers.

    Most neighbors of a cell in the space of NAS-Bench-101 were not sampled, so a mutation is another
    cell of the sample.

    References:
        Ying et al. 2019, arXiv 1902.09635.
    """

    input_shape: Shape | None = (3, 32, 32)
    n_outputs: int | None = 10

    reference: ClassVar[str] = REFERENCE

    @property
    def root(self) -> Block:
        """The cell's number."""
        return _NUMBER

    def _network(self, architecture: Architecture) -> Graph:
        cells, row = table("nasbench101-14k"), architecture["cell"]
        n = int((cells["ops"][row] != PADDING).sum())
        whole = NASBench101(input_shape=self.input_shape, n_outputs=self.n_outputs)
        adjacency = cells["adjacency"][row][:n, :n].tolist()
        return whole.network(whole.from_matrix(adjacency, cells["ops"][row][:n].tolist()))


_NUMBER = group_of({"cell": integer(0, N_SAMPLE - 1)})
PADDING = -9


@lru_cache
def _small_table() -> Table:
    cells = table("nasbench101-5v")
    errors = np.stack([1 - cells[f"val_acc_e{e}"].astype(np.float64) for e in (2, 4)], axis=1)
    seconds = np.repeat(cells["train_time_s_e4"][:, None].astype(np.float64) / 2, 2, axis=1)
    reports = {"test_error": 1 - cells["test_acc_e4"].astype(np.float64)}
    return Table(
        (Schedule((2, 4), {"valid_error": errors}, seconds),), {"params": cells["params"]}, reports, stops=(2,)
    )


@lru_cache
def _rows() -> dict[str, int]:
    """Return the row of each official hash."""
    return {digest.tobytes().hex(): row for row, digest in enumerate(table("nasbench101-5v")["hash"])}


@lru_cache(maxsize=50_000)
def _small_row(architecture: Architecture) -> int | None:
    return _rows().get(SMALL.hash(architecture))


@lru_cache
def _small_chances() -> NDArray[np.float64]:
    """Return the chance of each row to be drawn by the space, whose matrices are drawn uniformly."""
    chances = SMALL.draw_chances()
    return np.array([chances[digest] for digest in _rows()])


@lru_cache
def _large_table(epochs: int) -> Table:
    cells = table("nasbench101-14k")
    error = {e: 1 - cells[f"val_acc_e{e}"].astype(np.float64) for e in EPOCHS}
    seconds = cells["train_time_s_e108"].astype(np.float64) / 108
    schedules = tuple(
        Schedule((e,), {"valid_error": error[e][:, None]}, e * seconds[:, None]) for e in EPOCHS if e <= epochs
    )
    return Table(schedules, {"params": cells["params"]}, {"valid_error_e108": error[108]})


def _make_small(name: str) -> Benchmark:
    seconds = "published for the whole training, half of it for half of its epochs"
    reference = f"{REFERENCE}; {ENERGY}"
    return benchmark(name, SMALL, NASBench101Small(), reference=reference, seconds=seconds, counted=_small_chances)


def _make_large(name: str) -> Benchmark:
    estimator = NASBench101Large(int(name.rpartition("-e")[2]))
    seconds = "published for 108 epochs, in proportion to the epochs for fewer"
    return benchmark(name, NASBench101Sample(), estimator, reference=REFERENCE, seconds=seconds)


ENTRIES = {
    "nasbench101-5v-e4": Entry(
        "all 2,532 cells of at most five vertices: 4-epoch validation error as signal, 4-epoch test error reported",
        f"{REFERENCE}; {ENERGY}",
        _make_small,
    ),
    **{
        f"nasbench101-14k-e{e}": Entry(
            f"a sample of 14,000 cells by number: {e}-epoch validation error as signal, that of 108 epochs reported",
            REFERENCE,
            _make_large,
        )
        for e in EPOCHS
    },
}
