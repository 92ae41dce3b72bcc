"""MetaQNN's layers: chains that choose layer by layer what comes next, until one ends them.

Baker, Gupta, Naik & Raskar 2017, "Designing Neural Network Architectures using Reinforcement
Learning" (arXiv 1611.02167), section 4.2.

Departures: a convolution is normalized instead of being initialized by Xavier and regularized by
dropout, which belong to training, so that deep chains learn under any estimator. Windows are padded,
so that a pool divides the side and rounds up or down. A window must fit the image itself, of which
the paper knows the size class only. As in the authors' code, the first layer is no pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.graphs import Builder, Graph, Operation, Wire, alternatives, chain_of, under
from nasturtium.graphs import operations as o
from nasturtium.spaces._decision import Categorical
from nasturtium.spaces._tree import BLOCKS, Ask, Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nasturtium.graphs import Shape
    from nasturtium.spaces._decision import Value

POOLS = ((5, 3), (3, 2), (2, 2))
"""Window and stride of the paper's pools."""

SMALL = 8
"""Below this side an image may be led into a fully connected layer."""

MAX_DENSE = 2
"""Fully connected layers in a row."""


@final
@dataclass(frozen=True)
class Convolution:
    """A layer that keeps the side."""

    width: int
    kernel: int

    @property
    def operation(self) -> Operation:
        """Convolution, normalization and ReLU."""
        return o.Conv(self.width, self.kernel)


@final
@dataclass(frozen=True)
class Pool:
    """A layer that divides the side."""

    kernel: int
    stride: int

    @property
    def operation(self) -> Operation:
        """The maximum over windows."""
        return o.MaxPool(self.kernel, self.stride)


@final
@dataclass(frozen=True)
class FullyConnected:
    """A fully connected layer."""

    units: int

    @property
    def operation(self) -> Graph:
        """Linear layer and ReLU, of an image's values too."""
        parts: list[tuple[str, Operation]] = [("flatten", o.Flatten()), ("linear", o.Linear(self.units))]
        return chain_of([*parts, ("relu", o.Activation("relu"))])


@final
@dataclass(frozen=True)
class End:
    """The last layer, which gives the outputs.

    Args:
        is_global: Whether each channel's mean is classified (GAP), not all values (softmax).
    """

    is_global: bool


Layer = Convolution | Pool | FullyConnected | End


@final
@dataclass(frozen=True)
class State:
    """What decides which layers are legal: the image's side (0 for a vector) and the last layers.

    Args:
        side: Of the image that the next layer takes, the smaller one.
        is_first: Whether there is no layer before.
        after_pool: Whether the last layer is a pool.
        units: Of the last layer if it is fully connected, else 0.
        n_dense: How many fully connected layers there are.
    """

    side: int
    is_first: bool = True
    after_pool: bool = False
    units: int = 0
    n_dense: int = 0

    def allows(self, layer: Layer) -> bool:
        """Return whether a layer may come next."""
        match layer:
            case End(is_global):
                return not (is_global and self.units)
            case FullyConnected(units):
                return self.n_dense < MAX_DENSE and (units <= self.units if self.units else self.side < SMALL)
            case Pool(kernel):
                return not (self.units or self.is_first or self.after_pool) and kernel <= self.side
            case Convolution(_, kernel):
                return not self.units and kernel <= self.side

    def after(self, layer: Layer) -> State:
        """Return the state behind a layer."""
        match layer:
            case Pool():
                sides = layer.operation.shape((1, self.side, self.side))
                return State(sides[1], is_first=False, after_pool=True)
            case FullyConnected(units):
                return State(0, is_first=False, units=units, n_dense=self.n_dense + 1)
            case _:
                return State(self.side, is_first=False)


@final
@BLOCKS.register("metaqnn-layers")
@dataclass(frozen=True)
class Layers(Block):
    """One decision a layer, ``layer_0`` and so on, until one is ``"gap"`` or ``"softmax"``.

    Args:
        side: Of the images that enter, the smaller one.
        depth: Greatest number of layers before the last.
        widths: Channels of convolutions.
        kernels: Window sides of convolutions.
        units: Features of fully connected layers.
    """

    side: int
    depth: int
    widths: tuple[int, ...]
    kernels: tuple[int, ...]
    units: tuple[int, ...]

    @cached_property
    def named(self) -> Mapping[str, Layer]:
        """Every layer by its value in an architecture."""
        named: dict[str, Layer] = {f"conv({w},{k})": Convolution(w, k) for w in self.widths for k in self.kernels}
        named |= {f"pool({k},{s})": Pool(k, s) for k, s in POOLS}
        named |= {f"fc({n})": FullyConnected(n) for n in self.units}
        return named | {"gap": End(is_global=True), "softmax": End(is_global=False)}

    @cached_property
    def _ends(self) -> tuple[str, ...]:
        return tuple(name for name, layer in self.named.items() if isinstance(layer, End))

    def _options(self, index: int) -> tuple[str, ...]:
        return tuple(self.named) if index < self.depth else self._ends

    def decide(self, path: str, ask: Ask) -> None:
        """Ask layer by layer until one is the last."""
        for index in range(self.depth + 1):
            decision = Categorical(_place(path, index), self._options(index), _Legal(self, path, index))
            if ask(decision) in self._ends:
                return

    def paths(self, path: str) -> Iterator[str]:
        """Yield a path for each layer there may be."""
        for index in range(self.depth + 1):
            yield _place(path, index)

    def count(self) -> int:
        """Return the number of chains, by dynamic programming over states: exact in spite of the rule."""
        return _count(self, State(self.side), 0)

    def graph(self, shape: Shape | None, n_outputs: int | None) -> Graph:
        """Return the open graph: at each place every layer, of which the decision leaves one."""
        b = Builder()
        wire = b.input("image", shape)
        ends: list[Wire] = []
        for index in range(self.depth + 1):
            path, made = _place("", index), []
            for name in self._options(index):
                layer, when = self.named[name], ((path, frozenset({name})),)
                node = f"{'_'.join(_words(name))}_at_{index}"
                if isinstance(layer, End):
                    parts = [("values", o.GlobalPool() if layer.is_global else o.Flatten())]
                    last = b.add(node, chain_of([*parts, ("linear", o.Linear(n_outputs))]), wire, when=when)
                    ends.append(under(last, path, name))
                else:
                    made.append(under(b.add(node, layer.operation, wire, when=when), path, name))
            wire = alternatives(*made)
        return b.graph(alternatives(*ends))


def _place(path: str, index: int) -> str:
    return f"{path}.layer_{index}" if path else f"layer_{index}"


def _words(name: str) -> list[str]:
    return name.replace("(", " ").replace(")", " ").replace(",", " ").split()


@final
@dataclass(frozen=True)
class _Legal:
    """The rule of a layer: what the layers before it allow."""

    layers: Layers
    path: str
    index: int

    def __call__(self, prefix: Mapping[str, Value], value: Value) -> bool:
        """Return whether a layer may come next."""
        before = tuple([prefix[_place(self.path, i)] for i in range(self.index)])
        return isinstance(value, str) and _state(self.layers, before).allows(self.layers.named[value])


@lru_cache(maxsize=1 << 14)
def _state(layers: Layers, values: tuple[str, ...]) -> State:
    if not values:
        return State(layers.side)
    return _state(layers, values[:-1]).after(layers.named[values[-1]])


@lru_cache(maxsize=1 << 14)
def _count(layers: Layers, state: State, index: int) -> int:
    n = 0
    for name in layers._options(index):
        layer = layers.named[name]
        if state.allows(layer):
            n += 1 if isinstance(layer, End) else _count(layers, state.after(layer), index + 1)
    return n
