"""Traced forms of a network: torch.export and ONNX, each read back and compared."""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from nasturtium.errors import MissingExtraError, ParityError, UsageError
from nasturtium.export._session import open_session
from nasturtium.networks import build, random_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor
    from torch.export import ExportedProgram

    from nasturtium.graphs import Graph
    from nasturtium.networks import Network

TOLERANCE = 1e-4
"""How far a read-back network may differ, relative to the larger of 1 and the value."""


class Trace:
    """A network in evaluation mode with examples of what it takes.

    Args:
        network: On the CPU, in evaluation mode.
        example: A batch for each input, or None.
        metadata: JSON data to store in the files.
    """

    def __init__(self, network: Network, example: Sequence[Tensor] | None, metadata: Mapping[str, Any]) -> None:
        self.network = network
        self.metadata = metadata
        self._is_given = example is not None
        lead = (3, 4) if network.over_time else (3,)
        self.examples = random_inputs(network.graph, *lead) if example is None else tuple(map(_several, example))

    def check_length(self) -> None:
        """Check that the length of sequences is known, which tracing fixes.

        Raises:
            UsageError: The network runs over time and there was no example.
        """
        if self.network.over_time and not self._is_given:
            raise UsageError(
                "a network that runs over time is traced for one length, got no example; "
                "pass example= with sequences of that length."
            )

    @cached_property
    def program(self) -> ExportedProgram:
        """The traced network, any batch size; traced once for all files.

        Raises:
            UsageError: The network runs over time and there was no example.
        """
        self.check_length()
        batch = torch.export.Dim("batch")
        dynamic = (tuple({0: batch} for _ in self.examples),)
        with _quiet():
            return torch.export.export(self.network, self.examples, dynamic_shapes=dynamic, strict=False)


def check_equal(trace: Trace, other: Callable[..., Any], name: str) -> None:
    """Compare another form of the network with it, for a batch of several and for one of one.

    Raises:
        ParityError: The outputs differ in shape or by more than ``TOLERANCE``.
    """
    for rows in (slice(None), slice(1)):
        inputs = [x[rows] for x in trace.examples]
        with torch.no_grad():
            expected, got = _outputs(trace.network(*inputs)), _outputs(other(*inputs))
        for want, have in zip(expected, got, strict=True):
            if want.shape != have.shape:
                raise ParityError(f"{name} must give {tuple(want.shape)}, got {tuple(have.shape)}; it was not kept.")
            if not torch.allclose(want, have, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
                raise ParityError(
                    f"{name} must agree with the network to {TOLERANCE:g}, got a difference of "
                    f"{(want - have).abs().max():g}; it was not kept."
                )


def write_program(trace: Trace, path: Path) -> None:
    """Write the file for ``torch.export.load`` and compare what it gives."""
    extra = {"metadata.json": json.dumps(dict(trace.metadata))}
    with _quiet():
        torch.export.save(trace.program, path, extra_files=extra)
        module = torch.export.load(path).module()
    check_equal(trace, module, path.name)


def write_onnx(trace: Trace, path: Path) -> None:
    """Write the ONNX file and compare what onnxruntime makes of it.

    torch has two exporters. The older one, which torch calls legacy, is tried first: it takes
    0.5 s for a network of cells where the other takes 13 s, and folds normalization into
    convolutions. The other one is there for what the first can't trace, and for its removal.

    Raises:
        MissingExtraError: The extra is not installed.
        UsageError: The network runs over time and there was no example.
        ParityError: onnxruntime computes something else.
    """
    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{path.name} needs {', '.join(missing)}; install them with pip install 'nasturtium[onnx]'."
        )
    trace.check_length()
    inputs = [node.name for node in trace.network.graph.inputs]
    outputs = _unique(trace.network.graph.outputs, inputs)
    try:
        _convert(trace, trace.network, path, inputs, outputs, dynamo=False)
        _finish_onnx(trace, path, inputs, outputs)
    except Exception:  # of every kind; what the second exporter says is what counts
        _convert(trace, trace.program, path, inputs, outputs, dynamo=True)
        _finish_onnx(trace, path, inputs, outputs)


def write_graph(graph: Graph, path: Path) -> None:
    """Write the ONNX file of a network that is not trained; for the errors see ``write_onnx``."""
    write_onnx(Trace(build(graph).eval(), None, {}), path)


def _convert(
    trace: Trace,
    source: Network | ExportedProgram,
    path: Path,
    inputs: list[str],
    outputs: list[str],
    *,
    dynamo: bool,
) -> None:
    """Write the ONNX file with one of torch's two exporters."""
    axes = None if dynamo else {name: {0: "batch"} for name in [*inputs, *outputs]}
    with _quiet():
        torch.onnx.export(
            source,
            trace.examples,
            path,
            dynamo=dynamo,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            external_data=False,
            verbose=False,
        )


def _finish_onnx(trace: Trace, path: Path, inputs: list[str], outputs: list[str]) -> None:
    """Add metadata to a converted file and compare it with the network."""
    import onnx

    model = onnx.load(path)
    _name_batch(model.graph)
    onnx.helper.set_model_props(model, {k: json.dumps(v) for k, v in trace.metadata.items()})
    onnx.checker.check_model(model)
    onnx.save_model(model, path)
    session = open_session(path)

    def run(*values: Tensor) -> tuple[Tensor, ...]:
        feed = {name: value.numpy() for name, value in zip(inputs, values, strict=True)}
        return tuple(map(torch.from_numpy, session.run(outputs, feed)))

    check_equal(trace, run, path.name)


def _name_batch(graph: Any) -> None:
    """Call the batch's dimension "batch" everywhere, instead of by torch's symbol."""
    symbol = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in [*graph.input, *graph.output, *graph.value_info]:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param == symbol:
                dimension.dim_param = "batch"


def _unique(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        while name in found or name in taken:
            name += "_out"
        found.append(name)
    return found


def _several(batch: Tensor) -> Tensor:
    """Return a batch of at least two: tracing takes a size of 1 for a fixed one."""
    batch = batch.detach().cpu()
    return batch if len(batch) > 1 else torch.cat([batch, batch])


def _outputs(result: Any) -> tuple[Tensor, ...]:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what torch's exporters say about themselves: warnings and log lines."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
