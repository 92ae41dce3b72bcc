"""What ``nasturtium latency FOLDER`` does: measure every exported network of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from nasturtium.errors import UsageError
from nasturtium.latency._file import LatencyFile, this_machine
from nasturtium.latency._measure import measure
from nasturtium.latency._operations import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rich.console import RenderableType

NAME = "model.onnx"


def networks_in(folder: Path) -> dict[str, Path]:
    """Return the ONNX files of a folder of exported networks, of one such network, or one file, by name.

    Raises:
        UsageError: There is none.
    """
    if folder.is_file() and folder.suffix == ".onnx":
        return {folder.stem: folder}
    if (folder / NAME).is_file():
        return {folder.resolve().name: folder / NAME}
    found = {path.parent.name: path for path in sorted(folder.glob(f"*/{NAME}"), key=_by_number)}
    if not found:
        raise UsageError(
            f"latency is that of exported networks, got {str(folder)!r} without a {NAME}; "
            "give the folder that search --out wrote."
        )
    return found


def _by_number(path: Path) -> tuple[int, str]:
    """Sort trial-2 before trial-10."""
    digits = "".join(c for c in path.parent.name if c.isdigit())
    return int(digits or 0), path.parent.name


def measure_folder(paths: Mapping[str, Path], watch: Callable[[str], None] | None = None) -> LatencyFile:
    """Measure ONNX files on this machine, whole and by operation.

    Args:
        paths: The files by the network's name.
        watch: Called with each name before it is measured.
    """
    networks = {}
    for name, path in paths.items():
        if watch is not None:
            watch(name)
        networks[name] = (measure(path), operations(path))
    return LatencyFile(this_machine(), networks)


def latency_page(found: LatencyFile) -> RenderableType:
    """Return what ``latency`` prints."""
    machine = found.machine
    title = (
        f"{machine['processor']} ({machine['system']}), onnxruntime {machine['onnxruntime']}, {machine['threads']} "
        "thread, one example at a time"
    )
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in ("network", "median ms", "10-90 %", "runs", "predicted ms", "operations"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for name, (measured, operations_) in found.networks.items():
        table.add_row(
            name,
            f"{measured.median_ms:.4f}",
            f"{measured.low_ms:.4f}-{measured.high_ms:.4f}",
            f"{measured.runs}",
            f"{found.prediction.predict(operations_):.4f}",
            f"{len(operations_)}",
        )
    return Group(table, Text(error_line(found.prediction.errors)))


def error_line(errors: Sequence[float]) -> str:
    """Return how far the table by operation is from networks that it was not fitted to."""
    if not errors:
        return "error of the prediction by operations: not known, it takes at least 3 networks"
    middle = sorted(errors)[len(errors) // 2]
    return (
        f"error of the prediction by operations, each network left out in turn: median {middle:.1%}, "
        f"largest {max(errors):.1%} of the measured time ({len(errors)} networks)"
    )
