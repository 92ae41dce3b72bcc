"""A user's own network as the baseline: trained by the final recipe, on no more compute than the search.

It is a child study like a final training: the same estimator and number of epochs, on training and
validation data, then tested. It is trained with one seed after the other, as often as fits into the
compute that search and final training took, and five times at most.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium._chosen import state_of
from nasturtium._final import children_of
from nasturtium._planning import time_epoch
from nasturtium._study import Study
from nasturtium.errors import UsageError, near_matches
from nasturtium.spaces import Architecture, Space, chain, op
from nasturtium.strategies import Strategy
from nasturtium.trials import History, Note, Proposal, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nasturtium.tasks import Task
    from nasturtium.trials import Trial

BASELINE_SHARE = 0.3
"""Share of a job's minutes that is kept for the baseline, if there is one."""

MOST_SEEDS = 5
"""So many times a baseline is trained at most."""

OUTPUTS = ("n_outputs", "num_classes", "n_classes", "out_features")
"""Names of a constructor's argument that gets the number of outputs."""


@final
@dataclass(frozen=True)
class Replicates(Strategy):
    """Proposes one architecture, each time with another training seed.

    Args:
        architecture: The candidate.
        n: How often.
    """

    architecture: Architecture | None = None
    n: int = MOST_SEEDS

    is_baseline: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return the next ones."""
        start = history.n_trials
        return [Proposal(self.architecture, replicate=i) for i in range(start, min(start + n, self.n))]


def baseline_class(text: str) -> type:
    """Return the class of a text ``FILE.py:CLASS``; the file is run.

    Raises:
        UsageError: There is no such file or class, or the file can't be run.
    """
    file, _, name = text.rpartition(":")
    path = Path(file)
    if not file or not name or path.suffix != ".py":
        raise UsageError(f"a baseline is FILE.py:CLASS, got {text!r}; write my.py:MyNet, say.")
    if not path.is_file():
        raise UsageError(f"a baseline's file must exist, got {str(path)!r}; check the path.")
    module_name = f"_nasturtium_baseline_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # as an import does; dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"a baseline's file must run, got {reason} from {str(path)!r}; mend it.") from error
    classes = {key: value for key, value in vars(module).items() if inspect.isclass(value)}
    if name not in classes:
        raise UsageError(f"a baseline is a class of its file, got {name!r}; {near_matches(name, classes)}")
    return classes[name]


def baseline_space(text: str, task: Task) -> Space:
    """Return the space whose only member is the user's network, bound to a task.

    The constructor gets ``in_channels``, ``in_features`` or ``in_shape``, and one of ``OUTPUTS``, if
    it takes them; a network that takes none of them must fit as it is.

    Raises:
        UsageError: The network does not take the task's examples or gives other outputs.
    """
    cls = baseline_class(text)
    taken = inspect.signature(cls).parameters
    outputs = {name: task.n_outputs for name in OUTPUTS if name in taken}
    space = chain(op(cls, **outputs)).on(task)
    found = space.graph(space.sample(np.random.default_rng(0))).infer().outputs
    if found != ((task.n_outputs,),):
        raise UsageError(
            f"a baseline gives {task.n_outputs} outputs an example, got shape {found[0]} from {text!r}; take "
            f"{OUTPUTS[0]} in its constructor."
        )
    return space


def train_baseline(
    study: Study, text: str, seconds: float | None, watch: Callable[[Study], None] | None = None
) -> dict[str, Any]:
    """Train and test the user's network; return what the report says of it, and write it down.

    Args:
        study: The search, its final training done.
        text: ``FILE.py:CLASS``.
        seconds: Time that is left, or None.
        watch: Called with the child study after every round.
    """
    space = baseline_space(text, study.task)
    trained = children_of(study)
    charged = sum(t.seconds for owner in (study, *trained) if owner.is_begun for t in owner.history.trials())
    n, epochs = _amount(study, trained, space, charged if seconds is None else min(charged, seconds))
    assert study.estimator is not None
    child = Study(
        space=space,
        estimator=study.estimator.final(epochs),
        objectives=["train_error"],
        task=study.task.for_final(),
        storage=study.storage,
        name=f"{study.name}/baseline",
        notes={"kind": "final", "parent": study.name, "of": list(range(n)), "epochs": epochs},
    )
    child.store()
    strategy = Replicates(space.sample(np.random.default_rng(0)), n)
    child.begin(strategy, seed=study.history.study.seed, horizon=n)
    child.run(
        strategy,
        trials=n,
        seed=study.history.study.seed,
        executor="inline",
        watch=None if watch is None else lambda history: watch(child),
    )
    result = {"name": text.rpartition(":")[2], "charged": charged, **_tested(study, child, epochs)}
    study.journal.add(Note("baseline", result))
    study.journal.flush()
    return result


def baseline_result(notes: Sequence[Note]) -> dict[str, Mapping[str, Any]]:
    """Return what the log says of the baseline, as the report takes it; empty without one."""
    found = [note.data for note in notes if note.kind == "baseline"]
    return {"baseline_result": found[-1]} if found else {}


def _amount(study: Study, trained: list[Study], space: Space, seconds: float) -> tuple[int, int]:
    """Return how often, and how many epochs each time, the baseline is trained."""
    stored = study.storage.read(f"{study.name}/baseline")
    if stored:  # it was interrupted
        created = stored[0].data  # type: ignore[union-attr]
        return len(created["of"]), created["epochs"]
    assert study.estimator is not None
    recipe = trained[0].estimator if trained else study.estimator
    assert recipe is not None
    epochs = recipe.ladder()[-1].fidelity.epochs
    task = study.task
    an_epoch = time_epoch(space, task) * (len(task.train) + len(task.valid)) / len(task.train)
    if epochs * an_epoch > seconds:
        return 1, max(1, int(seconds / an_epoch))
    return min(MOST_SEEDS, int(seconds / (epochs * an_epoch))), epochs


def _tested(study: Study, child: Study, epochs: int) -> dict[str, Any]:
    """Return the test errors of every training, and what the network and its training cost."""
    trials = child.history.trials(State.FINISHED)
    reasons = [trial.reason for trial in child.history.trials(State.FAILED)]
    first = trials[0].measurements[0].metrics if trials else {}
    return {
        "epochs": epochs,
        "test_errors": [_test_error(study, child, trial) for trial in trials],
        "n_test": len(study.task.test()),
        "counts_examples": study.task.goal.counts_examples,
        "params": first.get("params"),
        "flops": first.get("flops"),
        "seconds": sum(trial.seconds for trial in child.history.trials()),
        "reason": reasons[0] if reasons else None,
    }


def _test_error(study: Study, child: Study, trial: Trial) -> float:
    from nasturtium._subject import subject_of

    state = state_of(child, trial)
    assert state is not None, "a finished training has a checkpoint"
    values = dict(subject_of(study.task).tested(child.space, state))
    child.journal.add(Note("tested", {"of": trial.number, "weights": "final", "epochs": trial.step, "values": values}))
    child.journal.flush()
    return values["test_error"]
