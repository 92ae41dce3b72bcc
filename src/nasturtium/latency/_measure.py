"""How long onnxruntime takes for one example, in one thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.export import open_session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

WARM_UP = 10
"""Runs that are not counted."""

LEAST, MOST = 30, 1_000
"""Bounds on the number of runs that are counted."""

SECONDS = 0.5
"""Time that is spent on counted runs, between these bounds."""


@final
@dataclass(frozen=True)
class Timing:
    """What one network took.

    Args:
        median_ms: Median over the runs, in milliseconds.
        low_ms: Their first decile.
        high_ms: Their last decile.
        runs: Number of runs.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    runs: int


def measure(path: Path, seconds: float = SECONDS) -> Timing:
    """Measure an ONNX file: batches of one example, one thread, warmed up.

    Args:
        path: The file.
        seconds: Time for the runs that are counted.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        DataError: The file can't be run.
    """
    session = open_session(path)
    feed = example(session)
    for _ in range(WARM_UP):
        session.run(None, feed)
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < LEAST or (len(times) < MOST and time.perf_counter() - begun < seconds):
        start = time.perf_counter()
        session.run(None, feed)
        times.append(1e3 * (time.perf_counter() - start))
    low, median, high = np.quantile(times, [0.1, 0.5, 0.9])
    return Timing(float(median), float(low), float(high), len(times))


def example(session: Any) -> Mapping[str, NDArray[Any]]:
    """Return one random example for each input, the same each time; free dimensions are 1."""
    rng = np.random.default_rng(0)
    feed: dict[str, NDArray[Any]] = {}
    for node in session.get_inputs():
        shape = [size if isinstance(size, int) else 1 for size in node.shape]
        if "int" in node.type:
            feed[node.name] = np.zeros(shape, dtype=np.int64)
        else:
            feed[node.name] = rng.standard_normal(shape).astype(np.float32)
    return feed
