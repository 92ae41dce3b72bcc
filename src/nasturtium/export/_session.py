"""ONNX files in onnxruntime: on the CPU, in one thread, silent but for errors."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nasturtium.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path


def session_options() -> Any:
    """Return the ``onnxruntime.SessionOptions`` with which a session is opened.

    Raises:
        MissingExtraError: onnxruntime is not installed.
    """
    if find_spec("onnxruntime") is None:
        raise MissingExtraError("ONNX files are run by onnxruntime; install it with pip install 'nasturtium[onnx]'.")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a latency depends on little else then
    options.log_severity_level = 3  # errors
    return options


def open_session(path: Path, options: Any = None) -> Any:
    """Return the ``onnxruntime.InferenceSession`` of a file.

    Args:
        path: The ONNX file.
        options: What ``session_options`` gave, with changes; None for none.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        DataError: The file is no ONNX model that onnxruntime runs.
    """
    options = session_options() if options is None else options
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no public base
        reason = str(error).strip().partition("\n")[0]
        raise DataError(f"onnxruntime runs ONNX models, got {path} ({reason}); export it again.") from error
