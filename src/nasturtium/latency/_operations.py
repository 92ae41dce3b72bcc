"""A table of latency by operation: what each kind costs, by its arithmetic and its memory.

A network's operations are seen by onnxruntime's profiler, after it has fused what it fuses on every
machine. A kind of operation takes ``a + b * multiply-accumulates + c * bytes``, with coefficients
that are not negative, fitted to the operations of the measured networks; a network takes a time of
its own and a multiple of its operations' sum, both fitted to the whole measured networks.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.export import open_session, session_options
from nasturtium.latency._measure import example

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PROFILED_RUNS = 100

ANY = "any"
"""The kind that stands for those that no measured network has."""

Cost = tuple[float, float, float]
"""Milliseconds: of a call, of a multiply-accumulate, of a byte."""


@final
@dataclass(frozen=True)
class Kernel:
    """One operation of a network, as onnxruntime runs it.

    Args:
        kind: Such as ``"Conv"``, ``"Conv depthwise"``, ``"MaxPool"``.
        macs: Multiply-accumulates for one example.
        bytes: Of what it reads and writes, weights included.
        ms: Its mean time without the slowest tenth of the runs, in milliseconds.
    """

    kind: str
    macs: int
    bytes: int
    ms: float

    @property
    def signature(self) -> tuple[str, int, int]:
        """What the operation is, without its time."""
        return self.kind, self.macs, self.bytes


@final
@dataclass(frozen=True)
class Prediction:
    """A fitted table.

    Args:
        costs: Coefficients by kind of operation.
        base: Milliseconds of any network.
        factor: Multiplies the sum of the operations' milliseconds.
        errors: For each measured network, the relative error of the table that is fitted without
            it; empty for fewer than three networks.
    """

    costs: Mapping[str, Cost]
    base: float
    factor: float
    errors: tuple[float, ...] = ()

    def predict(self, found: Sequence[Kernel]) -> float:
        """Return the predicted milliseconds of a network with these operations."""
        return self.base + self.factor * _total(self.costs, found)

    @property
    def error(self) -> float | None:
        """The median of the relative errors; None if it is not known."""
        return median(self.errors) if self.errors else None


def operations(path: Path, runs: int = PROFILED_RUNS) -> list[Kernel]:
    """Return the operations of an ONNX file with their median times on this machine, in order of execution.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        DataError: The file can't be run.
    """
    options = session_options()
    from onnxruntime import GraphOptimizationLevel

    # What goes beyond lays data out for one processor, and nodes would differ between machines.
    options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = open_session(path, options)
        feed = example(session)
        for _ in range(runs):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    times: dict[str, list[float]] = defaultdict(list)
    what: dict[str, Mapping[str, Any]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["name"]].append(event["dur"] / 1e3)
            what[event["name"]] = event["args"]
    return [_operation(arguments, _mean(times[name])) for name, arguments in what.items()]


def _mean(times: Sequence[float]) -> float:
    """Return the mean of all but the slowest tenth: the profiler counts whole microseconds."""
    kept = sorted(times)[: max(1, len(times) * 9 // 10)]
    return sum(kept) / len(kept)


def _operation(arguments: Mapping[str, Any], ms: float) -> Kernel:
    """Return an operation from what the profiler says of it."""
    inputs, outputs = (_shapes(arguments[f"{end}_type_shape"]) for end in ("input", "output"))
    kind = arguments["op_name"].removeprefix("Fused")
    weight = inputs[1] if len(inputs) > 1 else []
    macs = 0
    if kind == "Conv":
        macs = prod(outputs[0]) * prod(weight[1:])
        kind = "Conv depthwise" if weight[1] == 1 < weight[0] else kind
    elif kind in ("Gemm", "MatMul"):
        macs = prod(outputs[0]) * inputs[0][-1]
    return Kernel(kind, macs, 4 * sum(map(prod, [*inputs, *outputs])), ms)


def _shapes(entries: Sequence[Mapping[str, list[int]]]) -> list[list[int]]:
    return [shape for entry in entries for shape in entry.values()]


def fit(networks: Sequence[tuple[float, Sequence[Kernel]]]) -> Prediction:
    """Fit the table to measured networks.

    Args:
        networks: For each its milliseconds and its operations; at least one.
    """
    errors: list[float] = []
    if len(networks) >= 3:
        for i, (ms, found) in enumerate(networks):
            others = [*networks[:i], *networks[i + 1 :]]
            errors.append(abs(_fitted(others).predict(found) / ms - 1))
    return replace(_fitted(networks), errors=tuple(errors))


def _fitted(networks: Sequence[tuple[float, Sequence[Kernel]]]) -> Prediction:
    by_kind: dict[str, list[Kernel]] = defaultdict(list)
    for _, found in networks:
        for operation in found:
            by_kind[operation.kind].append(operation)
            by_kind[ANY].append(operation)
    costs = {kind: _coefficients(found) for kind, found in by_kind.items()}
    totals = np.array([[1.0, _total(costs, found)] for _, found in networks])
    base, factor = _no_negatives(totals, np.array([ms for ms, _ in networks]))
    return Prediction(costs, base, factor)


def _coefficients(found: Sequence[Kernel]) -> Cost:
    features = np.array([[1.0, o.macs, o.bytes] for o in found])
    call, macs, bytes_ = _no_negatives(features, np.array([max(o.ms, 1e-5) for o in found]))
    return call, macs, bytes_


def _no_negatives(features: NDArray[np.float64], target: NDArray[np.float64]) -> list[float]:
    """Return the coefficients, none negative, of the least squares of the relative error.

    Args:
        features: Shape ``(n, k)``, not negative, the first column 1.
        target: Shape ``(n,)``, positive.
    """
    relative = features / target[:, None]
    scale = relative.max(axis=0)
    scale[scale == 0] = 1.0
    n = features.shape[1]
    best, least = np.zeros(n), np.inf
    # The least squares with bounds at 0 are the least squares over some subset of the columns.
    for chosen in (list(c) for size in range(1, n + 1) for c in itertools.combinations(range(n), size)):
        solution = np.zeros(n)
        solution[chosen] = np.linalg.lstsq(relative[:, chosen] / scale[chosen], np.ones(len(target)), rcond=None)[0]
        residual = float(np.square(relative / scale @ solution - 1).sum())
        if (solution >= 0).all() and residual < least:
            best, least = solution / scale, residual
    return [float(value) for value in best]


def _total(costs: Mapping[str, Cost], found: Sequence[Kernel]) -> float:
    """Return the sum of the operations' predicted milliseconds."""
    return sum(call + macs * o.macs + bytes_ * o.bytes for o in found for call, macs, bytes_ in [_cost(costs, o)])


def _cost(costs: Mapping[str, Cost], operation: Kernel) -> Cost:
    return costs.get(operation.kind, costs[ANY])
