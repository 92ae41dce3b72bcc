"""Edits of genomes: small pure functions that NEAT, GNARL and the space's own mutation share.

Each returns the edited genome, or None where there is nothing to edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.spaces._genome import BIAS, Gene, Genome, Genomes, Innovation, split_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

TRIES = 20
"""How often a random place for a new connection is drawn (NEAT 1.2.1)."""


def drawn(items: Iterable[Innovation], rng: np.random.Generator) -> Innovation | None:
    """Return one of some connections, uniformly; None if there is none."""
    known = list(items)
    return known[int(rng.random() * len(known))] if known else None


def connected(genome: Genome, space: Genomes, rng: np.random.Generator, delay: int, weight: float) -> Genome | None:
    """Return the genome with a connection more, between two random ends that had none.

    A connection of delay 1 is one that would close a cycle without it, loops included.
    """
    readers = [*genome.neurons, *space.targets]
    ends = readers if delay else [*space.sources, *readers]
    for _ in range(TRIES):
        a, b = rng.random(2).tolist()
        source, target = ends[int(a * len(ends))], readers[int(b * len(readers))]
        if (source, target, delay) not in genome.genes and genome.closes_cycle(source, target) == bool(delay):
            return Genome(genome.neurons, {**genome.genes, (source, target, delay): Gene(weight)})
    return None


def split(genome: Genome, space: Genomes, rng: np.random.Generator) -> Genome | None:
    """Return the genome with a neuron in the middle of a random enabled connection, which is disabled.

    The way in has weight 1 and the way out the old weight. A bias is never split (NEAT 1.2.1).
    """
    innovation = drawn((name for name, gene in genome.genes.items() if gene.is_enabled and name[0] != BIAS), rng)
    if innovation is None:
        return None
    source, target, delay = innovation
    weight, name = genome.genes[innovation].weight, split_name(innovation, genome.neurons)
    function = space.functions[int(rng.random() * len(space.functions))]
    halves = {innovation: Gene(weight, False), (source, name, delay): Gene(1.0), (name, target, 0): Gene(weight)}
    return Genome({**genome.neurons, name: function}, {**genome.genes, **halves})


def toggled(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Return the genome with a random connection enabled if it was not, and the other way round."""
    innovation = drawn(genome.genes, rng)
    if innovation is None:
        return None
    weight, is_enabled = genome.genes[innovation]
    return Genome(genome.neurons, {**genome.genes, innovation: Gene(weight, not is_enabled)})


def disconnected(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Return the genome without a random connection."""
    gone = drawn(genome.genes, rng)
    if gone is None:
        return None
    return Genome(genome.neurons, {name: gene for name, gene in genome.genes.items() if name != gone})


def without_neuron(genome: Genome, rng: np.random.Generator) -> Genome | None:
    """Return the genome without a random hidden neuron and all its connections."""
    names = list(genome.neurons)
    if not names:
        return None
    gone = names[int(rng.random() * len(names))]
    genes = {name: gene for name, gene in genome.genes.items() if gone not in name[:2]}
    return Genome({name: function for name, function in genome.neurons.items() if name != gone}, genes)


def nudged(genome: Genome, rng: np.random.Generator, spread: float) -> Genome | None:
    """Return the genome with a random weight changed by a normal draw."""
    innovation = drawn(genome.genes, rng)
    if innovation is None:
        return None
    weight, is_enabled = genome.genes[innovation]
    moved = Gene(weight + spread * float(rng.standard_normal()), is_enabled)
    return Genome(genome.neurons, {**genome.genes, innovation: moved})
