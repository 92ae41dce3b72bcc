"""Chains with optional skips: multi-branch networks, of which residual and dense nets are members.

Elsken, Metzen & Hutter 2019 (arXiv 1808.05377), section 2, equations of g_i: layer i takes
g_i(L_{i-1}, ..., L_0), of which the chain (L_{i-1}), the residual network (L_{i-1} + L_j) and the dense
one (the concatenation of all) are cases. Layer 0 is the stem.

A layer is batch normalization, ReLU and an operation (He et al. 2016b, "Identity mappings in deep
residual networks", arXiv 1603.05027; Huang et al. 2017 on dense nets use it too), and the networks
end in one more g. So a residual net is a member exactly: what its blocks' shortcuts bring is the
sum of all outputs that the shortcuts before it brought.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of, near_matches
from nasturtium.graphs import Builder, Condition, Graph, Operation, Wire, alternatives, chain_of, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import choice, skip
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from typing_extensions import Self

MERGES: dict[str, Operation] = {"add": o.ShortcutSum(), "concat": o.ShortcutConcat()}
"""How the inputs of a layer are merged; neither has weights."""

OPERATION_NAMES = ("conv_1", "conv_3", "conv_5", "sep_conv_3", "sep_conv_5", "avg_pool_3", "max_pool_3")
"""What a layer may do; a pooling comes behind a 1x1 convolution, which sets the width."""


@lru_cache(maxsize=256)
def _layer(name: str, channels: int, stride: int) -> Graph:
    """Return the graph of a layer: norm -> ReLU -> operation."""
    kind, _, kernel = name.rpartition("_")
    side = int(kernel)
    parts: dict[str, list[tuple[str, Operation]]] = {
        "conv": [("conv", o.Conv2d(channels, side, stride))],
        "sep_conv": [("depthwise", o.Conv2d(None, side, stride, groups=0)), ("pointwise", o.Conv2d(channels, 1))],
        "avg_pool": [("conv", o.Conv2d(channels, 1)), ("pool", o.AvgPool(side, stride))],
        "max_pool": [("conv", o.Conv2d(channels, 1)), ("pool", o.MaxPool(side, stride))],
    }
    return chain_of([("norm", o.BatchNorm()), ("relu", o.Activation("relu")), *parts[kind]])


@final
@SPACES.register("branches")
@dataclass(frozen=True, kw_only=True)
class Branches(NetworkSpace):
    """Chains in which every layer may also take the outputs of any earlier layers (section 2).

    The layers stand in stages; the first layer of each stage but the first halves height and width.
    What a skip brings over such a border is read with a stride, and zeros stand for the channels
    that it lacks in a sum.

    Args:
        stages: Number of stages.
        layers: Layers of a stage.
        filters: Channels of the stem and of each layer of the first stage.
        growth: By what the channels are multiplied from stage to stage: 2 for residual nets, 1 for
            dense ones.
        operations: Names of the operations to choose from.
        merges: ``"add"``, ``"concat"`` or both.

    Example:
        >>> Branches(stages=1, layers=3, operations=("conv_3",), merges=("add",)).size
        64
    """

    stages: int = 3
    layers: int = 4
    filters: int = 8
    growth: int = 2
    operations: tuple[str, ...] = OPERATION_NAMES
    merges: tuple[str, ...] = ("add", "concat")

    def __post_init__(self) -> None:
        """Check counts and names."""
        if min(self.stages, self.layers, self.filters, self.growth) < 1:
            got = arguments_of(self, "stages", "layers", "filters", "growth")
            raise UsageError(f"stages, layers, filters and growth are at least 1, got {got}; raise them.")
        for given, known in ((self.operations, OPERATION_NAMES), (self.merges, tuple(MERGES))):
            if not given:
                got = arguments_of(self, "operations", "merges")
                raise UsageError(f"operations and merges are not empty, got {got}; name one of {list(known)}.")
            for name in given:
                if name not in known:
                    raise UsageError(f"unknown name {name!r} in branches; {near_matches(name, known)}")

    @classmethod
    def small(cls) -> Self:
        """Return two stages of two layers, four channels wide."""
        return cls(stages=2, layers=2, filters=4)

    @property
    def root(self) -> Block:
        """An operation, a merge and a bit an earlier output for every layer; the last one has no operation."""
        return _tree(self.stages * self.layers, self.operations, self.merges)

    def _open_graph(self) -> Graph:
        b = Builder()
        outputs = [b.add("stem", o.Conv2d(self.filters), b.input("image", self.input_shape))]
        for i in range(1, self.stages * self.layers + 1):
            stage, place = divmod(i - 1, self.layers)
            stride = 2 if stage and not place else 1
            taken = self._merged(b, i, outputs)
            outputs.append(self._layer(b, i, taken, self.filters * self.growth**stage, stride))
        x = b.add("norm", o.BatchNorm(), self._merged(b, len(outputs), outputs))
        return classified(b, b.add("relu", o.Activation("relu"), x), self.n_outputs)

    def _merged(self, b: Builder, i: int, outputs: list[Wire]) -> Wire:
        """Return g_i: the output before, and those of the skips."""
        if i == 1:
            return outputs[0]
        skips = [under(wire, f"{i}.skip_{j}", True) for j, wire in enumerate(outputs[:-1])]
        ends = []
        for merge in self.merges:
            path = f"{i}.merge"
            when: Condition = ((path, frozenset({merge})),)
            ends.append(under(b.add(f"{merge}_{i}", MERGES[merge], outputs[-1], *skips, when=when), path, merge))
        return alternatives(*ends)

    def _layer(self, b: Builder, i: int, taken: Wire, channels: int, stride: int) -> Wire:
        path = f"{i}.op"
        ends = []
        for name in self.operations:
            when: Condition = ((path, frozenset({name})),)
            ends.append(under(b.add(f"{name}_{i}", _layer(name, channels, stride), taken, when=when), path, name))
        return alternatives(*ends)


@lru_cache(maxsize=64)
def _tree(n_layers: int, operations: tuple[str, ...], merges: tuple[str, ...]) -> Group:
    def layer(i: int) -> Group:
        op = [("op", choice(*operations))] if i <= n_layers else []
        skips = [(f"skip_{j}", skip(str(j))) for j in range(i - 1)]
        return Group((*op, *([("merge", choice(*merges)), *skips] if skips else [])))

    return Group(tuple((str(i), layer(i)) for i in range(1, n_layers + 2)))
