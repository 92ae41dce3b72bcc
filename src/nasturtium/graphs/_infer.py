"""Shapes and costs of a graph, from the rules of its operations; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nasturtium.errors import ShapeError
from nasturtium.graphs._base import Operation, Shape
from nasturtium.graphs._graph import Edge, Graph, Node, OpenOperation
from nasturtium.graphs.operations._input import Input

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Inference:
    """What shape inference found.

    Attributes:
        shapes: Each node's output shape (the first output of a nested graph).
        arriving: The shapes that reach each node, in the order of its edges.
        outputs: The shapes of the graph's outputs, in order.
        params: Trainable parameters; a shared nested graph counts once a use.
        flops: Multiply-accumulates for one example and one time step.
    """

    shapes: Mapping[str, Shape]
    arriving: Mapping[str, tuple[Shape, ...]]
    outputs: tuple[Shape, ...]
    params: int
    flops: int


class Rule(NamedTuple):
    """What an operation's rules say for inputs of some shapes."""

    outputs: tuple[Shape, ...]
    params: int
    flops: int


@lru_cache(maxsize=1 << 16)
def rule_of(op: Operation, inputs: tuple[Shape, ...]) -> Rule:
    """Return what an operation does to shapes and costs; asked once for equal operations and shapes."""
    return Rule((op.shape(*inputs),), op.params(*inputs), op.macs(*inputs))


Known = dict[str, tuple[Shape, ...]]
"""The shapes of every output of the nodes that are known so far."""


def infer(graph: Graph, inputs: tuple[Shape, ...]) -> Inference:
    """Return the inference of a closed graph; see ``Graph.infer``."""
    if graph.is_open:
        raise ShapeError("shapes belong to a closed graph, got an open one; resolve it with an architecture.")
    given = _input_shapes(graph, inputs)
    known: Known = {}
    if any([edge.delay for node in graph.nodes for edge in node.edges]):
        known = _settled(graph, given)
    params = flops = 0
    arriving = {}
    for node in graph.nodes:
        arriving[node.name] = reaching = _arriving(node, graph, known)
        if node.name in given:
            known[node.name] = (given[node.name],)
            continue
        found = _found(node, reaching)
        known[node.name] = found.outputs
        params, flops = params + found.params, flops + found.flops
    shapes = {name: outputs[0] for name, outputs in known.items()}
    outputs = tuple([shapes[name] for name in graph.outputs])
    return Inference(shapes, arriving, outputs, params, flops)


def _input_shapes(graph: Graph, inputs: tuple[Shape, ...]) -> dict[str, Shape]:
    if inputs and len(inputs) != len(graph.inputs):
        raise ShapeError(f"a graph needs one shape an input, got {list(inputs)} for {len(graph.inputs)} inputs.")
    given = {}
    for index, node in enumerate(graph.inputs):
        declared = node.op.declared if isinstance(node.op, Input) else None
        shape = inputs[index] if inputs else declared
        if shape is None:
            raise ShapeError(f"input {node.name!r} declares no shape; bind the space with .on(task) or give one.")
        given[node.name] = shape
    return given


def _settled(graph: Graph, given: Mapping[str, Shape]) -> Known:
    """Return every node's output shapes, delayed edges included.

    A node whose delayed inputs are not known yet may say its shape without them (a sum can, a
    linear layer too) or wait for the next round. The last round has changed nothing, so it has
    checked every node with all of its inputs.
    """
    known: Known = {}
    for _ in range(len(graph.nodes) + 2):
        before = dict(known)
        errors: list[tuple[bool, ShapeError]] = []
        for node in graph.nodes:
            try:
                is_input = node.name in given
                shapes = (given[node.name],) if is_input else _found(node, _arriving(node, graph, known)).outputs
                known[node.name] = shapes
            except ShapeError as error:
                errors.append((all(edge.source in known for edge in node.edges), error))
        if known == before and not errors:
            return known
        if known == before:
            raise next((error for is_informed, error in errors if is_informed), errors[0][1])
    growing = [name for name, shapes in known.items() if shapes != before.get(name)]
    raise ShapeError(f"shapes stay the same over time, got ever other ones at {growing}; change a delayed edge.")


def _arriving(node: Node, graph: Graph, known: Known) -> tuple[Shape, ...]:
    """Return the shapes that reach a node, without those that are not known yet."""
    return tuple(
        [known[e.source][0 if e.output is None else output_index(graph, e)] for e in node.edges if e.source in known]
    )


def output_index(graph: Graph, edge: Edge) -> int:
    """Return which of the source's outputs an edge carries.

    Raises:
        ShapeError: The source has no output of that name.
    """
    if edge.output is None:
        return 0
    op = graph.by_name[edge.source].op
    names = op.outputs if isinstance(op, Graph) else ()
    if edge.output not in names:
        raise ShapeError(f"{edge.source!r} has the outputs {list(names)}, got {edge.output!r}; name one of them.")
    return names.index(edge.output)


def _found(node: Node, arriving: tuple[Shape, ...]) -> Rule | Inference:
    """Return what a node makes of what reaches it."""
    op = node.op
    try:
        if isinstance(op, Graph):
            return op.infer(*arriving)
        assert not isinstance(op, OpenOperation)
        return rule_of(op, arriving)
    except ShapeError as error:
        raise ShapeError(f"at {node.name!r}: {error}") from error
