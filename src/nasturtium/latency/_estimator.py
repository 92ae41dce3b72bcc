"""An estimator that tells what another tells, and the latency of the candidate before."""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium.errors import UsageError
from nasturtium.estimators import ESTIMATORS, Assignment, Context, Estimator
from nasturtium.latency._file import LatencyFile, read_file
from nasturtium.latency._measure import measure
from nasturtium.latency._operations import operations
from nasturtium.spaces import Networks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nasturtium.graphs import Graph
    from nasturtium.trials import Measurement, Rung

METRIC = "latency_ms"


@final
@ESTIMATORS.register("latency")
@dataclass(frozen=True)
class Latency(Estimator):
    """Adds ``latency_ms`` to the costs that another estimator tells before it trains.

    The candidate's live part is exported to ONNX, with random weights, and run by onnxruntime, one
    example at a time in one thread: 10 runs to warm up, then the median of as many as fit in half a
    second. Other processes on the machine make it noisier. With a file that ``nasturtium latency``
    wrote on another device, it is that device's: as measured if the network is in the file, else
    the sum over its operations by the fitted table, whose error the command prints.

    Args:
        of: The estimator.
        file: Path of another device's file; empty measures here.

    References:
        Cai, Zhu & Han 2019 (arXiv 1812.00332), latency by a table of operations.
    """

    of: Estimator
    file: str = ""

    requires: ClassVar[tuple[type, ...]] = (Networks,)
    reference: ClassVar[str] = "Cai, Zhu & Han 2019, arXiv 1812.00332"

    def __post_init__(self) -> None:
        """Check the arguments."""
        if METRIC in self.of.metrics():
            raise UsageError(f"latency is added once, got {self.of}; leave one out.")

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield what the other estimator does, the latency at step 0."""
        with closing(self.of.evaluate(assignment, context)) as stream:  # type: ignore[type-var]
            for measurement in stream:
                if measurement.step > 0 or assignment.architecture is None:
                    yield measurement
                    continue
                begun = time.perf_counter()
                latency = graph_latency(context.space.graph(assignment.architecture).simplified(), self.file)
                seconds = measurement.seconds + time.perf_counter() - begun
                yield replace(measurement, metrics={**measurement.metrics, METRIC: latency}, seconds=seconds)

    def ladder(self) -> tuple[Rung, ...]:
        """Return the other estimator's rungs."""
        return self.of.ladder()

    def metrics(self) -> tuple[str, ...]:
        """Return the other estimator's metrics and the latency."""
        known = self.of.metrics()
        return (*known, METRIC) if known else ()

    def final(self, epochs: int) -> Estimator | None:
        """Return the other estimator's: latency does not change with the weights."""
        return self.of.final(epochs)


def graph_latency(graph: Graph, file: str = "") -> float:
    """Return the milliseconds that a network takes for one example.

    Args:
        graph: The network.
        file: Path of another device's file; empty measures here.
    """
    from nasturtium.export import write_graph

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        write_graph(graph, path)
        return _device(file).latency_ms(operations(path, runs=1)) if file else measure(path).median_ms


@lru_cache(maxsize=4)
def _device(file: str) -> LatencyFile:
    return read_file(Path(file))
