"""Training: a candidate is as good as it is after some epochs of stochastic gradient descent."""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch.nn import functional

from nasturtium.errors import UsageError, arguments_of, near_matches
from nasturtium.estimators._base import ESTIMATORS, Assignment, Context, Diverged, Estimator
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.estimators._descent import Descent
from nasturtium.estimators._judging import judge, recalibrate
from nasturtium.estimators._recipes import RECIPES, Recipe
from nasturtium.estimators._reduced import reduced
from nasturtium.networks import Network, accelerated, build, carried, inherit
from nasturtium.spaces import Networks
from nasturtium.tasks import batches
from nasturtium.trials import Fidelity, Measurement, Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import nn
    from typing_extensions import Self

    from nasturtium.graphs import Graph
    from nasturtium.spaces import Space
    from nasturtium.tasks import Task


@final
@ESTIMATORS.register("training")
@dataclass(frozen=True)
class Training(Estimator):
    """Trains each candidate from scratch and judges it on the validation data.

    Before each validation the statistics of batch normalization are measured anew over some
    training batches, since running averages are useless after few steps. Dead parts of the network
    are not trained; ``params`` and ``flops`` are those of the live part of the whole network, also
    where a smaller one stands in for it.

    Args:
        epochs: Length of the schedule, and the highest fidelity.
        rungs: Number of fidelities on offer: ``epochs``, ``epochs / eta``, ...
        eta: Factor between two rungs.
        fraction: Share of the training data.
        resolution: Factor on height and width of the images.
        width: Factor on the filters of a stacked space.
        cells: Number of cells of a stacked space; None means the space's own.
        recipe: How weights are learned: ``"fast"``, ``"final"`` (with averaged weights),
            ``"nasbench201"``, ``"darts"`` or ``"text"``; None takes the task's, ``"fast"`` or
            ``"text"``.
        batch_size: Instead of the recipe's, as all of the following.
        learning_rate: Its peak.
        momentum: Of the gradient.
        weight_decay: On all parameters.
        clip: Greatest norm of the gradient.
        label_smoothing: Share of the target that all classes divide.
        augment_from: Shortest schedule, in epochs, with augmentation.
        average: Decay of the moving average of the weights.
        weights: ``"random"``, or ``"inherit"`` from the first parent where it has a checkpoint.

    References:
        Zoph et al. 2018 (arXiv 1707.07012), few epochs; Smith & Topin 2017 (arXiv 1708.07120).
    """

    epochs: int = 5
    rungs: int = 1
    eta: int = 3
    fraction: float = 1.0
    resolution: float = 1.0
    width: float = 1.0
    cells: int | None = None
    recipe: str | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    clip: float | None = None
    label_smoothing: float | None = None
    augment_from: int | None = None
    average: float | None = None
    weights: str = "random"

    requires: ClassVar[tuple[type, ...]] = (Networks,)
    reference: ClassVar[str] = "Zoph et al. 2018, arXiv 1707.07012"

    def __post_init__(self) -> None:
        """Check the arguments."""
        if min(self.epochs, self.rungs) < 1 or self.eta < 2:
            got = arguments_of(self, "epochs", "rungs", "eta")
            raise UsageError(f"epochs and rungs are at least 1 and eta at least 2, got {got}; raise them.")
        if self.weights not in ("random", "inherit"):
            raise UsageError(f"weights are 'random' or 'inherit', got {self.weights!r}; choose one.")
        if self.recipe is not None and self.recipe not in RECIPES:
            raise UsageError(f"unknown recipe {self.recipe!r}; {near_matches(self.recipe, RECIPES)}")
        self.settings("fast")
        self.ladder()

    def settings(self, usual: str, hyperparameters: Mapping[str, Any] | None = None) -> Recipe:
        """Return the recipe with what the arguments, and then an architecture, set instead.

        Args:
            usual: The task's recipe.
            hyperparameters: What the architecture sets.

        Raises:
            UsageError: The recipe has no such hyper-parameter, or not in that range.
        """
        own = {name: getattr(self, name) for name in _ADJUSTABLE}
        for name in hyperparameters or {}:
            if name not in own:
                raise UsageError(f"training has no hyper-parameter {name!r}; {near_matches(name, own)}")
        given = {name: value for name, value in own.items() if value is not None}
        return replace(RECIPES[self.recipe or usual], **{**given, **(hyperparameters or {})})

    def ladder(self) -> tuple[Rung, ...]:
        """Return the rungs; a trial goes on from one to the next, along one schedule."""
        whole = Fidelity(self.epochs, None, self.fraction, self.resolution, self.width, self.cells)
        lengths = sorted({max(1, self.epochs // self.eta**k) for k in range(self.rungs)})
        return tuple(Rung(replace(whole, epochs=n, schedule=self.epochs), n / self.epochs) for n in lengths)

    @property
    def inherits(self) -> bool:
        """Whether weights come from parents."""
        return self.weights == "inherit"

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics of every task; its further metrics are ``valid_NAME`` too."""
        return ("params", "flops", "train_loss", "train_error", "valid_error")

    def final(self, epochs: int) -> Self:
        """Return a training of whole networks, that long, on all of the data, with averaged weights."""
        average = RECIPES["final"].average if self.recipe in (None, "fast") and self.average is None else self.average
        whole = {"fraction": 1.0, "resolution": 1.0, "width": 1.0, "cells": None}
        return replace(self, epochs=epochs, rungs=1, average=average, weights="random", **whole)  # type: ignore[arg-type]

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield the costs, then an epoch at a time; see ``Estimator``."""
        if assignment.architecture is None:
            raise UsageError("training evaluates architectures, got the whole space; use another strategy.")
        clock = Clock()
        plan = assignment.fidelity
        recipe = self.settings(context.task.recipe, context.space.training(assignment.architecture))
        space, task = reduced(context.space, context.task, plan)
        task = task.to(context.device)
        state, missing = _own_state(assignment, context)
        architecture = assignment.architecture if state is None else state.architecture
        network, note = self._begin(space, assignment, context, state)
        network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        running = accelerated(network) if context.device == "cpu" else network
        descent = Descent(network, recipe)
        if state is not None and state.optimizer is not None:
            descent.load_state_dict(state.optimizer)
        start = 0 if state is None else state.epoch
        if start == 0:
            whole = context.space.graph(assignment.architecture).simplified()
            costs = {"params": float(whole.params), "flops": float(whole.flops)}
            yield Measurement(0, costs, clock.lap(), note=missing or note, cpu_seconds=clock.cpu_lap())
        for epoch in range(start, plan.epochs):
            metrics = train_epoch(running, descent, task, epoch, plan.planned, context.seed)
            reference = None
            is_last = epoch + 1 == plan.epochs
            going_on = descent.state_dict() if is_last and plan.epochs < plan.planned else None
            if is_last or len(task.valid):
                with descent.averaged():
                    recalibrate(running, task, recipe.batch_size)
                    if len(task.valid):
                        metrics |= judge(running, task, task.valid, "valid")
                    if is_last:
                        reference = context.checkpoints.save(
                            Checkpoint(architecture, epoch + 1, network.state_dict(), going_on).to_bytes()
                        )
            yield Measurement(epoch + 1, metrics, clock.lap(), checkpoint=reference, cpu_seconds=clock.cpu_lap())

    def _begin(
        self, space: Space, assignment: Assignment, context: Context, state: Checkpoint | None
    ) -> tuple[Network, str | None]:
        """Return the network to train: that of the state, an inherited or a fresh one; and a remark."""
        graph: Graph = space.graph(assignment.architecture).simplified()
        if state is not None:
            # A cache may have given the state of another architecture that is the same function.
            network = build(space.graph(state.architecture).simplified(), seed=context.seed)
            network.load_state_dict(dict(state.network))
            return network, None
        if not self.inherits or not assignment.parents:
            return build(graph, seed=context.seed), None
        data = context.checkpoints.load(assignment.parents[0])
        if data is None:
            return build(graph, seed=context.seed), "the parent's checkpoint is missing: fresh weights"
        parent = Checkpoint.from_bytes(data)
        origin = space.graph(parent.architecture)
        # Edits speak of graphs as written, checkpoints of their live part; names are the same.
        trained = {name: tensor.numpy() for name, tensor in parent.network.items() if tensor.is_floating_point()}
        return inherit(graph, origin, assignment.edits, trained, seed=context.seed), None


_ADJUSTABLE = tuple(f.name for f in fields(Recipe) if f.name in {f.name for f in fields(Training)})
"""What a recipe says and an argument or an architecture may say instead."""


def train_epoch(
    network: nn.Module, descent: Descent, task: Task, epoch: int, planned: int, seed: int
) -> dict[str, float]:
    """Train one epoch and return its mean loss and error.

    Every epoch has its own generators, so that a training that is continued equals one that was
    never interrupted.

    Args:
        network: Whose weights ``descent`` holds.
        descent: How they change.
        task: On the network's device.
        epoch: Number of epochs done.
        planned: Length of the schedule in epochs.
        seed: For order, augmentation and dropout.

    Raises:
        Diverged: The loss is not finite.
    """
    network.train()
    recipe, split = descent.recipe, task.train
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    augment = task.augment if planned >= recipe.augment_from else None
    device = split.x.device
    total_loss = torch.zeros((), device=device)
    n_seen, tally, run = 0, split.tally({"error": task.metrics["error"]}), carried(network)
    n_steps = split.n_batches(recipe.batch_size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + epoch)  # dropout draws from the global generator
        for step, (x, y) in enumerate(batches(split, recipe.batch_size, generator, augment=augment)):
            with _precision(device):
                logits = run(x)
                loss = _loss(task, recipe)(logits, y)
            descent.zero_grad()
            torch.autograd.backward(loss)
            descent.step((epoch + step / n_steps) / planned)
            total_loss += loss.detach() * len(y)
            n_seen += len(y)
            tally.add(logits.detach(), y)
    mean_loss = float(total_loss) / n_seen
    if not isfinite(mean_loss):
        raise Diverged(f"the loss is {mean_loss} in epoch {epoch + 1}")
    return {"train_loss": mean_loss, "train_error": tally.metrics()["error"]}


def _loss(task: Task, recipe: Recipe) -> Any:
    """Return the task's loss; cross entropy with the recipe's smoothing."""
    if recipe.label_smoothing and task.loss is functional.cross_entropy:
        return lambda logits, y: functional.cross_entropy(logits, y, label_smoothing=recipe.label_smoothing)
    return task.loss


def _precision(device: torch.device) -> torch.autocast:
    """Return mixed precision where hardware makes it faster: bfloat16 on CUDA, else nothing."""
    mixed = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=mixed)


def _own_state(assignment: Assignment, context: Context) -> tuple[Checkpoint | None, str | None]:
    """Return where this trial's training stands, None if it begins; and a remark."""
    if assignment.start == 0:
        return None, None
    data = context.checkpoints.load(assignment.number)
    if data is None:
        return None, "the trial's checkpoint is missing: begun anew"
    return Checkpoint.from_bytes(data), None


class Clock:
    """Measures the seconds between calls, by the wall's clock and by the processor's."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._last_cpu = time.process_time()

    def lap(self) -> float:
        """Return the seconds since the last call."""
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        return seconds

    def cpu_lap(self) -> float:
        """Return the processor time of this process since the last call of this."""
        now = time.process_time()
        seconds, self._last_cpu = now - self._last_cpu, now
        return round(seconds, 4)
