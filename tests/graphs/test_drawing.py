from itertools import combinations, pairwise

import numpy as np
import pytest

from nasturtium.graphs import Builder, Graph, Node, chain_of, delayed, operations
from nasturtium.graphs._drawing import draw, nested
from nasturtium.graphs._graph import Edge
from nasturtium.spaces import DARTS, EnasMacro
from nasturtium.testing import Shapes


def lines(graph, *shapes):
    return {box.name: box.lines for box in draw(graph, *shapes).boxes}


@pytest.fixture
def image():
    b = Builder()
    return b, b.input("image", (3, 8, 8))


def test_boxes_tell_operation_shape_and_params(image):
    b, x = image
    x = b.add("a", operations.SepConv(out=4, kernel=5, stride=2, repeats=2), x)
    x = b.add("b", operations.MaxPool(3, 2), x)
    x = b.add("c", operations.FactorizedConv(4, 7), x)
    graph = b.graph(b.add("d", operations.Linear(2), b.add("e", operations.GlobalPool(), x)))
    shown = lines(graph)
    assert shown["image"] == ("image", "3×8×8")
    assert shown["a"][:2] == ("sep_conv 5×5 /2", "repeats=2")
    assert shown["a"][2].startswith("4×4×4 · ")
    assert shown["b"] == ("max_pool 3×3 /2", "4×2×2")
    assert shown["d"] == ("linear", "2 · 10")


def test_inputs_show_their_names_and_activations_their_kind():
    shown = lines(chain_of([("act", operations.Activation("silu"))]), (4,))
    assert shown == {"x": ("x", "4"), "act": ("activation", "silu", "4")}


def test_details_tell_everything(image):
    b, x = image
    graph = b.graph(b.add("a", operations.Conv(out=4), x))
    detail = {box.name: box.detail for box in draw(graph).boxes}["a"]
    assert detail.startswith("a: conv(out=4, kernel=3")
    assert detail.endswith("3×8×8 -> 4×8×8, 116 parameters")


def test_every_edge_is_an_arrow_and_the_graph_is_unchanged(image):
    b, x = image
    left, right = b.add("l", operations.Conv(4), x), b.add("r", operations.Conv(4), x)
    graph = b.graph(b.add("sum", operations.Add(), left, right))
    arrows = {(arrow.source, arrow.target) for arrow in draw(graph).arrows}
    assert arrows == {("image", "l"), ("image", "r"), ("l", "sum"), ("r", "sum")}


def test_without_shapes_the_boxes_hold_none():
    assert lines(chain_of([("a", operations.Conv(4))])) == {"x": ("x",), "a": ("conv 3×3",)}
    assert lines(chain_of([("a", operations.Conv(4))]), (3, 8, 8))["a"][-1] == "4×8×8 · 116"


def test_delayed_edges_run_at_the_side():
    b = Builder()
    total = b.add("total", operations.Add(), b.input("x", (4,)))
    b.extend("total", delayed(b.add("state", operations.Linear(4), total)))
    drawing = draw(b.graph(total))
    (loop,) = [arrow for arrow in drawing.arrows if arrow.is_delayed]
    assert (loop.source, loop.target) == ("state", "total")
    assert max(x for x, _ in loop.points) > max(b.center[0] + b.size[0] / 2 for b in drawing.boxes)
    assert max(x for x, _ in loop.points) <= drawing.width


def test_weights_are_told():
    nodes = (
        Node("x", operations.Input((4,))),
        Node("sum", operations.Add(), (Edge("x", 0, weight=0.5), Edge("x", 1))),
    )
    assert [arrow.detail for arrow in draw(Graph(nodes, ("sum",))).arrows] == ["weight 0.5", ""]


def cell(channels):
    return chain_of([("conv", operations.Conv(channels)), ("relu", operations.Activation("relu"))])


def test_nested_graphs_that_differ_in_channels_only_are_listed_once(image):
    b, x = image
    x = b.add("first", cell(4), x)
    x = b.add("second", cell(8), x)
    x = b.add("other", chain_of([("pool", operations.MaxPool(3, 2))]), x)
    parts = nested(b.graph(x))
    assert [part.uses for part in parts] == [("first", "second"), ("other",)]
    assert [part.shapes for part in parts] == [((3, 8, 8),), ((8, 8, 8),)]
    assert parts[0].graph is cell_of(b.graph(x), "first")
    assert lines(b.graph(x))["second"] == ("second", "3 nodes", "8×8×8 · 304")


def cell_of(graph, name):
    return graph.by_name[name].op


def test_nested_graphs_are_found_at_any_depth(image):
    b, x = image
    inner = chain_of([("motif", cell(4))])
    parts = nested(b.graph(b.add("outer", inner, x)))
    assert [part.uses for part in parts] == [("outer",), ("motif",)]


def test_what_nobody_could_read_is_not_drawn():
    b = Builder()
    wires = [b.input("x", (4,))]
    for i in range(40):
        wires.append(b.add(f"n{i}", operations.Add(), *wires))
    graph = b.graph(wires[-1])
    assert len(list(combinations(range(41), 2))) == sum(len(n.edges) for n in graph.nodes)
    assert draw(graph) is None


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_any_random_graph_is_drawn(random_graph, seed, is_recurrent):
    graph = random_graph(np.random.default_rng(seed), is_recurrent=is_recurrent)
    drawing = draw(graph)
    assert [box.name for box in drawing.boxes] == [node.name for node in graph.nodes]
    for part in nested(graph):
        assert draw(part.graph, *part.shapes) is not None


def passes_through(arrow, boxes):
    """Return the boxes that a line crosses and neither leaves nor reaches."""
    others = [box for box in boxes if box.name not in (arrow.source, arrow.target)]
    centers, halves = (np.array([getattr(box, what) for box in others]) for what in ("center", "size"))
    points = np.concatenate([np.linspace(*ends, 21) for ends in pairwise(arrow.points)])
    inside = (np.abs(points[:, None] - centers) < halves / 2 - 1).all(-1).any(0)
    return [box.name for box, is_crossed in zip(others, inside, strict=True) if is_crossed]


def grid(n):
    """Return a graph of n sums, each of two of the ten nodes before it."""
    rng = np.random.default_rng(0)
    b = Builder()
    wires = [b.input("x", (4,))]
    for i in range(n):
        near = wires[-10:]
        wires.append(b.add(f"n{i}", operations.Add(), near[rng.integers(len(near))], near[rng.integers(len(near))]))
    return b.graph(*wires[-4:])


def network(space):
    bound = space.on(Shapes((3, 32, 32)))
    return bound.graph(bound.sample(np.random.default_rng(0)))


@pytest.mark.parametrize(
    "graph", [network(DARTS(cells=20)), network(EnasMacro(layers=10)), grid(50)], ids=["cells", "skips", "grid"]
)
def test_a_network_of_fifty_nodes_is_readable(graph):
    """No box covers another, no line runs through one, and the page need not be scrolled sideways."""
    assert len(graph.nodes) >= 50
    drawing = draw(graph)
    assert drawing.width < 1_300
    for a, b in combinations(drawing.boxes, 2):
        gaps = [abs(p - q) - (s + t) / 2 for p, q, s, t in zip(a.center, b.center, a.size, b.size, strict=True)]
        assert max(gaps) >= 0
    assert [passes_through(arrow, drawing.boxes) for arrow in drawing.arrows] == [[]] * len(drawing.arrows)
