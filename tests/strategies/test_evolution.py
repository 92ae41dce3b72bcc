"""Evolution composed of its operators, and what the named methods are."""

import numpy as np
import pytest

from nasturtium._registry import parse_call
from nasturtium.benchmarking import Grid, Protocol, Results, load, run_grid
from nasturtium.spaces import NetworkEvolution, choice, decisions
from nasturtium.strategies import (
    CGP,
    NSGA2,
    STRATEGIES,
    Crossover,
    Evolution,
    Generational,
    GeneticCNN,
    HierarchicalEvolution,
    KeepAll,
    LargeScaleEvolution,
    Mutation,
    MutationByLevel,
    NonAgingEvolution,
    Oldest,
    RandomSearch,
    RegularizedEvolution,
    Roulette,
    StageCrossover,
    Tournament,
    WorstOfSample,
)
from nasturtium.testing import Shapes
from nasturtium.testing._running import run
from nasturtium.testing._toys import network_toys, table

PAIR = Tournament(2, replacement=False)
SAME = [
    (RegularizedEvolution(10, 5), Evolution(Tournament(5), Oldest(10), Mutation())),
    (RegularizedEvolution(10, 5, repeats="allow"), Evolution(Tournament(5), Oldest(10), Mutation(0.05), "allow")),
    (NonAgingEvolution(10, 5), Evolution(Tournament(5), WorstOfSample(10), Mutation())),
    (LargeScaleEvolution(10), Evolution(PAIR, WorstOfSample(10), Mutation())),
    (HierarchicalEvolution(10, 0.2), Evolution(Tournament(2, 0.2, replacement=False), KeepAll(10), MutationByLevel())),
    (GeneticCNN(10), Evolution(Roulette(), Generational(10, averages=True), StageCrossover(), "allow")),
    (NSGA2(10), Evolution(PAIR, Generational(10, n_elite=10), Crossover())),
]


def texts(strategy, **settings):
    log = run(strategy, table().space, table().metrics, trials=60, **settings)
    return [trial.architecture.text for trial in log.history().trials()]


@pytest.mark.parametrize(("named", "composed"), SAME, ids=lambda strategy: type(strategy).__name__)
def test_a_named_method_is_a_composition(named, composed):
    assert texts(named) == texts(composed)


def test_operators_are_stored_and_read_from_the_command_line():
    text = "evolution(parents=truncation(share=0.2), removal=keep-all(population_size=20), variation=per-decision())"
    strategy = STRATEGIES.create(text)
    assert STRATEGIES.restore(STRATEGIES.describe(strategy)) == strategy
    assert parse_call(text)[1]["parents"] == strategy.parents
    assert strategy.removal == KeepAll(20)


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("strategy", [GeneticCNN(6), NSGA2(6), CGP()])
def test_generations_are_whole_however_many_workers(strategy, workers):
    size = 2 if isinstance(strategy, CGP) else 6
    first = 1 if isinstance(strategy, CGP) else 6
    log = run(strategy, table().space, table().metrics, trials=31, workers=workers)
    history = log.history()
    assert history.n_trials == 31
    for trial in history.trials()[first:]:
        begun = trial.number - (trial.number - first) % size
        assert all(parent < begun for parent in trial.parents)
        assert len(history.before(trial.asked_at).completed) >= begun


def test_large_scale_evolution_names_edits_on_a_growing_space():
    space = list(network_toys())[1].space
    history = run(LargeScaleEvolution(5), space, lambda a: {"loss": 1.0}, trials=15).history()
    children = [trial for trial in history.trials() if trial.parents]
    assert len(children) == 10
    named = [trial for trial in children if trial.proposal.edits]
    assert named
    for trial in named:
        (edit,) = trial.proposal.edits
        assert space.apply(history.architecture(trial.parents[0]), edit) == trial.architecture


@pytest.mark.parametrize("repeats", ["avoid", "allow"])
def test_large_scale_evolution_trains_on_by_itself_only_where_repeats_are_allowed(repeats):
    space = NetworkEvolution(steps=0, mutations=("identity", "add-skip", "insert-convolution")).on(Shapes((3, 8, 8)))
    history = run(LargeScaleEvolution(3, repeats=repeats), space, lambda a: {"loss": 1.0}, trials=20).history()
    identities = [
        (space.identity(t.architecture), space.identity(history.architecture(t.parents[0])))
        for t in history.trials()
        if t.parents
    ]
    assert any(child == parent for child, parent in identities) == (repeats == "allow")


# --- published figures ---------------------------------------------------------------------------


def hidden_target(seed):
    """Return the means of the first and last generation; the landscape of Genetic CNN's 19 bits."""
    rng = np.random.default_rng(seed)
    names = [f"s{stage}.b{i}" for stage, n in enumerate((3, 6, 10)) for i in range(n)]
    target = rng.integers(2, size=19)

    def metrics(architecture):
        matches = np.sum(np.array(list(architecture.values())) == target)
        return {"loss": -(0.70 + 0.07 * matches / 19 + 0.005 * float(rng.standard_normal()))}

    space = decisions(**{name: choice(0, 1) for name in names})
    history = run(GeneticCNN(), space, metrics, trials=1020, seed=seed).history()
    accuracy = -history.losses()[:, 0]
    distinct = len({history.architecture(n).text for n in range(1020)})
    return accuracy[:20].mean(), accuracy[-20:].mean(), distinct


def test_genetic_cnn_raises_the_mean_of_the_population():
    first, last, distinct = np.mean([hidden_target(seed) for seed in range(4)], axis=0)
    assert first == pytest.approx(0.735, abs=0.003)
    assert last == pytest.approx(0.759, abs=0.005)
    assert 300 < distinct < 520


def test_more_than_one_objective_spreads_over_the_front():
    history = run(NSGA2(6), table().space, table().metrics, trials=120, objectives=("loss", "size")).history()
    random = run(RandomSearch(), table().space, table().metrics, trials=120, objectives=("loss", "size")).history()
    assert min(history.losses()[:, 0]) < min(random.losses()[:, 0])


# --- NAS-Bench-201 -------------------------------------------------------------------------------

REFERENCE = {
    "random-search(repeats='allow')": (93.74, 0.35),
    "regularized-evolution(population_size=10, sample_size=10, repeats='allow')": (94.04, 0.39),
    "large-scale-evolution(population_size=20, repeats='allow')": (93.98, 0.33),
    "hierarchical-evolution(population_size=20, repeats='allow')": (93.83, 0.42),
}
"""Test accuracy after 100 evaluations, mean and standard deviation over 500 seeds of another program."""


def test_the_table_gives_the_reference_accuracies():
    grid = Grid(load("nasbench201-cifar10-e12"), tuple(REFERENCE), 40, Protocol(trials=100))
    found = Results(grid, run_grid(grid)).at(100)
    accuracy = {call: 100 * (1 - found[call]) for call in REFERENCE}
    for call, (mean, sd) in REFERENCE.items():
        assert accuracy[call].mean() == pytest.approx(mean, abs=3 * sd * np.sqrt(1 / 40 + 1 / 500))
    random, regularized, *_ = accuracy.values()
    assert regularized.mean() > random.mean() + 3 * np.sqrt((random.var() + regularized.var()) / 40)
