"""Backbones: what the architectures of large-scale evolution hold, and its eleven mutations.

Real et al. 2017, "Large-Scale Evolution of Image Classifiers" (arXiv 1703.01041), section 3.2.
Numbers are kept as reals and rounded where they are used, so that small changes accumulate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.spaces._architecture import Architecture

if TYPE_CHECKING:
    import numpy as np

ACTIVATIONS = ("linear", "bn_relu")
"""What a layer does to the sum of what reaches it."""

IMAGE = "image"
"""The name of what the first layer reads."""


@final
@dataclass(frozen=True)
class Layer:
    """A layer of the backbone: an edge from the layer before, and the activation of its sum.

    Args:
        name: Identity of its tensors; random, kept for life and handed on.
        activation: ``"linear"`` or ``"bn_relu"``.
        factor: Output channels of the convolution by input channels; None for an identity edge.
        half_height: Pixels of the window above and below its middle, rounded when used.
        half_width: Pixels of the window to the left and right of its middle, rounded when used.
        scale: Binary logarithm of the stride, rounded when used.
    """

    name: str
    activation: str
    factor: float | None = None
    half_height: float = 1.0
    half_width: float = 1.0
    scale: float = 0.0

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the window, odd."""
        return 2 * round(self.half_height) + 1, 2 * round(self.half_width) + 1

    @property
    def stride(self) -> int:
        """The step in both directions, a power of two."""
        return int(2 ** round(self.scale))

    def channels(self, before: int) -> int:
        """Return the output channels for so many input channels."""
        return before if self.factor is None else max(1, round(self.factor * before))


@final
@dataclass(frozen=True)
class Backbone:
    """Layers one after the other, skips between them, and how to train.

    Args:
        training: (name, value) pairs of training hyper-parameters.
        layers: In order.
        skips: (source, target) names of layers, in their order; a source may be the image.
        resets: How often the weights were reset on the way from the start.
        rounds: How often training went on without any change.
    """

    training: tuple[tuple[str, float], ...]
    layers: tuple[Layer, ...] = ()
    skips: tuple[tuple[str, str], ...] = ()
    resets: int = 0
    rounds: int = 0

    @classmethod
    def of(cls, architecture: Architecture) -> Backbone:
        """Return the backbone that ``architecture`` wrote.

        Raises:
            UsageError: It is none.
        """
        try:
            content: dict[str, Any] = dict(architecture)
            layers = tuple(Layer(*row) for row in content.pop("layers"))
            backbone = cls(tuple(dict(content.pop("training")).items()), layers, **content)
            is_same = backbone.architecture() == architecture and backbone._is_sound()
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"a backbone has layers, skips and training, got {architecture.text} ({error})."
            ) from error
        if not is_same:
            raise UsageError(f"a backbone's layers and skips are in order, got {architecture.text}; mutate a member.")
        return backbone

    def architecture(self) -> Architecture:
        """Return the architecture, from which ``of`` gives the backbone back."""
        rows = tuple((la.name, la.activation, la.factor, la.half_height, la.half_width, la.scale) for la in self.layers)
        content = {"training": self.training, "layers": rows, "skips": self.skips}
        return Architecture({**content, "resets": self.resets, "rounds": self.rounds})

    def _is_sound(self) -> bool:
        names = [layer.name for layer in self.layers]
        numbers = [value for _, value in self.training]
        for layer in self.layers:
            numbers += [layer.half_height, layer.half_width, 1.0 if layer.factor is None else layer.factor]
        are_numbers = all(type(n) is float and 0 < n < float("inf") for n in numbers)
        return (
            are_numbers
            and all(type(layer.scale) is float and 0 <= layer.scale < MAX_SCALE for layer in self.layers)
            and all(name.isidentifier() for name in names)
            and len({IMAGE, *names}) == len(names) + 1
            and {layer.activation for layer in self.layers} <= set(ACTIVATIONS)
            and all(type(n) is int and n >= 0 for n in (self.resets, self.rounds))
            and self.skips == tuple(pair for pair in self.pairs() if pair in self.skips)
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of layers between which a skip may lead, in order."""
        order = [IMAGE, *(layer.name for layer in self.layers)]
        return [
            (source, layer.name)
            for j, layer in enumerate(self.layers)
            for i, source in enumerate(order[: j + 1])
            if i < j or layer.factor is not None  # beside an identity edge, a skip would double it
        ]

    def with_skips(self, skips: set[tuple[str, str]]) -> Backbone:
        """Return the backbone with those of the skips that its layers allow."""
        return replace(self, skips=tuple(pair for pair in self.pairs() if pair in skips))


MAX_SCALE = 16.0
"""Binary logarithm of the greatest stride: beyond any image."""

Mutation = Callable[[Backbone, "np.random.Generator"], Backbone | None]
"""Returns a changed backbone, or None if it does not apply."""


def _alter_learning_rate(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    if not backbone.training:
        return None
    training = list(backbone.training)
    index = int(rng.integers(len(training)))
    name, value = training[index]
    training[index] = (name, value * 2 ** float(rng.uniform(-1, 1)))
    return replace(backbone, training=tuple(training))


def _identity(backbone: Backbone, rng: np.random.Generator) -> Backbone:
    del rng
    return replace(backbone, rounds=backbone.rounds + 1)


def _reset_weights(backbone: Backbone, rng: np.random.Generator) -> Backbone:
    del rng
    return replace(backbone, resets=backbone.resets + 1)


def _insert_convolution(backbone: Backbone, rng: np.random.Generator) -> Backbone:
    activation = ACTIVATIONS[int(rng.integers(2))]
    layer = Layer(_new_name(backbone, rng), activation, factor=1.0, scale=float(rng.integers(2)))
    return _inserted(backbone, layer, rng)


def _insert_one_to_one(backbone: Backbone, rng: np.random.Generator) -> Backbone:
    return _inserted(backbone, Layer(_new_name(backbone, rng), ACTIVATIONS[int(rng.integers(2))]), rng)


def _remove_convolution(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    removed = _drawn_convolution(backbone, rng)
    if removed is None:
        return None
    layers = tuple(layer for layer in backbone.layers if layer != removed)
    return replace(backbone, layers=layers).with_skips(set(backbone.skips))


def _alter_stride(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    layer = _drawn_convolution(backbone, rng)
    if layer is None:
        return None
    scale = abs(layer.scale + float(rng.uniform(-1, 1)))  # a stride is at least 1
    return _replaced(backbone, replace(layer, scale=scale)) if scale < MAX_SCALE else None


def _alter_number_of_channels(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    layer = _drawn_convolution(backbone, rng)
    if layer is None or layer.factor is None:
        return None
    return _replaced(backbone, replace(layer, factor=_altered(layer.factor, rng)))


def _alter_filter_size(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    layer = _drawn_convolution(backbone, rng)
    if layer is None:
        return None
    if rng.integers(2):
        return _replaced(backbone, replace(layer, half_height=_altered(layer.half_height, rng)))
    return _replaced(backbone, replace(layer, half_width=_altered(layer.half_width, rng)))


def _add_skip(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    free = [pair for pair in backbone.pairs() if pair not in backbone.skips]
    return backbone.with_skips({*backbone.skips, free[int(rng.integers(len(free)))]}) if free else None


def _remove_skip(backbone: Backbone, rng: np.random.Generator) -> Backbone | None:
    if not backbone.skips:
        return None
    index = int(rng.integers(len(backbone.skips)))
    return replace(backbone, skips=backbone.skips[:index] + backbone.skips[index + 1 :])


MUTATIONS: Mapping[str, Mutation] = {
    "alter-learning-rate": _alter_learning_rate,
    "identity": _identity,
    "reset-weights": _reset_weights,
    "insert-convolution": _insert_convolution,
    "remove-convolution": _remove_convolution,
    "alter-stride": _alter_stride,
    "alter-number-of-channels": _alter_number_of_channels,
    "filter-size": _alter_filter_size,
    "insert-one-to-one": _insert_one_to_one,
    "add-skip": _add_skip,
    "remove-skip": _remove_skip,
}
"""The paper's eleven mutations, equally likely."""


def _altered(value: float, rng: np.random.Generator) -> float:
    """Return a number between half and twice the old one, uniformly."""
    return float(rng.uniform(value / 2, value * 2))


def _drawn_convolution(backbone: Backbone, rng: np.random.Generator) -> Layer | None:
    found = [layer for layer in backbone.layers if layer.factor is not None]
    return found[int(rng.integers(len(found)))] if found else None


def _replaced(backbone: Backbone, changed: Layer) -> Backbone:
    layers = tuple(changed if layer.name == changed.name else layer for layer in backbone.layers)
    return replace(backbone, layers=layers)


def _inserted(backbone: Backbone, layer: Layer, rng: np.random.Generator) -> Backbone:
    place = int(rng.integers(len(backbone.layers) + 1))
    return replace(backbone, layers=(*backbone.layers[:place], layer, *backbone.layers[place:]))


def _new_name(backbone: Backbone, rng: np.random.Generator) -> str:
    """Return a name that no layer has; random, so that lines of descent do not share it by chance."""
    taken = {layer.name for layer in backbone.layers}
    while (name := f"layer_{int(rng.integers(16**8)):08x}") in taken:
        pass
    return name
