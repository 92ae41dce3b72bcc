"""What ``graph.key`` makes of the 15,625 cells of NAS-Bench-201, against two other evaluations.

Counted by brute force, the cells are 5,875 functions if every convolution has weights of its own and
equal terms without weights are one. (5,260 if a convolution of zeros counted as zero, which its
normalization prevents; the benchmark counts it so.) The key joins cells that are the same once zero
summands, identities and dead parts are gone. It neither joins nested sums nor merges repeated pools,
nor knows one zero from another, so it distinguishes 7,447: never less than there is, at times more.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch

from nasturtium.graphs import Graph
from nasturtium.graphs import operations as o
from nasturtium.networks import build
from nasturtium.spaces import NASBench201

SPACE = NASBench201(cells=1, filters=2)
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


def terms(cell, *, keeps_zero):
    """Return the cell's output as nested sorted sums; a convolution is named by its edge."""
    nodes = [(("x",),)]
    for target in (1, 2, 3):
        found = []
        for edge in EDGES:
            if edge[1] == target:
                found += brought(cell["edge_{}_{}".format(*edge)], edge, nodes[edge[0]], keeps_zero=keeps_zero)
        nodes.append(tuple(sorted(found, key=repr)))
    return nodes[3]


def brought(operation, edge, value, *, keeps_zero):
    """Return the terms that an edge brings; zero is no term."""
    if operation == "skip_connect":
        return list(value)
    if operation == "none" or (not value and (keeps_zero or operation == "avg_pool_3x3")):
        return []
    return [("pool", value) if operation == "avg_pool_3x3" else (operation, edge, value)]


def convolutions(value):
    """Return the edges of all convolutions in a sum."""
    found = set()
    for _, *rest in value:
        if rest:
            found |= convolutions(rest[-1]) | set(rest[:-1])
    return found


def renamed(value, names):
    done = []
    for term in value:
        if len(term) == 3:
            done.append((term[0], names[term[1]], renamed(term[2], names)))
        else:
            done.append((term[0], *(renamed(inner, names) for inner in term[1:])))
    return tuple(sorted(done, key=repr))


def function(cell, *, keeps_zero=False):
    """Return what cells share that compute the same with matching weights."""
    value = terms(cell, keeps_zero=keeps_zero)
    used = sorted(convolutions(value))
    orders = permutations(range(len(used)))
    return min(repr(renamed(value, dict(zip(used, order, strict=True)))) for order in orders)


def key(cell):
    return SPACE.graph(cell).by_name["cell_0_0"].op.key


@pytest.mark.slow
def test_equal_keys_are_equal_functions_and_how_many_there_are():
    cells = list(SPACE)
    pairs = {(key(cell), function(cell)) for cell in cells}
    assert len(pairs) == len({k for k, _ in pairs}) == 7_447
    assert len({f for _, f in pairs}) == 5_875


def test_there_are_5_260_functions_if_a_convolution_of_zeros_is_zero():
    assert len({function(cell, keeps_zero=True) for cell in SPACE}) == 5_260


def test_equal_keys_are_equal_functions_of_a_sample():
    cells = [SPACE.at(index) for index in range(1_500)]
    pairs = {(key(cell), function(cell)) for cell in cells}
    assert len(pairs) == len({k for k, _ in pairs}) < len(cells)


def module(cell, seed):
    """Return the living part of the cell as a module, its weights and normalizations drawn at random."""
    graph = SPACE.graph(cell).by_name["cell_0_0"].op.simplified()
    first, *others = graph.nodes
    network = build(Graph((replace(first, op=o.Input((2, 4, 4))), *others), graph.outputs)).double().eval()
    generator = torch.Generator().manual_seed(seed)
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return network


def is_same(a, b):
    """Return whether some matching of their convolutions makes two cells' outputs equal."""
    x = torch.rand(2, 2, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    few, many = sorted((module(a, 1), module(b, 2)), key=lambda network: len(by_kind(network, "nor")))
    expected = few(x)
    for ones in matchings(few, many, "nor_conv_1x1"):
        for threes in matchings(few, many, "nor_conv_3x3"):
            for source, target in (*ones, *threes):
                target.load_state_dict(source.state_dict())
            if torch.allclose(many(x), expected, rtol=1e-9):
                return True
    return False


def by_kind(network, kind):
    return [child for name, child in network.named_children() if name.startswith(kind)]


def matchings(few, many, kind):
    """Yield every way to pair convolutions of one network with those of another."""
    sources, targets = by_kind(few, kind), by_kind(many, kind)
    for chosen in permutations(targets, min(len(sources), len(targets))):
        yield list(zip(sources, chosen, strict=False))


def test_networks_of_one_key_give_the_same():
    first = {}
    found = 0
    for index in range(400):
        a = SPACE.at(index)
        b = first.setdefault(key(a), a)
        if a is not b:
            assert is_same(a, b), f"{SPACE.text(a)} and {SPACE.text(b)}"
            found += 1
    assert found > 20


def test_networks_give_the_same_only_if_they_are_one_function():
    """Neighbors of a cell, many of which are its equals, some in spite of another key."""
    rng = np.random.default_rng(0)
    results = set()
    for _ in range(40):
        a = SPACE.sample(rng)
        b = SPACE.mutate(a, rng)
        assert is_same(a, b) == (function(a) == function(b)), f"{SPACE.text(a)} and {SPACE.text(b)}"
        results.add((is_same(a, b), key(a) == key(b)))
    assert results >= {(True, True), (False, False)}
