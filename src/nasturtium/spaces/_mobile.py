"""Mobile networks: stages of inverted residuals, of chosen kernel, expansion, depth and width.

Sandler et al. 2018, "MobileNetV2" (arXiv 1801.04381), is the network; Cai, Zhu & Han 2019,
"ProxylessNAS" (arXiv 1812.00332), and Cai et al. 2020, "Once-for-All" (arXiv 1908.09791), search
around it. Squeeze-and-excitation is Howard et al. 2019's, "Searching for MobileNetV3" (arXiv
1905.02244), and a width for each stage that of FBNetV2 and others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph, OpenOperation, Pick, Wire, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.graphs.operations import InvertedResidual, conv_norm_act, divisible
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._repeat import repeat
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from typing_extensions import Self

STEM = 32
"""Channels of MobileNetV2's stem; the widths are given as those that go with it."""


@final
@SPACES.register("mobile")
@dataclass(frozen=True, kw_only=True)
class Mobile(NetworkSpace):
    """Stages of inverted residuals (Sandler et al. 2018; searched since ProxylessNAS).

    A stage decides its width and its number of blocks; a block its kernel, its expansion and whether
    it squeezes and excites. MobileNetV2 is a member of the default space. A width is rounded to a
    multiple of 8 and by no more than a tenth downward, as by its authors.

    Args:
        widths: Channels of each stage, for 32 channels of the stem.
        strides: Step of each stage's first block.
        max_depth: Greatest number of blocks of a stage.
        min_depth: Smallest number of blocks of a stage.
        filters: Channels of the stem; widths are scaled with it, the head only where it is above 32.
        head: Channels of the 1x1 convolution behind the stages, for 32 channels of the stem.
        multipliers: Factors to choose a stage's width from.
        kernels: Window sides to choose from.
        expansions: Expansions to choose from.
        squeezes: Whether blocks squeeze and excite: ``(False,)``, ``(True,)`` or both.
        function: The activation: ``"relu6"`` (V2), ``"hardswish"`` (V3) and so on.

    Example:
        >>> stages = {"widths": (24, 40, 80, 112, 160), "strides": (2, 2, 2, 1, 2)}
        >>> layers = {"min_depth": 2, "expansions": (3, 4, 6), "squeezes": (False,), "multipliers": (1.0,)}
        >>> f"{Mobile(**stages, **layers).size:.1e}"  # Once-for-All
        '2.2e+19'
    """

    widths: tuple[int, ...] = (16, 24, 32, 64, 96, 160, 320)
    strides: tuple[int, ...] = (1, 2, 2, 2, 1, 2, 1)
    max_depth: int = 4
    min_depth: int = 1
    filters: int = STEM
    head: int = 1280
    multipliers: tuple[float, ...] = (0.75, 1.0, 1.25)
    kernels: tuple[int, ...] = (3, 5, 7)
    expansions: tuple[int, ...] = (1, 3, 6)
    squeezes: tuple[bool, ...] = (False, True)
    function: str = "relu6"

    def __post_init__(self) -> None:
        """Check counts and lists."""
        if len(self.widths) != len(self.strides):
            raise UsageError(
                f"each stage has a width and a stride, got {self.widths} and {self.strides}; give as many of each."
            )
        options = (self.widths, self.multipliers, self.kernels, self.expansions, self.squeezes)
        if not all(options) or min(self.filters, self.head, *self.widths, *self.strides) < 1:
            got = arguments_of(
                self, "widths", "strides", "filters", "head", "multipliers", "kernels", "expansions", "squeezes"
            )
            raise UsageError(f"widths, strides, filters and head are positive and no list is empty, got {got}.")
        if min(*self.expansions, *self.kernels) < 1 or not all(kernel % 2 for kernel in self.kernels):
            raise UsageError(
                f"expansions are at least 1 and kernels odd, got {self.expansions} and {self.kernels}; change them."
            )
        if not all(isinstance(squeeze, bool) for squeeze in self.squeezes):
            raise UsageError(f"squeezes are True or False, got {self.squeezes}; choose from these.")
        o.Activation(self.function)  # which knows the names
        if min(self.multipliers) <= 0 or not 1 <= self.min_depth <= self.max_depth:
            got = arguments_of(self, "multipliers", "min_depth", "max_depth")
            raise UsageError(f"multipliers are positive and 1 <= min_depth <= max_depth, got {got}.")

    @classmethod
    def small(cls) -> Self:
        """Return two stages of one or two narrow blocks."""
        return cls(widths=(16, 24), strides=(1, 2), max_depth=2, filters=16, head=32, kernels=(3, 5))

    @property
    def root(self) -> Block:
        """Width and depth of each stage, kernel, expansion and squeezing of each block."""
        return _tree(self)

    def _open_graph(self) -> Graph:
        b = Builder()
        image = b.input("image", self.input_shape)
        x = conv_norm_act(b, "stem", o.Conv2d(self.filters, 3, 2), self.function, image)
        for stage in range(len(self.widths)):
            x = self._stage(b, stage, x)
        head = divisible(self.head * max(self.filters / STEM, 1.0))
        x = conv_norm_act(b, "last", o.Conv2d(head, 1), self.function, x)
        return classified(b, x, self.n_outputs)

    def _stage(self, b: Builder, stage: int, x: Wire) -> Wire:
        make = MobileBlock(self.widths[stage] * self.filters / STEM, self.function)
        path = f"{stage}.blocks.n"
        ends = [x]
        for i in range(self.max_depth):
            place = f"{stage}.blocks.{i}"
            picks = [("multiplier", Pick(f"{stage}.width"))]
            picks += [(name, Pick(f"{place}.{name}")) for name in ("kernel", "expansion", "squeeze")]
            block = OpenOperation(make, (*picks, ("stride", 1 if i else self.strides[stage])))
            deep_enough = (path, frozenset(range(i + 1, self.max_depth + 1)))
            ends.append(b.add(f"block_{stage}_{i}", block, ends[-1], when=(deep_enough,)))
        depths = range(self.min_depth, self.max_depth + 1)
        return alternatives(*(under(ends[n], path, n) for n in depths))


@final
@dataclass(frozen=True)
class MobileBlock:
    """Makes a block of a stage from its decisions.

    Args:
        width: The stage's channels before the chosen factor.
        function: The activation.
    """

    width: float
    function: str

    def __call__(self, multiplier: float, **decided: int) -> InvertedResidual:
        """Return the block."""
        squeeze = bool(decided.pop("squeeze"))
        out = divisible(self.width * multiplier)
        return InvertedResidual(out, squeeze=squeeze, function=self.function, **decided)


@lru_cache(maxsize=64)
def _tree(space: Mobile) -> Group:
    block = Group(
        (
            ("kernel", choice(*space.kernels)),
            ("expansion", choice(*space.expansions)),
            ("squeeze", choice(*space.squeezes)),
        )
    )
    stage = Group(
        (
            ("width", choice(*space.multipliers)),
            ("blocks", repeat(block, at_least=space.min_depth, at_most=space.max_depth)),
        )
    )
    return Group(tuple((str(i), stage) for i in range(len(space.widths))))
