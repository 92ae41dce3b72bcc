"""The size search space of NATS-Bench: how wide each part of a fixed network is.

Dong, Liu, Musial & Gabrys 2021, "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology
and Size" (arXiv 2009.00437), section 2.2, and the authors' code for what a cell does that changes
the channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Graph, OpenOperation, Operation, Pick
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Shape
    from nasturtium.spaces._architecture import Architecture

WIDTHS = tuple(f"width_{i}" for i in range(1, 6))
"""The decisions: cell, residual block, cell, residual block, cell; the stem is as wide as the first."""


@final
@SPACES.register("nats-size")
@dataclass(frozen=True, kw_only=True)
class NATSSize(NetworkSpace):
    """The 32,768 networks of three cells of NAS-Bench-201 that differ in five widths (Dong et al. 2021).

    All cells are the best one of the topology space on CIFAR-100. Residual blocks between them halve
    the image. What a cell's first node reads changes the channels: convolutions do that anyway, and
    its skip becomes a normalized 1x1 convolution where it must. The text form is the benchmark's own.

    Args:
        widths: The channels to choose from.

    Example:
        >>> space = NATSSize()
        >>> space.graph(space.parse("8:8:8:8:8")).params
        11714
    """

    widths: tuple[int, ...] = (8, 16, 24, 32, 40, 48, 56, 64)
    input_shape: Shape | None = (3, 32, 32)
    n_outputs: int | None = 10

    def __post_init__(self) -> None:
        """Check the widths."""
        if not self.widths or min(self.widths) < 1:
            raise UsageError(f"widths are at least one, and positive, got {self.widths}; change them.")

    @classmethod
    def small(cls) -> Self:
        """Return up to eight channels."""
        return cls(widths=(2, 4, 8))

    @property
    def root(self) -> Block:
        """The five widths."""
        return _tree(self.widths)

    def text(self, architecture: Architecture) -> str:
        """Return the benchmark's string; JSON if training hyper-parameters are decided, too."""
        if self.hyperparameters:
            return architecture.text
        return ":".join(str(architecture[name]) for name in WIDTHS)

    def _notated(self, text: str) -> Mapping[str, Any]:
        widths = text.strip().split(":")
        if len(widths) != len(WIDTHS) or not all(width.isdecimal() for width in widths):
            raise UsageError(f"a size is written 8:16:24:32:40, got {text!r}; give five numbers.")
        return dict(zip(WIDTHS, map(int, widths), strict=True))

    def _open_graph(self) -> Graph:
        b = Builder()
        x = b.add("stem", _as_wide(o.Conv2d, "width_1", kernel=3), b.input("image", self.input_shape))
        x = b.add("stem_norm", o.BatchNorm(), x)
        for number, width in enumerate(WIDTHS):
            if number % 2:
                x = b.add(f"reduction_{number // 2 + 1}", _as_wide(o.ResidualReduction, width), x)
            else:
                x = b.add(f"cell_{number // 2}", _cell(width), x)
        return classified(b, b.add("relu", o.Activation("relu"), b.add("norm", o.BatchNorm(), x)), self.n_outputs)


@lru_cache(maxsize=16)
def _tree(widths: tuple[int, ...]) -> Group:
    return Group(tuple((name, choice(*widths)) for name in WIDTHS))


def _as_wide(make: Callable[..., Operation], path: str, **arguments: Any) -> OpenOperation:
    """Return the operation whose output channels a decision sets."""
    return OpenOperation(make, (("out", Pick(path)), *arguments.items()))


@lru_cache(maxsize=8)
def _cell(width: str) -> Graph:
    """Return ``|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|``."""
    entering = _as_wide(o.Conv, width, kernel=3, preactivated=True)
    inner = o.Conv(None, 3, preactivated=True)
    b = Builder()
    x = b.input("node_0")
    node_1 = b.add("conv_0_1", entering, x)
    node_2 = b.add("node_2", o.Add(), b.add("conv_0_2", entering, x), b.add("conv_1_2", inner, node_1))
    skip = b.add("skip_0_3", _as_wide(o.Projection, width), x)
    ends = b.add("conv_1_3", inner, node_1), b.add("conv_2_3", inner, node_2)
    return b.graph(b.add("node_3", o.Add(), skip, *ends))
