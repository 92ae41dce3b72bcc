"""What holds for every policy: exact probabilities, exact gradients, one distribution both ways."""

from collections import Counter

import numpy as np
import pytest

from nasturtium.policies import LSTM, POLICIES, Adam, Batch, Logits, Weights, draw, log_probability, walk_of
from nasturtium.policies._batch import distribution
from nasturtium.spaces import EnasMacro, choice, decisions, integer, option, real, skip, subset

SPACES = {
    "plain": decisions(x=choice("a", "b", "c"), y=choice(1, 2)),
    "opened": decisions(x=choice("pool", option("conv", k=choice(1, 3, 5), n=integer(1, 3))), y=choice(1, 2)),
    "ruled": decisions(
        x=choice("a", "b", "c"), y=choice("a", "b", "c", rule=lambda p, v: v != p["x"]), z=integer(1, 20)
    ),
    "subsets": decisions(x=subset("a", "b", "c"), y=subset("a", "b", "c", "d", at_least=1, at_most=2)),
    "skips": decisions(**{"0.op": choice(1, 2), "1.skip_0": skip("0"), "2.skip_x": skip("x"), "2.skip_0": skip("0")}),
    "macro": EnasMacro(layers=3),
}
EXACT = {"lstm": LSTM(bits=64)}
POLICY = [pytest.param(EXACT.get(name, cls()), id=name) for name, cls in POLICIES]


def shaken(policy, space, seed=0):
    """Return weights far from their initial values, so that nothing is nearly uniform."""
    rng = np.random.default_rng(seed)
    batch = Batch(tuple(walk_of(space, space.sample(rng)) for _ in range(60)))
    n = len(batch.steps)
    gradient = policy.forward(Weights(seed, {}), batch).gradient(np.ones(n), np.ones(n))
    return Weights(seed, {name: rng.normal(0, 0.7, g.shape) for name, g in gradient.items()})


@pytest.mark.parametrize("policy", POLICY)
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_probabilities_sum_to_one(policy, space):
    weights = shaken(policy, space)
    chances = np.exp([log_probability(policy, weights, walk_of(space, a)) for a in space])
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    assert chances.max() > 2 * chances.min()


@pytest.mark.parametrize("policy", POLICY)
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_draws_come_as_often_as_their_probability_says(policy, space):
    weights, rng = shaken(policy, space), np.random.default_rng(0)
    n = 1_500
    counts = Counter(draw(policy, weights, space, rng).architecture for _ in range(n))
    chances = {a: np.exp(log_probability(policy, weights, walk_of(space, a))) for a in space}
    common = {a: p for a, p in chances.items() if n * p >= 5}
    statistic = sum((counts[a] - n * p) ** 2 / (n * p) for a, p in common.items())
    assert statistic < len(common) + 5 * np.sqrt(2 * len(common))  # chi-square, five standard deviations


@pytest.mark.parametrize("policy", POLICY)
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_a_batch_gives_what_one_walk_step_by_step_gives(policy, space):
    weights, rng = shaken(policy, space), np.random.default_rng(1)
    walks = tuple(walk_of(space, space.sample(rng)) for _ in range(7))
    found, entropies = [], []
    for walk in walks:
        rollout = policy.rollout(weights)
        for step in walk:
            probs, logs = distribution(rollout.outputs(step.path, step.head), step.head, step.legal)
            found.append(logs[step.token])
            entropies.append(-probs @ logs)
            rollout.take(step.path, step.head, step.token)
    passed = policy.forward(weights, Batch(walks))
    np.testing.assert_allclose(passed.log_probs, found, atol=1e-12)
    np.testing.assert_allclose(passed.entropies, entropies, atol=1e-12)


@pytest.mark.parametrize("policy", POLICY)
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_gradients_are_those_of_finite_differences(policy, space):
    weights, rng = shaken(policy, space), np.random.default_rng(2)
    batch = Batch(tuple(walk_of(space, space.sample(rng)) for _ in range(5)))
    by_logs, by_entropies = rng.normal(size=(2, len(batch.steps)))
    gradient = policy.forward(weights, batch).gradient(by_logs, by_entropies)

    def value(name, place, change):
        array = policy.parameter(weights, name, gradient[name].shape).copy()
        array[place] += change
        passed = policy.forward(Weights(0, {**weights.arrays, name: array}), batch)
        return passed.log_probs @ by_logs + passed.entropies @ by_entropies

    for name, found in gradient.items():
        place = tuple(rng.integers(n) for n in found.shape)
        slope = (value(name, place, 1e-5) - value(name, place, -1e-5)) / 2e-5
        assert found[place] == pytest.approx(slope, abs=2e-7, rel=1e-5), name


@pytest.mark.parametrize("policy", POLICY)
def test_the_entropy_of_a_draw_is_that_on_its_way(policy):
    space = SPACES["opened"]
    weights = shaken(policy, space)
    found, entropy = draw(policy, weights, space, np.random.default_rng(0))
    assert entropy == pytest.approx(policy.forward(weights, Batch((walk_of(space, found),))).entropies.sum())


@pytest.mark.parametrize("policy", POLICY)
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_what_earlier_draws_have_computed_changes_nothing(policy, space):
    weights, known = shaken(policy, space), {}
    for seed in range(30):
        alone = draw(policy, weights, space, np.random.default_rng(seed))
        shared = draw(policy, weights, space, np.random.default_rng(seed), known)
        assert shared.architecture == alone.architecture
        assert shared.entropy == pytest.approx(alone.entropy, abs=1e-12)


@pytest.mark.parametrize("policy", POLICY)
def test_without_a_generator_the_likeliest_answers_are_taken(policy):
    space = SPACES["plain"]
    weights = shaken(policy, space)
    found = draw(policy, weights, space, None).architecture
    walk = walk_of(space, found)
    chances = {a: log_probability(policy, weights, walk_of(space, a)) for a in space}
    others = [chances[a] for a in space if a["x"] == found["x"] and a != found]
    assert len(walk) == 2
    assert chances[found] > max(others)


@pytest.mark.parametrize("policy", POLICY)
def test_real_numbers_are_drawn_from_bins(policy):
    space = decisions(x=real(1e-4, 1.0, log=True), y=integer(1, 10_000, log=True))
    weights, rng = shaken(policy, space), np.random.default_rng(0)
    for _ in range(50):
        found = draw(policy, weights, space, rng).architecture
        assert found in space
        assert np.isfinite(log_probability(policy, weights, walk_of(space, found)))


def test_adam_gives_what_torch_gives():
    import torch

    rng = np.random.default_rng(0)
    policy, optimizer, weights = Logits(), Adam(), Weights(0, {})
    begin = policy.parameter(weights, "x", (4,))
    theirs = torch.nn.Parameter(torch.tensor(begin))
    reference = torch.optim.Adam([theirs], lr=0.05)
    for _ in range(30):
        gradient = rng.normal(size=4)
        optimizer, weights = optimizer.stepped(policy, weights, {"x": gradient}, 0.05)
        theirs.grad = torch.tensor(gradient)
        reference.step()
    np.testing.assert_allclose(weights.arrays["x"], theirs.detach().numpy(), atol=1e-12)
