"""How one level of a graph runs: a list of steps over numbered values, made once.

A recurrent level is an ordinary one with more inputs and outputs: what its delayed edges bring is
given beside the inputs, and what they will bring next is returned behind the outputs. That flat
list is the *state*; only the root of a network keeps it from one time step to the next.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.graphs import Edge, Graph, Node, Shape, output_index

if TYPE_CHECKING:
    from collections.abc import Callable

Value = tuple[str, int]
"""A value of a level: the node that makes it and which of the node's outputs it is."""


class Step(NamedTuple):
    """One call of a child module, or of a function without weights.

    Attributes:
        child: The child's name; None if ``function`` is called.
        function: What to call; None if ``child`` is called.
        sources: Numbers of the values that go in.
        target: Number of the value that comes out.
        freed: Numbers of the values that nothing needs any more.
    """

    child: str | None
    function: Callable[..., Any] | None
    sources: tuple[int, ...]
    target: int
    freed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of one level.

    Attributes:
        n_inputs: How many values the graph's inputs are; the state follows them.
        n_outputs: How many values the graph's outputs are; the next state follows them.
        n_values: How many numbers there are.
        steps: What to do, in order.
        exits: Numbers of the outputs and of the next state.
        state: Shape of each value of the state, without the batch.
    """

    n_inputs: int
    n_outputs: int
    n_values: int
    steps: tuple[Step, ...]
    exits: tuple[int, ...]
    state: tuple[Shape, ...]


def delayed_values(graph: Graph) -> list[Value]:
    """Return the values that delayed edges of this level carry, in the order of their nodes."""
    values = {(e.source, output_index(graph, e)) for node in graph.nodes for e in node.edges if e.delay}
    order = {node.name: i for i, node in enumerate(graph.nodes)}
    return sorted(values, key=lambda value: (order[value[0]], value[1]))


def delayed_shapes(graph: Graph, inputs: tuple[Shape, ...]) -> list[Shape]:
    """Return the shapes of ``delayed_values``, without the batch."""
    found = graph.infer(*inputs)
    shapes = []
    for name, index in delayed_values(graph):
        op = graph.by_name[name].op
        inner = op.infer(*found.arriving[name]).outputs if isinstance(op, Graph) else None
        shapes.append(inner[index] if inner else found.shapes[name])
    return shapes


def state_shapes(graph: Graph, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """Return the shapes of the state: of this level, then of each nested graph in order."""
    shapes = delayed_shapes(graph, inputs)
    found = graph.infer(*inputs)
    for node in graph.nodes:
        if isinstance(node.op, Graph) and node.op.is_recurrent:
            shapes += state_shapes(node.op, found.arriving[node.name])
    return tuple(shapes)


def make_plan(graph: Graph, inputs: tuple[Shape, ...]) -> Plan:
    """Return how a closed graph runs for inputs of these shapes."""
    return _Planner(graph, inputs).plan()


class _Planner:
    """Numbers the values of one level; used once."""

    def __init__(self, graph: Graph, inputs: tuple[Shape, ...]) -> None:
        self.graph = graph
        self.found = graph.infer(*inputs)
        self.state = state_shapes(graph, inputs)
        self.n_values = 0
        self.calls: list[tuple[str | None, Callable[..., Any] | None, tuple[int, ...], int]] = []
        self.now: dict[Value, int] = {(node.name, 0): self._new() for node in graph.inputs}
        self.before: dict[Value, int] = {value: self._new() for value in delayed_values(graph)}
        self.inner_before = {n.name: self._new_state(n) for n in graph.nodes}
        self.inner_after: dict[str, list[int]] = {}

    def plan(self) -> Plan:
        names = {node.name for node in self.graph.inputs}
        for node in self.graph.nodes:
            if node.name not in names:
                self._add(node)
        exits = [self.now[name, 0] for name in self.graph.outputs]
        exits += [self.now[value] for value in self.before]
        exits += [number for numbers in self.inner_after.values() for number in numbers]
        return Plan(
            n_inputs=len(names),
            n_outputs=len(self.graph.outputs),
            n_values=self.n_values,
            steps=_with_ends(self.calls, exits),
            exits=tuple(exits),
            state=self.state,
        )

    def _new(self) -> int:
        self.n_values += 1
        return self.n_values - 1

    def _new_state(self, node: Node) -> list[int]:
        if not isinstance(node.op, Graph) or not node.op.is_recurrent:
            return []
        return [self._new() for _ in state_shapes(node.op, self.found.arriving[node.name])]

    def _function(self, function: Callable[..., Any], source: int) -> int:
        target = self._new()
        self.calls.append((None, function, (source,), target))
        return target

    def _source(self, edge: Edge) -> int:
        value = (edge.source, output_index(self.graph, edge))
        number = self.before[value] if edge.delay else self.now[value]
        if edge.weight is None:
            return number
        return self._function(partial(operator.mul, edge.weight), number)

    def _add(self, node: Node) -> None:
        state = self.inner_before[node.name]
        sources = (*map(self._source, node.edges), *state)
        target = self._new()
        self.calls.append((node.name, None, sources, target))
        n_outputs = len(node.op.outputs) if isinstance(node.op, Graph) else 1
        if n_outputs + len(state) == 1:
            self.now[node.name, 0] = target
            return
        for index in range(n_outputs):
            self.now[node.name, index] = self._function(partial(_item, index), target)
        self.inner_after[node.name] = [self._function(partial(_item, n_outputs + i), target) for i in range(len(state))]


def _item(index: int, values: tuple[Any, ...]) -> Any:
    """Return one of several results (operator.itemgetter is nothing that torch.compile knows)."""
    return values[index]


def _with_ends(
    calls: list[tuple[str | None, Callable[..., Any] | None, tuple[int, ...], int]],
    exits: list[int],
) -> tuple[Step, ...]:
    """Return the steps, each with the values that can be freed behind it."""
    needed = set(exits)
    steps = []
    for child, function, sources, target in reversed(calls):
        freed = tuple(sorted({*sources, target} - needed))
        needed |= {*sources, target}
        steps.append(Step(child, function, sources, target, freed))
    return tuple(reversed(steps))
