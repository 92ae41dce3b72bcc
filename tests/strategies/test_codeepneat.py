"""CoDeepNEAT (Miikkulainen et al. 2017): assembly, credit, and who descends from whom."""

from math import nan

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import CoDeepNEAT as Space
from nasturtium.spaces import chromosomes
from nasturtium.strategies import CoDeepNEAT
from nasturtium.strategies._coevolution import Coevolution, repointed, shared
from nasturtium.strategies._demes import Breeding, credited, following, settled
from nasturtium.testing import Shapes
from nasturtium.testing._running import run

SPACE = Space.small().on(Shapes())
STRATEGY = CoDeepNEAT(n_blueprints=5, n_modules=9, n_assemblies=10, n_module_species=3)
HOW = Breeding(n_species=3)


def deme(n=9, seed=0, how=HOW):
    rng = np.random.default_rng(seed)
    members = [chromosomes.minimal(SPACE.module, rng) for _ in range(n)]
    return settled(members, [nan] * n, (), SPACE.module, how)


def test_the_threshold_stays_above_zero_while_all_are_alike_and_rises_again():
    alike = [chromosomes.minimal(SPACE.module, np.random.default_rng(0))] * 4
    now = deme()
    for _ in range(100):
        now = settled(alike, [nan] * 4, now.species, SPACE.module, HOW, now.threshold)
    assert 0 < now.threshold == settled(alike, [nan] * 4, (), SPACE.module, HOW, 0.0).threshold
    others = settled(deme().members, [nan] * 9, now.species, SPACE.module, HOW, now.threshold)
    assert 1 < len(others.species) <= HOW.n_species


def test_each_blueprint_in_turn_and_one_module_a_species():
    history = run(STRATEGY, SPACE, lambda a: {"loss": float(len(a.text))}, trials=40).history()
    for trial in history.trials():
        attributes = trial.proposal.attributes
        assert len(attributes["modules"]) == len(trial.architecture["modules"])
        assert 0 <= attributes["blueprint"] < 5
    first = [trial.proposal.attributes["blueprint"] for trial in history.trials()[:10]]
    assert np.mean(np.array(first) == np.arange(10) % 5) > 0.7  # but for what was drawn again


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_a_generation_begins_when_the_one_before_is_over(workers):
    history = run(STRATEGY, SPACE, lambda a: {"loss": float(len(a.text))}, trials=40, workers=workers).history()
    assert history.n_trials == 40
    for trial in history.trials():
        assert len(history.before(trial.asked_at).completed) >= trial.number // 10 * 10


def test_credit_is_the_mean_and_who_was_unused_keeps_what_it_had():
    assert shared(4, [(0.5, [0, 2]), (0.7, [2]), (0.1, [])]) == [[0.5], [], [0.5, 0.7], []]
    old = deme(4)
    old = settled(old.members, [nan, 0.9, 0.2, nan], (), SPACE.module, HOW)
    assert credited(old, shared(4, [(0.5, [0, 2]), (0.7, [2])])) == pytest.approx([0.5, 0.9, 0.6, 0.5])
    assert credited(deme(2), [[], []]) == [0.0, 0.0]


def test_species_are_few_and_the_better_ones_grow():
    now = deme(30)
    assert 1 < len(now.species) <= 3
    for s in now.species:
        assert all(
            chromosomes.distance(now.members[row], s.representative, SPACE.module) < now.threshold for row in s.members
        )
    favored = now.species[-1]
    fitness = [1.0 if row in favored.members else 0.0 for row in range(30)]
    after = following(now, fitness, SPACE.module, HOW, np.random.default_rng(0))
    assert len(after.members) == 30
    # Fitness is shared: all children are the favored species'.
    near = [chromosomes.distance(m, favored.representative, SPACE.module) for m in after.members]
    assert np.mean(near) < np.mean([chromosomes.distance(m, favored.representative, SPACE.module) for m in now.members])


def test_the_elite_lives_on_with_its_fitness():
    now = deme(12)
    fitness = list(np.random.default_rng(1).random(12))
    after = following(now, fitness, SPACE.module, HOW, np.random.default_rng(0))
    best = int(np.argmax(fitness))
    assert now.members[best] in after.members
    assert after.known[after.members.index(now.members[best])] == fitness[best]
    assert sum(value == value for value in after.known) <= 2 * len(now.species)


def test_a_stale_species_has_no_children_unless_it_is_the_best_of_all():
    impatient = Breeding(n_species=3, patience=1, n_elite=1)
    now = deme(30, how=impatient)
    fitness = [0.5] * 30
    now = following(now, fitness, SPACE.module, impatient, np.random.default_rng(0))
    now = following(now, [0.4] * 30, SPACE.module, impatient, np.random.default_rng(1))
    assert len(now.members) == 30  # none has risen, so the best breeds alone


def test_who_points_to_the_dead_points_to_the_nearest():
    now = Coevolution(30, 6, 10, HOW, HOW).founded(SPACE, np.random.default_rng(0))
    pointed = {values[0] for plan in now.blueprints.members for _, values in plan.nodes}
    assert pointed <= {s.number for s in now.modules.species}
    survivors = now.modules.species[1:]
    alive = [now.modules.members[row] for s in survivors for row in s.members]
    modules = settled(alive, [nan] * len(alive), survivors, SPACE.module, HOW, now.modules.threshold / 0.9)
    moved = repointed(now, SPACE, modules)
    dead = now.modules.species[0]
    nearest = min(
        modules.species,
        key=lambda s: chromosomes.distance(s.representative, dead.representative, SPACE.module),
    )
    for before, after in zip(now.blueprints.members, moved.members, strict=True):
        assert before.edges == after.edges
        for (_, old), (_, new) in zip(before.nodes, after.nodes, strict=True):
            assert new[0] == (nearest.number if old[0] == dead.number else old[0])


def test_good_modules_spread():
    """Where many filters are good, the mean network has more of them at the end, with every seed."""

    def metrics(architecture):
        filters = [values[0] for nodes, *_ in architecture["modules"] for _, values in nodes]
        return {"loss": -float(np.mean(filters))}

    rises = []
    for seed in range(5):
        losses = run(STRATEGY, SPACE, metrics, trials=100, seed=seed).history().losses()[:, 0]
        rises.append(losses[:10].mean() - losses[-10:].mean())
    assert min(rises) > 0
    assert np.mean(rises) > 2


def test_a_failed_network_counts_as_the_worst_of_its_generation():
    def metrics(architecture):
        kernels = [values[1] for nodes, *_ in architecture["modules"] for _, values in nodes]
        if 1 in kernels:
            raise ValueError("too small")
        return {"loss": len(kernels) + int(architecture.key, 16) / 2**64}

    failed = np.isnan([run(STRATEGY, SPACE, metrics, trials=100, seed=s).history().losses()[:, 0] for s in range(5)])
    assert failed[:, :10].mean() > 2 * failed[:, -10:].mean()


def test_sizes_are_checked():
    with pytest.raises(UsageError, match="n_assemblies >= n_blueprints"):
        CoDeepNEAT(n_blueprints=20, n_assemblies=10)
    scaled = CoDeepNEAT().scaled(80)
    assert (scaled.n_assemblies, scaled.n_blueprints, scaled.n_modules, scaled.n_module_species) == (10, 3, 6, 1)
    assert CoDeepNEAT().scaled(10_000) == CoDeepNEAT()


@pytest.mark.parametrize("horizon", [8, 40, 200])
def test_few_networks_are_different_all_the_same(horizon):
    history = run(CoDeepNEAT().scaled(horizon), SPACE, lambda a: {"loss": float(len(a.text))}, trials=horizon).history()
    assert len(history.identities) >= 0.9 * horizon
