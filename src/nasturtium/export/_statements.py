"""The statements of ``forward`` for one graph level, as a person would write them."""

from __future__ import annotations

from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING

from torch import nn

from nasturtium.graphs import Edge, Graph, Node, live_nodes, output_index
from nasturtium.graphs.operations import Input
from nasturtium.networks import delayed_values

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_VARIABLE = {"self", "torch", "functional", "nn", "state", "len", "tuple", "zip"}
_NO_ATTRIBUTE = {*dir(nn.Module()), "initial_state", "step"}

Value = tuple[str, int, bool]
"""A value: its node, which of the node's outputs, whether it is the previous time step's."""


@dataclass(frozen=True, slots=True)
class Body:
    """What ``forward`` (or ``step``, of a recurrent network) consists of.

    Attributes:
        arguments: Names of the inputs.
        before: Names of the state's items, as they arrive.
        statements: (node, statement) in order; the node is "" for none.
        results: Names of the outputs.
        after: Names of the state's items for the next time step.
        delayed: The level's own values in the state, which come first in it.
        recurrent: The inner levels with a state, in the order of the other items.
    """

    arguments: tuple[str, ...]
    before: tuple[str, ...]
    statements: tuple[tuple[str, str], ...]
    results: tuple[str, ...]
    after: tuple[str, ...]
    delayed: tuple[tuple[str, int], ...]
    recurrent: tuple[str, ...]


def attribute(name: str) -> str:
    """Return how a child module is written.

    Example:
        >>> attribute("conv"), attribute("train")
        ('self.conv', 'self._modules["train"]')
    """
    if name in _NO_ATTRIBUTE or iskeyword(name):
        return f'self._modules["{name}"]'
    return f"self.{name}"


def has_state(graph: Graph) -> bool:
    """Return whether an output depends on an earlier time step."""
    alive = live_nodes(graph)
    return any(
        any(edge.delay for edge in node.edges) or (isinstance(node.op, Graph) and has_state(node.op))
        for node in graph.nodes
        if node.name in alive
    )


def body(graph: Graph, formulas: Mapping[str, str]) -> Body:
    """Return the statements of a level.

    Args:
        graph: A closed graph.
        formulas: Templates of the nodes that have no module.
    """
    return _Writer(graph, formulas).written()


class _Writer:
    """Names the values of one level; used once.

    The main line is called ``x``: a value takes that variable over if nothing needs the one in it
    any more, so chains read ``x = self.conv(x)``. Other values are named after their nodes.
    """

    def __init__(self, graph: Graph, formulas: Mapping[str, str]) -> None:
        self.graph = graph
        self.formulas = formulas
        self.alive = live_nodes(graph)
        self.nodes = [n for n in graph.nodes if n.name in self.alive and not isinstance(n.op, Input)]
        read = {self._value(edge) for node in self.nodes for edge in node.edges}
        self.delayed = [v for v in delayed_values(graph) if (*v, True) in read]
        self.recurrent = [n for n in self.nodes if isinstance(n.op, Graph) and has_state(n.op)]
        self.last_use = self._last_uses()
        self.variables: dict[Value, str] = {}
        self.statements: list[tuple[str, str]] = []

    def written(self) -> Body:
        inputs = [node.name for node in self.graph.inputs]
        for name in inputs:
            self.variables[name, 0, False] = self._fresh("x" if len(inputs) == 1 else name)
        arguments = tuple(self.variables.values())
        for source, index in self.delayed:
            self.variables[source, index, True] = self._fresh(f"{self._plain(source, index)}_before")
        inner = [self._fresh(f"{node.name}_state") for node in self.recurrent]
        for node, variable in zip(self.recurrent, inner, strict=True):
            self.variables[node.name, -1, False] = variable
        before = tuple(self.variables.values())[len(arguments) :]
        for time, node in enumerate(self.nodes):
            self._write(time, node)
        now = [self.variables[source, index, False] for source, index in self.delayed]
        results = tuple(self.variables[name, 0, False] for name in self.graph.outputs)
        return Body(
            arguments,
            before,
            tuple(self.statements),
            results,
            after=(*now, *inner),
            delayed=tuple(self.delayed),
            recurrent=tuple(node.name for node in self.recurrent),
        )

    def _plain(self, name: str, index: int) -> str:
        """Return the name of a node's value before it is made unique."""
        op = self.graph.by_name[name].op
        return f"{name}_{op.outputs[index]}" if isinstance(op, Graph) and len(op.outputs) > 1 else name

    def _fresh(self, wanted: str) -> str:
        """Return a variable that no value holds."""
        taken = {*self.variables.values(), *_NO_VARIABLE}
        while wanted in taken or iskeyword(wanted):
            wanted += "_"
        return wanted

    def _value(self, edge: Edge) -> Value:
        return edge.source, output_index(self.graph, edge), bool(edge.delay)

    def _last_uses(self) -> dict[Value, int]:
        """Return when each value is used last; what is returned is used at the end."""
        last = {self._value(e): t for t, node in enumerate(self.nodes) for e in node.edges}
        end = len(self.nodes)
        last |= {(name, 0, False): end for name in self.graph.outputs}
        last |= {(source, index, False): end for source, index in self.delayed}
        return last

    def _write(self, time: int, node: Node) -> None:
        values = [self._value(edge) for edge in node.edges]
        formula = self.formulas.get(node.name)
        if formula == "{0}" and node.edges[0].weight is None:
            self.variables[node.name, 0, False] = self.variables[values[0]]
            self._free(time, values)
            return
        state = self.variables.get((node.name, -1, False))
        if formula is None:
            arguments = [self._text(edge) for edge in node.edges]
            right = f"{attribute(node.name)}({', '.join([*arguments, state] if state else arguments)})"
        elif formula == "{0}":
            right = self._text(node.edges[0])
        else:
            factors = [self._text(edge) for edge in node.edges]
            texts = [f"({t})" if e.weight is not None else t for t, e in zip(factors, node.edges, strict=False)]
            right = formula.format(*texts, all=", ".join(texts))
        targets = self._targets(time, node, values)
        left = ", ".join([*targets, state] if state else targets)
        self.statements.append((node.name, f"{left} = {right}"))

    def _text(self, edge: Edge) -> str:
        variable = self.variables[self._value(edge)]
        return variable if edge.weight is None else f"{edge.weight!r} * {variable}"

    def _free(self, time: int, values: list[Value]) -> list[str]:
        """Return the variables that hold nothing any more once a node has read its values."""
        variables = [self.variables.pop(value) for value in dict.fromkeys(values) if self.last_use[value] == time]
        held = set(self.variables.values())
        return [variable for variable in dict.fromkeys(variables) if variable not in held]

    def _targets(self, time: int, node: Node, values: list[Value]) -> list[str]:
        """Return the variables for a node's outputs."""
        free = self._free(time, values)
        if isinstance(node.op, Graph) and len(node.op.outputs) > 1:
            for index in range(len(node.op.outputs)):
                self._name_output(node, index)
            return [self.variables.get((node.name, i, False), "_") for i in range(len(node.op.outputs))]
        variable = "x" if "x" in free else self._fresh(node.name)
        self.variables[node.name, 0, False] = variable
        return [variable]

    def _name_output(self, node: Node, index: int) -> None:
        value = (node.name, index, False)
        if value in self.last_use:
            self.variables[value] = self._fresh(self._plain(node.name, index))
