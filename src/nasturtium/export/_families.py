"""Which classes a generated file has: graphs of equal structure share one.

Every graph level of a network - a nested graph or the parts of a composite - is an *instance* of
a *family*. Instances of a family differ only in constants, such as channel counts; those that
differ become the parameters of the family's class.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import nn

from nasturtium.export._parameters import Parameter, Position, parametrized
from nasturtium.graphs import Composite, Graph, Layer, Operation, Shape
from nasturtium.graphs.operations import Foreign, Input
from nasturtium.networks import constructor_arguments, delayed_shapes

if TYPE_CHECKING:
    from nasturtium.export._references import References


@dataclass(slots=True)
class Call:
    """A constructor call with its arguments as source text.

    Attributes:
        callee: What is called, such as ``"nn.Conv2d"``.
        kind: The class itself.
        arguments: Source text by argument name.
        n_positional: How many of the arguments are written without their names.
    """

    callee: str
    kind: Any
    arguments: dict[str, str]
    n_positional: int

    @property
    def form(self) -> tuple[Any, ...]:
        """What the calls of one node have in common in every instance of a family.

        Options of torch's layers may be left out here and there, since their defaults are
        literals; those of a user's class may not.
        """
        return self.callee, self.n_positional, () if self.is_torch else tuple(self.arguments)

    @property
    def is_torch(self) -> bool:
        """Whether it makes a layer of torch."""
        return self.callee.startswith("nn.")


@dataclass(slots=True)
class Instance:
    """One graph level of the network.

    Attributes:
        family: The family that it belongs to.
        calls: The constructor calls of its layers, by node.
        inner: The levels inside, by node.
        values: Source text of each of its family's parameters, in order.
    """

    family: Family
    calls: dict[str, Call]
    inner: dict[str, Instance]
    values: tuple[str, ...] = ()


@dataclass(slots=True)
class Family:
    """A class of the generated file.

    Attributes:
        graph: The graph of its first instance; the others have the same nodes and edges.
        inputs: The input shapes of the first instance.
        title: What it is to be called, before names are made unique.
        summary: One line for its docstring.
        formulas: Templates of the nodes without weights.
        state: Shapes of what this level's own delayed edges carry.
        instances: Its instances.
        parameters: What its constructor takes.
        places: For each argument of each part, the parameter or the constant that stands there.
        name: The class's name.
    """

    graph: Graph
    inputs: tuple[Shape, ...]
    title: str
    summary: str
    formulas: dict[str, str]
    state: list[Shape]
    instances: list[Instance] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    places: dict[Position, str] = field(default_factory=dict)
    name: str = ""


class Collection:
    """The families of one network, inner ones first; the last one is the network itself.

    Args:
        graph: A closed graph with declared input shapes.
        references: What the file may refer to.

    Raises:
        UsageError: A user's module can't be referred to, or an argument has no source form.
    """

    def __init__(self, graph: Graph, references: References) -> None:
        self._references = references
        self._families: dict[Any, Family] = {}
        self._instances: dict[Any, Instance] = {}
        self._titles: dict[Graph, str] = {}
        self.root = self._collect(graph, (), "Network", "The whole network.")
        self.families = list(self._families.values())
        for family in self.families:
            parametrized(family)
        self._give_names()

    def _collect(self, graph: Graph, inputs: tuple[Shape, ...], title: str, summary: str) -> Instance:
        """Return the instance of a level; equal graphs with equal shapes are one instance."""
        if (graph, inputs) in self._instances:
            return self._instances[graph, inputs]
        title = self._titles.setdefault(graph, title)
        arriving = graph.infer(*inputs).arriving
        calls: dict[str, Call] = {}
        inner: dict[str, Instance] = {}
        formulas: dict[str, str] = {}
        for node in graph.nodes:
            shapes = arriving[node.name]
            if isinstance(node.op, Graph):
                inner[node.name] = self._collect(node.op, shapes, cell_name(node.name), "")
            elif isinstance(node.op, Composite):
                inner[node.name] = self._composite(node.op, shapes)
            elif isinstance(node.op, Operation) and not isinstance(node.op, Input):
                made = self._made(node.op, shapes)
                if isinstance(made, Call):
                    calls[node.name] = made
                else:
                    formulas[node.name] = made
        instance = Instance(self._family(graph, inputs, title, summary, calls, inner, formulas), calls, inner)
        instance.family.instances.append(instance)
        self._instances[graph, inputs] = instance
        return instance

    def _composite(self, op: Composite, shapes: tuple[Shape, ...]) -> Instance:
        kind = type(op)
        title = kind.__name__.lstrip("_")
        return self._collect(op.opened(*shapes), shapes, title, summary_of(kind))

    def _family(
        self,
        graph: Graph,
        inputs: tuple[Shape, ...],
        title: str,
        summary: str,
        calls: dict[str, Call],
        inner: dict[str, Instance],
        formulas: dict[str, str],
    ) -> Family:
        """Return the family of a level: title, nodes, edges and what the nodes are decide it."""
        state = delayed_shapes(graph, inputs)
        key = (
            title,
            tuple((node.name, node.edges) for node in graph.nodes),
            graph.outputs,
            tuple((name, call.form) for name, call in calls.items()),
            tuple((name, id(instance.family)) for name, instance in inner.items()),
            tuple(formulas.items()),
            tuple(state),
        )
        if key not in self._families:
            self._families[key] = Family(graph, inputs, title, summary, formulas, state)
        return self._families[key]

    def _made(self, op: Operation, shapes: tuple[Shape, ...]) -> Call | str:
        """Return the constructor call of a layer, or the template of a formula."""
        literal = self._references.literal
        if isinstance(op, Foreign):
            name = self._references.name(op.module)
            given = constructor_arguments(op.module, op.options, shapes)
            return Call(name, op.module, {k: literal(v) for k, v in given.items()}, 0)
        symbol = op.symbol(*shapes)
        if not isinstance(symbol, Layer):
            return symbol.template
        kind = getattr(nn, symbol.module)
        names = list(inspect.signature(kind).parameters)
        positional = dict(zip(names, symbol.arguments, strict=False))
        given = {**positional, **dict(symbol.options)}
        arguments = {key: literal(value) for key, value in given.items()}
        return Call(f"nn.{symbol.module}", kind, arguments, len(positional))

    def _give_names(self) -> None:
        taken = set(self._references.names)
        for family in self.families:
            if family is self.root.family:
                family.name = "Network"
                continue
            number, family.name = 1, family.title
            while family.name in taken:
                number += 1
                family.name = f"{family.title}{number}"
            taken.add(family.name)


def cell_name(node: str) -> str:
    """Return the class name of a nested graph, from the name of its node.

    Example:
        >>> cell_name("normal_3"), cell_name("reduction_cell_1")
        ('NormalCell', 'ReductionCell')
    """
    words = [word for word in re.sub(r"\d+", " ", node).replace("_", " ").split() if word]
    title = "".join(word[0].upper() + word[1:] for word in words)
    return title if title.endswith(("Cell", "Block", "Motif")) else f"{title}Cell"


def summary_of(kind: type) -> str:
    """Return the first line of a class's docstring, or nothing."""
    lines = (kind.__doc__ or "").strip().splitlines()
    # A dataclass without a docstring gets its signature for one.
    return "" if not lines or lines[0].startswith(f"{kind.__name__}(") else lines[0]
