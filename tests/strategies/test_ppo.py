"""PPO: clipping, older policies corrected for, and REINFORCE as its special case."""

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.benchmarking import Protocol, run_once
from nasturtium.errors import UsageError
from nasturtium.policies import LSTM, Adam, Batch, Logits, Weights, log_probability, walk_of
from nasturtium.spaces import choice, decisions
from nasturtium.strategies import PPO, Reinforce
from nasturtium.strategies._controller import Controller, Examples
from nasturtium.strategies._ppo import clipped_slopes

SPACE = decisions(x=choice("a", "b", "c"), y=choice("d", "e"))
MEMBERS = list(SPACE)
POLICIES = [Logits(spread=0.5), LSTM(units=4, spread=0.5, bits=64)]


def examples(updates=None, advantages=(0.5, -0.2, 0.1, -0.4)):
    walks = tuple(walk_of(SPACE, a) for a in MEMBERS[: len(advantages)])
    return Examples(Batch(walks), np.array(advantages), updates or (0,) * len(walks))


@pytest.mark.parametrize("policy", POLICIES)
def test_the_ratio_is_one_before_the_first_step(policy):
    controller = Controller(Weights(0, {}), n_updates=1, past=(Weights(0, {}),))  # the update before changed nothing
    passed = policy.forward(controller.weights, examples().batch)
    for update in (0, 1):
        sampled = PPO(policy)._sampled(controller, examples((update,) * 4), passed)
        np.testing.assert_array_equal(passed.log_probs - sampled, 0)


@pytest.mark.parametrize("policy", POLICIES)
def test_without_clipping_one_step_is_reinforces(policy):
    controller, found = Controller(Weights(0, {})), []
    for strategy in (
        PPO(policy, n_epochs=1, clip=np.inf, learning_rate=0.1, entropy_weight=0.1),
        Reinforce(policy, learning_rate=0.1, entropy_weight=0.1),
    ):
        found.append(strategy.update(controller, examples())[1].arrays)
    assert found[0].keys() == found[1].keys()
    for name, array in found[0].items():
        np.testing.assert_array_equal(array, found[1][name])


@pytest.mark.parametrize("policy", POLICIES)
def test_what_an_older_policy_sampled_is_weighted_by_the_ratio(policy):
    rng = np.random.default_rng(0)
    old = Weights(0, {})
    new = Adam().stepped(policy, old, policy.forward(old, examples().batch).gradient(*rng.normal(size=(2, 8))), 0.1)[1]
    controller = Controller(new, n_updates=1, past=(old,))
    sampled = PPO(policy)._sampled(controller, examples((0, 1, 0, 1)), policy.forward(new, examples().batch))
    expected = [policy.forward(weights, examples().batch).log_probs for weights in (old, new)]
    np.testing.assert_allclose(sampled, np.where(np.repeat([1, 0, 1, 0], 2), *expected), atol=1e-12)
    assert np.abs(expected[0] - expected[1]).min() > 0


def test_importance_weights_give_the_expectation_under_the_new_policy():
    policy, old = Logits(spread=0.8), Weights(0, {})
    new = Weights(1, {})
    batch = Batch(tuple(walk_of(SPACE, a) for a in MEMBERS))
    before, after = (policy.forward(weights, batch).log_probs for weights in (old, new))
    x_steps = slice(0, None, 2)  # a ratio a step corrects that step's own distribution
    slopes = clipped_slopes(after - before, np.ones(len(after)), np.inf)
    chances = np.exp([log_probability(policy, old, walk) for walk in batch.walks])
    assert chances @ slopes[x_steps] == pytest.approx(1)


def test_the_objective_is_flat_beyond_the_clip_range():
    log_ratios = np.log([0.5, 0.79, 0.81, 1.0, 1.19, 1.21, 2.0])
    assert (clipped_slopes(log_ratios, np.ones(7), 0.2) > 0).tolist() == [True] * 5 + [False] * 2
    assert (clipped_slopes(log_ratios, -np.ones(7), 0.2) < 0).tolist() == [False] * 2 + [True] * 5


def test_clipped_slopes_are_those_of_the_papers_objective():
    rng = np.random.default_rng(0)
    logs, advantages = rng.normal(0, 0.4, 200), rng.normal(size=200)

    def objective(logs):
        ratios = np.exp(logs)
        return np.minimum(ratios * advantages, np.clip(ratios, 0.8, 1.2) * advantages)

    slopes = (objective(logs + 1e-6) - objective(logs - 1e-6)) / 2e-6
    np.testing.assert_allclose(clipped_slopes(logs, advantages, 0.2), slopes, atol=1e-5)


def test_many_steps_stay_close_to_the_policy_that_sampled():
    policy = Logits(spread=0.0)

    def moved(clip):
        weights = PPO(policy, n_epochs=100, learning_rate=0.05, clip=clip).update(
            Controller(Weights(0, {})), examples()
        )[1]
        passed = policy.forward(weights, examples().batch)
        return np.abs(passed.log_probs - policy.forward(Weights(0, {}), examples().batch).log_probs).max()

    assert moved(0.2) < 1.0 < 2.0 < moved(np.inf)


def test_the_defaults_are_the_papers():
    strategy = PPO()
    assert strategy.policy == LSTM(units=100, layers=1, spread=0.1)
    assert (strategy.batch_size, strategy.learning_rate, strategy.entropy_weight) == (20, 0.00035, 0.00001)
    assert (strategy.baseline_decay, strategy.clip, strategy.n_epochs) == (0.95, 0.2, 10)


@pytest.mark.parametrize("arguments", [{"n_epochs": 0}, {"n_epochs": np.nan}, {"clip": 0.0}, {"clip": np.nan}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="n_epochs is at least 1 and clip is positive"):
        PPO(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("learning_rate", [0.05, 0.1])
def test_on_nas_bench_201_two_hundred_cells_are_enough_for_94_12_per_cent(learning_rate):
    bench = nas.benchmarks.load("nasbench201-cifar10-e12")
    call = f"ppo(policy=logits(), learning_rate={learning_rate}, repeats='allow')"
    runs = [run_once(bench, call, seed, Protocol(trials=200)) for seed in range(100)]
    found = np.array([100 * (1 - run.report[-1]) for run in runs])
    assert found.mean() > 94.12 - 3 * found.std(ddof=1) / np.sqrt(100)
