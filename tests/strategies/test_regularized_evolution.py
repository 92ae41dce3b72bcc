"""Regularized evolution: aging, one mutation a child, and the numbers of Real et al. 2019."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.estimators import Function
from nasturtium.spaces import choice, decisions
from nasturtium.strategies import (
    Evolution,
    KeepAll,
    Mutation,
    NonAgingEvolution,
    RandomSearch,
    RegularizedEvolution,
    Tournament,
    operators,
)
from nasturtium.testing._running import run, setting_of, told
from nasturtium.testing._toys import table
from nasturtium.trials import Log, Proposal

BITS = decisions(**{f"b{i}": choice(0, 1) for i in range(100)})


def ones(architecture):
    return sum(architecture.values()) / 100


def noisy(noise, seed):
    """Return the toy of Real et al. 2019, supplement C: the share of ones, measured with noise."""
    rng = np.random.default_rng(seed)

    def metrics(architecture):
        value = ones(architecture) + noise * rng.standard_normal()
        return {"loss": 1 - min(max(value, 0.0), 1.0)}

    return metrics


def true_accuracy_of_the_best(strategy, noise, seed, trials=1_000):
    log = run(strategy, BITS, Function(noisy(noise, seed)), trials=trials, seed=seed)
    return ones(log.history().front()[0].architecture)


def paper(size=100, sample=10):
    return RegularizedEvolution(size, sample, identity_rate=0.0, repeats="allow")


# --- the paper's toy -----------------------------------------------------------------------------


TOY = {
    "aging": paper(),
    "worst of sample": NonAgingEvolution(100, 10, "allow"),
    "none": Evolution(Tournament(10), KeepAll(100), Mutation(), "allow"),
    "random search": RandomSearch("allow"),
}
"""Who dies; the standard deviations over seeds are 0.024 to 0.045."""


def mean_found(method, noise, seeds):
    return np.mean([true_accuracy_of_the_best(TOY[method], noise, seed) for seed in range(seeds)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "noise", "expected"),
    [
        ("aging", 0.01, 0.891),
        ("worst of sample", 0.01, 0.890),
        ("none", 0.01, 0.756),
        ("random search", 0.01, 0.659),
        ("aging", 0.05, 0.715),
        ("worst of sample", 0.05, 0.665),
        ("none", 0.05, 0.654),
        ("random search", 0.05, 0.618),
        ("aging", 0.10, 0.642),
    ],
)
def test_the_toy_problem_gives_the_published_accuracy(method, noise, expected):
    assert mean_found(method, noise, 60) == pytest.approx(expected, abs=0.012)


def test_the_toy_problem_in_small():
    assert mean_found("aging", 0.05, 6) == pytest.approx(0.715, abs=0.04)


def test_selection_among_the_young_beats_selection_among_all_where_evaluation_is_noisy():
    aging, immortal, non_aging = (mean_found(method, 0.05, 6) for method in ("aging", "none", "worst of sample"))
    assert immortal == pytest.approx(0.654, abs=0.04)
    assert non_aging == pytest.approx(0.665, abs=0.04)
    assert aging > max(immortal, non_aging) + 0.015


# --- aging ---------------------------------------------------------------------------------------


def birth_log(losses, space=None):
    """Return a log of random members with these losses, in the order of their birth."""
    space = space or table().space
    rng = np.random.default_rng(0)
    return told(setting_of(space), [(Proposal(space.sample(rng)), x) for x in losses])


def test_the_population_is_the_last_p_births_and_a_member_dies_after_p_births():
    size = 10
    log = birth_log([{"loss": float(-n)} for n in range(40)])
    for births in range(1, 41):
        members, losses = operators.youngest(log.history().before(3 * births), size)
        assert members.tolist() == list(range(max(0, births - size), births))
        assert losses[:, 0].tolist() == [-float(n) for n in members]


def test_parents_are_young_however_good_the_dead_are():
    log = birth_log([{"loss": 0.0} if n < 30 else {"loss": 1.0} for n in range(40)])
    for seed in range(30):
        setting = setting_of(table().space, seed=seed)
        again = Log(setting)
        again.append(log.events())
        proposal = RegularizedEvolution(10, 5).ask(again.history(), 1)[0]
        assert proposal.parents[0] >= 30


def test_failed_trials_are_nobodys_parents_and_take_no_place():
    log = birth_log(["died" if n % 2 else {"loss": 0.5} for n in range(40)])
    members, _ = operators.youngest(log.history(), 10)
    assert members.tolist() == list(range(20, 40, 2))


def test_the_first_p_are_random_and_have_no_parents():
    log = run(RegularizedEvolution(10, 5), table().space, table().metrics, trials=30)
    assert [bool(t.parents) for t in log.history().trials()] == [False] * 10 + [True] * 20


# --- offspring -----------------------------------------------------------------------------------


def differences(a, b):
    return sum(a[path] != b[path] for path in a)


def test_a_child_differs_from_its_parent_in_one_place():
    log = run(paper(10, 5), BITS, Function(noisy(0.05, 0)), trials=100)
    history = log.history()
    apart = [differences(t.architecture, history.architecture(t.parents[0])) for t in history.trials() if t.parents]
    assert apart == [1] * 90


def test_with_the_identity_mutation_some_children_equal_their_parents():
    strategy = RegularizedEvolution(10, 5, identity_rate=0.3, repeats="allow")
    history = run(strategy, BITS, Function(noisy(0.05, 0)), trials=210).history()
    same = [t.architecture == history.architecture(t.parents[0]) for t in history.trials()[10:]]
    assert 0.2 < np.mean(same) < 0.4


def test_the_winner_of_a_tournament_is_the_parent():
    log = birth_log([{"loss": 0.1 * n} for n in range(10)])
    parents = {RegularizedEvolution(10, 1000).ask(_seeded(log, seed).history(), 1)[0].parents for seed in range(10)}
    assert parents == {(0,)}


def test_a_tournament_of_one_takes_anybody():
    log = birth_log([{"loss": 0.1 * n} for n in range(10)])
    asks = [RegularizedEvolution(10, 1).ask(_seeded(log, s).history(), 1)[0] for s in range(200)]
    assert {proposal.parents[0] for proposal in asks} == set(range(10))


def _seeded(log, seed):
    again = Log(setting_of(table().space, seed=seed))
    again.append(log.events())
    return again


# --- waiting -------------------------------------------------------------------------------------


def test_it_waits_while_nobody_has_ended_and_somebody_is_under_way():
    log = birth_log([None] * 10)
    assert RegularizedEvolution(10, 5).ask(log.history(), 3) == []
    assert len(RegularizedEvolution(12, 5).ask(log.history(), 3)) == 2


def test_it_goes_on_at_random_if_all_have_failed():
    log = birth_log(["died"] * 12)
    proposals = RegularizedEvolution(10, 5).ask(log.history(), 2)
    assert [p.parents for p in proposals] == [(), ()]


def test_a_population_that_a_scheduler_has_paused_is_not_waited_for():
    from nasturtium.schedulers import SuccessiveHalving
    from nasturtium.testing import ToyLearner

    toy = table()
    strategy = RegularizedEvolution(4, 2)
    scheduler = SuccessiveHalving(bracket=9)
    log = run(strategy, toy.space, ToyLearner(toy.metrics), trials=27, scheduler=scheduler)
    assert log.history().n_trials == 27
    assert len(log.history().finished()) == 3


# --- arguments -----------------------------------------------------------------------------------


def test_the_defaults_are_the_papers():
    strategy = RegularizedEvolution()
    assert (strategy.population_size, strategy.sample_size) == (100, 25)
    assert strategy.identity_rate == 0.05


@pytest.mark.parametrize("horizon", [1, 8, 30, 100, 400, 10_000])
def test_scaled_lets_the_population_turn_over_about_four_times(horizon):
    strategy = RegularizedEvolution().scaled(horizon)
    assert 4 <= strategy.population_size <= 100
    assert strategy.population_size <= max(4, horizon / 4)
    assert 2 <= strategy.sample_size <= strategy.population_size


@pytest.mark.parametrize(
    "arguments",
    [{"population_size": 0}, {"sample_size": 0}, {"identity_rate": 1.0}, {"identity_rate": -0.1}],
)
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="population_size and sample_size are at least 1"):
        RegularizedEvolution(**arguments)


def test_repeats_is_avoid_or_allow():
    with pytest.raises(UsageError, match="repeats is 'avoid' or 'allow', got 'never'"):
        RegularizedEvolution(repeats="never")
