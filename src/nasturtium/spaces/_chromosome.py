"""Chromosomes: what NEAT evolves when the nodes are layers and the edges only say how they connect.

Miikkulainen et al. 2017, "Evolving Deep Neural Networks" (arXiv 1703.00548), section 3.1, DeepNEAT.

Historical markings are contents: an edge is marked by its two ends, and a node by the edge that it
split. So equal innovations have equal marks, whenever they arise, and no counter is needed.

Departures: edges have no weights, so that a disabled one could say nothing; splitting an edge
replaces it. Rates are not published and are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.spaces._decision import Categorical, Decision, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOURCE, SINK = "x", "out"
"""The names of the two ends of every chromosome."""

Values = tuple[Any, ...]
"""Values of a table of decisions, in its order."""


@final
@dataclass(frozen=True)
class ChromosomeKind:
    """What the nodes of a kind of chromosome decide.

    Args:
        node: The decisions of each node.
        settings: The decisions of the chromosome as a whole.
    """

    node: tuple[Decision, ...]
    settings: tuple[Decision, ...] = ()


@final
@dataclass(frozen=True)
class Rates:
    """How often what mutates; the paper publishes none (ours).

    Args:
        add_node: Probability that an edge is split.
        add_edge: Probability that two nodes are connected, if it is not.
        change: Probability of each value to change, if neither.
        step: Standard deviation of a number's change, by the length of its interval.
    """

    add_node: float = 0.2
    add_edge: float = 0.2
    change: float = 0.3
    step: float = 0.2


RATES = Rates()


@final
@dataclass(frozen=True)
class Chromosome:
    """A graph of nodes with a table of values each, between one source and one sink.

    Args:
        nodes: (name, values) pairs, by name.
        edges: (from, to) pairs of names, sorted; the graph has no cycle, and every node lies on a
            way from source to sink.
        settings: Values of the whole.
    """

    nodes: tuple[tuple[str, Values], ...]
    edges: tuple[tuple[str, str], ...]
    settings: Values = ()

    @classmethod
    def of(cls, data: Any, kind: ChromosomeKind) -> Chromosome:
        """Return the chromosome of JSON data, whose lists are tuples.

        Raises:
            UsageError: It is none of this kind.
        """
        try:
            chromosome = cls(*data)
            names = [name for name, _ in chromosome.nodes]
            for _, values in chromosome.nodes:
                _positions(kind.node, values)
            _positions(kind.settings, chromosome.settings)
            is_sound = (
                all(name.isidentifier() and name.isascii() for name in names)
                and names == sorted({*names} - {SOURCE, SINK})
                and chromosome.edges == tuple(sorted({(a, b) for a, b in chromosome.edges}))
                and set(chromosome.order()) == {SOURCE, SINK, *names}
                and {a for a, _ in chromosome.edges} == {SOURCE, *names}
                and {b for _, b in chromosome.edges} == {SINK, *names}
            )
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            raise UsageError(f"a chromosome has nodes, edges and settings, got {data!r} ({error}).") from error
        if not is_sound:
            raise UsageError(f"a chromosome is a graph from source to sink, in order, got {data!r}; mutate a member.")
        return chromosome

    def to_json(self) -> tuple[Any, ...]:
        """Return the data from which ``of`` gives the chromosome back."""
        return (self.nodes, self.edges, self.settings)

    def order(self) -> list[str]:
        """Return the names so that every edge leads on, source first; of a cycle, nothing from it on."""
        missing = {name: {a for a, b in self.edges if b == name} for name in (*dict(self.nodes), SINK)}
        found = [SOURCE]
        while ready := sorted(name for name, sources in missing.items() if sources <= set(found)):
            found += ready
            for name in ready:
                del missing[name]
        return found

    def sources(self, name: str) -> list[str]:
        """Return what leads to a node, in the order of names."""
        return [a for a, b in self.edges if b == name]


def minimal(kind: ChromosomeKind, rng: np.random.Generator) -> Chromosome:
    """Return the chromosome of one node, its values drawn uniformly: what all evolution starts from."""
    edges = ((SOURCE, "node"), ("node", SINK))
    return Chromosome((("node", _drawn(kind.node, rng)),), tuple(sorted(edges)), _drawn(kind.settings, rng))


def mutated(chromosome: Chromosome, kind: ChromosomeKind, rng: np.random.Generator, rates: Rates = RATES) -> Chromosome:
    """Return the chromosome with a node more, an edge more, or other values; it differs."""
    coin = rng.random()
    if coin < rates.add_node:
        return _with_node(chromosome, kind, rng)
    if coin < rates.add_node + rates.add_edge:
        connected = _with_edge(chromosome, rng)
        if connected is not None:
            return connected
    return _with_values(chromosome, kind, rng, rates)


def crossed(fitter: Chromosome, other: Chromosome, rng: np.random.Generator) -> Chromosome:
    """Return a child with the fitter's graph; of nodes that both have, the values of either.

    Disjoint and excess genes come from the fitter parent, as in NEAT; it is the first at a tie.
    """
    theirs = dict(other.nodes)
    nodes = tuple((name, theirs.get(name, v) if rng.random() < 0.5 else v) for name, v in fitter.nodes)
    pairs = zip(fitter.settings, other.settings, strict=True)
    settings = tuple(b if rng.random() < 0.5 else a for a, b in pairs)
    return replace(fitter, nodes=nodes, settings=settings)


def distance(a: Chromosome, b: Chromosome, kind: ChromosomeKind) -> float:
    """Return how far apart two chromosomes are, in [0, 3].

    The genes (nodes and edges) that only one has, as a share of the larger one's genes, plus the
    mean difference of values: of settings and of the nodes that both have; a number's by the length
    of its interval, any other's 0 or 1.
    """
    nodes_a, nodes_b = dict(a.nodes), dict(b.nodes)
    genes_a, genes_b = {*nodes_a, *a.edges}, {*nodes_b, *b.edges}
    apart = len(genes_a ^ genes_b) / max(len(genes_a), len(genes_b))
    differences = _differences(kind.settings, a.settings, b.settings)
    for name, values in nodes_a.items():
        if name in nodes_b:
            differences += _differences(kind.node, values, nodes_b[name])
    return apart + (sum(differences) / len(differences) if differences else 0.0)


def _with_node(chromosome: Chromosome, kind: ChromosomeKind, rng: np.random.Generator) -> Chromosome:
    edge = chromosome.edges[int(rng.integers(len(chromosome.edges)))]
    name = _mark(edge, dict(chromosome.nodes))
    nodes = (*chromosome.nodes, (name, _drawn(kind.node, rng)))
    edges = {*chromosome.edges, (edge[0], name), (name, edge[1])} - {edge}
    return replace(chromosome, nodes=tuple(sorted(nodes)), edges=tuple(sorted(edges)))


def _mark(edge: tuple[str, str], taken: Iterable[str]) -> str:
    """Return the name of the node that splits an edge; of its n-th split if the former ones are there."""
    n = 0
    while (name := f"n_{blake2b(f'{edge[0]} {edge[1]} {n}'.encode(), digest_size=4).hexdigest()}") in taken:
        n += 1
    return name


def _with_edge(chromosome: Chromosome, rng: np.random.Generator) -> Chromosome | None:
    """Return the chromosome with an edge that leads on in its order; None if it has all of them."""
    order = chromosome.order()
    pairs = [(a, b) for j, b in enumerate(order) for a in order[:j] if (a, b) not in chromosome.edges]
    if not pairs:
        return None
    return replace(chromosome, edges=tuple(sorted({*chromosome.edges, pairs[int(rng.integers(len(pairs)))]})))


def _with_values(chromosome: Chromosome, kind: ChromosomeKind, rng: np.random.Generator, rates: Rates) -> Chromosome:
    """Return the chromosome with some values changed, at least one where there is an alternative."""
    rows: list[tuple[tuple[Decision, ...], Values]] = [(kind.node, values) for _, values in chromosome.nodes]
    rows.append((kind.settings, chromosome.settings))
    sizes = [len(values) for _, values in rows]
    chosen = rng.random(sum(sizes)) < rates.change
    chosen[int(rng.integers(len(chosen)))] = True
    changed = []
    for (table, values), marks in zip(rows, np.split(chosen, np.cumsum(sizes)[:-1]), strict=True):
        pairs = zip(table, values, marks.tolist(), strict=True)
        changed.append(tuple(_changed(d, v, rng, rates.step) if is_chosen else v for d, v, is_chosen in pairs))
    *tables, settings = changed
    names = [name for name, _ in chromosome.nodes]
    return replace(chromosome, nodes=tuple(zip(names, tables, strict=True)), settings=settings)


def _changed(decision: Decision, value: Value, rng: np.random.Generator, step: float) -> Value:
    """Return another option, or a number near the old one, reflected at the ends."""
    if isinstance(decision, Categorical):
        return decision.other(value, rng.random(), NOTHING)
    position = decision.position(value, NOTHING) + step * rng.standard_normal()
    position = abs(position) % 2
    moved = decision.at(min(position, 2 - position, 1 - 1e-12), NOTHING)
    return moved if moved != value else decision.other(value, rng.random(), NOTHING)


NOTHING: Mapping[str, Value] = {}
"""The decisions have no rules that would look at earlier ones."""


def _drawn(table: tuple[Decision, ...], rng: np.random.Generator) -> Values:
    return tuple(decision.at(rng.random(), NOTHING) for decision in table)


def _positions(table: tuple[Decision, ...], values: Values) -> list[float]:
    return [decision.position(value, NOTHING) for decision, value in zip(table, values, strict=True)]


def _differences(table: tuple[Decision, ...], a: Values, b: Values) -> list[float]:
    found = zip(table, _positions(table, a), _positions(table, b), strict=True)
    return [float(p != q) if isinstance(decision, Categorical) else abs(p - q) for decision, p, q in found]
