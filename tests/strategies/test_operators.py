"""The small operators that strategies compose."""

from dataclasses import replace

import numpy as np
import pytest

from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.spaces import choice, decisions, integer, real
from nasturtium.strategies import RandomSearch, RegularizedEvolution, operators
from nasturtium.testing._running import setting_of, told
from nasturtium.testing._toys import network_toys, small_table
from nasturtium.trials import Log, Proposal


def empty(space, seed=0):
    return Log(setting_of(space, seed=seed)).history()


def asked(space, architectures):
    return told(setting_of(space), [(Proposal(a), {"loss": 0.5}) for a in architectures]).history()


# --- generators ----------------------------------------------------------------------------------


def test_a_generator_depends_on_seed_and_number_alone():
    history, other = empty(small_table().space), empty(small_table().space, seed=1)
    draws = {
        (seed, number): operators.generator(h, number).random()
        for seed, h in enumerate((history, other))
        for number in range(50)
    }
    assert len(set(draws.values())) == 100
    again = operators.generator(empty(small_table().space), 7).random()
    assert again == draws[0, 7]


def test_generators_stay_the_same_in_every_release():
    # A change here makes stored studies irreproducible.
    drawn = [float(operators.generator(empty(small_table().space), n).random()) for n in range(3)]
    assert drawn == pytest.approx([0.38623660, 0.34250020, 0.78581496], abs=1e-8)


def test_generators_of_neighboring_numbers_are_independent():
    history = empty(small_table().space)
    first = np.array([operators.generator(history, n).random(8) for n in range(2_000)])
    assert np.abs(first.mean(axis=0) - 0.5).max() < 0.03
    correlations = np.corrcoef(first[:-1, 0], first[1:, 0])[0, 1]
    assert abs(correlations) < 0.06


# --- unseen --------------------------------------------------------------------------------------


def test_a_candidate_is_drawn_again_until_it_is_new():
    space = small_table().space
    members = list(space)
    history = asked(space, members[:5])
    script = iter(members)
    batch = set()
    found = operators.unseen(history, batch, lambda _: next(script), np.random.default_rng(0))
    assert found == members[5]
    assert batch == {space.identity(members[5])}


def test_a_draw_gets_the_candidate_that_was_rejected():
    space = small_table().space
    members = list(space)
    history = asked(space, members[:3])
    given = []

    def draw(rejected):
        given.append(rejected)
        return members[len(given) - 1]

    operators.unseen(history, set(), draw, np.random.default_rng(0))
    assert given == [None, *members[:3]]


def test_what_the_same_ask_proposed_is_not_new():
    space = small_table().space
    history, batch = empty(space), set()
    found = [
        operators.unseen(history, batch, lambda _, rng=rng: space.sample(rng), rng)
        for rng in map(np.random.default_rng, range(12))
    ]
    assert len({a.key for a in found}) == 12
    assert operators.unseen(history, batch, lambda _: found[0], np.random.default_rng(0)) is None


def test_where_drawing_does_not_help_one_of_what_is_left_is_taken():
    space = small_table().space
    members = list(space)
    history = asked(space, members[:9])
    found = {operators.unseen(history, set(), lambda _: members[0], np.random.default_rng(seed)) for seed in range(30)}
    assert found == set(members[9:])


def test_a_space_too_large_to_walk_repeats_in_the_end():
    space = decisions(x=real(0, 1))
    a = space.sample(np.random.default_rng(0))
    assert operators.unseen(asked(space, [a]), set(), lambda _: a, np.random.default_rng(0)) == a
    large = decisions(x=integer(0, operators.WALKABLE))
    b = large.sample(np.random.default_rng(0))
    assert operators.unseen(asked(large, [b]), set(), lambda _: b, np.random.default_rng(0)) == b


def test_networks_of_one_function_are_proposed_once():
    space = next(network_toys()).space
    keys = {space.identity(a) for a in space}
    assert len(keys) <= space.size
    batch, history = set(), empty(space)
    found = []
    while True:
        rng = np.random.default_rng(len(found))
        candidate = operators.unseen(history, batch, lambda _, rng=rng: space.sample(rng), rng)
        if candidate is None:
            break
        found.append(space.identity(candidate))
    assert sorted(found) == sorted(keys)


# --- selection -----------------------------------------------------------------------------------


def test_the_young_are_the_last_that_ended():
    space = small_table().space
    members = list(space)
    outcomes = [{"loss": 0.1}, "died", {"loss": 0.3}, None, {"loss": float("nan")}, {"loss": 0.5}]
    trials = [(Proposal(a), o) for a, o in zip(members, outcomes, strict=False)]
    history = told(setting_of(space), trials).history()
    numbers, losses = operators.youngest(history, 2)
    assert numbers.tolist() == [2, 5]
    assert losses[:, 0].tolist() == [0.3, 0.5]
    assert operators.youngest(history, 10)[0].tolist() == [0, 2, 5]
    assert operators.youngest(empty(space), 3)[0].tolist() == []


def test_repeats_are_avoided_or_allowed():
    operators.check_repeats("avoid")
    operators.check_repeats("allow")
    with pytest.raises(UsageError, match="repeats is 'avoid' or 'allow', got True"):
        operators.check_repeats(True)


def test_a_rule_bound_space_is_exhausted_too():
    space = decisions(a=choice(1, 2, 3), b=choice(1, 2, 3, rule=lambda p, v: v != p["a"]))
    batch, rng = set(), np.random.default_rng(0)
    draws = [operators.unseen(empty(space), batch, lambda _: space.sample(rng), rng) for _ in range(7)]
    assert draws[-1] is None
    assert len({a.key for a in draws[:-1]}) == 6


# --- limits --------------------------------------------------------------------------------------


def tight():
    """Return a space of networks with exactly one member, and that member."""
    space = next(network_toys()).space
    free = space.unlimited()
    least = min((free.sample(rng) for rng in map(np.random.default_rng, range(40))), key=lambda a: cost(free, a))
    return free.limited(params=cost(free, least)), least


def cost(space, architecture):
    return space.cost(architecture, "params")


def rejected():
    raise NoFeasibleNeighbor("params <= 1")


def test_limits_that_reject_the_first_draw_end_the_study():
    space, _ = tight()
    with pytest.raises(NoFeasibleNeighbor):
        operators.drawn(empty(space), rejected, np.random.default_rng(0), is_first=True)
    with pytest.raises(NoFeasibleNeighbor):
        operators.unseen(empty(space), set(), lambda _: rejected(), np.random.default_rng(0))


def test_later_a_mutation_of_what_is_known_stands_in():
    space, least = tight()
    history = asked(space, [least])
    rng = np.random.default_rng(0)
    assert operators.drawn(history, rejected, rng, is_first=False) in space
    assert operators.unseen(history, set(), lambda _: rejected(), rng) in {*space, None}


def test_a_draw_that_fails_in_the_first_ask_waits_for_the_others():
    space, least = tight()
    rng = np.random.default_rng(0)
    assert operators.drawn(empty(space), rejected, rng, is_first=False) is None
    assert operators.unseen(empty(space), {space.identity(least)}, lambda _: rejected(), rng) is None


@pytest.mark.parametrize("repeats", ["avoid", "allow"])
@pytest.mark.parametrize("strategy", [RandomSearch, RegularizedEvolution])
def test_a_study_under_a_tight_limit_goes_on(strategy, repeats):
    space, least = tight()
    history = asked(space, [least] * 12)
    asking = replace(strategy.small(), repeats=repeats)
    assert all(p.architecture in space for p in asking.ask(history, 3))
