"""The laws of graphs bite: each is broken by a graph that does one thing wrong."""

import pytest

from nasturtium.graphs import Builder, Graph, _canonical, _graph, _simplify
from nasturtium.graphs import operations as o
from nasturtium.testing import _graphs, check_graph, graph_checks

LAWS = dict(graph_checks())


def small():
    b = Builder()
    x = b.input("x", (4, 8, 8))
    y = b.add("conv", o.Conv2d(4), x)
    z = b.add("same", o.Identity(), x)
    joined = b.add("joined", o.Concat(), b.add("sum", o.Add(), y, z), x)
    return b.graph(joined)


def names_of(graph):
    return "".join(node.name for node in graph.nodes)


def kinds_of(graph):
    return "".join(sorted(type(node.op).__name__ for node in graph.nodes))


def edges_of(graph):
    return str(sorted((type(n.op).__name__, len(n.edges)) for n in graph.nodes))


def sources_of(graph):
    """Return what sees the order of a sum's inputs."""
    kinds = {node.name: type(node.op).__name__ for node in graph.nodes}
    return str(sorted([kinds[n.name], *(kinds[e.source] for e in n.edges)] for n in graph.nodes))


def written_as_is(graph):
    return graph


def forgetful(graph):
    nodes = tuple(node for node in graph.nodes if node.name != "conv")
    return Graph(nodes[:1], ("x",)) if len(nodes) < len(graph.nodes) else graph


def test_a_sound_graph_passes_all_laws():
    check_graph(small())


@pytest.mark.parametrize(
    ("key", "law"),
    [
        (names_of, "key-forgets-names"),
        (kinds_of, "key-sees-edges"),
        (edges_of, "key-sees-edges"),
        (lambda graph: "one", "key-sees-operations"),
    ],
)
def test_a_law_catches_a_wrong_key(monkeypatch, key, law):
    monkeypatch.setattr(_canonical, "canonical_key", key)
    with pytest.raises(AssertionError):
        LAWS[law](small())


@pytest.mark.parametrize("law", ["key-forgets-dead-nodes", "key-forgets-identities", "simplified-is-the-same-function"])
def test_a_law_catches_a_wrong_simplification(monkeypatch, law):
    wrong = forgetful if law == "simplified-is-the-same-function" else written_as_is
    monkeypatch.setattr(_simplify, "simplify", wrong)
    with pytest.raises(AssertionError):
        LAWS[law](small())


def test_a_law_catches_what_sees_the_order_of_sums(monkeypatch):
    monkeypatch.setattr(_canonical, "canonical_key", sources_of)
    monkeypatch.setattr(_simplify, "simplify", written_as_is)
    with pytest.raises(AssertionError):
        LAWS["key-forgets-order-of-sums"](small())


def test_a_law_catches_a_simplification_that_never_ends(monkeypatch):
    def longer(graph):
        return Graph((*graph.nodes, _graph.Node(f"n{len(graph.nodes)}", o.Input((1,)))), ("x",))

    monkeypatch.setattr(_simplify, "simplify", longer)
    with pytest.raises(AssertionError):
        LAWS["simplified-is-idempotent"](small())


def test_a_law_catches_lost_json(monkeypatch):
    monkeypatch.setattr(_graphs, "graph_from_json", lambda data: small().simplified())
    with pytest.raises(AssertionError):
        LAWS["json-round-trip"](small())


def test_a_law_catches_what_changes_the_graph(monkeypatch):
    def greedy(graph):
        object.__setattr__(graph, "outputs", ("x",))
        return graph

    monkeypatch.setattr(_simplify, "simplify", greedy)
    with pytest.raises(AssertionError):
        LAWS["nothing-is-changed"](small())
