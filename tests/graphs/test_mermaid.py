"""Mermaid text: every node and edge once, cells collapsed, nothing that Mermaid would misread."""

import re

import numpy as np
import pytest

from nasturtium.graphs import Builder, delayed, mermaid
from nasturtium.graphs import operations as o
from nasturtium.graphs._mermaid import _escaped
from nasturtium.spaces import SPACES, NASNet, Networks
from nasturtium.testing import Shapes

NODE = re.compile(r'^    (g\d+_\d+)(\[\[|\(\[|\[)"([^"]*)"(\]\]|\]\)|\])$')
EDGE = re.compile(r"^    (g\d+_\d+) (-->|-\.->)(\|[^|]*\|)? (g\d+_\d+)$")


def read(text):
    """Return the nodes and edges of a flowchart whose every line is one of those that Mermaid knows."""
    head, *lines = text.splitlines()
    assert head == "flowchart TB"
    nodes, edges = {}, []
    for line in lines:
        if found := NODE.match(line):
            nodes[found[1]] = (found[2], found[3])
        elif found := EDGE.match(line):
            edges.append((found[1], found[2], found[4]))
        else:
            assert re.match(r'^  subgraph g\d+\["[^"]*"\]$|^  end$', line), line
    assert {end for a, _, b in edges for end in (a, b)} <= set(nodes)
    return nodes, edges


@pytest.mark.parametrize("name", [name for name, cls in SPACES if issubclass(cls, Networks)])
def test_every_space_is_drawn(name):
    space = SPACES.get(name).small().on(Shapes())
    graph = space.graph(space.sample(np.random.default_rng(0)))
    nodes, edges = read(mermaid(graph))
    assert len([n for n in nodes if n.startswith("g0_")]) == len(graph.nodes)
    assert len([a for a, _, _ in edges if a.startswith("g0_")]) == sum(len(n.edges) for n in graph.nodes)


def test_cells_are_collapsed_and_each_kind_is_shown_once():
    space = NASNet(cells=3).on(Shapes())
    graph = space.graph(space.sample(np.random.default_rng(0)))
    text = mermaid(graph)
    assert text.count("[[") == 3 * 3 + 2
    assert re.findall(r'subgraph g\d+\["(\w+)', text) == ["network", "normal_0", "reduction_3"]


def test_delays_outputs_and_weights_are_told():
    b = Builder()
    x = b.input("x", (4,))
    state = b.add("state", o.Add(), x)
    b.extend("state", delayed(state))
    weighted = tuple(type(e)(e.source, weight=0.5) for e in state)
    text = mermaid(b.graph(b.add("end", o.Linear(2), weighted)))
    assert "g0_1 -.-> g0_1" in text
    assert "g0_1 -->|0.5| g0_2" in text


def test_what_mermaid_reads_as_its_own_is_escaped():
    assert _escaped('a "b" <c> #d|') == "a #34;b#34; #60;c#62; #35;d#124;"
