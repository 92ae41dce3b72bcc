"""The space of NAS-Bench-Macro: a chain of inverted residuals, each of which may be left out.

Su, Huang, Li, You, Wang, Qian, Zhang & Xu 2021, "Prioritized Architecture Sampling with Monto-Carlo Tree
Search", CVPR (arXiv 2103.11922), section 5 and appendix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph, alternatives, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Operation, Shape
    from nasturtium.spaces._architecture import Architecture

BLOCKS: Mapping[str, tuple[int, int] | None] = {"identity": None, "mb3_k3": (3, 3), "mb6_k5": (6, 5)}
"""The benchmark's three candidates in its order: expansion and kernel of an inverted residual."""


@final
@SPACES.register("macro")
@dataclass(frozen=True, kw_only=True)
class Macro(NetworkSpace):
    """Chains of positions that hold one of two mobile blocks or none, 6,561 in all (Su et al. 2021).

    The first position of a stage halves the image and doubles the channels; nothing there is a
    normalized 1x1 convolution with stride 2. Elsewhere nothing is the identity, so that of two
    networks whose stages differ only in where the identities stand, ``graph.key`` is one. The text
    form is the benchmark's own, a digit a position. The defaults are its network for CIFAR-10.

    Args:
        layers: Positions of each stage.
        filters: Channels of the stem.
        head: Channels before the mean.

    Example:
        >>> space = Macro()
        >>> a = space.parse("01200210")
        >>> space.size, a["layer_2"]
        (6561, 'mb6_k5')
    """

    layers: tuple[int, ...] = (2, 3, 3)
    filters: int = 32
    head: int = 1280
    input_shape: Shape | None = (3, 32, 32)
    n_outputs: int | None = 10

    def __post_init__(self) -> None:
        """Check the counts."""
        if not self.layers or min(*self.layers, self.filters, self.head) < 1:
            got = arguments_of(self, "layers", "filters", "head")
            raise UsageError(f"layers, filters and head are at least 1, got {got}; raise them.")

    @classmethod
    def small(cls) -> Self:
        """Return two narrow stages."""
        return cls(layers=(2, 3), filters=4, head=16)

    @property
    def root(self) -> Block:
        """What stands at each position."""
        return _tree(sum(self.layers))

    def text(self, architecture: Architecture) -> str:
        """Return the benchmark's digits; JSON if training hyper-parameters are decided, too."""
        if self.hyperparameters:
            return architecture.text
        names = list(BLOCKS)
        return "".join(str(names.index(architecture[f"layer_{i}"])) for i in range(sum(self.layers)))

    def _notated(self, text: str) -> Mapping[str, Any]:
        digits = text.strip()
        if len(digits) != sum(self.layers) or not set(digits) <= {"0", "1", "2"}:
            raise UsageError(f"a network is written as {sum(self.layers)} digits 0, 1 or 2, got {text!r}; give all.")
        return {f"layer_{i}": list(BLOCKS)[int(digit)] for i, digit in enumerate(digits)}

    def _open_graph(self) -> Graph:
        b = Builder()
        x = b.add("stem", o.Conv(self.filters, 3), b.input("image", self.input_shape))
        channels, number = self.filters, 0
        for n in self.layers:
            for position in range(n):
                out, path = (channels if position else 2 * channels), f"layer_{number}"
                ends = []
                for name in BLOCKS:
                    when = ((path, frozenset({name})),)
                    node = b.add(f"{name}_{number}", _block(name, channels, out), x, when=when)
                    ends.append(under(node, path, name))
                x, channels, number = alternatives(*ends), out, number + 1
        return classified(b, b.add("last", o.Conv(self.head, 1), x), self.n_outputs)


@lru_cache(maxsize=16)
def _tree(n_layers: int) -> Group:
    return Group(tuple((f"layer_{i}", choice(*BLOCKS)) for i in range(n_layers)))


@lru_cache(maxsize=256)
def _block(name: str, channels: int, out: int) -> Operation:
    """Return what stands at a position; where it widens, it also takes every other pixel."""
    stride, sizes = (1 if out == channels else 2), BLOCKS[name]
    if sizes is None:
        return o.Identity() if stride == 1 else o.Projection(out, stride)
    expansion, kernel = sizes
    return o.InvertedResidual(out, kernel, stride, expansion, function="relu")
