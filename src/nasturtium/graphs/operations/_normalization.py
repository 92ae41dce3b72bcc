"""Normalizations of each example by itself."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import final

from nasturtium.graphs._base import OPERATIONS, Layer, Operation, Shape, expect, image


@final
@OPERATIONS.register("instance_norm")
@dataclass(frozen=True)
class InstanceNorm(Operation):
    """Normalization of each channel of each image, with scale and shift (Ulyanov et al. 2016).

    It is written as group normalization with one channel a group, which is the same and takes
    images of one pixel.
    """

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        return image(self, inputs)

    def params(self, *inputs: Shape) -> int:
        """Return two a channel."""
        return 2 * image(self, inputs)[0]

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.GroupNorm``."""
        channels, _, _ = image(self, inputs)
        return Layer("GroupNorm", (channels, channels))


@final
@OPERATIONS.register("layer_norm")
@dataclass(frozen=True)
class LayerNorm(Operation):
    """Normalization of each example as a whole, with scale and shift of each value (Ba et al. 2016)."""

    def shape(self, *inputs: Shape) -> Shape:
        """Return the input's shape."""
        expect(len(inputs) == 1, self, inputs, "one input")
        return inputs[0]

    def params(self, *inputs: Shape) -> int:
        """Return two a value."""
        return 2 * prod(self.shape(*inputs))

    def symbol(self, *inputs: Shape) -> Layer:
        """Return ``nn.LayerNorm``."""
        return Layer("LayerNorm", (self.shape(*inputs),))
