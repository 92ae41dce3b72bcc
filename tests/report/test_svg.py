"""The SVG file of a network: well-formed, alone, and readable at fifty nodes."""

from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.graphs._drawing import draw
from nasturtium.report import svg_of
from nasturtium.spaces import SPACES, NASNet, Networks
from nasturtium.testing import Shapes

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", [name for name, cls in SPACES if issubclass(cls, Networks)])
def test_every_space_is_drawn(name):
    shapes = Shapes((4,)) if name == "miller" else Shapes()  # one node for each input value
    space = SPACES.get(name).small().on(shapes)
    graph = space.graph(space.sample(np.random.default_rng(0)))
    root = ElementTree.fromstring(svg_of(graph))
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert {n.name for n in graph.nodes} <= {title.partition(":")[0] for title in titles}


def test_cells_are_collapsed_and_drawn_beside():
    space = NASNet(cells=2).on(Shapes())
    text = svg_of(space.graph(space.sample(np.random.default_rng(0))))
    assert text.count('class="nested"') == 3 * 2 + 2
    assert text.count("Inside ") - text.count("aria-label") + 1 == 2


def test_what_is_too_large_is_named():
    b = Builder()
    x = b.input("x", (4,))
    for i in range(1_600):
        x = b.add(f"n{i}", o.Activation(), x)
    assert "too large to draw, 1,601 nodes" in svg_of(b.graph(x))


@pytest.mark.parametrize("seed", range(10))
def test_fifty_nodes_are_readable(random_graph, seed):
    """No two boxes touch, and every line of text fits into its box."""
    graph = random_graph(np.random.default_rng(seed), n_nodes=45)
    drawing = draw(graph)
    assert len(drawing.boxes) >= 45
    for a, b in combinations(drawing.boxes, 2):
        apart = [abs(p - q) - (s + t) / 2 for p, q, s, t in zip(a.center, b.center, a.size, b.size, strict=True)]
        assert max(apart) >= 0, (a.name, b.name)
    assert all(6.4 * max(map(len, box.lines)) <= box.size[0] for box in drawing.boxes)
