"""GNARL as in Angeline, Saunders & Pollack 1994."""

from collections import Counter

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Neurons
from nasturtium.strategies import GNARL
from nasturtium.testing import Shapes
from nasturtium.testing._running import run
from nasturtium.testing._toys import xor_error

SPACE = Neurons().on(Shapes((2,), 1))


def test_each_of_the_better_half_has_one_child_and_lives_on():
    log = run(GNARL(10, solved=-1.0), SPACE, lambda a: {"loss": xor_error(SPACE, a)}, trials=40)
    history = log.history()
    losses = history.losses()[:, 0]
    alive = list(range(10))
    for start in range(10, 40, 5):
        parents = [history.trial(number).parents for number in range(start, start + 5)]
        best = sorted(alive, key=lambda n: (losses[n], n))[:5]
        assert Counter(p for (p,) in parents) == Counter(best)
        alive = best + list(range(start, start + 5))
        assert losses[alive].min() <= losses[:start].min()


def test_an_odd_population_is_refused():
    with pytest.raises(UsageError, match="even number"):
        GNARL(7)
