"""Topologies of grammars."""

import pytest

from nasturtium.spaces._topologies import is_chain, is_topology, topology_of


def test_the_papers_topologies():
    assert topology_of("Residual3") == ((1, 2), (2, 3), (1, 4), (3, 4))  # methods A14
    assert topology_of("Cell") == ((1, 2), (1, 3), (2, 3), (1, 4), (2, 4), (3, 4))
    for n in (1, 2, 5):
        assert is_chain(topology_of(f"Linear{n}"))
        assert len(topology_of(f"Linear{n}")) == n
    assert not is_chain(topology_of("Residual2"))
    assert topology_of("Linear0") is topology_of("linear2") is None


@pytest.mark.parametrize("name", ["Cell", "Linear1", "Residual1", "Residual4"])
def test_they_are_topologies(name):
    assert is_topology(topology_of(name))


@pytest.mark.parametrize("edges", [((1, 3),), ((2, 1),), ((1, 2), (3, 4)), ((0, 1), (1, 2))])
def test_what_skips_a_node_or_leads_back_is_none(edges):
    assert not is_topology(edges)
