"""The docs say how long each evolutionary method is random search."""

import re
from pathlib import Path

import pytest

from nasturtium.strategies import CGP, STRATEGIES, Evolution
from nasturtium.testing._running import run
from nasturtium.testing._toys import table

PAGE = Path(__file__).parents[2] / "docs/how-to/choose-evolution.md"
ROW = re.compile(r"^\| `([\w-]+)` \| ([\d,]+) \|", re.MULTILINE)
SAID = {name: int(n.replace(",", "")) for name, n in ROW.findall(PAGE.read_text())}
DECIDING = ["cgp", "genetic-cnn", "hierarchical-evolution", "miller", "nsga2", "regularized-evolution"]


def first_generation(strategy):
    """Return the trials before there are parents, or None of no evolution."""
    if isinstance(strategy, Evolution):
        return strategy.removal.population_size
    if isinstance(strategy, CGP):
        return 1
    return getattr(strategy, "population_size", getattr(strategy, "n_assemblies", None))


def test_the_page_says_the_first_generation_of_every_evolutionary_strategy():
    sizes = {name: first_generation(cls()) for name, cls in STRATEGIES}
    assert {name: size for name, size in sizes.items() if size is not None} == SAID


@pytest.mark.parametrize("name", DECIDING)
def test_so_many_trials_have_no_parents_and_the_next_one_has(name):
    strategy, toy = STRATEGIES.create(name), table()
    trials = run(strategy, toy.space, toy.metrics, trials=SAID[name] + 1).history().trials()
    assert [bool(trial.parents) for trial in trials] == [False] * SAID[name] + [True]
