"""Genomes: networks of single neurons, weights included, as evolution varies them.

A connection is known by what it connects: (source, target, delay). A neuron that splits a connection
is named after it. So the same innovation has the same name wherever and whenever it arises, which is
what NEAT's innovation numbers are for. Departure: they are equal across generations too, where
Stanley & Miikkulainen 2002 number anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, final

from nasturtium.errors import UsageError
from nasturtium.graphs.operations._neuron import FUNCTIONS
from nasturtium.spaces._architecture import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from nasturtium.spaces._circuit import Circuit

Innovation = tuple[str, str, int]
"""What a connection is known by: source, target, and a delay of 0 or 1 time steps."""

BIAS = "bias"
"""The name of the input that never changes."""


class Gene(NamedTuple):
    """A connection.

    Args:
        weight: Its factor.
        is_enabled: Whether it is there at all, or only remembered.
    """

    weight: float
    is_enabled: bool = True


@final
@dataclass(frozen=True, slots=True)
class Genome:
    """Hidden neurons and connections; do not change the mappings.

    The connections of delay 0, disabled ones included, have no cycle.

    Args:
        neurons: The function of each hidden neuron.
        genes: The connections.
    """

    neurons: Mapping[str, str]
    genes: Mapping[Innovation, Gene]

    @staticmethod
    def of(architecture: Architecture) -> Genome:
        """Return the genome that an architecture holds; the last ones are kept."""
        form = architecture.form
        return form if isinstance(form, Genome) else _decoded(architecture)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Genome:
        """Return the genome of JSON data, whose types are checked.

        Raises:
            UsageError: The data is malformed.
        """
        try:
            neurons = {str(name): str(function) for name, function in data["neurons"]}
            genes = {(str(s), str(t), int(d)): Gene(float(w), bool(on)) for s, t, d, w, on in data["genes"]}
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"a genome has neurons and genes, got {dict(data)} ({error!r}); see describe.") from error
        if {*data} != {"neurons", "genes"} or len(neurons) != len(data["neurons"]) or len(genes) != len(data["genes"]):
            raise UsageError(f"a genome has neurons and genes, each once, got {dict(data)}; take the others out.")
        return cls(neurons, genes)

    def architecture(self) -> Architecture:
        """Return the architecture, in the one order that equal genomes share."""
        neurons, genes = sorted(self.neurons), sorted(self.genes)
        if genes == [*self.genes] and neurons == [*self.neurons]:
            return Architecture.of(self)
        return Architecture.of(
            Genome({name: self.neurons[name] for name in neurons}, {name: self.genes[name] for name in genes})
        )

    def content(self) -> dict[str, Any]:
        """Return the content of the architecture."""
        genes = tuple([(*name, *gene) for name, gene in self.genes.items()])
        return {"neurons": tuple(self.neurons.items()), "genes": genes}

    def successors(self) -> dict[str, list[str]]:
        """Return the targets of each source's connections of delay 0."""
        found: dict[str, list[str]] = {}
        for source, target, delay in self.genes:
            if not delay:
                found.setdefault(source, []).append(target)
        return found

    def closes_cycle(self, source: str, target: str) -> bool:
        """Return whether a connection of delay 0 would close a cycle."""
        if source == target:
            return True
        after = self.successors()
        reached, left = {target}, [target]
        while left:
            for name in after.get(left.pop(), ()):
                if name == source:
                    return True
                if name not in reached:
                    reached.add(name)
                    left.append(name)
        return False

    def order(self, last: tuple[str, ...]) -> list[str]:
        """Return all neurons so that each comes after those it reads without delay.

        Args:
            last: The output neurons.

        Raises:
            UsageError: The connections of delay 0 have a cycle.
        """
        after = self.successors()
        names = [*sorted(self.neurons), *last]
        n_before = dict.fromkeys(names, 0)
        for source, target, delay in self.genes:
            if not delay and source in n_before:
                n_before[target] += 1
        ready = [name for name in reversed(names) if not n_before[name]]
        found: list[str] = []
        while ready:
            found.append(ready.pop())
            for name in after.get(found[-1], ()):
                n_before[name] -= 1
                if not n_before[name]:
                    ready.append(name)
        if len(found) < len(names):
            left = sorted({*names} - {*found})
            raise UsageError(f"connections of delay 0 have no cycle, got one in {left}; delay one.")
        return found


@lru_cache(maxsize=4096)
def _decoded(architecture: Architecture) -> Genome:
    genes = {(s, t, delay): Gene(weight, on) for s, t, delay, weight, on in architecture["genes"]}
    return Genome(dict(architecture["neurons"]), genes)


def split_name(innovation: Innovation, taken: Mapping[str, str]) -> str:
    """Return the name of the neuron that splits a connection: that of its content.

    A connection that is split once more, after it was enabled again, gives another name.

    Example:
        >>> split_name(("x0", "y0", 0), {})
        'hae17078a'
    """
    for count in range(len(taken) + 1):
        digest = blake2b(f"{innovation} {count}".encode(), digest_size=4).hexdigest()
        if f"h{digest}" not in taken:
            break
    return f"h{digest}"


class Genomes(ABC):
    """The capability of growing spaces whose architectures are genomes."""

    @property
    @abstractmethod
    def sources(self) -> tuple[str, ...]:
        """The names of the inputs, the bias among them."""

    @property
    @abstractmethod
    def bias(self) -> float:
        """What the bias is; 0 where there is none."""

    @property
    @abstractmethod
    def targets(self) -> tuple[str, ...]:
        """The names of the output neurons."""

    @property
    @abstractmethod
    def functions(self) -> tuple[str, ...]:
        """The functions that a new hidden neuron may have."""

    @property
    @abstractmethod
    def is_recurrent(self) -> bool:
        """Whether connections may have a delay."""

    @abstractmethod
    def start(self, rng: np.random.Generator) -> Architecture:
        """Return the smallest network with random weights: where evolution begins."""

    @abstractmethod
    def circuit(self, architecture: Architecture, mathematics: Any) -> Circuit:
        """Return what computes the network: of floats with ``math``, of arrays with ``numpy``."""


def check_genome(genome: Genome, space: Genomes) -> None:
    """Check that a genome is a network of a space.

    Raises:
        UsageError: It names what is not there, has a cycle without delay or a weight that is not finite.
    """
    inputs, readers = {*space.sources}, {*genome.neurons, *space.targets}
    if len(readers) != len(genome.neurons) + len(space.targets) or inputs & readers:
        raise UsageError(f"neurons have names of their own, got {sorted(genome.neurons)}; rename them.")
    for name, function in genome.neurons.items():
        if not (name.isidentifier() and name.isascii()) or function not in FUNCTIONS:
            raise UsageError(f"a neuron is an identifier and a function, got {name!r} and {function!r}; change them.")
    for (source, target, delay), gene in genome.genes.items():
        if source not in inputs and source not in readers:
            raise UsageError(f"a connection comes from an input or a neuron, got {source!r}; name one.")
        if target not in readers or delay not in ((0, 1) if space.is_recurrent else (0,)) or not isfinite(gene.weight):
            raise UsageError(f"a connection leads to a neuron, got {(source, target, delay, gene.weight)}; change it.")
    genome.order(space.targets)
