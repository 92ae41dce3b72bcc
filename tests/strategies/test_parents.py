"""Who has a child: the laws and published probabilities of each operator."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.strategies import PARENTS, InverseDensity, Roulette, Tournament, Truncation, Uniform

LINE = np.arange(10.0)[:, None]


def shares(parents, losses, n=6_000):
    """Return how often each member is chosen."""
    rng = np.random.default_rng(0)
    rows = [parents.choose(losses, 1, rng).parents[0] for _ in range(n)]
    return np.bincount(rows, minlength=len(losses)) / n


@pytest.mark.parametrize("name", PARENTS.names())
def test_every_operator_gives_as_many_parents_as_asked_for(name):
    parents = PARENTS.get(name)()
    for losses in (LINE, np.ones((3, 1)), np.ones((1, 2)), np.random.default_rng(1).random((30, 3))):
        for n in (1, 2, 3):
            before = losses.copy()
            chosen = parents.choose(losses, n, np.random.default_rng(0))
            assert len(chosen.parents) == n
            assert set(chosen.parents) | set(chosen.sample) <= set(range(len(losses)))
            assert chosen.parents[0] in chosen.sample
            assert chosen == parents.choose(losses, n, np.random.default_rng(0))
            assert (losses == before).all()


def test_a_uniform_parent_is_anyone():
    assert np.abs(shares(Uniform(), LINE) - 0.1).max() < 0.02


def test_a_tournament_takes_the_best_of_its_draws():
    # P(best of 3 draws is k) = ((10 - k)^3 - (9 - k)^3) / 1000
    expected = [((10 - k) ** 3 - (9 - k) ** 3) / 1000 for k in range(10)]
    assert np.abs(shares(Tournament(3), LINE) - expected).max() < 0.02


def test_the_published_setting_favors_the_best_as_published():
    # Real et al. 2019, P = 100 and S = 25: the best member wins in 22.2 %, and the mean rank is 4.4.
    won = shares(Tournament(25), np.arange(100.0)[:, None])
    assert won[0] == pytest.approx(0.222, abs=0.02)
    assert won @ np.arange(1, 101) == pytest.approx(4.4, abs=0.2)


def test_a_tournament_draws_with_replacement_or_without():
    pair = np.arange(2.0)[:, None]
    rngs = [np.random.default_rng(seed) for seed in range(50)]
    assert {Tournament(2).choose(pair, 1, rng).parents[0] for rng in rngs} == {0, 1}
    for rng in rngs:
        chosen = Tournament(2, replacement=False).choose(pair, 1, rng)
        assert chosen.parents == (0,)
        assert sorted(chosen.sample) == [0, 1]


def test_a_tournament_of_a_share_grows_with_the_population():
    for n, size in ((20, 2), (200, 10)):
        sample = Tournament(2, 0.05, replacement=False).choose(np.zeros((n, 1)), 1, np.random.default_rng(0)).sample
        assert len(sample) == size == len(set(sample))


def test_of_several_objectives_the_lower_front_wins_then_the_lonelier():
    losses = np.array([[3.0, 3.0], [1.0, 5.0], [2.0, 2.0], [2.1, 1.9], [5.0, 1.0]])
    rng = np.random.default_rng(0)
    assert {Tournament(200).choose(losses, 1, rng).parents[0] for _ in range(20)} <= {1, 4}
    both = np.array([[3.0, 3.0], [2.0, 2.0]])
    assert Tournament(2, replacement=False).choose(both, 1, rng).parents == (1,)


def test_the_roulette_counts_the_distance_to_the_worst():
    expected = (9 - np.arange(10)) / 45
    found = shares(Roulette(), LINE)
    assert found[-1] == 0
    assert np.abs(found - expected).max() < 0.02
    assert shares(Roulette(), np.ones((4, 1))).min() > 0.2


def test_who_exceeds_a_limit_has_no_child_and_does_not_make_the_others_alike():
    losses = np.vstack([LINE, [[1.5e12], [3e12]]])
    assert np.abs(shares(Roulette(), losses)[:10] - shares(Roulette(), LINE)).max() < 0.02
    assert shares(Roulette(), losses)[10:].max() == 0
    assert shares(Roulette(), losses[10:])[0] == 1.0  # nobody is within: the nearer one
    two = np.hstack([losses, losses])
    assert shares(InverseDensity(), two)[10:].max() == 0
    assert np.abs(shares(InverseDensity(), two)[:10] - shares(InverseDensity(), two[:10])).max() < 0.02


def test_truncation_takes_the_best_share():
    found = shares(Truncation(0.25), LINE[::-1])
    assert np.flatnonzero(found).tolist() == [7, 8, 9]
    assert np.abs(found[7:] - 1 / 3).max() < 0.03


def test_lonely_members_of_a_front_are_chosen_more_often():
    clusters = np.repeat([1e4, 1e5, 1e6], [10, 4, 1]) * np.linspace(1, 1.05, 15)
    losses = np.stack([np.linspace(0.9, 0.1, 15), clusters], axis=1)
    inverse = InverseDensity()
    expected = 1 / inverse.density(losses)
    expected /= expected.sum()
    assert np.abs(shares(inverse, losses) - expected).max() < 0.02
    assert expected[-1] > expected[10] > expected[0]


def test_an_even_front_is_chosen_from_evenly_and_an_equal_one_too():
    same = np.ones((8, 2))
    assert InverseDensity().density(same) == pytest.approx(np.ones(8))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Tournament(0), "sample_size is at least 1 and share in"),
        (lambda: Tournament(2, 1.5), "sample_size is at least 1 and share in"),
        (lambda: Truncation(0.0), "share is in"),
        (lambda: InverseDensity(0.0), "least_bandwidth is positive"),
    ],
)
def test_impossible_arguments_are_refused(make, reason):
    with pytest.raises(UsageError, match=reason):
        make()
