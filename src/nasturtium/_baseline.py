"""A user's own network as the baseline: trained on the compute that the search and its networks took.

Half of that compute goes, as a search's does, to a choice by validation: how many times longer than the
final recipe it is trained. The rest trains it that long on training and validation data, with one seed
after the other, and each is tested.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import cloudpickle
import numpy as np

from nasturtium._evidence import MOST_SEEDS, Means, Replicates, seconds_an_epoch, train_again
from nasturtium._final import children_of
from nasturtium._stored import child_parts, stored_study
from nasturtium._study import Study
from nasturtium.errors import UsageError, near_matches
from nasturtium.spaces import Space, chain, op
from nasturtium.trials import Note, State

if TYPE_CHECKING:
    from nasturtium.tasks import Task

BASELINE_SHARE = 0.47
"""Share of a job's minutes that is kept for the baseline, if there is one: as much as search and final training."""

LENGTHS = (1, 2, 4)
"""So many times the final recipe's epochs are tried."""

OUTPUTS = ("n_outputs", "num_classes", "n_classes", "out_features")
"""Names of a constructor's argument that gets the number of outputs."""


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
    cloudpickle.register_pickle_by_value(module)  # worker processes have not run the file
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


def train_baseline(study: Study, text: str, seconds: float | None, means: Means) -> None:
    """Train and test the user's network, and write down what the report says of it.

    Args:
        study: The search, its final training done.
        text: ``FILE.py:CLASS``.
        seconds: Time that is left, or None.
        means: What the trainings may use.
    """
    begun = time.monotonic()
    space = baseline_space(text, study.task)
    charged = charged_seconds(study)

    def left() -> float:
        """Return the time that is left."""
        return inf if seconds is None else max(0.0, seconds - (time.monotonic() - begun))

    compute = min(charged, left() * means.workers)
    usual, an_epoch = _usual_epochs(study), seconds_an_epoch(study, space)
    # One length is tried after the other, in this process: other workers do not shorten that.
    tried = _lengths_tried(usual, an_epoch, min(compute, left()) / 2)
    choice = [(*_validated(study, space, epochs, min(compute, left()), means), epochs) for epochs in tried]
    epochs = min(choice)[2] if choice else usual
    chosen_seconds = sum(seconds for _, seconds, _ in choice)
    rest = min(compute - chosen_seconds, left() * means.workers)
    epochs = max(1, min(epochs, int(min(rest, left()) / an_epoch)))
    n = max(1, min(MOST_SEEDS, int(rest / (epochs * an_epoch))))
    strategy = Replicates(space.sample(np.random.default_rng(0)), n)
    within = None if seconds is None else max(1.0, left())
    enough = means.enough(n * epochs * an_epoch)
    result = train_again(study, space, strategy, f"{study.name}/baseline@{epochs}", epochs, within, enough)
    facts = {"name": text.rpartition(":")[2], "charged": charged, "usual_epochs": usual, "tried": tried}
    study.journal.add(Note("baseline", {**facts, **result, "seconds": result["seconds"] + chosen_seconds}))
    study.journal.flush()


def charged_seconds(study: Study) -> float:
    """Return what the search and everything that its networks were trained for was charged."""
    parts = child_parts(study.name, study.storage)
    names = [name for name, part in parts.items() if part in ("final", "seeds")]
    logs = [study.history, *(stored_study(name, study.storage).history for name in names)]
    return sum(trial.seconds for history in logs for trial in history.trials())


def _usual_epochs(study: Study) -> int:
    """Return the final training's epochs, or the search's if there was none."""
    trained = children_of(study)
    recipe = trained[0].estimator if trained else study.estimator
    assert recipe is not None
    return recipe.ladder()[-1].fidelity.epochs


def _lengths_tried(usual: int, an_epoch: float, seconds: float) -> list[int]:
    """Return the lengths among which validation chooses, as many as fit; none if there is no choice."""
    tried: list[int] = []
    for times in LENGTHS:
        if an_epoch * (sum(tried) + times * usual) > seconds:
            break
        tried.append(times * usual)
    return tried if len(tried) > 1 else []


def _validated(study: Study, space: Space, epochs: int, seconds: float, means: Means) -> tuple[float, float]:
    """Return the network's validation error after so many epochs on the training data, and what they were charged."""
    assert study.estimator is not None
    child = Study(
        space=space,
        estimator=study.estimator.final(epochs),
        task=study.task,
        storage=study.storage,
        name=f"{study.name}/baseline-length@{epochs}",
        notes={"kind": "search", "of": [0]},
    )
    strategy = Replicates(space.sample(np.random.default_rng(0)), 1)
    seen = means.watch
    child.run(
        strategy,
        trials=1,
        minutes=max(seconds, 1.0) / 60,
        seed=study.history.study.seed,
        executor="inline",
        watch=None if seen is None else lambda history: seen(child),
    )
    errors = [trial.metrics["valid_error"] for trial in child.history.trials(State.FINISHED)]
    return errors[0] if errors else float("inf"), sum(trial.seconds for trial in child.history.trials())
