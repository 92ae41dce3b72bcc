"""Miller, Todd & Hegde 1989: rows of a connection matrix are inherited whole."""

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.errors import UsageError
from nasturtium.spaces import choice, decisions
from nasturtium.strategies import Evolution, Generational, Miller, Roulette, RowCrossover
from nasturtium.testing._running import run
from nasturtium.testing._toys import table

MATRIX = decisions(**{f"unit_{i}.from_{j}": choice(0, 1) for i in range(6) for j in range(5)})
ZEROS, ONES = (MATRIX.construct(lambda d, p, bit=bit: bit) for bit in (0, 1))


def rows(architecture):
    return np.array(list(architecture.values())).reshape(6, 5)


def test_a_pair_swaps_one_row_and_keeps_all_others():
    variation = RowCrossover(1.0, 0.0)
    for seed in range(30):
        first, second = (
            rows(variation.child(MATRIX, [ZEROS, ONES], place, np.random.default_rng(seed))) for place in (0, 1)
        )
        assert sorted(first.sum(axis=1)) == [0, 0, 0, 0, 0, 5]
        assert (first + second == 1).all()


def test_pairs_swap_and_bits_flip_at_their_rates():
    rng = np.random.default_rng(0)
    children = [rows(RowCrossover(0.6, 0.0).child(MATRIX, [ZEROS, ONES], 0, rng)) for _ in range(1_000)]
    assert np.mean([child.any() for child in children]) == pytest.approx(0.6, abs=0.05)
    flips = [rows(RowCrossover(0.0, 0.05).child(MATRIX, [ZEROS, ZEROS], 0, rng)).mean() for _ in range(1_000)]
    assert np.mean(flips) == pytest.approx(0.05, abs=0.01)


def test_it_is_a_composition_of_its_operators():
    composed = Evolution(Roulette(), Generational(10), RowCrossover(), "allow")
    texts = [
        [
            trial.architecture.text
            for trial in run(strategy, table().space, table().metrics, trials=50).history().trials()
        ]
        for strategy in (Miller(10), composed)
    ]
    assert texts[0] == texts[1]


def test_the_best_of_a_bit_landscape_gets_better_within_ten_generations():
    n_better = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        target = rng.integers(2, size=30)

        def metrics(a, target=target):
            return {"loss": float(np.mean(np.array(list(a.values())) != target))}

        study = nas.Study(space=MATRIX, estimator=nas.estimators.Function(metrics), objectives=["loss"], storage=None)
        losses = study.run("miller(population_size=20)", trials=220, seed=seed).history.losses()[:, 0]
        n_better += losses[20:].min() < losses[:20].min()
    assert n_better >= 9


def trained_error(space, architecture, rng, epochs=200):
    """Return the sum of squared errors on exclusive or after backpropagation from random weights."""
    mask = np.array([architecture[d.path] for d, _ in space.trace(architecture)], dtype=float).reshape(3, 6)
    mask *= [[j < i or j == 5 for j in range(6)] for i in (2, 3, 4)]  # feedforward, and the bias
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    wanted = np.array([0.0, 1.0, 1.0, 0.0])
    units = np.column_stack([x, np.zeros((4, 3)), np.ones(4)])
    weights, speed = mask * rng.uniform(-1, 1, mask.shape), np.zeros_like(mask)
    for _ in range(epochs):
        for row in range(3):
            units[:, 2 + row] = 1 / (1 + np.exp(-units @ weights[row])) if mask[row].any() else 0.0
        slopes = units[:, 2:5] * (1 - units[:, 2:5])
        deltas = np.zeros((4, 3))
        deltas[:, 2] = (units[:, 4] - wanted) * slopes[:, 2]
        for row in (1, 0):
            deltas[:, row] = (deltas @ weights[:, 2 + row]) * slopes[:, row]
        speed = 0.9 * speed - mask * (deltas.T @ units)
        weights += speed
    return float(((units[:, 4] - wanted) ** 2).sum())


@pytest.mark.slow
def test_networks_that_are_trained_on_exclusive_or_get_better_within_ten_generations():
    """The best and the mean, in 9 of 10 seeds; the error is noisy, since weights are drawn anew each time."""
    space = nas.spaces.load("miller")
    gains = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        estimator = nas.estimators.Function(lambda a, rng=rng: {"loss": trained_error(space, a, rng)})
        study = nas.Study(space=space, estimator=estimator, objectives=["loss"], storage=None)
        losses = study.run("miller(population_size=20)", trials=220, seed=seed).history.losses().reshape(11, 20)
        gains.append((losses[0].min() - losses[1:].min(), losses[0].mean() - losses[-1].mean()))
    assert (np.array(gains) > 0).sum(axis=0).min() >= 9


def test_wrong_numbers_are_refused():
    with pytest.raises(UsageError, match="even number"):
        Miller(5)
    with pytest.raises(UsageError, match="probability"):
        Miller(mutation_rate=2.0)
