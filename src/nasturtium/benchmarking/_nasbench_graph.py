"""NAS-Bench-Graph: 26,206 graph networks on five data sets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np

from nasturtium.benchmarking._base import Benchmark, Entry, benchmark
from nasturtium.benchmarking._data import table
from nasturtium.errors import UsageError, near_matches
from nasturtium.estimators import ESTIMATORS, Schedule, Table, Tabular
from nasturtium.spaces import Architecture
from nasturtium.spaces._nasbench_graph import LINKS, OPERATIONS, NASBenchGraph

if TYPE_CHECKING:
    from nasturtium.spaces._nasbench_graph import Tree

DATA = ("cora", "citeseer", "computers", "photo", "arxiv")
REFERENCE = NASBenchGraph.reference
SECONDS = "not published: every evaluation is charged one second"


@final
@ESTIMATORS.register("nasbench-graph", is_listed=False)
@dataclass(frozen=True)
class NASBenchGraphTable(Tabular):
    """Looks up NAS-Bench-Graph.

    Args:
        data: The data set, such as ``"cora"``.
    """

    data: str = "cora"

    def __post_init__(self) -> None:
        """Check the data set."""
        if self.data not in DATA:
            raise UsageError(f"unknown data set {self.data!r}; {near_matches(self.data, DATA)}")

    @property
    def table(self) -> Table:
        """Errors; latency in ms and parameters as costs."""
        return _table(self.data)

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of the one representative of all isomorphic architectures."""
        return _rows().get(NASBenchGraph().signature(architecture))


@lru_cache
def _table(data: str) -> Table:
    columns = table(f"nasbench-graph-{data}")
    valid = 1 - columns["val"].astype(np.float64)
    return Table(
        (Schedule((0,), {"valid_error": valid[:, None]}, np.ones((len(valid), 1))),),
        costs={"latency_ms": columns["latency_s"] * 1e3, "params": np.round(columns["params_m"] * 1e6)},
        reports={"test_error": 1 - columns["test"].astype(np.float64)},
    )


@lru_cache
def _rows() -> dict[tuple[Tree, ...], int]:
    """Return the row of each class of isomorphic architectures; the same for all data sets."""
    space = NASBenchGraph()
    return {space.signature(architecture_of(int(h))): row for row, h in enumerate(table("nasbench-graph-cora")["hash"])}


def architecture_of(number: int) -> Architecture:
    """Return the architecture of the benchmark's hash, whose digits are the shape and the operations.

    Example:
        >>> dict(architecture_of(81))
        {'link': '0000', 'op1': 'gat', 'op2': 'gat', 'op3': 'skip', 'op4': 'gcn'}
    """
    link, *operations = (int(digit) for digit in f"{number:05d}")
    return Architecture({"link": LINKS[link], **{f"op{i}": OPERATIONS[o] for i, o in enumerate(operations, start=1)}})


def _make(name: str) -> Benchmark:
    estimator = NASBenchGraphTable(name.rpartition("-")[2])
    return benchmark(name, NASBenchGraph(), estimator, reference=REFERENCE, seconds=SECONDS)


ENTRIES = {
    f"nasbench-graph-{data}": Entry(
        f"graph networks on {data}: validation error as signal, test error reported", REFERENCE, _make
    )
    for data in DATA
}
