"""Graph: the one intermediate representation of a network, torch-free and immutable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs._base import Operation, Scalar, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nasturtium.graphs._infer import Inference
    from nasturtium.graphs._resolve import Branch

T = TypeVar("T")

Condition = tuple[tuple[str, frozenset[Scalar | tuple[Any, ...]]], ...]
"""A conjunction over decisions: each path's value must be in the set. Empty means always."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A hyper-parameter that a decision sets: it stands in an open graph for that decision's value."""

    path: str


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """An operation of an open graph, some of whose hyper-parameters are ``Pick``.

    Args:
        make: The operation's class (or a function) that takes the hyper-parameters.
        arguments: (name, value or Pick) pairs.
    """

    make: Callable[..., Operation]
    arguments: tuple[tuple[str, Any], ...]

    def close(self, choices: Mapping[str, Any]) -> Operation:
        """Return the operation with every ``Pick`` replaced by its decision's value.

        Raises:
            UsageError: A decision has no value.
        """
        paths = [v.path for _, v in self.arguments if isinstance(v, Pick)]
        missing = [path for path in paths if path not in choices]
        if missing:
            raise UsageError(f"every choice must be made, got no value for {missing}; add it.")
        return self.make(**{name: choices[v.path] if isinstance(v, Pick) else v for name, v in self.arguments})


@dataclass(frozen=True, slots=True)
class Edge:
    """What arrives at a node: the value of ``source``, in input position ``slot``.

    Args:
        source: Name of the node whose value arrives.
        slot: Input position. In an open graph several edges may share one; of a closed graph's
            node the slots are distinct and the edges sorted by them.
        output: Which output, if the source is a nested graph with several.
        delay: 0 for this time step's value, 1 for the previous step's (zero at the first step).
        weight: A constant factor that belongs to the architecture (NEAT's weights), kept as a float;
            or None.
        when: In an open graph, the condition under which the edge exists.
    """

    source: str
    slot: int = 0
    output: str | None = None
    delay: int = 0
    weight: float | None = None
    when: Condition = ()

    def __post_init__(self) -> None:
        """Make the weight a plain float, so that equal numbers of other types give equal keys."""
        if self.weight is not None and type(self.weight) is not float:
            object.__setattr__(self, "weight", float(self.weight))


@dataclass(frozen=True, slots=True)
class Node:
    """A named operation with its incoming edges.

    Args:
        name: A Python identifier, unique in its graph; tensors are named after it.
        op: An operation, a nested graph, or in an open graph an ``OpenOperation`` operation.
        edges: Incoming edges, sorted by slot.
        when: In an open graph, the condition under which the node exists.
    """

    name: str
    op: Operation | Graph | OpenOperation
    edges: tuple[Edge, ...] = ()
    when: Condition = ()


@dataclass(frozen=True)
class Graph:
    """A network: named operations, ordered edges, any number of inputs and outputs.

    The nodes stand in an order in which every edge of delay 0 comes from an earlier node; the part
    with delay 0 is therefore acyclic. A nested graph is stored once and may be referred to by many
    nodes, each of which has weights of its own.

    Args:
        nodes: Topologically ordered nodes; those whose operation is ``Input`` are the inputs.
        outputs: Names of the output nodes, in order.

    Raises:
        UsageError: A name is taken twice or is no identifier, an edge comes from nowhere or from
            later, a closed graph's slots are not rising, or there is no output.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x = b.input("image", (1, 8, 8))
        >>> x = b.add("conv", operations.Conv(out=4), x)
        >>> x = b.add("pool", operations.GlobalPool(), x)
        >>> graph = b.graph(b.add("head", operations.Linear(out=10), x))
        >>> graph.params, graph.flops, graph.shapes["conv"]
        (94, 2344, (4, 8, 8))
        >>> graph.memory, graph.depth
        (2304, 2)
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    _memo: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check names, order and outputs."""
        names = {node.name for node in self.nodes}
        if len(names) != len(self.nodes):
            raise UsageError(f"node names are unique, got {sorted(n.name for n in self.nodes)}; rename one.")
        seen: set[str] = set()
        is_closed = not self.is_open
        for node in self.nodes:
            if not (node.name.isidentifier() and node.name.isascii()):
                raise UsageError(f"a node's name is a Python identifier, got {node.name!r}; rename it.")
            _check_edges(node, seen, names, is_closed=is_closed)
            seen.add(node.name)
        if not self.outputs or not names.issuperset(self.outputs):
            raise UsageError(f"outputs are names of nodes, got {self.outputs}; name at least one node.")

    def __hash__(self) -> int:
        """Return a hash that is computed once."""
        return self.memoized("hash", lambda: hash((self.nodes, self.outputs)))

    def memoized(self, key: Any, make: Callable[[], T]) -> T:
        """Return what ``make`` gives, made once a key; for what follows from the graph alone."""
        if key not in self._memo:
            self._memo[key] = make()
        made: T = self._memo[key]
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was memoized out of a pickle."""
        return {"nodes": self.nodes, "outputs": self.outputs}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled graph with an empty memo."""
        for name, value in {**state, "_memo": {}}.items():
            object.__setattr__(self, name, value)

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """The nodes by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The input nodes, in order."""
        from nasturtium.graphs.operations._input import Input

        return tuple(node for node in self.nodes if isinstance(node.op, Input))

    @cached_property
    def is_open(self) -> bool:
        """Whether the graph still holds choices, here or in a nested graph."""
        for node in self.nodes:
            if node.when or isinstance(node.op, OpenOperation) or (isinstance(node.op, Graph) and node.op.is_open):
                return True
            for edge in node.edges:
                if edge.when:
                    return True
        return False

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether an edge has delay 1, here or in a nested graph."""
        return any(any(e.delay for e in n.edges) or (isinstance(n.op, Graph) and n.op.is_recurrent) for n in self.nodes)

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """What resolving an open graph needs of each node."""
        from nasturtium.graphs._resolve import branches_of

        return branches_of(self)

    def resolve(self, choices: Mapping[str, Any]) -> Graph:
        """Return the closed graph in which every choice is made.

        Args:
            choices: The value of every decision path; an architecture is such a mapping.

        Returns:
            The network as written: dead parts stay, nested graphs stay shared.
        """
        from nasturtium.graphs._resolve import resolve

        return resolve(self, choices)

    def infer(self, *inputs: Shape) -> Inference:
        """Return shapes and costs for inputs of these shapes (memoized).

        Args:
            inputs: One shape an input node; none means the shapes that the input nodes declare.

        Raises:
            ShapeError: An operation can't take what reaches it; the message names the node.
        """
        from nasturtium.graphs._infer import infer

        return self.memoized(("infer", inputs), lambda: infer(self, inputs))

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Each node's output shape (the first output of a nested graph), without the batch."""
        return self.infer().shapes

    @property
    def params(self) -> int:
        """Trainable parameters of the network as written."""
        return self.infer().params

    @property
    def flops(self) -> int:
        """Multiply-accumulates for one example of the network as written."""
        return self.infer().flops

    @property
    def memory(self) -> int:
        """Peak activation memory of a forward pass without gradients, in bytes an example (float32)."""
        from nasturtium.graphs._memory import peak_bytes

        return self.memoized("memory", lambda: peak_bytes(self, ()))

    @property
    def depth(self) -> int:
        """Convolutions and linear layers on the longest way from an input to an output."""
        from nasturtium.graphs._depth import depth_of

        return self.memoized("depth", lambda: depth_of(self, ()))

    def simplified(self) -> Graph:
        """Return the graph without dead parts and identities, sums in canonical order."""
        from nasturtium.graphs._simplify import simplify

        simple = self.memoized("simplified", lambda: simplify(self))
        return simple.memoized("simplified", lambda: simple)

    @property
    def key(self) -> str:
        """Hexadecimal digest of the simplified graph: names forgotten, sums commuting.

        Raises:
            UsageError: The graph is open.
        """
        from nasturtium.graphs._canonical import canonical_key

        if self.is_open:
            raise UsageError("an open graph has no key; resolve it with an architecture first.")
        return self.memoized("key", lambda: canonical_key(self.simplified()))


def _check_edges(node: Node, seen: set[str], names: set[str], *, is_closed: bool) -> None:
    last = -1
    for edge in node.edges:
        if edge.source not in (names if edge.delay else seen):
            raise UsageError(
                f"edges come from earlier nodes (or have delay 1), got {edge.source!r} -> {node.name!r}; "
                "order the nodes."
            )
        if edge.delay not in (0, 1):
            raise UsageError(f"an edge's delay is 0 or 1, got {edge.delay}; chain two edges.")
        if is_closed and edge.slot <= last:
            slots = [e.slot for e in node.edges]
            raise UsageError(
                f"a node's edges have rising slots in a closed graph, got {slots} at {node.name!r}; number them."
            )
        last = edge.slot


Wire = tuple[Edge, ...]
"""What a builder hands on: alternative sources of one value (one unless a choice is open)."""


class Builder:
    """Collects the nodes of a graph in order and wires them.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x, y = b.input("x", (4,)), b.input("y", (4,))
        >>> b.graph(b.add("sum", operations.Add(), x, y)).shapes["sum"]
        (4,)
    """

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def input(self, name: str, shape: Shape | None = None) -> Wire:
        """Add an input node; a nested graph's inputs need no shape."""
        from nasturtium.graphs.operations._input import Input

        return self.add(name, Input(shape))

    def add(self, name: str, op: Operation | Graph | OpenOperation, *inputs: Wire, when: Condition = ()) -> Wire:
        """Add a node whose n-th input is the n-th wire, and return its output's wire."""
        places = ((slot, edge) for slot, wire in enumerate(inputs) for edge in wire)
        edges = tuple([edge if edge.slot == slot else replace(edge, slot=slot) for slot, edge in places])
        self._nodes.append(Node(name, op, edges, when))
        return (Edge(name),)

    def extend(self, name: str, *wires: Wire) -> None:
        """Give an existing node further inputs; how a delayed edge is drawn to an earlier node.

        Raises:
            UsageError: There is no node of that name yet.
        """
        names = [node.name for node in self._nodes]
        if name not in names:
            raise UsageError(f"only a node that was added is extended, got {name!r}; {near_matches(name, names)}")
        node = self._nodes[index := names.index(name)]
        first = 1 + max((e.slot for e in node.edges), default=-1)
        edges = tuple(replace(e, slot=first + i) for i, wire in enumerate(wires) for e in wire)
        self._nodes[index] = replace(node, edges=node.edges + edges)

    def graph(self, *outputs: Wire) -> Graph:
        """Return the finished graph with these outputs.

        An output names a node, so a wire that is more than one node's value (alternatives, one
        output of a nested graph, a weight, a delay) ends in an identity, ``output_0`` and so on.
        """
        from nasturtium.graphs.operations._pointwise import Identity

        names = []
        for position, wire in enumerate(outputs):
            if wire != (Edge(wire[0].source),):
                wire = self.add(f"output_{position}", Identity(), wire)
            names.append(wire[0].source)
        return Graph(tuple(self._nodes), tuple(names))


def delayed(wire: Wire) -> Wire:
    """Return a wire that brings the previous time step's value.

    Example:
        >>> from nasturtium.graphs import operations
        >>> b = Builder()
        >>> total = b.add("total", operations.Add(), b.input("x", (4,)))
        >>> b.extend("total", delayed(total))  # a running sum
        >>> b.graph(total).is_recurrent
        True
    """
    return tuple(replace(edge, delay=1) for edge in wire)


def under(wire: Wire, path: str, *values: Any) -> Wire:
    """Return a wire that exists only if the decision at ``path`` has one of the values."""
    clause = (path, frozenset(values))
    return tuple(replace(edge, when=(*edge.when, clause)) for edge in wire)


def alternatives(*wires: Wire) -> Wire:
    """Return the wire of which exactly one alternative remains when the choices are made.

    Example:
        >>> from nasturtium.graphs import operations
        >>> b = Builder()
        >>> y = b.add("tanh", operations.Activation("tanh"), x := b.input("x", (4,)))
        >>> graph = b.graph(alternatives(under(x, "skip", True), under(y, "skip", False)))
        >>> [node.name for node in graph.resolve({"skip": True}).simplified().nodes]
        ['x']
    """
    return tuple(edge for wire in wires for edge in wire)


def chain_of(parts: Iterable[tuple[str, Operation | Graph | OpenOperation]]) -> Graph:
    """Return the graph with one input that applies the named parts one after the other."""
    b = Builder()
    wire = b.input("x")
    for name, op in parts:
        wire = b.add(name, op, wire)
    return b.graph(wire)
