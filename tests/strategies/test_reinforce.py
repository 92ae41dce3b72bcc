"""REINFORCE: the exact policy gradient, the papers' constants, and the paper's gain over random search."""

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.benchmarking import Protocol, run_once
from nasturtium.policies import LSTM, Batch, Logits, Weights, walk_of
from nasturtium.spaces import choice, decisions
from nasturtium.strategies import Reinforce
from nasturtium.strategies._controller import Controller, Examples

TWO = decisions(x=choice("a", "b", "c"), y=choice("d", "e"))
REWARDS = {"ad": 0.1, "ae": 0.9, "bd": 0.3, "be": 0.2, "cd": 0.8, "ce": 0.4}


def reward_of(architecture):
    return REWARDS[architecture["x"] + architecture["y"]]


class Recorder:
    """Stands for the optimizer, and keeps the gradient that it is given."""

    def stepped(self, policy, weights, gradient, rate):
        self.gradient = gradient
        return self, weights


def gradient_of(strategy, weights, architectures, advantages):
    """Return the gradient of the loss that an update with these examples descends."""
    batch = Batch(tuple(walk_of(TWO, a) for a in architectures))
    recorder = Recorder()
    controller = Controller(weights, optimizer=recorder)
    strategy.update(controller, Examples(batch, np.array(advantages), (0,) * len(architectures)))
    return recorder.gradient


@pytest.mark.parametrize("policy", [Logits(spread=0.7), LSTM(units=4, spread=0.7, bits=64)])
@pytest.mark.parametrize("entropy_weight", [0.0, 0.3])
def test_the_expected_gradient_is_the_exact_policy_gradient(policy, entropy_weight):
    strategy, weights = Reinforce(policy, entropy_weight=entropy_weight), Weights(0, {})
    members = list(TWO)
    batch = Batch(tuple(walk_of(TWO, a) for a in members))
    rewards = np.array([reward_of(a) for a in members])

    def value(arrays):
        """Return the expected reward and entropy over all architectures."""
        passed = policy.forward(Weights(0, arrays), batch)
        chances = np.exp(passed.log_probs.reshape(-1, 2).sum(axis=1))
        return chances @ rewards

    chances = np.exp(policy.forward(weights, batch).log_probs.reshape(-1, 2).sum(axis=1))
    assert chances.sum() == pytest.approx(1)
    baseline = 0.45  # any constant leaves the expectation as it is
    exact = Reinforce(policy)
    expected = {}
    for architecture, chance in zip(members, chances, strict=True):
        one = gradient_of(exact, weights, [architecture], [reward_of(architecture) - baseline])
        expected = {name: expected.get(name, 0.0) + chance * one.get(name, 0.0) for name in {*expected, *one}}
    for name, gradient in expected.items():
        for place in np.ndindex(gradient.shape):
            array = policy.parameter(weights, name, gradient.shape)
            shifted = [array.copy(), array.copy()]
            shifted[0][place] += 1e-6
            shifted[1][place] -= 1e-6
            slope = (value({name: shifted[0]}) - value({name: shifted[1]})) / 2e-6
            assert -gradient[place] == pytest.approx(slope, abs=1e-8)
    # The entropy's part is added to each sample's; policies' own tests check its derivative.
    plain, with_entropy = (gradient_of(s, weights, members[:2], [0.2, -0.1]) for s in (exact, strategy))
    alike = all(np.allclose(plain[name], with_entropy[name]) for name in plain)
    assert alike == (entropy_weight == 0)


def test_the_batch_is_averaged():
    strategy, weights, members = Reinforce(Logits()), Weights(0, {}), list(TWO)
    each = [gradient_of(strategy, weights, [a], [reward_of(a)]) for a in members[:3]]
    together = gradient_of(strategy, weights, members[:3], [reward_of(a) for a in members[:3]])
    for name, gradient in together.items():
        np.testing.assert_allclose(gradient, sum(g[name] for g in each) / 3)


def test_the_defaults_are_the_papers():
    strategy = Reinforce()
    assert strategy.policy == LSTM(units=35, layers=2, spread=0.08)
    assert (strategy.batch_size, strategy.learning_rate, strategy.entropy_weight) == (8, 0.0006, 0.0)


def test_nas_bench_201s_variant():
    strategy = Reinforce.nasbench201(learning_rate=0.05)
    assert (strategy.policy, strategy.batch_size, strategy.learning_rate) == (Logits(spread=0.001), 1, 0.05)
    assert (strategy.baseline_decay, strategy.reward, strategy.repeats) == (0.9, "accuracy", "allow")


# --- NAS-Bench-201 -------------------------------------------------------------------------------

VARIANT = (
    "reinforce(policy=logits(), batch_size=1, learning_rate={}, baseline_decay=0.9, reward='accuracy', repeats='allow')"
)


def runs(strategy, seeds):
    bench = nas.benchmarks.load("nasbench201-cifar10-e12")
    return [run_once(bench, strategy, seed, Protocol(trials=100)) for seed in range(seeds)]


@pytest.mark.slow
@pytest.mark.parametrize(("learning_rate", "expected"), [(0.1, 93.94), (0.05, 93.90), (0.01, 93.77), (0.5, 93.15)])
def test_the_best_of_a_hundred_cells_is_as_good_as_an_independent_program_found_it(learning_rate, expected):
    found = np.array([100 * (1 - run.report[-1]) for run in runs(VARIANT.format(learning_rate), 60)])
    assert found.mean() == pytest.approx(expected, abs=3 * found.std(ddof=1) / np.sqrt(60))


def test_on_nas_bench_201_it_finds_more_than_random_search_and_with_long_steps_it_collapses():
    learning, collapsed, random = (
        np.mean([run.search[-1] for run in runs(strategy, 12)])
        for strategy in (VARIANT.format(0.1), VARIANT.format(0.5), "random-search(repeats='allow')")
    )
    assert learning < random < collapsed
