"""Random search, beyond the laws."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.strategies import RandomSearch
from nasturtium.testing._running import run
from nasturtium.testing._toys import small_table


def test_it_goes_over_a_finite_space_in_a_random_order():
    toy = small_table()
    orders = [
        [t.architecture.key for t in run(RandomSearch(), toy.space, toy.metrics, trials=12, seed=s).history().trials()]
        for s in range(3)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(a.key for a in toy.space)
    assert len({tuple(order) for order in orders}) == 3


def test_with_repeats_it_draws_with_replacement():
    toy = small_table()
    history = run(RandomSearch("allow"), toy.space, toy.metrics, trials=40).history()
    assert history.n_trials == 40
    assert len({t.architecture.key for t in history.trials()}) == 12


def test_every_architecture_is_equally_likely_to_come_first():
    toy = small_table()
    firsts = [
        run(RandomSearch(), toy.space, toy.metrics, trials=1, seed=s).history().architecture(0).key for s in range(600)
    ]
    counts = [firsts.count(a.key) for a in toy.space]
    assert min(counts) > 25
    assert max(counts) < 80


def test_repeats_is_avoid_or_allow():
    with pytest.raises(UsageError, match="repeats is 'avoid' or 'allow', got 'maybe'"):
        RandomSearch("maybe")
