"""Studies and histories over which the laws of strategies run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nasturtium._registry import parameters
from nasturtium.estimators import Estimator, Function
from nasturtium.spaces import Decisions
from nasturtium.testing._examples import ToySupernet, Unlucky
from nasturtium.testing._running import Outcome, run, setting_of, text_of, told
from nasturtium.testing._toys import Toy, toy_for
from nasturtium.trials import Asked, History, Log, Proposal, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nasturtium.strategies import Strategy

N_TRIALS = 30
"""Length of the studies that most laws look at."""


def proposals_of(cls: type[Strategy], seed: int) -> list[str]:
    """Return the proposals of a small study as text; called in other processes too."""
    return texts_of(study(cls.small(), own_toy(cls), seed=seed, workers=2, is_hard=True))


def own_toy(cls: type[Strategy]) -> Toy:
    """Return the toy that a strategy's laws run on."""
    return toy_for(cls.requires)


def avoids_repeats(cls: type[Strategy]) -> bool:
    """Return whether a strategy proposes nothing twice unless it is told to."""
    return parameters(cls).get("repeats") == "avoid"


def objective_lists(cls: type[Strategy]) -> list[tuple[str, ...]]:
    """Return one objective, and two where a strategy takes several."""
    return [("loss",), ("loss", "size")] if cls.multi_objective else [("loss",)]


def study(
    strategy: Strategy,
    toy: Toy,
    *,
    trials: int = N_TRIALS,
    seed: int = 0,
    workers: int = 1,
    memoize: bool = True,
    objectives: Sequence[str] = ("loss",),
    is_hard: bool = False,
) -> Log:
    """Run a study; a hard one has candidates that fail and losses that are NaN."""
    estimator: Estimator = Function(toy.metrics)
    if toy.space.supports(Decisions):
        estimator = ToySupernet(toy.metrics, draws=200 if toy.best else 10)
    return run(
        strategy,
        toy.space,
        Unlucky(estimator) if is_hard else estimator,
        trials=trials,
        seed=seed,
        workers=workers,
        memoize=memoize,
        objectives=objectives,
    )


def texts_of(log: Log) -> list[str]:
    """Return every proposal of a log as text."""
    return [text_of([t.proposal]) for t in log.history().trials()]


def best_loss(strategy: Strategy, toy: Toy, seed: int) -> float:
    """Return the true loss of the best architecture that 150 trials evaluate."""
    log = study(strategy, toy, trials=150, seed=seed)
    losses = [toy.metrics(t.architecture)["loss"] for t in log.history().finished() if t.architecture]
    return min(losses)


def histories(cls: type[Strategy]) -> Iterator[History]:
    """Yield an empty history, one of an own study, one with trials under way, one of strangers."""
    toy = own_toy(cls)
    setting = setting_of(toy.space)
    yield Log(setting).history().sealed()
    yield study(cls.small(), toy).history().sealed()
    yield study(cls.small(), toy, workers=3, is_hard=True).history().sealed()
    yield pending(cls, toy, 4).history().sealed()
    yield strangers(setting, [{"loss": 0.5}, {"loss": 0.2}, None], n=20).history().sealed()


def strangers(setting: Setting, outcomes: Sequence[Outcome], n: int) -> Log:
    """Return a log of random members with these outcomes, over and over."""
    rng = np.random.default_rng(0)
    trials = [(Proposal(setting.space.sample(rng)), outcomes[i % len(outcomes)]) for i in range(n)]
    return told(setting, trials)


def pending(cls: type[Strategy], toy: Toy, n: int) -> Log:
    """Return the log of up to n proposals one after the other, none of which has ended."""
    log = Log(setting_of(toy.space))
    fidelity = log.study.ladder[-1].fidelity
    for number in range(n):
        proposals = cls.small().ask(log.history().sealed(), 1)
        if not proposals:
            break
        log.append([Asked(number, proposals[0], len(log), fidelity)])
    return log
