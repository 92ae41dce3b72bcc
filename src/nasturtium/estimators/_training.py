"""Training: a candidate is as good as it is after some epochs of stochastic gradient descent."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import cos, isfinite, pi
from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch import nn

from nasturtium.errors import UsageError, near_matches
from nasturtium.estimators._base import ESTIMATORS, Assignment, Context, Diverged, Estimator
from nasturtium.estimators._checkpoint import Checkpoint
from nasturtium.networks import Network, build, inherit
from nasturtium.spaces import Networks
from nasturtium.tasks import Split, Task, batches
from nasturtium.trials import Fidelity, Measurement, Rung

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Graph

JUDGING_BATCH = 256


@final
@ESTIMATORS.register("training")
@dataclass(frozen=True)
class Training(Estimator):
    """Trains each candidate from scratch and judges it on the validation data.

    Stochastic gradient descent with Nesterov momentum; the learning rate rises linearly over the
    first fifth of the schedule and falls to zero along a cosine. Before each validation the
    statistics of batch normalization are measured anew over some training batches, since running
    averages are useless after few steps. Dead parts of the network are not trained, and its
    ``params`` and ``flops`` are those of the live part.

    Args:
        epochs: Length of the schedule, and the highest fidelity.
        rungs: Number of fidelities on offer: ``epochs``, ``epochs / eta``, ...
        eta: Factor between two rungs.
        fraction: Share of the training data.
        batch_size: Examples a step.
        learning_rate: Its peak.
        momentum: Of the gradient.
        weight_decay: On all parameters.
        clip: Greatest norm of the gradient.
        augment_from: Shortest schedule, in epochs, that is trained with the task's augmentation;
            over fewer, it costs more accuracy than it gives.
        weights: ``"random"``, or ``"inherit"`` from the first parent where it has a checkpoint.

    References:
        Zoph et al. 2018 (arXiv 1707.07012), few epochs; Smith & Topin 2017 (arXiv 1708.07120).
    """

    epochs: int = 5
    rungs: int = 1
    eta: int = 3
    fraction: float = 1.0
    batch_size: int = 64
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 5.0
    augment_from: int = 6
    weights: str = "random"

    requires: ClassVar[tuple[type, ...]] = (Networks,)
    reference: ClassVar[str] = "Zoph et al. 2018, arXiv 1707.07012"

    def __post_init__(self) -> None:
        """Check the arguments."""
        if min(self.epochs, self.rungs, self.batch_size) < 1 or self.eta < 2:
            raise UsageError(f"epochs, rungs and batch_size are at least 1 and eta at least 2, got {self}; raise them.")
        if not 0 < self.fraction <= 1 or min(self.learning_rate, self.clip) <= 0:
            raise UsageError(f"fraction is in (0, 1], learning_rate and clip are positive, got {self}; change them.")
        if self.weights not in ("random", "inherit"):
            raise UsageError(f"weights are 'random' or 'inherit', got {self.weights!r}; choose one.")

    def ladder(self) -> tuple[Rung, ...]:
        """Return the rungs; a trial goes on from one to the next, along one schedule."""
        lengths = sorted({max(1, self.epochs // self.eta**k) for k in range(self.rungs)})
        return tuple(Rung(Fidelity(n, schedule=self.epochs, fraction=self.fraction), n / self.epochs) for n in lengths)

    def metrics(self) -> tuple[str, ...]:
        """Return the metrics of every task; its further metrics are ``valid_NAME`` too."""
        return ("params", "flops", "train_loss", "train_error", "valid_error")

    def final(self, epochs: int) -> Self:
        """Return the same training, that long, on all of the data."""
        return replace(self, epochs=epochs, rungs=1, fraction=1.0)

    def evaluate(self, assignment: Assignment, context: Context) -> Iterator[Measurement]:
        """Yield the costs, then an epoch at a time; see ``Estimator``."""
        if assignment.architecture is None:
            raise UsageError("training evaluates architectures, got the whole space; use another strategy.")
        clock = Clock()
        plan = assignment.fidelity
        recipe = self._with(context.space.training(assignment.architecture))
        graph = context.space.graph(assignment.architecture).simplified()
        task = _reduced(context.task, plan)
        if context.device != "cpu":
            task = replace(task, train=task.train.to(context.device), valid=task.valid.to(context.device))
        network, note = self._begin(graph, assignment, context)
        network.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = recipe.optimizer(network)
        start, missing = _resume(network, optimizer, assignment, context)
        if start == 0:
            costs = {"params": float(graph.params), "flops": float(graph.flops)}
            yield Measurement(0, costs, clock.lap(), note=missing or note)
        for epoch in range(start, plan.epochs):
            metrics = recipe.train_epoch(network, optimizer, task, epoch, plan.planned, context)
            if len(task.valid):
                recalibrate(network, task, recipe.batch_size)
                metrics |= judge(network, task, task.valid, "valid")
            reference = None
            if epoch + 1 == plan.epochs:
                going_on = optimizer.state_dict() if plan.epochs < plan.planned else None
                if not len(task.valid):
                    recalibrate(network, task, recipe.batch_size)
                state = Checkpoint(assignment.architecture, epoch + 1, network.state_dict(), going_on)
                reference = context.checkpoints.save(state.to_bytes())
            yield Measurement(epoch + 1, metrics, clock.lap(), checkpoint=reference)

    def train_epoch(
        self, network: Network, optimizer: torch.optim.Optimizer, task: Task, epoch: int, planned: int, context: Context
    ) -> dict[str, float]:
        """Train one epoch and return its mean loss and error."""
        network.train()
        # Every epoch has its own generators, so that a training that is continued equals one that
        # was never interrupted.
        generator = torch.Generator().manual_seed((context.seed * 1_000_003 + epoch) % 2**63)
        split = task.train
        total_loss = torch.zeros((), device=context.device)
        seen: list[tuple[torch.Tensor, torch.Tensor]] = []
        n_steps = -(-len(split) // self.batch_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed + epoch)  # dropout draws from the global generator
            augment = task.augment if planned >= self.augment_from else None
            for step, (x, y) in enumerate(batches(split, self.batch_size, generator, augment=augment)):
                for group in optimizer.param_groups:
                    group["lr"] = self.learning_rate * warm_cosine((epoch + step / n_steps) / planned)
                logits = network(x)
                loss = task.loss(logits, y)
                optimizer.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                nn.utils.clip_grad_norm_(network.parameters(), self.clip)
                optimizer.step()
                total_loss += loss.detach() * len(y)
                seen.append((logits.detach(), y))
        mean_loss = float(total_loss) / len(split)
        if not isfinite(mean_loss):
            raise Diverged(f"the loss is {mean_loss} in epoch {epoch + 1}")
        outputs, labels = (torch.cat(parts) for parts in zip(*seen, strict=True))
        return {"train_loss": mean_loss, "train_error": float(task.metrics["error"](outputs, labels))}

    def optimizer(self, network: Network) -> torch.optim.Optimizer:
        """Return stochastic gradient descent with Nesterov momentum, one fused kernel a step."""
        return torch.optim.SGD(
            network.parameters(),
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.momentum > 0,
            fused=True,
        )

    def _begin(self, graph: Graph, assignment: Assignment, context: Context) -> tuple[Network, str | None]:
        """Return the initial network, inherited if that is asked for and possible, and a remark."""
        if self.weights == "random" or not assignment.parents:
            return build(graph, seed=context.seed), None
        data = context.checkpoints.load(assignment.parents[0])
        if data is None:
            return build(graph, seed=context.seed), "the parent's checkpoint is missing: fresh weights"
        parent = Checkpoint.from_bytes(data)
        origin = context.space.graph(parent.architecture)
        # Edits speak of graphs as written, checkpoints of their live part; names are the same.
        trained = {name: tensor.numpy() for name, tensor in parent.network.items() if tensor.is_floating_point()}
        return inherit(graph, origin, assignment.edits, trained, seed=context.seed), None

    def _with(self, hyperparameters: Mapping[str, Any]) -> Self:
        """Return the recipe with the training hyper-parameters that the architecture sets."""
        names = ["batch_size", "clip", "learning_rate", "momentum", "weight_decay"]
        for name in hyperparameters:
            if name not in names:
                raise UsageError(f"training has no hyper-parameter {name!r}; {near_matches(name, names)}")
        return replace(self, **hyperparameters)


def warm_cosine(progress: float, warm: float = 0.2) -> float:
    """Return the factor on the peak learning rate at a share of the schedule.

    Example:
        >>> [round(warm_cosine(p), 3) for p in (0.1, 0.2, 0.6, 1.0)]
        [0.5, 1.0, 0.5, 0.0]
    """
    if progress < warm:
        return max(progress, 1e-3) / warm
    return 0.5 * (1 + cos(pi * (progress - warm) / (1 - warm)))


def recalibrate(network: nn.Module, task: Task, batch_size: int) -> None:
    """Measure the statistics of batch normalization anew, as plain means over training batches."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    n_batches = min(32, max(4, len(task.train) // batch_size // 8))
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the cumulative mean
    dropouts = [m for m in network.modules() if isinstance(m, nn.Dropout)]
    for dropout in dropouts:
        dropout.eval()
    with torch.no_grad():
        for (x, _), _ in zip(batches(task.train, batch_size), range(n_batches), strict=False):
            network(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def judge(network: nn.Module, task: Task, split: Split, part: str) -> dict[str, float]:
    """Return the task's metrics on one part, such as ``valid_error``.

    Args:
        network: Put in evaluation mode.
        task: Says which metrics.
        split: The examples.
        part: ``"train"``, ``"valid"`` or ``"test"``.
    """
    network.eval()
    logits, labels = zip(*((network(x), y) for x, y in batches(split, JUDGING_BATCH)), strict=True)
    return task.measure(part, torch.cat(logits), torch.cat(labels))  # type: ignore[arg-type]


def _reduced(task: Task, fidelity: Fidelity) -> Task:
    """Return the task at a fidelity's share of the data.

    Raises:
        UsageError: The fidelity varies what this estimator does not.
    """
    if (fidelity.resolution, fidelity.width, fidelity.cells) != (1.0, 1.0, None):
        raise UsageError(f"training varies epochs and fraction, got {fidelity}; leave the others at their defaults.")
    return task if fidelity.fraction == 1.0 else task.subset(fidelity.fraction)


def _resume(
    network: Network, optimizer: torch.optim.Optimizer, assignment: Assignment, context: Context
) -> tuple[int, str | None]:
    """Load this trial's own checkpoint; return the epoch to go on from, and a remark."""
    if assignment.start == 0:
        return 0, None
    data = context.checkpoints.load(assignment.number)
    if data is None:
        return 0, "the trial's checkpoint is missing: begun anew"
    state = Checkpoint.from_bytes(data)
    network.load_state_dict(state.network)
    if state.optimizer is not None:
        optimizer.load_state_dict(dict(state.optimizer))
    return state.epoch, None


class Clock:
    """Measures the seconds between calls."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Return the seconds since the last call."""
        now = time.perf_counter()
        seconds, self._last = now - self._last, now
        return seconds
