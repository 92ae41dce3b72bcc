"""A network as plain PyTorch that a person would have written."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from nasturtium.errors import UsageError
from nasturtium.export._class import class_source
from nasturtium.export._families import Collection
from nasturtium.export._fold import fold
from nasturtium.export._references import References
from nasturtium.graphs.operations import token_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasturtium.graphs import Graph


NUMBERS = ("mean", "std", "target_mean", "target_std")
"""Metadata that become constants: a number a channel or a target."""

NAMES = ("classes", "labels", "targets", "tokens")
"""Metadata that become constants: the outputs' names."""


def source_of(graph: Graph, *, over_time: bool | None = None, metadata: Mapping[str, Any] | None = None) -> str:
    """Return a Python file that defines the network and loads its weights.

    The file imports torch and safetensors only. It has a class ``Network`` whose tensors have the
    names of those of ``networks.build``, one class for the graphs of equal structure inside it,
    and a function ``load(folder)``.

    Args:
        graph: A closed graph with declared input shapes.
        over_time: As for ``networks.build``.
        metadata: What to say about the network: ``mean`` and ``std`` (a number a channel, of the
            values as read), the outputs' names (``classes``, ``labels``, ``targets`` or ``tokens``) and the
            targets' ``target_mean`` and ``target_std`` become constants; everything else stands in
            the docstring.

    Raises:
        UsageError: The graph is open, or a user's module can't be written down.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x = b.add("head", operations.Linear(out=3), b.input("features", (4,)))
        >>> print(source_of(b.graph(x)).partition("def __init__")[2].partition("def load")[0])
        (self):
                super().__init__()
                self.head = nn.Linear(4, 3)
        <BLANKLINE>
            def forward(self, x):
                return self.head(x)
        <BLANKLINE>
        <BLANKLINE>
        <BLANKLINE>
    """
    if graph.is_open:
        raise UsageError("source is written of a closed graph; resolve it with an architecture.")
    if over_time is None:
        over_time = graph.is_recurrent
    metadata = metadata or {}
    references = References()
    found = Collection(graph, references)
    classes = [
        class_source(family, is_root=family is found.root.family, over_time=over_time) for family in found.families
    ]
    parts = [
        _docstring(graph, metadata, over_time=over_time),
        _imports(references, "\n".join([*references.definitions, *classes])) + "\n\n" + _constants(graph, metadata),
        *references.definitions,
        *classes,
        *_functions(graph, metadata, over_time=over_time),
    ]
    head, *rest = [part.strip("\n") for part in parts if part]
    return f"{head}\n\n" + "\n\n\n".join(rest) + "\n"


def _docstring(graph: Graph, metadata: Mapping[str, Any], *, over_time: bool) -> str:
    batch = "batch, time" if over_time else "batch"
    shapes = graph.shapes
    tokens = token_inputs(graph)
    inputs = []
    for node in graph.inputs:
        kind = f"int64 below {tokens[node.name][1]}" if node.name in tokens else "float32"
        inputs.append(f"{kind} ({', '.join([batch, *map(str, shapes[node.name])])})")
    outputs = [f"({batch}, {', '.join(map(str, shape))})" for shape in graph.infer().outputs]
    normalized = ", normalized by prepare()" if {"mean", "std"} <= set(metadata) else ""
    lines = [
        '"""A neural network in plain PyTorch, found by nasturtium.',
        "",
        f"Takes   {', '.join(inputs)}{normalized}",
        f"Gives   {', '.join(outputs)}",
        f"Size    {graph.params:,} parameters, {graph.flops:,} multiply-accumulates",
    ]
    facts = {k: v for k, v in metadata.items() if k not in (*NUMBERS, *NAMES)}
    if facts:
        lines += ["", *(_plain(f"{key}: {value}") for key, value in facts.items())]
    call = f"network({'prepare(examples)' if normalized else 'examples'})"
    read = ", read" if _has_units(metadata) else ""
    lines += [
        "",
        f"    from model import load{', prepare' if normalized else ''}{read}",
        "    network = load()  # reads weights.safetensors beside this file",
        f"    outputs = {f'read({call})' if read else call}",
        '"""',
    ]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a text that can stand in a docstring, on one line."""
    return " ".join(text.split()).replace("\\", "/").replace('"""', "'''").rstrip('"')


def _imports(references: References, code: str) -> str:
    standard = {"from pathlib import Path"}
    third = {"import torch", "from safetensors.torch import load_file", "from torch import nn"}
    if re.search(r"(?<![\w.])functional\.", code):
        third.add("from torch.nn import functional")
    for line in references.imports:
        is_standard = line.split()[1].partition(".")[0] in sys.stdlib_module_names
        (standard if is_standard else third).add(line)
    future = ["from __future__ import annotations\n"] if references.definitions else []
    return "\n".join([*future, *sorted(standard, key=_order), "", *sorted(third, key=_order)])


def _order(line: str) -> tuple[bool, str, str]:
    return line.startswith("from"), line.split()[1], line


def _constants(graph: Graph, metadata: Mapping[str, Any]) -> str:
    shapes = [graph.shapes[node.name] for node in graph.inputs]
    lines = [f"INPUT_SHAPE = {shapes[0]}" if len(shapes) == 1 else f"INPUT_SHAPES = {shapes}"]
    for name in NUMBERS:
        if name in metadata:
            lines += fold(f"{name.upper()} = {tuple(map(float, metadata[name]))!r}")
    for name in NAMES:
        if name in metadata:
            lines += fold(f"{name.upper()} = {References().literal(tuple(map(str, metadata[name])))}")
    return "\n".join(lines)


def _has_units(metadata: Mapping[str, Any]) -> bool:
    """Return whether the outputs are standardized numbers."""
    return {"target_mean", "target_std"} <= set(metadata)


_PREPARE = '''
def prepare(x):
    """Return examples as the network takes them, from values as they are read.

    The channels' values get mean 0 and deviation 1 over the training data.
    """
    mean, std = (torch.tensor(values).view({view}) for values in (MEAN, STD))
    return (x.float() - mean) / std
'''

_READ = '''
def read(outputs):
    """Return the network's outputs in the unit of the targets."""
    return outputs * torch.tensor(TARGET_STD) + torch.tensor(TARGET_MEAN)
'''

_LOAD = '''
def load(folder=None):
    """Return the trained network, ready for inference.

    The weights are read from the folder's weights.safetensors; without a folder, from beside this
    file.
    """
    folder = Path(__file__).parent if folder is None else Path(folder)
    network = Network()
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return network.eval()
'''

_MAIN = """
if __name__ == "__main__":
    network = load()
    print(f"{{sum(p.numel() for p in network.parameters()):,}} parameters")
    with torch.no_grad():
        output = network({example})
    print("output for zeros:", {shape})
"""


def _functions(graph: Graph, metadata: Mapping[str, Any], *, over_time: bool) -> list[str]:
    functions = []
    if {"mean", "std"} <= set(metadata):
        # One number a channel, which is the first axis behind the batch.
        rank = len(graph.shapes[graph.inputs[0].name])
        view = ", ".join(["-1", *["1"] * (rank - 1)])
        functions.append(_PREPARE.format(view=view))
    if _has_units(metadata):
        functions.append(_READ)
    lead = "1, 8" if over_time else "1"
    example = f"torch.zeros({lead}, *INPUT_SHAPE)"
    if token_inputs(graph):
        example = ", ".join(
            f"torch.zeros({', '.join([lead, *map(str, graph.shapes[node.name])])}"
            f"{', dtype=torch.long' if node.name in token_inputs(graph) else ''})"
            for node in graph.inputs
        )
    elif len(graph.inputs) != 1:
        example = f"*(torch.zeros({lead}, *shape) for shape in INPUT_SHAPES)"
    shape = "tuple(output.shape)"
    if len(graph.outputs) > 1:
        shape = "*(tuple(value.shape) for value in output)"
    return [*functions, _LOAD, _MAIN.format(example=example, shape=shape)]
