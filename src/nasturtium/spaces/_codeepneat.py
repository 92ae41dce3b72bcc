"""The space of CoDeepNEAT: blueprints whose nodes are modules.

Miikkulainen et al. 2017, "Evolving Deep Neural Networks" (arXiv 1703.00548), sections 3.2 and 4.

Departures: layers normalize before they rectify, so that the paper's initial weight scale would
change nothing and is left out. Augmentation belongs to the task and does not evolve. Networks end
in global pooling and a linear layer, about which the paper is silent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of
from nasturtium.graphs import Builder, Graph, chain_of
from nasturtium.graphs import operations as o
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._chromosome import SINK, SOURCE, Chromosome, ChromosomeKind, Values, minimal, mutated
from nasturtium.spaces._decision import Categorical, Interval
from nasturtium.spaces._growing import GrowingSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from typing_extensions import Self

    from nasturtium.graphs import Operation, Wire
    from nasturtium.spaces._decision import Value

MERGE = Categorical("merge", ("sum", "concat"))
"""What joins several parents of a layer, larger images pooled down to the smallest."""

TRAINING = ("learning_rate", "momentum")
"""The settings of a blueprint behind the first, in order."""


class Assembled(ABC):
    """The capability of spaces whose architectures are assembled from two kinds of chromosomes."""

    @property
    @abstractmethod
    def module(self) -> ChromosomeKind:
        """What modules decide."""

    @abstractmethod
    def blueprint(self, species: tuple[int, ...]) -> ChromosomeKind:
        """Return what blueprints decide; the first value of a node is the species that it points to."""

    @abstractmethod
    def assemble(self, blueprint: Chromosome, modules: Mapping[int, Chromosome]) -> Architecture:
        """Return the architecture in which the same module stands at all nodes of a species."""


@final
@SPACES.register("codeepneat")
@dataclass(frozen=True, kw_only=True)
class CoDeepNEAT(GrowingSpace, Assembled):
    """Graphs of modules, which are graphs of layers (Miikkulainen et al. 2017).

    An architecture is a blueprint and the modules that its nodes point to, numbered in the order in
    which the blueprint comes across them. A layer is a convolution with normalization, dropout and
    perhaps pooling. Blueprint and modules grow by splitting and adding edges, without bound. The
    blueprint also sets how to train. A random architecture is a minimal one after up to ``steps``
    mutations; a mutation is one of the blueprint, of a module, or a node that points elsewhere.

    Args:
        filters: Least and greatest number of channels of a layer; the paper's are 32 and 256.
        kernels: Sides of a layer's window.
        dropout: Greatest rate of dropout behind a layer.
        learning_rate: Its least and greatest value.
        momentum: Its least and greatest value.
        steps: Greatest number of mutations of a random architecture.
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.
    """

    filters: tuple[int, int] = (8, 32)
    kernels: tuple[int, ...] = (1, 3)
    dropout: float = 0.7
    learning_rate: tuple[float, float] = (1e-4, 0.1)
    momentum: tuple[float, float] = (0.68, 0.99)
    steps: int = 10

    def __post_init__(self) -> None:
        """Check the ranges."""
        ranges = (self.filters, self.learning_rate, self.momentum)
        if any(not 0 < low <= high for low, high in ranges) or self.momentum[1] >= 1:
            raise UsageError(f"ranges are positive, rising and momentum less than 1, got {ranges}; change them.")
        if not self.kernels or self.steps < 0 or not 0 <= self.dropout < 1:
            got = arguments_of(self, "kernels", "steps", "dropout")
            raise UsageError(f"there is a kernel, steps >= 0 and dropout in [0, 1), got {got}; change them.")

    @classmethod
    def small(cls) -> Self:
        """Return narrow layers and small random networks."""
        return cls(filters=(4, 16), steps=3)

    @property
    def module(self) -> ChromosomeKind:
        """Filters, kernel, dropout and pooling of each layer; how layers merge."""
        low, high = self.filters
        filters = Interval("filters", low, high, is_log=True, is_integer=True)
        dropout = Interval("dropout", 0.0, self.dropout, is_log=False, is_integer=False)
        pool = Categorical("pool", (False, True))
        return ChromosomeKind((filters, Categorical("kernel", self.kernels), dropout, pool), (MERGE,))

    def blueprint(self, species: tuple[int, ...]) -> ChromosomeKind:
        """Return the species that each node points to; how modules merge, learning rate and momentum."""
        rate = Interval("learning_rate", *self.learning_rate, is_log=True, is_integer=False)
        momentum = Interval("momentum", *self.momentum, is_log=False, is_integer=False)
        return ChromosomeKind((Categorical("species", species),), (MERGE, rate, momentum))

    def assemble(self, blueprint: Chromosome, modules: Mapping[int, Chromosome]) -> Architecture:
        """Return the architecture; species are numbered anew, in the order of the blueprint's nodes."""
        used = tuple(dict.fromkeys(species_of(values) for _, values in blueprint.nodes))
        nodes = tuple((name, (used.index(species_of(values)),)) for name, values in blueprint.nodes)
        plan = replace(blueprint, nodes=nodes).to_json()
        return Architecture({"blueprint": plan, "modules": tuple(modules[number].to_json() for number in used)})

    def training(self, architecture: Architecture) -> Mapping[str, Value]:
        """Return learning rate and momentum."""
        return dict(zip(TRAINING, architecture["blueprint"][2][1:], strict=True))

    def network(self, architecture: Architecture) -> Graph:
        """Return the graph, whose nodes are graphs of layers."""
        return _network(self, architecture)

    def parts(self, architecture: Architecture) -> tuple[Chromosome, tuple[Chromosome, ...]]:
        """Return the blueprint and its modules.

        Raises:
            UsageError: The architecture is not of this space.
        """
        try:
            modules = tuple(Chromosome.of(data, self.module) for data in architecture["modules"])
            kind = self.blueprint(tuple(range(len(modules))))
            blueprint = Chromosome.of(architecture["blueprint"], kind)
            is_same = self.assemble(blueprint, dict(enumerate(modules))) == architecture
        except (TypeError, LookupError) as error:
            raise UsageError(f"an assembly has a blueprint and modules, got {architecture.text}.") from error
        if not is_same:
            raise UsageError(f"modules are numbered as the blueprint's nodes meet them, got {architecture.text}.")
        return blueprint, modules

    def _first(self, rng: np.random.Generator) -> Architecture:
        return self.assemble(minimal(self.blueprint((0,)), rng), {0: minimal(self.module, rng)})

    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        blueprint, known = self.parts(architecture)
        modules = dict(enumerate(known))
        if rng.random() < 0.5:
            number = int(rng.integers(len(modules)))
            return self.assemble(blueprint, {**modules, number: mutated(modules[number], self.module, rng)})
        species = tuple(range(len(modules) + 1))  # the last is a module that is not there yet
        changed = mutated(blueprint, self.blueprint(species), rng)
        return self.assemble(changed, {**modules, len(modules): minimal(self.module, rng)})

    def _contains(self, architecture: Architecture) -> bool:
        try:
            self.parts(architecture)
        except UsageError:
            return False
        return True


def species_of(values: Values) -> int:
    """Return the species that a blueprint's node points to."""
    return int(values[0])


@lru_cache(maxsize=512)
def _network(space: CoDeepNEAT, architecture: Architecture) -> Graph:
    blueprint, modules = space.parts(architecture)
    graphs = [_module(module) for module in modules]
    b = Builder()
    image = b.input("image", space.input_shape)
    x = _wired(b, blueprint, image, {name: graphs[species_of(values)] for name, values in blueprint.nodes})
    x = b.add("global_pool", o.GlobalPool(), x)
    return b.graph(b.add("head", o.Linear(space.n_outputs), x))


def _module(module: Chromosome) -> Graph:
    b = Builder()
    return b.graph(_wired(b, module, b.input(SOURCE), {name: _layer(*values) for name, values in module.nodes}))


def _layer(filters: int, kernel: int, dropout: float, pool: bool) -> Graph:
    parts: list[tuple[str, Operation]] = [("conv", o.Conv(filters, kernel)), ("dropout", o.Dropout(dropout))]
    return chain_of([*parts, ("pool", o.Halve())] if pool else parts)


def _wired(b: Builder, chromosome: Chromosome, source: Wire, nodes: Mapping[str, Graph]) -> Wire:
    """Add a chromosome's nodes, several parents of one merged, and return what leads to its sink."""
    merge = o.PooledSum() if chromosome.settings[0] == "sum" else o.PooledConcat()
    wires = {SOURCE: source}
    for name in chromosome.order()[1:]:
        arriving = [wires[parent] for parent in chromosome.sources(name)]
        x = arriving[0] if len(arriving) == 1 else b.add(f"merge_{name}", merge, *arriving)
        wires[name] = b.add(name, nodes[name], x) if name in nodes else x
    return wires[SINK]
