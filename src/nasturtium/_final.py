"""Final training: the best of the front, trained on everything but the test data, then tested once.

It is a child study (``kind="final"``) in the same storage, so that it survives a kill like any
other. Which networks and how many epochs is fixed before it begins, and nothing is selected after.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, ClassVar, final

from nasturtium._planning import time_epoch_of
from nasturtium._study import Study
from nasturtium.strategies import Strategy
from nasturtium.trials import History, Proposal, State, Trial

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture

MOST_EPOCHS = 200
"""The longest final training that is planned."""

LENGTHENING = 12
"""How many times longer than in the search a final training is at most.

It is as long as in the search where nothing is augmented: longer, it would fit the training
examples more closely than what was judged.
"""


@final
@dataclass(frozen=True)
class TheseOnly(Strategy):
    """Proposes a fixed list, in order.

    Args:
        architectures: The candidates.
        numbers: The trials of the parent study that they were.
    """

    architectures: tuple[Architecture, ...] = ()
    numbers: tuple[int, ...] = ()

    multi_objective: ClassVar[bool] = True
    is_baseline: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return the next ones of the list."""
        start = history.n_trials
        chosen = zip(self.architectures[start : start + n], self.numbers[start : start + n], strict=True)
        return [Proposal(architecture, attributes={"of": number}) for architecture, number in chosen]


@final
@dataclass(frozen=True)
class FinalPlan:
    """What is trained in the end.

    Args:
        numbers: Trials of the search, the best first.
        epochs: Length of each training.
    """

    numbers: tuple[int, ...]
    epochs: int


def distinct_front(study: Study) -> list[Trial]:
    """Return one trial for each point of the front: of those equal in every objective, the one with fewest parameters.

    With a single objective, dozens of networks can be equal. Ties in size go to the lowest number.
    """
    losses = study.history.losses()
    found: dict[tuple[float, ...], Trial] = {}
    for trial in study.front():
        point = tuple(losses[trial.number])
        other = found.setdefault(point, trial)
        if _size(trial) < _size(other):
            found[point] = trial
    return list(found.values())


def _size(trial: Trial) -> tuple[float, int]:
    return trial.metrics.get("params", inf), trial.number


def plan_final(study: Study, seconds: float | None, workers: int) -> FinalPlan | None:
    """Return the plan for the time that is left; None if there is nothing to train.

    The length is such that the best network takes a half of the time, or three fifths beside others, at most
    ``LENGTHENING`` times that of the search; then as many networks as fit, at least one.

    Args:
        study: The search.
        seconds: Time for the final training; None means four times the search's epochs for at
            most five networks.
        workers: Trainings at a time.
    """
    assert study.estimator is not None
    done = {number for child in children_of(study) for number in trained_in(child)}
    front = [t for t in distinct_front(study) if t.step > 0 and t.architecture is not None and t.number not in done]
    searched = study.estimator.ladder()[-1].fidelity.epochs
    if not front or study.estimator.final(max(searched, 1)) is None:
        return None
    lengthening = 1 if study.task.augment is None else LENGTHENING
    if seconds is None:
        return FinalPlan(tuple(t.number for t in front[:5]), min(min(4, lengthening) * searched, MOST_EPOCHS))
    costs = (_seconds_an_epoch(study, trial) for trial in front)
    first = next(costs)
    longest = min(lengthening * searched, MOST_EPOCHS)
    # Alone, the best network leaves half the time to the next; side by side they share it anyhow.
    share = 0.5 if workers == 1 else 0.6
    epochs = int(min(max(share * seconds / first, 1), longest))
    numbers: list[int] = []
    spent = 0.0
    for trial, cost in zip(front, chain([first], costs), strict=True):
        spent += epochs * cost
        if numbers and (spent > 0.85 * seconds * workers or epochs * cost > 0.85 * seconds):
            break
        numbers.append(trial.number)
    return FinalPlan(tuple(numbers), epochs)


def _seconds_an_epoch(study: Study, trial: Trial) -> float:
    """Return what an epoch on all the data costs, judging by the search if it trained the network itself."""
    task = study.task.for_search()
    if trial.fidelity.is_whole:
        of_search = trial.seconds / trial.step / trial.fidelity.fraction
    else:  # what a smaller stand-in took says little of it
        assert trial.architecture is not None
        of_search = time_epoch_of([trial.architecture], study.space, study.task)
    return of_search * (len(task.train) + len(task.valid)) / len(task.train)


def child_name(study: Study) -> str:
    """Return the name of the final training of the search as far as it is."""
    return f"{study.name}/final@{study.history.n_trials}"


def children_of(study: Study) -> list[Study]:
    """Return the stored final trainings of a search, the newest first."""
    prefix = f"{study.name}/final@"
    names = [name for name in study.storage.studies() if name.startswith(prefix)]
    opened = [open_final(study, None, name) for name in sorted(names, key=lambda n: -int(n.removeprefix(prefix)))]
    return [found[0] for found in opened if found is not None]


def open_final(study: Study, plan: FinalPlan | None, name: str | None = None) -> tuple[Study, TheseOnly] | None:
    """Return the child study: the stored one as it was planned, else one of this plan.

    Args:
        study: The search.
        plan: What to train if nothing is stored; None means only look.
        name: The child's name; None means that of the search as far as it is.
    """
    name = name or child_name(study)
    stored = study.storage.read(name)
    if stored:
        created = stored[0].data  # type: ignore[union-attr]
        plan = FinalPlan(tuple(created["of"]), created["epochs"])
    if plan is None or study.estimator is None:
        return None
    estimator = study.estimator.final(plan.epochs)
    assert estimator is not None
    child = Study(
        space=study.space,
        estimator=estimator,
        objectives=["train_error"],
        task=study.task.for_final(),
        storage=study.storage,
        name=name,
        notes={"kind": "final", "parent": study.name, "of": list(plan.numbers), "epochs": plan.epochs},
    )
    child.store()
    architectures = [study.history.trial(number).architecture for number in plan.numbers]
    return child, TheseOnly(tuple(a for a in architectures if a is not None), plan.numbers)


def trained_in(child: Study) -> dict[int, Trial]:
    """Return the finished final trainings by the search's trial number."""
    if not child.is_begun:
        return {}
    return {t.proposal.attributes["of"]: t for t in child.history.trials(State.FINISHED)}
