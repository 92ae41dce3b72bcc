"""The space of large-scale evolution: backbones that mutations extend without bound.

Real et al. 2017, "Large-Scale Evolution of Image Classifiers" (arXiv 1703.01041).

Departures: the skips of a removed convolution go with it, and a stride that would fall below one is
reflected there; the paper says neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of, near_matches
from nasturtium.graphs import Builder, Graph, Shape
from nasturtium.graphs import operations as o
from nasturtium.spaces._backbone import IMAGE, MUTATIONS, Backbone
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._growing import GrowingSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from nasturtium.graphs import Wire
    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._decision import Value


@final
@SPACES.register("network-evolution")
@dataclass(frozen=True, kw_only=True)
class NetworkEvolution(GrowingSpace):
    """Chains of layers with skips, and their learning rate (Real et al. 2017).

    A layer is linear, or normalizes and rectifies, the sum of what reaches it: the layer before,
    as it is or through a convolution, and skips, which are resized, cut or padded to that shape.
    All starts from no layer at all. A random architecture is the start after up to ``steps``
    mutations; a mutation is one of eleven, drawn uniformly among those that apply.

    Weights go from parent to child by name and shape. ``"identity"`` changes a counter alone, so
    that the child trains on; ``"reset-weights"`` renames all tensors, so that nothing is inherited.

    Args:
        hyperparameters: (name, start) pairs of the training hyper-parameters that evolve, each by
            a factor of up to two; the paper's is the learning rate.
        mutations: Names of the mutations to draw from.
        steps: Greatest number of mutations of a random architecture; 0 is the paper's first
            population.
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.

    Example:
        >>> space = NetworkEvolution()
        >>> space.training(space.start())
        {'learning_rate': 0.1}
    """

    hyperparameters: tuple[tuple[str, float], ...] = (("learning_rate", 0.1),)
    mutations: tuple[str, ...] = tuple(MUTATIONS)
    steps: int = 20

    def __post_init__(self) -> None:
        """Check names and numbers."""
        for name in self.mutations:
            if name not in MUTATIONS:
                raise UsageError(f"unknown mutation {name!r}; {near_matches(name, MUTATIONS)}")
        if self.steps < 0 or not self.mutations:
            got = arguments_of(self, "mutations", "steps")
            raise UsageError(f"there is a mutation, and steps are at least 0, got {got}; change them.")
        if any(not value > 0 for _, value in self.hyperparameters):
            raise UsageError(f"training hyper-parameters are positive, got {self.hyperparameters}; raise them.")

    def start(self) -> Architecture:
        """Return the first individual: the image's mean and a linear classifier."""
        return Backbone(tuple((name, float(value)) for name, value in self.hyperparameters)).architecture()

    def training(self, architecture: Architecture) -> Mapping[str, Value]:
        """Return the training hyper-parameters by name, such as the learning rate."""
        return dict(architecture["training"])

    def network(self, architecture: Architecture) -> Graph:
        """Return the graph with the task's shapes.

        Raises:
            UsageError: The space is not bound: widths are multiples of the image's channels.
        """
        if self.input_shape is None:
            raise UsageError("widths follow from the task's channels, got a space without; bind it with .on(task).")
        return _network(architecture, self.input_shape, self.n_outputs)

    def _first(self, rng: np.random.Generator) -> Architecture:
        del rng
        return self.start()

    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return the result of the first mutation that applies, in random order."""
        backbone = Backbone.of(architecture)
        for index in rng.permutation(len(self.mutations)):
            child = MUTATIONS[self.mutations[index]](backbone, rng)
            if child is not None:
                return child.architecture()
        return architecture

    def _contains(self, architecture: Architecture) -> bool:
        try:
            backbone = Backbone.of(architecture)
        except UsageError:
            return False
        return [name for name, _ in backbone.training] == [name for name, _ in self.hyperparameters]


@lru_cache(maxsize=512)
def _network(architecture: Architecture, shape: Shape, n_outputs: int | None) -> Graph:
    backbone = Backbone.of(architecture)
    suffix = f"_reset_{backbone.resets}" if backbone.resets else ""
    b = Builder()
    x = b.input(IMAGE, shape)
    states: dict[str, Wire] = {IMAGE: x}
    channels = shape[0]
    for layer in backbone.layers:
        channels = layer.channels(channels)
        if layer.factor is not None:
            x = b.add(f"{layer.name}_conv{suffix}", o.Conv2d(channels, layer.kernel, layer.stride), x)
        skips = [states[source] for source, target in backbone.skips if target == layer.name]
        if skips:
            x = b.add(f"{layer.name}_sum{suffix}", o.SumToFirst(), x, *skips)
        if layer.activation == "bn_relu":
            x = b.add(f"{layer.name}_norm{suffix}", o.BatchNorm(), x)
            x = b.add(f"{layer.name}_relu{suffix}", o.Activation("relu"), x)
        states[layer.name] = x
    x = b.add(f"pool{suffix}", o.GlobalPool(), x)
    return b.graph(b.add(f"head{suffix}", o.Linear(n_outputs), x))
