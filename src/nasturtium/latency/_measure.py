"""How long onnxruntime takes for one example, in one thread."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

THREADS = 1
"""Latency is that of one core, so that figures do not depend on what else runs."""

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


def open_session(path: Path, **settings: Any) -> Any:
    """Return an onnxruntime session in one thread.

    Args:
        path: The ONNX file.
        settings: Attributes of ``onnxruntime.SessionOptions``.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        DataError: The file is no ONNX model that onnxruntime runs.
    """
    if find_spec("onnxruntime") is None:
        raise MissingExtraError("latency needs onnxruntime; install it with pip install 'nasturtium[onnx]'.")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    options.log_severity_level = 3  # errors
    for name, value in settings.items():
        setattr(options, name, value)
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no public base
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"a latency is that of an ONNX model, got {path} ({reason}); export it again.") from error


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
