"""Simplification: the same function with fewer nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nasturtium.graphs._graph import Edge, Graph, Node, OpenOperation
from nasturtium.graphs._infer import output_index
from nasturtium.graphs.operations._input import Input
from nasturtium.graphs.operations._linear import Flatten
from nasturtium.graphs.operations._merging import Add, Concat, Multiply
from nasturtium.graphs.operations._pointwise import Activation, Dropout, Identity, Zero
from nasturtium.graphs.operations._pooling import AvgPool, GlobalPool, MaxPool

if TYPE_CHECKING:
    from nasturtium.graphs._base import Operation


def simplify(graph: Graph) -> Graph:
    """Return an equal function: no dead parts, zeros or identities, sums in order; idempotent.

    Inputs stay even if nothing reads them, since they are the graph's interface. Nested graphs are
    simplified in themselves; nothing moves across their border.

    A summand that is zero vanishes if another stays. Zero is what ``Zero`` gives, and what
    operations without parameters that map zeros to zeros (``_KEEPS_ZERO``) make of zeros alone. A
    convolution of zeros is not zero, since its normalization shifts it; a product with one zero
    factor stays, since the other may be infinite; a sum of zeros stays, since it has a shape. In a
    graph with delayed edges no summand vanishes, since shapes may follow from it.
    """
    return _without_dead(_contracted(_without_zeros(_nested(graph))))


def _nested(graph: Graph) -> Graph:
    """Simplify nested graphs; their outputs may get other names, so edges follow by position."""
    if not any(isinstance(node.op, Graph) for node in graph.nodes):
        return graph
    inner = {n.name: n.op.simplified() for n in graph.nodes if isinstance(n.op, Graph)}

    def followed(edge: Edge) -> Edge:
        if edge.output is None or edge.source not in inner:
            return edge
        outputs = inner[edge.source].outputs
        output = outputs[output_index(graph, edge)]
        # The first output is what an edge without a name carries.
        return replace(edge, output=None if output == outputs[0] else output)

    nodes = tuple(Node(n.name, inner.get(n.name, n.op), tuple(map(followed, n.edges)), n.when) for n in graph.nodes)
    return Graph(nodes, graph.outputs)


_KEEPS_ZERO = (Identity, Add, Multiply, Concat, Dropout, Flatten, MaxPool, AvgPool, GlobalPool)
_ZERO_AT_ZERO = ("relu", "relu6", "tanh", "silu", "hardswish", "mish", "gelu")


def _keeps_zero(op: Operation | Graph | OpenOperation) -> bool:
    """Whether an operation without parameters maps zeros to zeros, bit for bit."""
    return isinstance(op, _KEEPS_ZERO) or (isinstance(op, Activation) and op.function in _ZERO_AT_ZERO)


def _without_zeros(graph: Graph) -> Graph:
    """Drop the summands that are zero, where another stays."""
    has_zeros = any(isinstance(node.op, Zero) for node in graph.nodes)
    if not has_zeros or any(edge.delay for node in graph.nodes for edge in node.edges):
        return graph
    zeros: set[str] = set()
    nodes = []
    for node in graph.nodes:
        left = tuple(edge for edge in node.edges if edge.source not in zeros)
        if isinstance(node.op, Zero) or (node.edges and not left and _keeps_zero(node.op)):
            zeros.add(node.name)
        elif isinstance(node.op, Add):
            node = replace(node, edges=left)
        nodes.append(node)
    return Graph(tuple(nodes), graph.outputs)


def _is_identity(node: Node) -> bool:
    """Whether the node hands on its only input as it is."""
    if len(node.edges) != 1 or type(node.op) not in (Identity, Add, Concat):
        return False
    edge = node.edges[0]
    return edge.delay == 0 and edge.weight is None


def _contracted(graph: Graph) -> Graph:
    """Rewire consumers of identities to what the identities read."""
    origin: dict[str, Edge] = {}
    for node in graph.nodes:
        if _is_identity(node):
            edge = node.edges[0]
            origin[node.name] = origin.get(edge.source, edge) if edge.output is None else edge

    outputs = []
    for name in graph.outputs:
        found = origin.get(name)
        # An output names a node, so one output of a nested graph keeps its identity.
        outputs.append(found.source if found and found.output is None else name)
    order = {n.name: i for i, n in enumerate(graph.nodes)}
    nodes = tuple([_rewired(node, origin, order) for node in graph.nodes])
    return Graph(nodes, tuple(outputs))


def _rewired(node: Node, origin: dict[str, Edge], order: dict[str, int]) -> Node:
    """Return a node that reads what stands behind identities, a sum in the order of the nodes."""
    edges = []
    for edge in node.edges:
        found = origin.get(edge.source)
        edges.append(replace(edge, source=found.source, output=found.output) if found else edge)
    if not isinstance(node.op, (Graph, OpenOperation)) and node.op.commutative:
        edges.sort(key=lambda e: (order[e.source], e.output or "", e.delay, e.weight or 0.0))
        edges = [edge if edge.slot == i else replace(edge, slot=i) for i, edge in enumerate(edges)]
    changed = tuple(edges)
    return node if changed == node.edges else replace(node, edges=changed)


def _without_dead(graph: Graph) -> Graph:
    """Drop the nodes from which no output can be reached."""
    alive = live_nodes(graph)
    kept = tuple([n for n in graph.nodes if n.name in alive or isinstance(n.op, Input)])
    return graph if len(kept) == len(graph.nodes) else Graph(kept, graph.outputs)


def live_nodes(graph: Graph) -> set[str]:
    """Return the names of the nodes from which an output can be reached.

    Example:
        >>> from nasturtium.graphs import Builder
        >>> b = Builder()
        >>> x = b.input("x", (4,))
        >>> dead = b.add("dead", Identity(), x)
        >>> sorted(live_nodes(b.graph(b.add("y", Identity(), x))))
        ['x', 'y']
    """
    alive: set[str] = set()
    stack = list(graph.outputs)
    while stack:
        name = stack.pop()
        if name not in alive:
            alive.add(name)
            stack.extend(edge.source for edge in graph.by_name[name].edges)
    return alive
