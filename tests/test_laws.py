"""Every law over every registered class."""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nasturtium.estimators import ESTIMATORS, Cached, Function
from nasturtium.latency import Kernel, Latency, LatencyFile, Timing, write_file
from nasturtium.schedulers import SCHEDULERS
from nasturtium.spaces import (
    SPACES,
    Chain,
    branch,
    cell,
    chain,
    choice,
    decisions,
    integer,
    load,
    op,
    option,
    optional,
    real,
    repeat,
    subset,
)
from nasturtium.strategies import STRATEGIES
from nasturtium.testing import (
    Bench,
    ToyLearner,
    ToySupernet,
    ToyTwoStage,
    check_sweep,
    estimator_checks,
    graph_checks,
    scheduler_checks,
    space_checks,
    strategy_checks,
)
from nasturtium.testing._examples import Unlucky
from nasturtium.testing._toys import Shapes, network_toys, table

KNOWN_FAILURES: dict[str, str] = {
    "smac3-same-in-another-process": "SMAC depends on the order of sets, so on PYTHONHASHSEED",
}
"""Laws that a class is known to break: test id -> reason. A law that holds again is an error."""

SLOW = ("nevergrad", "smac3")
"""Subjects whose laws take minutes: what they adapt decides slowly."""


def cases(subjects, checks):
    """Return a parameter for each subject and law, with the id ``name-law``."""
    found = []
    for name, subject in subjects:
        slow = [pytest.mark.slow, pytest.mark.timeout(1800)] if name in SLOW else []
        for law, check in checks():
            known = KNOWN_FAILURES.get(f"{name}-{law}")
            marks = [*slow, *([pytest.mark.xfail(reason=known, strict=True)] if known else [])]
            found.append(pytest.param(subject, check, id=f"{name}-{law}", marks=marks))
    return found


# --- strategies ----------------------------------------------------------------------------------

EVERY_STRATEGY = [*STRATEGIES, ("toy-two-stage", ToyTwoStage)]


@pytest.mark.parametrize(("cls", "check"), cases(EVERY_STRATEGY, strategy_checks))
def test_strategy(cls, check):
    check(cls)


# --- spaces --------------------------------------------------------------------------------------


def other_than_before(prefix, value):
    return value == "z" or value not in prefix.values()


RULED = decisions(
    a=choice("x", "y", "z"),
    b=choice("x", "y", "z", rule=other_than_before),
    c=choice("x", "y", "z", rule=other_than_before),
)
MIXED = decisions(
    optimizer=choice("sgd", option("adam", beta=real(0.8, 0.99), warm=subset("p", "q", "r"))),
    width=integer(1, 100, log=True),
    layers=repeat(choice(1, 2), at_most=3),
    rate=real(1, 2, log=True),
    sides=choice((1, 2), (3,)),
    flag=choice(True, False, None),
    only=choice("one"),
)
CELLS = cell(op("conv", stride=choice(1, 2)), op("identity"), branch(op("max_pool"), op("conv")), nodes=2)
OWN = chain(
    op("conv", out=choice(4, 8)),
    repeat(CELLS, at_least=1, at_most=2, tied=True),
    optional(op("max_pool", stride=2)),
    branch(op("identity"), chain(op("flatten"), op("linear", out=6)), merge=choice("add", "concat")),
    op("linear"),
)
EVERY_SPACE = [
    *((name, cls.small().on(Shapes())) for name, cls in SPACES),
    ("decisions", table().space),
    ("decisions-ruled", RULED),
    ("decisions-mixed", MIXED),
    ("decisions-single", decisions(a=choice("x"), b=real(1, 1))),
    ("decisions-none", decisions()),
    ("own", OWN.on(Shapes())),
    ("chain-free", Chain(stages=None, depth=4, widths=(4, 8), units=(8, 4)).on(Shapes())),
    *((f"toy-{type(toy.space).__name__.lower()}", toy.space) for toy in network_toys()),
    ("toy-limited", next(network_toys()).space.limited(params=2_000)),
]


@pytest.mark.parametrize(("space", "check"), cases(EVERY_SPACE, space_checks))
def test_space(space, check):
    check(space)


@pytest.mark.parametrize("cls", [pytest.param(cls, id=name) for name, cls in SPACES])
def test_sweep(cls):
    check_sweep(cls.small().on(Shapes()), 50, n_exports=5, n_chains=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cls", [pytest.param(cls, id=name) for name, cls in SPACES])
def test_sweep_of_a_thousand(cls):
    check_sweep(cls.small().on(Shapes()), 1_000, n_exports=1_000, n_chains=100)


# --- graphs --------------------------------------------------------------------------------------

GRAPHS = [(f"{name}-{seed}", (cls.small(), seed)) for name, cls in SPACES for seed in range(2)]
GRAPHS += [(f"own-{seed}", (OWN, seed)) for seed in range(2)]
RANDOM = [(f"random-{seed}", seed) for seed in range(24)]


@pytest.mark.parametrize(("origin", "check"), cases(GRAPHS, graph_checks))
def test_graph_of_a_space(origin, check):
    space, seed = origin
    space = space.on(Shapes())
    check(space.graph(space.sample(np.random.default_rng(seed))))


@pytest.mark.parametrize(("seed", "check"), cases(RANDOM, graph_checks))
def test_random_graph(random_graph, seed, check):
    shapes = [((3, 8, 8),), ((5,), (3, 8, 8))][seed % 3 == 0]
    rng = np.random.default_rng(seed)
    check(random_graph(rng, n_nodes=8, is_recurrent=bool(seed % 2), shapes=shapes))


# --- schedulers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "check"), cases(SCHEDULERS, scheduler_checks))
def test_scheduler(cls, check):
    check(cls)


# --- estimators ----------------------------------------------------------------------------------


def on_table(estimator):
    return Bench(estimator, table().space)


def training():
    torch = pytest.importorskip("torch")
    from nasturtium.estimators import Training
    from nasturtium.tasks import Task

    rng = np.random.default_rng(0)
    y = rng.integers(3, size=120)
    x = rng.normal(size=(120, 1, 6, 6)).astype("float32") + y[:, None, None, None]
    task = Task.from_tensors(torch.from_numpy(x), torch.from_numpy(y))
    space = chain(op("conv", out=choice(4, 8)), op("dropout"), op("global_pool"), op("linear"))
    return Bench(Training(epochs=4, rungs=3, eta=2), space.on(task), task)


def training_on_text():
    pytest.importorskip("torch")
    from nasturtium.estimators import Training
    from nasturtium.tasks import load_task

    task = load_task("text:tinyshakespeare").subset(0.002).for_search()
    task = replace(task, valid=task.train)
    return Bench(Training(epochs=4, rungs=3, eta=2), load("recurrent", base=2, hidden=4).on(task), task)


def simulation():
    from nasturtium.estimators import Simulation
    from nasturtium.tasks import Xor

    return Bench(Simulation(), SPACES.make("neurons", {}).on(Xor()), Xor())


def cached():
    bench = training()
    return replace(bench, estimator=Cached(bench.estimator, tempfile.mkdtemp()))


def latency():
    """Return a bench of another device's latency, which is the same each time."""
    bench = training()
    device = Path(tempfile.mkdtemp()) / "device.json"
    write_file(device, LatencyFile({}, {"one": (Timing(1.0, 1.0, 1.0, 1), [Kernel("Conv", 10**6, 10**4, 1.0)])}))
    return replace(bench, estimator=Latency(bench.estimator, str(device)))


BENCHES = {
    "cached": cached,
    "latency": latency,
    "function": lambda: on_table(Function(table().metrics)),
    "simulation": simulation,
    "training": training,
    "training-on-text": training_on_text,
    "toy-learner": lambda: on_table(ToyLearner(table().metrics)),
    "toy-supernet": lambda: on_table(ToySupernet(table().metrics)),
    "toy-unlucky": lambda: on_table(Unlucky(ToyLearner(table().metrics))),
}


def test_every_registered_estimator_is_on_a_bench():
    assert set(ESTIMATORS.names()) <= set(BENCHES), "add a bench for the new estimator"


@pytest.mark.parametrize(("bench", "check"), cases(BENCHES.items(), estimator_checks))
def test_estimator(bench, check):
    check(bench())


# --- the book itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("checks", [strategy_checks, space_checks, graph_checks, scheduler_checks, estimator_checks])
def test_every_law_has_a_name_of_its_own_and_says_what_it_wants(checks):
    names = [name for name, _ in checks()]
    assert len(set(names)) == len(names)
    assert [name for name, check in checks() if not check.__doc__] == []


def test_known_failures_are_those_of_existing_laws():
    parameters = [
        *cases(EVERY_STRATEGY, strategy_checks),
        *cases(EVERY_SPACE, space_checks),
        *cases(GRAPHS, graph_checks),
        *cases(RANDOM, graph_checks),
        *cases(SCHEDULERS, scheduler_checks),
        *cases(BENCHES.items(), estimator_checks),
    ]
    assert set(KNOWN_FAILURES) <= {parameter.id for parameter in parameters}


def test_laws_need_no_pytest():
    code = "import sys, nasturtium.testing; print({'pytest', '_pytest'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr
