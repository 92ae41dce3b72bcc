"""How a child differs: the laws of each operator."""

import numpy as np
import pytest

from nasturtium.errors import RequirementError, UsageError
from nasturtium.spaces import Decisions, Edits, Genomes, choice, decisions
from nasturtium.strategies import VARIATIONS, Crossover, GraphEdit, Mutation, PerDecision, StageCrossover
from nasturtium.testing._toys import network_toys, toys

SPACE = decisions(**{f"s{i // 10}.b{i}": choice(0, 1) for i in range(40)})
ZEROS, ONES = (SPACE.construct(lambda d, p, bit=bit: bit) for bit in (0, 1))


def bits(architecture):
    return np.array(list(architecture.values()))


@pytest.mark.parametrize("name", VARIATIONS.names())
def test_children_are_members_and_the_same_for_the_same_generator(name):
    variation = VARIATIONS.get(name)()
    for space in (toy.space for toy in toys()):
        needs = {
            "annealing": Genomes,
            "copy": object,
            "genes": Genomes,
            "graph-edit": Edits,
            "mutation": object,
        }.get(name, Decisions)
        if not isinstance(space, needs):
            continue
        for seed in range(20):
            parents = [space.sample(np.random.default_rng([seed, i])) for i in range(variation.n_parents)]
            for place in range(variation.litter):
                child = variation.child(space, parents, place, np.random.default_rng(seed))
                assert child in space
                assert child == variation.child(space, parents, place, np.random.default_rng(seed))


def test_a_mutation_differs_in_one_place_or_is_the_parent():
    rng = np.random.default_rng(0)
    assert all(bits(Mutation().child(SPACE, [ZEROS], 0, rng)).sum() == 1 for _ in range(50))
    same = [Mutation(0.05).child(SPACE, [ZEROS], 0, rng) == ZEROS for _ in range(3_000)]
    assert np.mean(same) == pytest.approx(0.05, abs=0.012)


def test_each_decision_changes_on_its_own():
    rng = np.random.default_rng(0)
    changed = np.array([bits(PerDecision(0.05).child(SPACE, [ZEROS], 0, rng)) for _ in range(1_000)])
    assert changed.mean() == pytest.approx(0.05, abs=0.005)
    assert (changed.sum(axis=1) == 0).any()
    forced = [PerDecision(0.01, is_forced=True).child(SPACE, [ZEROS], 0, rng) for _ in range(100)]
    assert ZEROS not in forced


def test_a_uniform_crossover_mixes_and_a_one_point_crossover_cuts_once():
    rng = np.random.default_rng(0)
    uniform = np.array([bits(Crossover(mutation_rate=0).child(SPACE, [ZEROS, ONES], 0, rng)) for _ in range(500)])
    assert np.abs(uniform.mean(axis=0) - 0.5).max() < 0.1
    assert np.abs(np.diff(uniform, axis=1)).sum(axis=1).mean() == pytest.approx(19.5, abs=1)
    cut = [bits(Crossover("one-point", 0).child(SPACE, [ZEROS, ONES], 0, rng)) for _ in range(300)]
    assert {int(np.abs(np.diff(row)).sum()) for row in cut} == {1}
    assert {int(row.sum()) for row in cut} == set(range(1, 40))


def test_equal_parents_have_equal_children():
    rng = np.random.default_rng(0)
    for kind in ("uniform", "one-point"):
        assert Crossover(kind, 0).child(SPACE, [ONES, ONES], 0, rng) == ONES


def test_stages_are_swapped_as_a_whole_between_both_children():
    swap = StageCrossover(crossover_rate=1.0, swap_rate=0.5)
    shares = []
    for seed in range(200):
        first, second = (bits(swap.child(SPACE, [ZEROS, ONES], i, np.random.default_rng(seed))) for i in (0, 1))
        assert (first + second == 1).all()
        assert set(first.reshape(4, 10).sum(axis=1)) <= {0, 10}
        shares.append(first.mean())
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)


def test_a_pair_that_is_not_crossed_is_mutated_bit_by_bit_each_on_its_own():
    flip = StageCrossover(crossover_rate=0.0, mutation_rate=0.8, flip_rate=0.05)
    children = np.array(
        [[bits(flip.child(SPACE, [ZEROS, ZEROS], i, np.random.default_rng(s))) for i in (0, 1)] for s in range(500)]
    )
    assert children.mean() == pytest.approx(0.8 * 0.05, abs=0.004)
    assert (children[:, 0] != children[:, 1]).any(axis=1).mean() > 0.8


def test_an_edit_is_named_so_that_weights_are_inherited():
    space = list(network_toys())[1].space
    parent = space.sample(np.random.default_rng(0))
    for seed in range(10):
        child = GraphEdit().child(space, [parent], 0, np.random.default_rng(seed))
        (edit,) = GraphEdit().edits(space, parent, child)
        assert space.apply(parent, edit) == child
    assert GraphEdit().edits(space, parent, parent) == ()


def test_what_the_space_lacks_is_said():
    growing = list(network_toys())[1].space
    a = growing.sample(np.random.default_rng(0))
    with pytest.raises(RequirementError, match="needs a space with Decisions, got Morphism"):
        Crossover().child(growing, [a, a], 0, np.random.default_rng(0))
    with pytest.raises(RequirementError, match="needs a space with Edits, got NamedDecisions"):
        GraphEdit().child(SPACE, [ONES], 0, np.random.default_rng(0))


@pytest.mark.parametrize("make", [lambda: PerDecision(1.5), lambda: Mutation(-0.1), lambda: StageCrossover(2.0)])
def test_a_rate_is_a_probability(make):
    with pytest.raises(UsageError, match="a rate is a probability"):
        make()


def test_a_kind_of_crossover_is_one_of_two():
    with pytest.raises(UsageError, match="kind is 'uniform' or 'one-point', got 'two-point'"):
        Crossover("two-point")
