"""The contract's own words: errors, costs, capabilities."""

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
    choice,
    decisions,
    load,
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


def test_an_unknown_limit_names_the_known_ones():
    with pytest.raises(UsageError, match=r"a limit is on one of \['flops', 'params'\], got 'size'"):
        Chain().limited(size=3)


@pytest.mark.parametrize("bound", [0, -1, float("nan")])
def test_a_limit_is_positive(bound):
    with pytest.raises(UsageError, match="a limit is positive"):
        Chain().limited(params=bound)


def test_an_impossible_limit_ends_with_the_limit_in_words():
    import numpy as np

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
    a = space.sample(__import__("numpy").random.default_rng(0))
    b = a.changed("training.rate", 0.15)
    assert space.identity(a) != space.identity(b)
    assert space.graph(a).key == space.graph(b).key
