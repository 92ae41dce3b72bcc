"""Q-learning: MetaQNN's schedule and recursion, its optimum, and what it samples."""

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.errors import UsageError
from nasturtium.policies import walk_of
from nasturtium.spaces import Architecture, Chain, choice, decisions, option
from nasturtium.strategies import QLearning
from nasturtium.strategies._q_learning import METAQNN, Move, moves_of
from nasturtium.testing import Shapes
from nasturtium.testing._processes import elsewhere
from nasturtium.testing._running import run, setting_of, text_of, told
from nasturtium.testing._toys import table
from nasturtium.trials import Asked, Proposal

CHAIN = decisions(a=choice(0, 1), b=choice(0, 1), c=choice(0, 1))


REWARDS = {(0, 0): 0.3, (0, 1): 0.6, (1, 0): 0.9, (1, 1): 0.1}
"""Of the last two answers, which is all that the last state knows."""


# --- the algorithm -------------------------------------------------------------------------------


def test_the_schedule_is_the_papers():
    assert sum(n for _, n in METAQNN) == 2_700
    assert METAQNN[:2] == ((1.0, 1500), (0.9, 100))
    assert METAQNN[-1] == (0.1, 150)


def test_a_trajectory_replayed_k_times_follows_the_recursion():
    k, alpha, reward = 50, 0.01, 0.9
    moves = (Move("first", 0, 1), Move("second", 0, 1), Move("third", 0, 1))
    values = QLearning(n_replays=k)._replayed({}, ((moves, reward),), np.random.default_rng(0))
    assert values["third"][0] == pytest.approx(0.9 - 0.4 * 0.99**k)
    second = first = third = 0.5
    for _ in range(k):  # from the end to the start
        third += alpha * (reward - third)
        second += alpha * (third - second)
        first += alpha * (second - first)
    assert [values[name][0] for name in ("first", "second", "third")] == pytest.approx([first, second, third])


def test_values_converge_to_the_optimum_of_a_chain_with_known_rewards():
    trials = [(Proposal(a), {"loss": 1 - REWARDS[a["b"], a["c"]]}) for a in CHAIN]
    values = QLearning(alpha=0.1, n_replays=3_000).learned(told(setting_of(CHAIN), trials).history()).values
    for a in CHAIN:
        first, second, third = (values[move.state][move.action] for move in moves_of(walk_of(CHAIN, a)))
        assert third == pytest.approx(REWARDS[a["b"], a["c"]], abs=1e-6)
        assert second == pytest.approx(max(REWARDS[a["b"], 0], REWARDS[a["b"], 1]), abs=1e-6)
        assert first == pytest.approx(0.9, abs=1e-6)


def test_where_the_answer_before_says_all_the_values_are_exact():
    space = decisions(a=choice(option("x", b=choice(0, 1)), option("y", b=choice(0, 1))))
    rewards = {("x", 0): 0.2, ("x", 1): 0.7, ("y", 0): 0.9, ("y", 1): 0.1}
    trials = [(Proposal(a), {"loss": 1 - rewards[a["a"], a[f"a.{a['a']}.b"]]}) for a in space]
    values = QLearning(alpha=0.1, n_replays=3_000).learned(told(setting_of(space), trials).history()).values
    for a in space:
        first, second = moves_of(walk_of(space, a))
        assert values[second.state][second.action] == pytest.approx(rewards[a["a"], a[f"a.{a['a']}.b"]], abs=1e-6)
        assert values[first.state][first.action] == pytest.approx({"x": 0.7, "y": 0.9}[a["a"]], abs=1e-6)


def test_illegal_answers_have_no_value_and_are_never_taken():
    space = decisions(
        a=choice("conv", "pool"), b=choice("conv", "pool", rule=lambda p, v: (p["a"], v) != ("pool", "pool"))
    )
    states = {a["a"]: moves_of(walk_of(space, a))[1] for a in space if a["b"] == "conv"}
    assert (states["conv"].n_legal, states["pool"].n_legal) == (2, 1)
    log = run(QLearning(repeats="allow"), space, lambda a: {"loss": 0.5}, trials=60)
    assert {(t.architecture["a"], t.architecture["b"]) for t in log.history().trials()} == {
        ("conv", "conv"), ("conv", "pool"), ("pool", "conv"),
    }  # fmt: skip


def test_in_metaqnns_chain_a_state_is_depth_last_layer_and_what_may_follow():
    space = Chain.metaqnn(depth=4).on(Shapes((3, 32, 32)))
    assert moves_of(walk_of(space, space.parse('{"layer_0":"gap"}')))[0].n_legal == 14  # 12 convolutions, both ends
    strategy = QLearning(schedule=((0.5, 1),))
    log = run(strategy, space, lambda a: {"loss": 1 / len(a)}, trials=40)
    walks = [moves_of(walk_of(space, t.architecture)) for t in log.history().trials()]
    assert all(t.architecture in space for t in log.history().trials())
    assert max(map(len, walks)) == 5  # four layers and the end
    values = strategy.learned(log.history()).values
    assert all(len(values[move.state]) == move.n_legal for walk in walks for move in walk)


def test_a_state_is_the_decision_and_the_answer_before():
    states = [moves_of(walk_of(CHAIN, Architecture({"a": a, "b": b, "c": 0})))[2].state for a in (0, 1) for b in (0, 1)]
    assert states[0] == states[2] != states[1] == states[3]


def test_a_failed_trial_gets_the_worst_reward_so_far():
    outcomes = [{"loss": 0.9}, {"loss": 0.2}]
    trials = list(zip((Proposal(a) for a in CHAIN), [*outcomes, "died"], strict=False))
    strategy = QLearning()
    rewards = [reward for _, reward in strategy.learned(told(setting_of(CHAIN), trials).history()).memory]
    assert rewards == pytest.approx([0.1, 0.8, 0.1])
    first_died = told(setting_of(CHAIN), [(trials[0][0], "died")])
    assert strategy.learned(first_died.history()).memory == ()


# --- what it samples -----------------------------------------------------------------------------


def test_epsilon_falls_with_the_number_of_new_architectures():
    strategy = QLearning(schedule=((1.0, 3), (0.5, 2), (0.0, 1)))
    history = run(strategy, table().space, table().metrics, trials=8).history()
    assert [t.proposal.attributes["epsilon"] for t in history.trials()] == [1, 1, 1, 0.5, 0.5, 0, 0, 0]


@pytest.mark.parametrize("horizon", [1, 7, 60, 270, 2_700, 10_000])
def test_scaled_fits_the_schedule_to_the_horizon(horizon):
    schedule = QLearning().scaled(horizon).schedule
    assert sum(n for _, n in schedule) == min(horizon, 2_700)
    assert [e for e, _ in schedule] == sorted((e for e, _ in schedule), reverse=True)
    if horizon == 270:
        assert schedule == (
            (1.0, 150),
            (0.9, 10),
            (0.8, 10),
            (0.7, 10),
            *((e, 15) for e in (0.6, 0.5, 0.4, 0.3, 0.2, 0.1)),
        )


def rise(seed):
    """Return the mean accuracy sampled under epsilon 1.0 and 0.1 on NAS-Bench-201, a tenth of the schedule."""
    bench = nas.benchmarks.load("nasbench201-cifar10-e12")
    study = nas.Study(space=bench.space, estimator=bench.estimator, objectives=["valid_error"], storage=None)
    study.run(QLearning(n_replays=128).scaled(270), trials=270, seed=seed)
    accuracy = 100 * (1 - study.history.losses()[:, 0])
    epsilon = np.array([t.proposal.attributes["epsilon"] for t in study.history.trials()])
    return accuracy[epsilon == 1.0].mean(), accuracy[epsilon == 0.1].mean()


def test_what_it_samples_gets_better_as_epsilon_falls():
    found = np.array([rise(seed) for seed in range(4)])
    assert found[:, 1].mean() > found[:, 0].mean() + 2


@pytest.mark.slow
def test_it_rises_in_25_of_30_runs_to_the_accuracy_of_an_independent_program():
    found = np.array([rise(seed) for seed in range(30)])
    assert np.sum(found[:, 1] > found[:, 0]) >= 25
    errors = found.std(axis=0, ddof=1) / np.sqrt(30)
    np.testing.assert_array_less(np.abs(found.mean(axis=0) - (68.9, 74.2)), 3 * errors)


# --- resuming ------------------------------------------------------------------------------------


def proposals_at(lengths):
    """Return what a fresh strategy proposes after some numbers of asked trials."""
    strategy = QLearning.small()
    log = run(strategy, table().space, table().metrics, trials=101, workers=2)
    asked = [i for i, event in enumerate(log.events()) if isinstance(event, Asked)]
    return [text_of(QLearning.small().ask(log.history(asked[n - 1] + 1).sealed(), 2)) for n in lengths]


def test_a_fresh_object_in_another_process_proposes_the_same():
    lengths = (1, 10, 99, 100, 101)
    assert elsewhere(proposals_at, lengths) == proposals_at(lengths)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": ()}, "a schedule has"),
        ({"schedule": ((1.5, 3),)}, "a schedule has"),
        ({"alpha": 0.0}, "alpha is in"),
        ({"n_replays": 0}, "alpha is in"),
        ({"initial": float("nan")}, "initial finite"),
        ({"initial": float("inf")}, "initial finite"),
        ({"alpha": float("nan")}, "alpha is in"),
        ({"schedule": ((0.5, float("inf")),)}, "a schedule has"),
        ({"reward": "fitness"}, "reward is one of"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        QLearning(**arguments)
