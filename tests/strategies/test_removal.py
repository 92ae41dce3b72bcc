"""Who dies: the laws of each operator."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Genomes
from nasturtium.strategies import (
    REMOVALS,
    Dominated,
    Evolution,
    Generational,
    KeepAll,
    Mutation,
    Oldest,
    Tournament,
    Worst,
    WorstOfSample,
)
from nasturtium.testing._running import run, setting_of, told
from nasturtium.testing._toys import table, toy_for
from nasturtium.trials import Proposal, non_dominated

TABLE = table().space


def births(losses, objectives=("loss",), notes=None, space=TABLE):
    """Return the history of random members with the given losses; None fails."""
    rng = np.random.default_rng(0)
    trials = []
    for number, loss in enumerate(losses):
        note = {} if notes is None or number not in notes else {"loser": notes[number]}
        values = np.atleast_1d(loss) if loss is not None else []
        outcome = "died" if loss is None else dict(zip(objectives, map(float, values), strict=True))
        trials.append((Proposal(space.sample(rng), attributes=note), outcome))
    return told(setting_of(space, objectives=objectives), trials).history()


def alive(removal, history):
    return removal.population(history, history.n_trials).members.tolist()


LOSSES = np.random.default_rng(5).permutation(60).astype(float)


@pytest.mark.parametrize("name", REMOVALS.names())
def test_failed_trials_are_never_alive_and_an_empty_history_has_nobody(name):
    removal = REMOVALS.get(name)(population_size=4)
    space = toy_for((Genomes,) if name == "niches" else ()).space
    history = births([None, 1.0, None, 2.0], space=space)
    assert set(alive(removal, history)) in ({1, 3}, {1})
    assert not len(removal.population(births([], space=space), 0).members)


@pytest.mark.parametrize("removal", [Oldest(7), Worst(7), WorstOfSample(7)])
def test_the_size_stays_constant(removal):
    history = run(Evolution(Tournament(3), removal, Mutation()), table().space, table().metrics, trials=40).history()
    for n in range(1, 41):
        before = history.before(3 * n)
        assert len(alive(removal, before)) == min(n, 7)


def test_the_oldest_dies_after_exactly_as_many_births():
    history = births(LOSSES)
    for n in range(1, 61):
        assert alive(Oldest(10), history.before(3 * n)) == list(range(max(0, n - 10), n))


def test_where_nobody_dies_the_population_grows():
    history = births(LOSSES)
    assert [len(alive(KeepAll(5), history.before(3 * n))) for n in range(1, 61)] == list(range(1, 61))


def test_of_the_worst_of_the_population_the_best_are_left():
    history = births(LOSSES)
    for n in range(1, 61):
        best = np.argsort(LOSSES[:n])[:10]
        assert sorted(alive(Worst(10), history.before(3 * n))) == sorted(best.tolist())


def test_the_loser_of_the_sample_dies_or_else_the_worst():
    history = births([5, 4, 3, 2, 1, 0], notes={3: 2, 4: 2, 5: 3})
    assert alive(WorstOfSample(3), history.before(12)) == [0, 1, 3]
    assert alive(WorstOfSample(3), history.before(15)) == [1, 3, 4]  # 2 is dead: the worst, 0, dies
    assert alive(WorstOfSample(3), history) == [1, 4, 5]


def test_a_child_names_the_loser_of_its_parents_tournament():
    removal = WorstOfSample(10)
    strategy = Evolution(Tournament(4, replacement=False), removal, Mutation())
    history = run(strategy, table().space, table().metrics, trials=40).history()
    for trial in history.trials()[10:]:
        before = history.before(trial.asked_at)
        members = alive(removal, before)
        losses = before.losses()[:, 0]
        loser = trial.proposal.attributes["loser"]
        assert loser in members
        assert losses[loser] >= losses[trial.parents[0]]
        assert loser != trial.parents[0]


def test_the_dominated_die():
    points = np.random.default_rng(1).random((50, 2))
    history = births(points, ("loss", "size"))
    for n in range(1, 51):
        assert alive(Dominated(5), history.before(3 * n)) == np.flatnonzero(non_dominated(points[:n])).tolist()


def test_a_generation_waits_for_all_of_the_one_before():
    history = births(LOSSES)
    removal = Generational(10)
    assert removal.population(history.before(3 * 9), 9).members.tolist() == []
    assert removal.population(history.before(3 * 9), 10) is None
    first = removal.population(history.before(30), 10)
    assert sorted(first.members.tolist()) == list(range(10))
    assert removal.population(history.before(3 * 15), 19).members.tolist() == first.members.tolist()
    assert removal.population(history.before(3 * 19), 20) is None


def test_without_an_elite_only_children_live_on_and_with_one_the_best_parents_too():
    history = births(LOSSES)
    assert sorted(alive(Generational(10), history)) == list(range(50, 60))
    elite = alive(Generational(10, n_children=8, n_elite=2), births(LOSSES[:58]))
    best = np.argsort(LOSSES[:50])[:2].tolist()
    assert sorted(elite) == sorted([*best, *range(50, 58)])
    plus = alive(Generational(10, n_elite=10), history)
    assert sorted(plus) == sorted(np.argsort(LOSSES)[:10].tolist())


def test_one_parent_gives_way_to_a_strictly_better_child_only():
    assert alive(Generational(1, n_children=2, n_elite=1), births([3, 3, 3])) == [0]
    assert alive(Generational(1, n_children=2, n_elite=1), births([3, 3, 2])) == [2]


def test_parents_may_compete_with_the_mean_of_their_results():
    space = table().space
    a, b = (space.sample(np.random.default_rng(seed)) for seed in range(2))
    trials = [(Proposal(x), {"loss": loss}) for x, loss in [(a, 0.0), (b, 3.0), (a, 1.0), (b, 5.0)]]
    history = told(setting_of(space), trials).history()
    population = Generational(2, averages=True).population(history, 4)
    assert dict(zip(population.members.tolist(), population.losses[:, 0], strict=True)) == {2: 0.5, 3: 4.0}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Oldest(0), "population_size is at least 1, got 0"),
        (lambda: Generational(10, n_elite=11), "n_elite in"),
        (lambda: Generational(0), "population_size is at least 1"),
    ],
)
def test_impossible_arguments_are_refused(make, reason):
    with pytest.raises(UsageError, match=reason):
        make()
