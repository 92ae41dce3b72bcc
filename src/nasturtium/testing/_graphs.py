"""The laws of graphs: what their JSON, their key and their simplified form promise.

@pytest.mark.parametrize(("name", "check"), graph_checks())
def test_law(name, check):
    check(space.graph(architecture))
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from nasturtium.graphs import Edge, Graph, Node, Operation, graph_from_json, graph_to_json
from nasturtium.graphs.operations import BatchNorm, Concat, Dropout, Identity, Input, Multiply

GraphCheck = Callable[[Graph], None]
"""A law: raises AssertionError if the closed graph, inputs of declared shapes, breaks it."""

MARK = 0.123456
"""A number that no graph holds."""


def graph_checks() -> Iterator[tuple[str, GraphCheck]]:
    """Yield every law with its name."""
    for check in CHECKS:
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def check_graph(graph: Graph) -> None:
    """Check every law.

    Raises:
        AssertionError: The first law that is broken.
    """
    for check in CHECKS:
        check(graph)


def check_json_round_trip(graph: Graph) -> None:
    """JSON and pickles give back an equal graph, its key and its shapes with it."""
    through_json = graph_from_json(json.loads(json.dumps(graph_to_json(graph))))
    for again in (through_json, pickle.loads(pickle.dumps(graph))):
        assert again == graph, "the graph is not the same again"
        assert hash(again) == hash(graph), "equal graphs have one hash"
        assert again.key == graph.key, "equal graphs have one key"
        assert again.shapes == graph.shapes, "equal graphs have equal shapes"


def check_nothing_is_changed(graph: Graph) -> None:
    """Keys, costs and simplifying leave the graph as written."""
    before = json.dumps(graph_to_json(graph))
    params, flops = graph.params, graph.flops
    graph.simplified().simplified()
    assert isinstance(graph.key, str), "a key is text"
    assert json.dumps(graph_to_json(graph)) == before, "the graph was changed"
    assert (graph.params, graph.flops) == (params, flops), "costs are of the graph as written"


def check_simplified_is_idempotent(graph: Graph) -> None:
    """A simplified graph is as simple as it gets, and has the graph's key."""
    simple = graph.simplified()
    fresh = Graph(simple.nodes, simple.outputs)  # which does not remember that it is simple
    assert fresh.simplified() == simple, "simplifying twice changes more"
    assert simple.key == graph.key, "the key is that of the simplified graph"


def check_simplified_is_the_same_function(graph: Graph) -> None:
    """Inputs, output shapes and the names and shapes of what stays are kept; nothing is added."""
    simple = graph.simplified()
    assert simple.inputs == graph.inputs, "inputs are the interface and stay"
    assert simple.infer().outputs == graph.infer().outputs, "the outputs' shapes differ"
    added = set(simple.by_name) - set(graph.by_name)
    assert not added, f"simplifying adds no node, got {sorted(added)}"
    moved = {name for name, shape in simple.shapes.items() if shape != graph.shapes[name]}
    assert not moved, f"the shapes differ at {sorted(moved)}"
    assert simple.params <= graph.params, "simplifying adds no parameter"


def check_key_forgets_names(graph: Graph) -> None:
    """Other names, other order of the nodes: the same key, the same costs."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        other = shuffled(renamed(graph, "other"), rng)
        assert other.key == graph.key, "names and order of nodes must not matter"
        assert (other.params, other.flops) == (graph.params, graph.flops), "the costs differ"


def check_key_forgets_order_of_sums(graph: Graph) -> None:
    """The order in which a sum's inputs are written does not matter."""
    rng = np.random.default_rng(0)
    orders: list[Callable[[int], Iterable[int]]] = [rng.permutation, lambda n: reversed(range(n))]
    for order in orders:
        assert commuted(graph, order).key == graph.key, "sums and products commute"


def check_key_forgets_dead_nodes(graph: Graph) -> None:
    """What no output reads does not matter to the key, but does to the costs as written."""
    for node in graph.nodes:
        dead = Node("a_dead_node", BatchNorm(), (Edge(node.name),))
        bigger = Graph((*graph.nodes, dead), graph.outputs)
        assert bigger.key == graph.key, f"a dead node behind {node.name!r} changes the key"
        assert bigger.simplified() == graph.simplified(), "a dead node must go"
        expected = graph.params + 2 * graph.shapes[node.name][0]
        assert bigger.params == expected, "parameters are of the graph as written"


def check_key_forgets_identities(graph: Graph) -> None:
    """An identity on any edge does not matter."""
    for node in graph.nodes:
        for index, edge in enumerate(node.edges):
            if edge.delay:
                continue  # the identity might have to stand behind its reader
            passed = Node("an_identity", Identity(), (replace(edge, slot=0, weight=None),))
            read = replace(edge, source=passed.name, output=None)
            edges = (*node.edges[:index], read, *node.edges[index + 1 :])
            longer = _with(graph, node.name, passed, replace(node, edges=edges))
            assert longer.key == graph.key, f"an identity before {node.name!r} changes the key"


def check_key_sees_operations(graph: Graph) -> None:
    """Another operation at a living node is another key."""
    simple = graph.simplified()
    for node in _living(simple):
        other: Operation = Dropout(MARK) if len(node.edges) == 1 else Concat()
        if other == node.op:
            other = Multiply()
        changed = _with(simple, node.name, replace(node, op=other))
        assert changed.key != graph.key, f"another operation at {node.name!r} is another graph"


def check_key_sees_edges(graph: Graph) -> None:
    """Another weight or delay on a living edge, or one edge less, is another key."""
    simple = graph.simplified()
    for node in _living(simple):
        first, *rest = node.edges
        variants = [(replace(first, weight=MARK), *rest), tuple(rest)]
        if not first.delay:
            variants.append((replace(first, delay=1), *rest))
        for edges in variants:
            changed = _with(simple, node.name, replace(node, edges=edges))
            assert changed.key != graph.key, f"{edges} at {node.name!r} is another graph"


CHECKS: tuple[GraphCheck, ...] = (
    check_json_round_trip,
    check_nothing_is_changed,
    check_simplified_is_idempotent,
    check_simplified_is_the_same_function,
    check_key_forgets_names,
    check_key_forgets_order_of_sums,
    check_key_forgets_dead_nodes,
    check_key_forgets_identities,
    check_key_sees_operations,
    check_key_sees_edges,
)


def renamed(graph: Graph, prefix: str) -> Graph:
    """Return the graph with other names, those of nested graphs too."""
    order = {node.name: f"{prefix}_{i}" for i, node in enumerate(graph.nodes)}
    inner = {n.name: renamed(n.op, "inner") for n in graph.nodes if isinstance(n.op, Graph)}

    def moved(edge: Edge) -> Edge:
        output = edge.output
        if output is not None and edge.source in inner:
            before = graph.by_name[edge.source].op
            assert isinstance(before, Graph), "only a nested graph has named outputs"
            output = inner[edge.source].outputs[before.outputs.index(output)]
        return replace(edge, source=order[edge.source], output=output)

    nodes = tuple(Node(order[n.name], inner.get(n.name, n.op), tuple(map(moved, n.edges))) for n in graph.nodes)
    return Graph(nodes, tuple(order[name] for name in graph.outputs))


def shuffled(graph: Graph, rng: np.random.Generator) -> Graph:
    """Return the graph with its nodes in another topological order, inputs among each other not."""
    left, done, nodes = list(graph.nodes), set[str](), list[Node]()
    while left:
        inputs = [node for node in left if isinstance(node.op, Input)][:1]
        ready = inputs + [
            node
            for node in left
            if not isinstance(node.op, Input) and all(edge.delay or edge.source in done for edge in node.edges)
        ]
        node = ready[int(rng.integers(len(ready)))]
        left.remove(node)
        done.add(node.name)
        nodes.append(node)
    return Graph(tuple(nodes), graph.outputs)


def commuted(graph: Graph, order: Callable[[int], Iterable[int]]) -> Graph:
    """Return the graph with the inputs of sums and products in another order.

    Args:
        graph: A closed graph.
        order: Gives a permutation of as many numbers as it is told.
    """
    nodes = []
    for node in graph.nodes:
        if isinstance(node.op, Graph):
            node = replace(node, op=commuted(node.op, order))
        elif isinstance(node.op, Operation) and node.op.commutative:
            moved = enumerate(order(len(node.edges)))
            edges = (replace(node.edges[old], slot=new) for new, old in moved)
            node = replace(node, edges=tuple(edges))
        nodes.append(node)
    return Graph(tuple(nodes), graph.outputs)


def _with(graph: Graph, name: str, *new: Node) -> Graph:
    """Return the graph with these nodes in place of the one of that name."""
    nodes = [n for node in graph.nodes for n in (new if node.name == name else (node,))]
    return Graph(tuple(nodes), graph.outputs)


def _living(simple: Graph) -> list[Node]:
    """Return the nodes of a simplified graph that read something."""
    return [node for node in simple.nodes if node.edges]
