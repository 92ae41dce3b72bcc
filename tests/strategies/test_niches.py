"""Stanley & Miikkulainen 2002, section 3.3: births divided among species by shared fitness."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Gene, Genome, Neurons
from nasturtium.strategies import Niches
from nasturtium.testing._running import setting_of, told
from nasturtium.trials import Proposal

SPACE = Neurons(input_shape=(2,), n_outputs=1)


def network(weight):
    """Return a network; those whose weights differ by 7.5 and more are of two species."""
    return Genome({}, {("x0", "y0", 0): Gene(float(weight))}).architecture()


def plan(generations, **arguments):
    """Return the births that follow generations of (weight, loss) pairs; a loss of None is a failure."""
    trials = [
        (Proposal(network(weight)), "died" if loss is None else {"loss": loss})
        for generation in generations
        for weight, loss in generation
    ]
    size = len(generations[0])
    history = told(setting_of(SPACE), trials).history()
    niches = Niches(population_size=size, **arguments)
    found = [niches.population(history, len(trials) + i) for i in range(size)]
    assert niches.population(history, len(trials) + size) is None  # the generation after must wait
    return found


def parents(births):
    return Counter(int(birth.members[0]) for birth in births)


def test_a_species_has_as_many_births_as_its_mean_fitness_buys():
    # Eight alike with fitness 0.2, two others alike with fitness 0.6: 10 * 0.2 / 0.8 and the rest.
    generation = [(0, 0.8)] * 8 + [(50, 0.4)] * 2
    births = plan([generation])
    of_second = sum(birth.members[0] >= 8 for birth in births)
    assert of_second in (7, 8)
    assert all((birth.members[0] >= 8) == (birth.members[1] >= 8) for birth in births)  # none between species


def test_one_species_where_the_threshold_says_so():
    births = plan([[(0, 0.8)] * 8 + [(50, 0.4)] * 2], threshold=1e9)
    assert set(parents(births)) <= {8, 9, 0}  # the best three of ten


def test_only_the_best_share_of_a_species_has_children_and_its_champion_lives_on():
    births = plan([[(i / 10, 0.5 - i / 100) for i in range(20)]])
    assert [birth.is_copied for birth in births].count(True) == 1
    (champion,) = (birth for birth in births if birth.is_copied)
    assert champion.members.tolist() == [19, 19]
    assert set(parents(births)) <= set(range(15, 20))  # floor(0.2 * 20) + 1
    assert all(birth.losses[0, 0] <= birth.losses[1, 0] for birth in births)  # the fitter first
    assert not any(birth.is_copied for birth in plan([[(0, 0.5)] * 5]))


def test_a_stale_species_has_hardly_any_children():
    better = [[(0, 0.5)] * 6 + [(50, 0.6 - 0.02 * g)] * 6 for g in range(6)]
    stale = plan(better, max_stale=3)
    assert all(int(birth.members[0]) % 12 >= 6 for birth in stale)
    assert any(int(birth.members[0]) % 12 < 6 for birth in plan(better, max_stale=10))


def test_only_the_two_best_species_have_children_when_nothing_gets_better():
    same = [[(0, 0.5)] * 4 + [(50, 0.6)] * 4 + [(100, 0.7)] * 4] * 4
    assert {int(birth.members[0]) % 12 // 4 for birth in plan(same, max_stale_population=3)} == {0, 1}
    assert {int(birth.members[0]) % 12 // 4 for birth in plan(same, max_stale_population=9)} == {0, 1, 2}


def test_a_child_may_have_a_parent_of_another_species():
    generation = [(0, 0.5)] * 100 + [(50, 0.4)] * 100
    births = plan([generation], interspecies=1.0, alone=0.0)
    assert all((birth.members[0] >= 100) != (birth.members[1] >= 100) for birth in births if not birth.is_copied)
    lone = plan([generation], alone=1.0)
    assert all(birth.members[0] == birth.members[1] for birth in lone)


def test_failures_have_no_children_and_losses_may_be_of_any_size():
    births = plan([[(0, None), (0, 300.0), (0, -5.0), (0, None)]])
    assert set(parents(births)) == {2}
    assert [len(birth.members) for birth in plan([[(0, None)] * 4])] == [0] * 4  # founders again


def test_a_generation_waits_until_the_one_before_is_over():
    trials = [(Proposal(network(0)), {"loss": 0.5})] * 3
    history = told(setting_of(SPACE), trials).history()
    assert Niches(population_size=4).population(history, 4) is None
    assert not len(Niches(population_size=4).population(history, 3).members)


def test_wrong_numbers_are_refused():
    with pytest.raises(UsageError, match=r"got threshold=0.0, survival=0.2, alone=0.25, interspecies=0.001; change"):
        Niches(threshold=0.0)
    with pytest.raises(
        UsageError, match="got population_size=0, n_champion=5, max_stale=15, max_stale_population=20; "
    ):
        Niches(population_size=0)
    assert np.isfinite(Niches().threshold)


def test_births_are_planned_to_the_end_of_the_generation_unless_limits_may_reject_them():
    for space, n in ((SPACE, 4), (SPACE.limited(params=9), 1)):
        history = told(setting_of(space), [(Proposal(network(0)), {"loss": 0.5})] * 8).history()
        assert Niches(population_size=6).ahead(history) == n


def test_it_is_solved_when_the_generation_is_over():
    trials = [(Proposal(network(0)), {"loss": loss}) for loss in (0.5, 0.0, 0.5, 0.5)]
    niches = Niches(population_size=2)
    assert [niches.is_solved(told(setting_of(SPACE), trials[:n]).history(), 0.0) for n in (1, 2, 4)] == [
        False,
        True,
        True,
    ]
