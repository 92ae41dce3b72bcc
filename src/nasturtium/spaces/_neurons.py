"""The space of neuro-evolution: networks of single neurons whose weights evolve too.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError, arguments_of, near_matches
from nasturtium.graphs import Builder, Edge, Graph
from nasturtium.graphs import operations as o
from nasturtium.graphs.operations._neuron import FUNCTIONS
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._circuit import Circuit
from nasturtium.spaces._genome import BIAS, Gene, Genome, Genomes, Innovation, check_genome
from nasturtium.spaces._genome_edits import connected, nudged, split, toggled
from nasturtium.spaces._growing import GrowingSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from typing_extensions import Self

    from nasturtium.spaces._architecture import Architecture


@final
@SPACES.register("neurons")
@dataclass(frozen=True, kw_only=True)
class Neurons(GrowingSpace, Genomes):
    """Neurons and weighted connections, extended without bound.

    Evolution begins with all inputs connected to all outputs and no hidden neuron. A random
    architecture is that after up to ``steps`` mutations. A mutation draws a weight anew, connects two
    ends, splits a connection by a neuron, or turns one on or off. Limits on ``params`` bound the
    number of connections in use.

    Args:
        hidden: Functions that a hidden neuron may have.
        output: The function of the output neurons.
        is_recurrent: Whether connections may go back; they bring the value of the time step before.
        bias: What the input that never changes is; 0 leaves it out.
        density: Share of the connections that the start has.
        layer: Hidden neurons at the start, in one layer that everything goes through.
        steps: Greatest number of mutations of a random architecture.
        spread: Standard deviation of a weight's mutation.
        input_shape: Shape of one example, set by ``on``.
        n_outputs: Values a network gives for one example, set by ``on``.

    Example:
        >>> import numpy as np
        >>> space = Neurons(input_shape=(2,), n_outputs=1)
        >>> architecture = space.start(np.random.default_rng(0))
        >>> [gene[:2] for gene in architecture["genes"]], space.graph(architecture).params
        ([('bias', 'y0'), ('x0', 'y0'), ('x1', 'y0')], 3)
    """

    hidden: tuple[str, ...] = ("steep-sigmoid",)
    output: str = "steep-sigmoid"
    is_recurrent: bool = False
    bias: float = 1.0
    density: float = 1.0
    layer: int = 0
    steps: int = 20
    spread: float = 1.0

    def __post_init__(self) -> None:
        """Check names and numbers."""
        for name in (*self.hidden, self.output):
            if name not in FUNCTIONS:
                raise UsageError(f"unknown function {name!r}; {near_matches(name, FUNCTIONS)}")
        is_sound = 0 < self.density <= 1 and self.spread > 0 and isfinite(self.bias)
        if min(self.layer, self.steps) < 0 or not self.hidden or not is_sound:
            got = arguments_of(self, "hidden", "layer", "steps", "density", "spread", "bias")
            raise UsageError(
                "there is a function, layer and steps are at least 0, density is in (0, 1], spread positive and bias "
                f"finite, got {got}; change them."
            )

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that a new hidden neuron may have."""
        return self.hidden

    @property
    def sources(self) -> tuple[str, ...]:
        """The inputs x0, x1, ... and the bias.

        Raises:
            UsageError: The space is not bound.
        """
        if self.input_shape is None:
            raise UsageError("the inputs are the task's, got a space without; bind it with .on(task).")
        return _sources(prod(self.input_shape), bool(self.bias))

    @property
    def targets(self) -> tuple[str, ...]:
        """The outputs y0, y1, ..."""
        return _targets(self.n_outputs or 1)

    def start(self, rng: np.random.Generator) -> Architecture:
        """Return the smallest network, its weights uniform in [-1, 1)."""
        layer = tuple(f"h{i}" for i in range(self.layer))
        ends = [(source, target) for target in layer or self.targets for source in self.sources]
        ends += [(source, target) for target in self.targets for source in layer]
        coins, weights = rng.random(len(ends)), rng.uniform(-1, 1, len(ends)).tolist()
        genes: dict[Innovation, Gene] = {
            (*pair, 0): Gene(weight)
            for pair, coin, weight in zip(ends, coins.tolist(), weights, strict=True)
            if coin < self.density
        }
        return Genome(dict.fromkeys(layer, self.hidden[0]), genes).architecture()

    def circuit(self, architecture: Architecture, mathematics: Any) -> Circuit:
        """Return what computes the network."""
        return Circuit(Genome.of(architecture), self.sources, self.targets, self.output, mathematics)

    def network(self, architecture: Architecture) -> Graph:
        """Return the graph: an input, its components that are read, and neurons with weights on their edges."""
        return _network(self, architecture)

    def _first(self, rng: np.random.Generator) -> Architecture:
        return self.start(rng)

    def _mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        genome = Genome.of(architecture)
        delay = int(self.is_recurrent and rng.random() < 0.2)
        edits = (
            lambda: nudged(genome, rng, self.spread),
            lambda: connected(genome, self, rng, delay, float(rng.uniform(-1, 1))),
            lambda: split(genome, self, rng),
            lambda: toggled(genome, rng),
        )
        for index in rng.permutation(len(edits)):
            child = edits[index]()
            if child is not None:
                return child.architecture()
        return self.start(rng)  # nothing to weigh, to split or to connect

    def _contains(self, architecture: Architecture) -> bool:
        try:
            genome = Genome.read(architecture)
            check_genome(genome, self)
        except UsageError:
            return False
        return genome.architecture() == architecture and {*genome.neurons.values()} <= {*self.hidden}

    def _read(self, data: Mapping[str, Any]) -> Architecture:
        return Genome.read(data).architecture()

    @classmethod
    def small(cls) -> Self:
        """Return recurrent networks that begin with few connections, and two functions."""
        return cls(hidden=("tanh", "gaussian"), is_recurrent=True, density=0.05)


@lru_cache(maxsize=64)
def _sources(n: int, has_bias: bool) -> tuple[str, ...]:
    return (*(f"x{i}" for i in range(n)), *((BIAS,) if has_bias else ()))


@lru_cache(maxsize=64)
def _targets(n: int) -> tuple[str, ...]:
    return tuple(f"y{i}" for i in range(n))


@lru_cache(maxsize=512)
def _network(space: Neurons, architecture: Architecture) -> Graph:
    genome = Genome.of(architecture)
    b = Builder()
    x = b.input("x", space.input_shape)
    enabled = {name: gene.weight for name, gene in genome.genes.items() if gene.is_enabled}
    read = {source for source, _, _ in enabled}
    for index, name in enumerate(space.sources):
        if name in read:
            b.add(name, o.One() if name == BIAS else o.Component(index), x)
    order = genome.order(space.targets)
    arriving: dict[str, list[Edge]] = {name: [] for name in order}
    for (source, target, delay), weight in enabled.items():
        scale = space.bias if source == BIAS else 1.0
        arriving[target].append(Edge(source, delay=delay, weight=weight * scale))
    if any(all(edge.delay for edge in edges) for edges in arriving.values()):
        b.add("zero", o.Zero(), b.add("nothing", o.Component(0), x))
    for name in order:
        edges = arriving[name]
        # What nothing reaches without delay reads zero, so that its batch is known at the first step.
        known = edges if any(not edge.delay for edge in edges) else [Edge("zero"), *edges]
        b.add(name, o.Neuron(genome.neurons.get(name, space.output)), *((edge,) for edge in known))
    return b.graph(b.add("output", o.Concat(), *((Edge(name),) for name in space.targets)))
