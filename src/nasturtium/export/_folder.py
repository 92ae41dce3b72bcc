"""One network's folder: weights, architecture, source, torch.export program and ONNX."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import torch
from safetensors.torch import save

from nasturtium.errors import UsageError
from nasturtium.export._programs import Trace, check_equal, write_onnx, write_program
from nasturtium.export._source import source_of
from nasturtium.networks import build

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from nasturtium.networks import Network


@final
@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes:
        folder: Where.
        files: Names of the files in it.
        problems: For each file that could not be written, the reason in one line.
    """

    folder: Path
    files: tuple[str, ...]
    problems: Mapping[str, str]


def export_network(
    network: Network,
    folder: Path | str,
    *,
    architecture: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    example: Sequence[Tensor] | None = None,
) -> Exported:
    """Write a trained network as files that run without nasturtium.

    The files are ``weights.safetensors`` and ``architecture.json``; ``model.py``, plain PyTorch
    that loads the weights; ``model.pt2``, for ``torch.export.load``; ``model.onnx``. The last three
    are read back and compared with the network (to 1e-4); one that can't be written or does not
    agree is left out and reported, so that it never costs the others. Networks take any batch
    size, in float32 on the CPU.

    The folder appears complete or not at all: it is written beside its place and then renamed. A
    folder of that name is replaced.

    Args:
        network: The network; it is not changed.
        folder: Where to; its parent is made if need be.
        architecture: JSON data of the architecture.
        metadata: As for ``source_of``: ``mean``, ``std`` and ``classes`` of the task, and facts
            about the network, all JSON data. ONNX and torch.export files carry them too.
        files: Further text files by name, such as how raw data become the network's inputs.
        example: A batch for each input that shows what the network takes; random numbers by
            default. A network that runs over time needs it for ``model.pt2`` and ``model.onnx``,
            which then take sequences of that length only.

    Raises:
        UsageError: The folder can't be written.
    """
    folder = Path(folder).resolve()
    clean = build(network.graph, over_time=network.over_time)
    clean.load_state_dict(network.state_dict())
    clean.eval()
    trace = Trace(clean, example, metadata or {})
    partial = _begun(folder)
    try:
        (partial / "architecture.json").write_text(json.dumps(dict(architecture), indent=2) + "\n")
        state = {name: tensor.contiguous() for name, tensor in clean.state_dict().items()}
        (partial / "weights.safetensors").write_bytes(save(state))
        for name, text in (files or {}).items():
            (partial / name).write_text(text, encoding="utf-8")
        problems = _write_models(trace, partial)
        written = tuple(sorted(path.name for path in partial.iterdir()))
        _finish(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Exported(folder, written, problems)


def _write_models(trace: Trace, folder: Path) -> dict[str, str]:
    """Write the network in three forms, and return why each that is missing could not be written."""
    writers: dict[str, Callable[[Trace, Path], None]] = {
        "model.py": _write_source,
        "model.onnx": write_onnx,
        "model.pt2": write_program,
    }
    problems = {}
    for name, write in writers.items():
        try:
            write(trace, folder / name)
        except Exception as error:  # torch's exporters raise errors of every kind
            (folder / name).unlink(missing_ok=True)
            problems[name] = str(error).strip().partition("\n")[0] or type(error).__name__
    return problems


def _write_source(trace: Trace, path: Path) -> None:
    """Write ``model.py`` and compare what its ``load`` returns with the network."""
    network = trace.network
    path.write_text(
        source_of(network.graph, over_time=network.over_time, metadata=trace.metadata),
        encoding="utf-8",
    )
    name = f"_nasturtium_exported_{os.getpid()}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"a Python file has the suffix .py, got {path.name!r}; rename it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # as an import does; dataclasses look their module up
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
        with torch.random.fork_rng(devices=[]):  # layers draw weights before they are loaded
            loaded = module.load(path.parent)
    finally:
        sys.dont_write_bytecode = keep
        del sys.modules[name]
    check_equal(trace, loaded, path.name)


def _begun(folder: Path) -> Path:
    """Return a new empty folder beside the one to write; what a killed export left goes."""
    if folder.exists() and not (folder / "architecture.json").exists() and (folder.is_file() or any(folder.iterdir())):
        raise UsageError(
            f"an export replaces an earlier one only, got {str(folder)!r} with other files; name a new one."
        )
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for stale in folder.parent.glob(f".{escape(folder.name)}.partial-*"):
            shutil.rmtree(stale, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        raise UsageError(
            f"an export's folder must be writable, got {str(folder)!r} ({error.strerror}); choose another."
        ) from error
    return partial


def _finish(partial: Path, folder: Path) -> None:
    """Put the written folder in its place, in place of what was there."""
    if folder.exists():
        old = partial.with_name(f"{partial.name}-old")
        folder.rename(old)
        partial.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(folder)
