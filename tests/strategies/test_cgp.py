"""Cartesian genetic programming: what drifts, what is forced, and what it is good for."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import SPACES
from nasturtium.strategies import CGP, PerDecision
from nasturtium.strategies._cgp import drifted
from nasturtium.testing import Shapes
from nasturtium.testing._running import run

SPACE = SPACES.make(
    "cgp", {"rows": 3, "depth": 10, "levels_back": 5, "filters": (4, 8), "kernels": (3,), "min_active": 2}
)
BOUND = SPACE.on(Shapes((1, 32, 32), 10))


def stairs(architecture):
    """Half of (convolutions - pools), rounded down: every step is a plateau."""
    names = [architecture[f"{node}.function"] for node in BOUND.active(architecture)]
    return {"loss": -float((sum("conv" in name for name in names) - sum("pool" in name for name in names)) // 2)}


def test_drift_changes_inactive_genes_only():
    space = BOUND
    for seed in range(10):
        rng = np.random.default_rng(seed)
        before = space.sample(rng)
        after = drifted(space, before, 0.2, rng)
        assert after in space
        assert after != before
        assert space.identity(after) == space.identity(before)
        assert space.active(after) == space.active(before)


def test_a_forced_mutation_always_changes_the_network():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        parent = BOUND.sample(rng)
        child = PerDecision(0.02, is_forced=True).child(BOUND, [parent], 0, rng)
        assert BOUND.identity(child) != BOUND.identity(parent)


@pytest.fixture(scope="module")
def history():
    return run(CGP(repeats="allow"), BOUND, stairs, trials=61, seed=3).history()


def test_the_parent_gives_way_to_a_strictly_better_child_only(history):
    losses = history.losses()[:, 0]
    parents = [trial.parents[0] for trial in history.trials()[1:]]
    best = 0
    for generation in range(30):
        assert parents[2 * generation : 2 * generation + 2] == [best, best]
        children = (1 + 2 * generation, 2 + 2 * generation)
        fittest = min(children, key=lambda child: losses[child])
        best = fittest if losses[fittest] < losses[best] else best


def test_the_parent_drifts_while_no_child_is_better(history):
    strategy = CGP(repeats="allow")
    moves = 0
    for n in range(1, 61, 2):
        before = history.before(3 * n)
        parent = strategy.ask(before.sealed(), 1)[0].parents[0]
        genes = strategy.parent(before, parent)
        assert BOUND.identity(genes) == BOUND.identity(history.architecture(parent))
        moves += genes != history.architecture(parent)
    assert moves > 5


def test_a_resumed_drift_goes_the_same_way(history):
    again = run(CGP(repeats="allow"), BOUND, stairs, trials=31, seed=3, memoize=False).history()
    texts = [[trial.architecture.text for trial in h.trials()[:31]] for h in (history, again)]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_neutral_drift_climbs_plateaus_faster():
    def height(seed, has_drift):
        strategy = CGP(repeats="allow", has_drift=has_drift)
        return run(strategy, BOUND, stairs, trials=300, seed=seed).history().losses().min()

    with_drift, without = ([height(seed, has_drift) for seed in range(24)] for has_drift in (True, False))
    assert np.mean(with_drift) < np.mean(without) - 0.3


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="n_children is at least 1, got 0"):
        CGP(0)
    with pytest.raises(UsageError, match="a rate is a probability"):
        CGP(rate=1.1)
