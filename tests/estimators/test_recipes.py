"""The recipes and their schedules."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.estimators._recipes import RECIPES, Recipe


def test_one_cycle_rises_to_its_peak_then_falls_to_zero():
    rates = [RECIPES["fast"].rate(i / 100) for i in range(101)]
    assert max(rates) == rates[20] == 0.1
    assert rates[-1] == pytest.approx(0)
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_the_papers_recipes():
    nasbench201, darts = RECIPES["nasbench201"], RECIPES["darts"]
    assert (nasbench201.learning_rate, nasbench201.batch_size, nasbench201.weight_decay) == (0.1, 256, 5e-4)
    assert (darts.learning_rate, darts.batch_size, darts.weight_decay, darts.clip) == (0.025, 96, 3e-4, 5.0)
    assert (nasbench201.nesterov, darts.nesterov) == (True, False)
    # A cosine from the start: the peak at once, half of it half way.
    assert [nasbench201.rate(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 0.05, 0.0])


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_has_a_source(name):
    assert "arXiv" in RECIPES[name].reference


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size is at least 1, got 0"),
        ({"clip": 0.0}, "learning_rate and clip are positive, got 0.1 and 0.0"),
        ({"average": 1.0}, r"average is in \[0, 1\), got 1.0"),
    ],
)
def test_ranges(arguments, message):
    with pytest.raises(UsageError, match=message):
        Recipe(**{"learning_rate": 0.1, "batch_size": 8, **arguments})
