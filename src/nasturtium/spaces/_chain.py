"""Chain-structured spaces: each layer takes the output of the one before.

Elsken, Metzen & Hutter 2019 (arXiv 1808.05377), section 2: a number of layers, an operation for
each, and the operation's hyper-parameters, which exist only if it was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._blocks import Fitting, Series, network_block, op, with_outputs
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._metaqnn import Layers
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._repeat import repeat

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.graphs import Shape
    from nasturtium.spaces._tree import Block


@final
@SPACES.register("composed", is_listed=False)
@dataclass(frozen=True, kw_only=True)
class Composed(NetworkSpace):
    """A chain that a user composed; made by ``chain``.

    Once it has the task's shapes, every choice is tried on the shapes that may reach it whatever the
    other choices are: all sizes, and of many widths at one size the least and the greatest. A space
    with rules, which make choices depend on each other, is not looked through.
    """

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        """Check that every choice fits, once the task's shapes are known."""
        if self.input_shape is not None and not self.root.has_rule():
            _check_shapes(self.blocks, self.input_shape, self.n_outputs)

    @property
    def root(self) -> Block:
        """The blocks in order."""
        return Series(self.blocks)

    def _open_graph(self) -> Graph:
        return series_graph(self, self.blocks)


@lru_cache(maxsize=64)
def _check_shapes(blocks: tuple[Block, ...], input_shape: Shape, n_outputs: int | None) -> None:
    Series(blocks).shapes("", input_shape, Fitting(n_outputs))


def series_graph(space: NetworkSpace, blocks: tuple[Block, ...]) -> Graph:
    """Return the open graph that applies blocks to the space's input."""
    b = Builder()
    wire = Series(blocks).build("", b, b.input("image", space.input_shape), ())
    return with_outputs(b.graph(wire), space.n_outputs)


def chain(*blocks: Any) -> Composed:
    """Return the space of networks that apply blocks one after the other.

    Args:
        blocks: ``op(...)``, ``choice(...)`` among ops, ``repeat(...)``, ``optional(...)``,
            ``branch(...)``, ``cell(...)``, other chains; nested at will. A last ``op("linear")``
            without ``out=`` gives the task's outputs.

    Raises:
        UsageError: A block is none of these, or there is none. Binding the space to a task by
            ``on`` raises it, too, if a choice can't take a shape that may reach it.

    Example:
        >>> from nasturtium.spaces import chain, choice, op, repeat
        >>> space = chain(
        ...     op("conv", out=choice(8, 16)),
        ...     repeat(choice(op("sep_conv", kernel=3), op("identity")), at_least=1, at_most=2),
        ...     op("global_pool"),
        ...     op("linear"),
        ... )
        >>> space.size
        12
    """
    if not blocks:
        raise UsageError("a chain has at least one block, got none; add op(...).")
    return Composed(blocks=tuple(network_block(block) for block in blocks))


@final
@SPACES.register("chain")
@dataclass(frozen=True, kw_only=True)
class Chain(NetworkSpace):
    """Plain convolutional networks: one layer after the other, in stages or freely chosen.

    In stages, every layer is a dense or a separable convolution of a chosen window, or nothing at
    all; each stage has a chosen width and half the resolution of the one before. The survey's
    chain-structured space (section 2) at laptop scale.

    With ``stages=None``, the layers are those of MetaQNN (Baker et al. 2017): each is a convolution, a
    pool, a fully connected layer (once the image is smaller than 8 pixels; at most two, not growing)
    or the end, a classification of the channels' means (``"gap"``) or of all values (``"softmax"``).
    No pool follows a pool or comes first, and a window fits the image. What is legal depends on the
    image's side, which is 32 until the space is bound. ``Chain.metaqnn()`` has the paper's sizes.

    Args:
        stages: Number of stages, between two of which a 3x3 max-pool halves height and width; None
            lets every layer be chosen.
        depth: Greatest number of layers a stage, or of all before the end.
        widths: Channel counts to choose from.
        kernels: Window sides to choose from.
        units: Features of fully connected layers to choose from, where layers are freely chosen.

    Example:
        >>> space = Chain.metaqnn(depth=18)
        >>> decision, _ = space.trace(space.parse('{"layer_0":"gap"}'))[0]
        >>> len(decision.options({}))  # 12 convolutions and both ends
        14
    """

    stages: int | None = 3
    depth: int = 3
    widths: tuple[int, ...] = (8, 16, 32, 64)
    kernels: tuple[int, ...] = (3, 5)
    units: tuple[int, ...] = (128, 64)

    def __post_init__(self) -> None:
        """Check the counts."""
        if (self.stages is not None and self.stages < 1) or self.depth < 1 or not self.widths or not self.kernels:
            got = arguments_of(self, "stages", "depth", "widths", "kernels")
            raise UsageError(f"stages and depth are at least 1 and widths and kernels not empty, got {got}.")
        if min(*self.widths, *self.kernels, *self.units, 1) < 1:
            raise UsageError(
                f"widths, kernels, units are positive, got {self.widths}, {self.kernels}, {self.units}; raise them."
            )

    @classmethod
    def metaqnn(cls, depth: int = 18) -> Self:
        """Return Baker et al.'s space: of at most 18 layers for CIFAR-10, 12 for SVHN."""
        return cls(stages=None, depth=depth, widths=(64, 128, 256, 512), kernels=(1, 3, 5), units=(512, 256, 128))

    @property
    def root(self) -> Block:
        """The layers, stage by stage or one by one."""
        return self._free if self.stages is None else Series(self._staged(self.stages))

    @property
    def _free(self) -> Layers:
        side = min((self.input_shape or (1, 32, 32))[1:])
        return Layers(side, self.depth, self.widths, self.kernels, self.units)

    def _staged(self, stages: int) -> tuple[Block, ...]:
        return _blocks(stages, self.depth, self.widths, self.kernels)

    def _open_graph(self) -> Graph:
        if self.stages is None:
            return self._free.graph(self.input_shape, self.n_outputs)
        return series_graph(self, self._staged(self.stages))


@lru_cache(maxsize=64)
def _blocks(n_stages: int, depth: int, widths: tuple[int, ...], kernels: tuple[int, ...]) -> tuple[Block, ...]:
    layer = choice(op("conv", kernel=choice(*kernels)), op("sep_conv", kernel=choice(*kernels)))
    stages: list[Block] = []
    for stage in range(n_stages):
        if stage:
            stages.append(op("max_pool", kernel=3, stride=2))
        stages.append(op("conv", out=choice(*widths)))
        if depth > 1:
            stages.append(repeat(layer, at_least=0, at_most=depth - 1))
    return (*stages, op("global_pool"), op("linear"))
