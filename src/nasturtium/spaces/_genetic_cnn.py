"""The space of Genetic CNN: which of a stage's ordered nodes feed which.

Xie & Yuille 2017, "Genetic CNN", ICCV (arXiv 1703.01513), section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph, Wire
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Shape
    from nasturtium.spaces._architecture import Architecture

Edges = tuple[tuple[int, int], ...]
"""(source, target) numbers of a stage's nodes, counted from 1."""


@final
@SPACES.register("genetic-cnn")
@dataclass(frozen=True, kw_only=True)
class GeneticCNNSpace(ClosedNetworkSpace):
    """Networks of a few stages, each with a bit for every pair of its nodes (Xie & Yuille 2017).

    A node is a 3x3 convolution of the sum of what feeds it. A further convolution, 5x5, reads the
    stage before and feeds the nodes that nothing else feeds; another one, 3x3, reads the sum of the
    nodes that feed none. A node without any edge is left out, so there is no open graph; of a stage
    without edges the first convolution stays alone. Max-pooling ends a stage; two fully connected
    layers end the network.

    The text form is the paper's, stages separated by blanks: ``0-01 1-00-111`` are the bits of the
    second and the third node of one stage, and of the second to the fourth of another. The defaults
    are those of the CIFAR-10 experiment; for MNIST the paper has ``nodes=(3, 5), filters=(20, 50),
    pool=2, hidden=500``.

    Args:
        nodes: Nodes of each stage.
        filters: Channels of each stage.
        pool: Side of the pooling windows, whose step is 2.
        hidden: Features of the fully connected layer before the last.

    Example:
        >>> space = GeneticCNNSpace()
        >>> space.size, space.text(next(iter(space)))
        (524288, '0-00 0-00-000 0-00-000-0000')
    """

    nodes: tuple[int, ...] = (3, 4, 5)
    filters: tuple[int, ...] = (8, 16, 32)
    pool: int = 3
    hidden: int = 128
    input_shape: Shape | None = (3, 32, 32)
    n_outputs: int | None = 10

    def __post_init__(self) -> None:
        """Check the counts."""
        if not all(isinstance(counts, tuple) for counts in (self.nodes, self.filters)):
            got = f"nodes={self.nodes!r} and filters={self.filters!r}"
            raise UsageError(f"each stage has nodes and filters, got {got}; give tuples such as (3, 4).")
        if len(self.nodes) != len(self.filters) or not self.nodes:
            raise UsageError(f"each stage has nodes and filters, got {self.nodes} and {self.filters}; give as many.")
        if min(*self.nodes, *self.filters, self.pool, self.hidden) < 1:
            got = arguments_of(self, "nodes", "filters", "pool", "hidden")
            raise UsageError(f"nodes, filters, pool and hidden are at least 1, got {got}; raise them.")

    @classmethod
    def small(cls) -> Self:
        """Return two narrow stages of three and four nodes."""
        return cls(nodes=(3, 4), filters=(4, 4), hidden=8)

    @property
    def root(self) -> Block:
        """The bits of each stage, by their target."""
        return _tree(self.nodes)

    def text(self, architecture: Architecture) -> str:
        """Return the paper's notation; JSON if training hyper-parameters are decided, too."""
        if self.hyperparameters:
            return architecture.text
        stages = []
        for s, n in enumerate(self.nodes):
            stages.append(
                "-".join("".join(str(architecture[_path(s, i, j)]) for i in range(1, j)) for j in range(2, n + 1))
            )
        return " ".join(stages)

    def _notated(self, text: str) -> Mapping[str, Any]:
        bits = text.replace("-", "").replace(" ", "").strip()
        paths = [_path(s, *pair) for s, n in enumerate(self.nodes) for pair in _pairs(n)]
        if len(bits) != len(paths) or not set(bits) <= {"0", "1"}:
            raise UsageError(f"a network is written like {self.text(self._member(0.0))}, got {text!r}; give all bits.")
        return dict(zip(paths, map(int, bits), strict=True))

    def _network(self, architecture: Architecture) -> Graph:
        b = Builder()
        x = b.input("image", self.input_shape)
        for s, (n, filters) in enumerate(zip(self.nodes, self.filters, strict=True)):
            edges = tuple(pair for pair in _pairs(n) if architecture[_path(s, *pair)])
            x = b.add(f"stage_{s}", _stage(edges, filters), x)
            x = b.add(f"pool_{s}", o.MaxPool(self.pool, 2), x)
        x = b.add("hidden", o.Linear(self.hidden), b.add("flatten", o.Flatten(), x))
        x = b.add("dropout", o.Dropout(0.5), b.add("relu", o.Activation("relu"), x))
        return b.graph(b.add("head", o.Linear(self.n_outputs), x))


def _pairs(n_nodes: int) -> list[tuple[int, int]]:
    """Return (1, 2), (1, 3), (2, 3), (1, 4) and so on."""
    return sorted(combinations(range(1, n_nodes + 1), 2), key=lambda pair: (pair[1], pair[0]))


def _path(stage: int, source: int, target: int) -> str:
    return f"stage_{stage}.edge_{source}_{target}"


@lru_cache(maxsize=16)
def _tree(nodes: tuple[int, ...]) -> Group:
    def stage(n: int) -> Group:
        return Group(tuple((f"edge_{i}_{j}", choice(0, 1)) for i, j in _pairs(n)))

    return Group(tuple((f"stage_{s}", stage(n)) for s, n in enumerate(nodes)))


@lru_cache(maxsize=2048)
def _stage(edges: Edges, filters: int) -> Graph:
    """Return a stage of these edges, its nodes those that have one."""
    node = o.Conv(filters, 3)
    b = Builder()
    entry = b.add("input", o.Conv(filters, 5), b.input("x"))
    wires: dict[int, Wire] = {}
    for j in sorted({end for edge in edges for end in edge}):
        before = [wires[i] for i, target in edges if target == j]
        x = b.add(f"sum_{j}", o.Add(), *before) if len(before) > 1 else (before or [entry])[0]
        wires[j] = b.add(f"node_{j}", node, x)
    ends = [wire for j, wire in wires.items() if all(source != j for source, _ in edges)]
    if not ends:
        return b.graph(entry)
    return b.graph(b.add("output", node, b.add("sum", o.Add(), *ends) if len(ends) > 1 else ends[0]))
