"""The contract's own words: errors, costs, capabilities."""

import numpy as np
import pytest

from nasturtium.errors import NoFeasibleNeighbor, RequirementError, UnknownNameError, UsageError
from nasturtium.spaces import (
    SPACES,
    Chain,
    Decisions,
    Edits,
    Finite,
    Morphism,
    NASNet,
    Networks,
    Open,
    chain,
    choice,
    decisions,
    load,
    op,
)
from nasturtium.testing import Shapes

TABLE = decisions(x=choice(1, 2))


def test_capabilities_by_space():
    found = {
        name: {c.__name__ for c in (Decisions, Networks, Open, Edits, Finite) if space.supports(c)}
        for name, space in {"nasnet": NASNet(), "morphism": Morphism(), "table": TABLE}.items()
    }
    assert found == {
        "nasnet": {"Decisions", "Networks", "Open", "Finite"},
        "morphism": {"Networks", "Edits"},
        "table": {"Decisions", "Finite"},
    }


def test_a_space_without_networks_says_so():
    a = next(iter(TABLE))
    for call in (lambda: TABLE.graph(a), lambda: TABLE.graph(), lambda: TABLE.limited(params=1)):
        with pytest.raises(RequirementError, match="NamedDecisions"):
            call()
    assert TABLE.limited() == TABLE
    assert TABLE.on(Shapes()) is TABLE


def test_a_growing_space_has_no_open_graph():
    with pytest.raises(RequirementError, match="offers no open graph"):
        Morphism().on(Shapes()).graph()


def test_costs_are_of_the_network_as_written():
    space = Chain(stages=1, depth=1).on(Shapes())
    a = next(iter(space))
    assert space.cost(a, "params") == space.graph(a).params
    assert space.cost(a, "flops") == space.graph(a).flops
    assert space.cost(a, "memory") == space.graph(a).memory
    assert space.cost(a, "depth") == space.graph(a).depth


@pytest.mark.parametrize(("cost", "bound"), [("memory", 14_000), ("depth", 6)])
def test_memory_and_depth_are_limits_too(cost, bound):
    space = Chain().on(Shapes())
    rng = np.random.default_rng(0)
    free = [space.cost(space.sample(rng), cost) for _ in range(30)]
    limited = space.limited(**{cost: bound})
    found = [limited.sample(rng) for _ in range(30)]
    found += [limited.mutate(a, rng) for a in found]
    assert max(limited.cost(a, cost) for a in found) <= bound < max(free)


def test_an_unknown_limit_names_the_known_ones():
    with pytest.raises(UsageError, match=r"a limit is on one of \['depth', 'flops', 'memory', 'params'\], got 'size'"):
        Chain().limited(size=3)


@pytest.mark.parametrize("bound", [0, -1, float("nan")])
def test_a_limit_is_positive(bound):
    with pytest.raises(UsageError, match="a limit is positive"):
        Chain().limited(params=bound)


def test_an_impossible_limit_ends_with_the_limit_in_words():
    space = Chain(stages=1, depth=1).on(Shapes()).limited(params=5, flops=7)
    with pytest.raises(NoFeasibleNeighbor, match="params <= 5, flops <= 7 and 1000 misses"):
        space.sample(np.random.default_rng(0))


def test_limits_survive_the_log():
    space = NASNet.small().limited(params=100_000)
    assert SPACES.restore(SPACES.describe(space)) == space


def test_an_unknown_space_offers_near_matches():
    with pytest.raises(UnknownNameError, match="unknown space 'nasnett'; did you mean 'nasnet'"):
        load("nasnett")


def test_two_trainings_of_one_network_are_two_candidates():
    from nasturtium.spaces import real

    space = Chain(stages=1, depth=1).on(Shapes()).with_training(rate=real(0.1, 0.2))
    a = space.sample(np.random.default_rng(0))
    b = a.changed("training.rate", 0.15)
    assert space.identity(a) != space.identity(b)
    assert space.graph(a).key == space.graph(b).key


# --- limits that leave little --------------------------------------------------------------------


def rare():
    """Return a space of which about one in a thousand is within the limits."""
    free = chain(*(op("conv", out=choice(4, 8, 16, 32, 64)) for _ in range(5)), op("global_pool"), op("linear"))
    free = free.on(Shapes())
    rng = np.random.default_rng(0)
    costs = sorted(free.cost(free.sample(rng), "params") for _ in range(1_000))
    return free.limited(params=costs[1])


def test_a_rare_member_is_found():
    space = rare()
    rng = np.random.default_rng(1)
    found = [space.sample(rng) for _ in range(30)]
    assert all(a in space for a in found)
    assert len(set(found)) > 3
    assert space.feasible_share(np.random.default_rng(0), 2_000) < 0.01


def test_a_rare_member_has_mutations_and_children():
    space = rare()
    rng = np.random.default_rng(2)
    for _ in range(10):
        a, b = space.sample(rng), space.sample(rng)
        child = space.mutate(a, rng)
        assert child in space
        assert child != a
        assert space.crossover(a, b, rng) in space
        assert space.crossover(a, a, rng) == a


def test_a_member_far_from_all_others_is_found_by_walking_through():
    # Few parameters need both layers at 8, or at 64; of those that a walk leads to, one is allowed.
    space = chain(op("conv", out=choice(*range(4, 24))), op("global_pool"), op("linear")).on(Shapes())
    least = min(space.cost(a, "params") for a in space)
    limited = space.limited(params=least)
    assert limited.sample(np.random.default_rng(0)) == next(iter(limited))
    with pytest.raises(NoFeasibleNeighbor):
        limited.mutate(next(iter(limited)), np.random.default_rng(0))


def test_without_rejections_the_draws_are_those_of_the_free_space():
    space = Chain(stages=1, depth=1).on(Shapes())
    loose = space.limited(params=1e9)
    draws = [[s.sample(rng) for _ in range(5)] for s, rng in [(space, np.random.default_rng(3))]]
    rng = np.random.default_rng(3)
    assert draws[0] == [loose.sample(rng) for _ in range(5)]


def test_edits_of_a_limited_space_meet_the_limits():
    space = Morphism(layers=2).on(Shapes())
    start = space.start()
    costs = [space.cost(space.apply(start, edit), "params") for edit in space.edits(start)]
    limited = space.limited(params=float(np.median(costs)))
    kept = limited.edits(start)
    assert 0 < len(kept) < len(costs)
    assert all(limited.apply(start, edit) in limited for edit in kept)
    assert [e for e in space.edits(start) if e in kept] == kept
