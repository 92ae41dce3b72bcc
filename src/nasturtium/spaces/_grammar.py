"""Spaces of a context-free grammar, whose terms are networks made of networks.

Schrodi, Stoll, Ru, Sukthanker, Brox & Hutter 2023, "Construction of Hierarchical Neural Architecture
Search Spaces based on Context-free Grammars" (arXiv 2211.01842), sections 3 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs import OPERATIONS, Builder, Graph, Operation
from nasturtium.graphs import operations as o
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._cells import classified
from nasturtium.spaces._decisions import DecisionSpace
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._rules import Derivation, Production, Rules, production_of, read_rules, read_terms, write_term
from nasturtium.spaces._topologies import Edges, Spread, is_chain, is_topology, topology_of
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from nasturtium.graphs import Wire
    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._blocks import Op

HIERARCHICAL_NB201 = """
D2 -> Linear3 D1 D1 D0 | Linear3 D0 D1 D1 | Linear4 D1 D1 D0 D0
D1 -> Linear3 C C DOWN | Linear4 C C C DOWN | Residual3 C C DOWN DOWN
D0 -> Linear3 C C CELL | Linear4 C C C CELL | Residual3 C C CELL CELL
DOWN -> Linear2 CELL resBlock | Linear3 CELL CELL resBlock | Residual2 CELL resBlock resBlock
C -> Linear2 CELL CELL | Linear3 CELL CELL CELL | Residual2 CELL CELL CELL
CELL -> Cell OPS OPS OPS OPS OPS OPS
OPS -> zero | id | Linear1 CONVBLOCK | Linear1 CONVBLOCK | avg_pool
CONVBLOCK -> Linear3 ACT CONV NORM
ACT -> relu | hardswish | mish
CONV -> conv1x1 | conv3x3 | dconv3x3
NORM -> batch | instance | layer
"""
"""The paper's hierarchical space over the cells of NAS-Bench-201."""

FIXED_NB201 = """
D2 -> Linear3 D1 D1 D0
D1 -> Linear3 C C DOWN
D0 -> Linear3 C C CELL
DOWN -> Linear2 CELL resBlock
C -> Linear2 CELL CELL
CELL = Cell OPS OPS OPS OPS OPS OPS
OPS -> zero | id | nor_conv_1x1 | nor_conv_3x3 | avg_pool
"""
"""The paper's cell-based control: NAS-Bench-201 as a grammar."""

NAMED_RULES: Mapping[str, str] = {"hierarchical-nb201": HIERARCHICAL_NB201, "fixed-nb201": FIXED_NB201}
"""The grammars that have a name."""

TERMINALS: Mapping[str, Operation] = {
    "id": o.Identity(),
    "zero": o.Zero(),
    "avg_pool": o.AvgPool(3),
    "max_pool": o.MaxPool(3),
    "conv1x1": o.Conv2d(None, 1),
    "conv3x3": o.Conv2d(None, 3),
    "dconv3x3": o.Conv2d(None, 3, groups=0),
    "nor_conv_1x1": o.Conv(None, 1, preactivated=True),
    "nor_conv_3x3": o.Conv(None, 3, preactivated=True),
    "resBlock": o.DoublingReduction(),
    "batch": o.BatchNorm(),
    "instance": o.InstanceNorm(),
    "layer": o.LayerNorm(),
    "relu": o.Activation("relu"),
    "hardswish": o.Activation("hardswish"),
    "mish": o.Activation("mish"),
}
"""The paper's operations by its names; ``dconv3x3`` is depthwise, ``resBlock`` halves and doubles."""


@final
@SPACES.register("grammar")
@dataclass(frozen=True, kw_only=True)
class Grammar(ClosedNetworkSpace):
    """The terms of a context-free grammar over operations (Schrodi et al. 2023).

    A production is an operation, another symbol, or a topology with its arguments: ``LinearN`` applies
    N arguments one after the other; ``ResidualN`` is a chain of N, too, whose last argument but one
    leads from its first node to its last (Residual2 has the edges 1-2, 1-3, 2-3); ``Cell`` is the
    complete graph of four nodes. A node adds what its edges bring; where a production's branches may
    differ in shape, the sum makes them fit (``op("sum")``).

    The text form is the paper's, a term in brackets; those of shared symbols stand first. A mutation
    draws a subterm anew, with another production at its root, as in the paper; crossover keeps the
    decisions that two parents share instead of swapping subterms between places. There is no open
    graph, which would hold every subterm at every place.

    Args:
        rules: ``"hierarchical-nb201"``, ``"fixed-nb201"`` or a grammar, a symbol a line,
            ``S -> Linear2 C C | C``. A symbol with ``=`` for ``->`` is derived once and stands for
            the same term everywhere. The other words are operations: the paper's names, any that is
            registered, with its default arguments, or those of ``terminals``.
        terminals: (name, op) pairs of operations of your own, such as ``op(MyBlock, width=8)``.
        topologies: (name, edges) pairs of topologies of your own; nodes count from 1.
        max_depth: How many levels a term may have; a grammar that is recursive needs it.
        sampling: ``"productions"``, which draws each production uniformly, as in the paper, or
            ``"terms"``, which draws all terms equally often.
        filters: Channels of the stem.

    Example:
        >>> len(str(Grammar().size)), Grammar(rules="fixed-nb201").size  # 10^446, as published
        (447, 15625)
        >>> space = Grammar(rules="S -> Linear2 S S | Residual2 S S id | conv3x3 | relu", max_depth=3)
        >>> space.text(space.parse("(S Residual2 (S relu) (S conv3x3) id)"))
        '(S Residual2 (S relu) (S conv3x3) id)'
    """

    rules: str = "hierarchical-nb201"
    terminals: tuple[tuple[str, Op], ...] = ()
    topologies: tuple[tuple[str, Edges], ...] = ()
    max_depth: int | None = None
    sampling: str = "productions"
    filters: int = 16

    def __post_init__(self) -> None:
        """Check that every word is known and, once the input's shape is, that everything fits."""
        if self.filters < 1 or self.sampling not in ("productions", "terms"):
            raise UsageError(
                f"filters are positive and sampling is 'productions' or 'terms', got {self.filters} and "
                f"{self.sampling!r}; change them."
            )
        grammar = self.grammar
        if self.max_depth is None and grammar.is_recursive():
            raise UsageError(f"a recursive grammar has infinitely many terms, got {self.rules!r}; set max_depth.")
        for symbol, productions in grammar.productions.items():
            if symbol in {*dict(self.terminals), *dict(self.topologies), *TERMINALS, *OPERATIONS.names()}:
                raise UsageError(f"a symbol has a name of its own, got that of an operation, {symbol!r}; rename it.")
            for production in productions:
                self._check(symbol, production)
        for symbol in grammar.roots:
            if not grammar.count(symbol, self.depth):
                raise UsageError(f"a term ends within max_depth, got none of {symbol} in {self.depth}; raise it.")
        if self.input_shape is not None:
            _uneven(self)

    def _check(self, symbol: str, production: Production) -> None:
        edges = self.edges_of(production)
        arguments = production.items[1:]
        if len(arguments) != len(edges or ()):
            raise UsageError(
                f"a topology has an argument an edge, an operation none, got {production.label!r} of {symbol!r}; "
                f"{production.items[0]} takes {len(edges or ())}."
            )
        if edges and not is_topology(edges):
            raise UsageError(
                f"a topology's edges lead upward from node 1 to the last and leave none out, got {edges}; mend them."
            )
        for item in arguments if edges else production.items:
            if item not in self.grammar.productions:
                self.operation(item)

    @classmethod
    def small(cls) -> Self:
        """Return a recursive grammar of few levels that has all kinds of topologies, four channels wide."""
        rules = """
        S -> Linear2 B DOWN | Linear3 B DOWN CELL | B
        B -> Residual2 B CELL id | Residual3 OPS CELL OPS DOWN | CELL
        CELL = Cell OPS zero OPS id OPS OPS
        OPS -> id | Linear1 BLOCK | Linear1 BLOCK | avg_pool
        BLOCK -> Linear3 relu conv1x1 instance | Linear2 dconv3x3 layer
        DOWN -> resBlock | Residual2 CELL resBlock resBlock
        """
        return cls(rules=rules, max_depth=5, filters=4)

    @property
    def grammar(self) -> Rules:
        """The rules that were read."""
        return read_rules(NAMED_RULES.get(self.rules, self.rules))

    @property
    def depth(self) -> int:
        """How many levels a term may have."""
        return len(self.grammar.productions) if self.max_depth is None else self.max_depth

    @property
    def root(self) -> Block:
        """The productions of the shared symbols, then those of a term."""
        text = NAMED_RULES.get(self.rules, self.rules)
        return Group(tuple((symbol, Derivation(text, symbol, self.depth)) for symbol in self.grammar.roots))

    def edges_of(self, production: Production) -> Edges | None:
        """Return the edges of a production's topology, or None if its head is none."""
        head = production.items[0]
        return dict(self.topologies).get(head) or topology_of(head)

    def operation(self, name: str) -> Operation:
        """Return the operation that a word of the grammar stands for.

        Raises:
            UsageError: It is none, or one that leaves something to decide.
        """
        own = dict(self.terminals)
        if name in own:
            if own[name].count() != 1:
                raise UsageError(f"a terminal leaves nothing to decide, got {name!r}; make each option a production.")
            return next(own[name].variants())
        if name in TERMINALS:
            return TERMINALS[name]
        if name not in OPERATIONS.names():
            known = [*self.grammar.productions, *own, *TERMINALS, *OPERATIONS.names()]
            raise UsageError(f"unknown word {name!r} in a grammar; {near_matches(name, known)}")
        return OPERATIONS.make(name, {})

    def text(self, architecture: Architecture) -> str:
        """Return the terms in the paper's notation; JSON if training hyper-parameters are decided, too."""
        if self.hyperparameters:
            return architecture.text
        return " ".join(write_term(self.grammar, architecture, symbol, symbol) for symbol in self.grammar.roots)

    def _notated(self, text: str) -> Mapping[str, Any]:
        return read_terms(self.grammar, text)

    def _sample(self, rng: np.random.Generator) -> Architecture:
        """Draw productions uniformly, or in proportion to how many terms begin with them."""
        if self.sampling == "productions":
            return DecisionSpace._sample(self, rng)
        chosen: dict[str, Any] = {}
        for symbol in self.grammar.roots:
            _draw_term(self.grammar, symbol, self.depth, symbol, rng, chosen)
        return self._drawn(chosen, rng)

    def _network(self, architecture: Architecture) -> Graph:
        b = Builder()
        x = b.add("stem", o.Conv2d(self.filters), b.input("image", self.input_shape))
        x = b.add("stem_norm", o.BatchNorm(), x)
        rules = self.grammar
        build = _Build(self, rules, architecture, {})
        for symbol in rules.shared:
            inner = Builder()
            build.shared[symbol] = inner.graph(build.symbol(symbol, symbol, "", inner, inner.input("x")))
        x = build.symbol(rules.start, rules.start, "", b, x)
        return classified(b, b.add("relu", o.Activation("relu"), b.add("norm", o.BatchNorm(), x)), self.n_outputs)


def _draw_term(
    rules: Rules, symbol: str, depth: int, path: str, rng: np.random.Generator, chosen: dict[str, Any]
) -> None:
    """Draw the productions of a symbol so that each of its terms is equally likely."""
    options = rules.fitting(symbol, depth)
    total = rules.count(symbol, depth)
    shares = np.cumsum([rules.ways(production, depth) / total for _, production in options])
    place, production = options[int(np.searchsorted(shares[:-1], rng.random(), side="right"))]
    chosen[path] = production.label
    for i, child in rules.children(production):
        _draw_term(rules, child, depth - 1, f"{path}.{place}.{i}", rng, chosen)


@final
@dataclass(frozen=True)
class _Build:
    """Builds a network from its terms.

    A chain's parts stand beside each other; every other topology is a nested graph.
    """

    space: Grammar
    rules: Rules
    chosen: Mapping[str, Any]
    shared: dict[str, Graph]

    def symbol(self, symbol: str, path: str, local: str, b: Builder, wire: Wire) -> Wire:
        """Add a symbol's term; ``local`` is its path from the nested graph's own, for the names in that."""
        place, production = production_of(self.rules, symbol, self.chosen[path])
        path, local = f"{path}.{place}", f"{local}_{place}"
        edges = self.space.edges_of(production)
        if edges is None:
            return self._item(production.items[0], f"{path}.0", f"{local}_0", b, wire)
        if is_chain(edges):
            for i, item in enumerate(production.items[1:], start=1):
                wire = self._item(item, f"{path}.{i}", f"{local}_{i}", b, wire)
            return wire
        return b.add(production.items[0] + local, self._nested(symbol, production, edges, path), wire)

    def _nested(self, symbol: str, production: Production, edges: Edges, path: str) -> Graph:
        merge = o.Sum() if (symbol, production.label) in _uneven(self.space) else o.Add()
        b = Builder()
        nodes = [b.input("node_1")]
        for target in range(2, max(edge[1] for edge in edges) + 1):
            ends = []
            for i, (source, end) in enumerate(edges, start=1):
                if end == target:
                    ends.append(self._item(production.items[i], f"{path}.{i}", f"_{i}", b, nodes[source - 1]))
            nodes.append(ends[0] if len(ends) == 1 else b.add(f"node_{target}", merge, *ends))
        return b.graph(nodes[-1])

    def _item(self, item: str, path: str, local: str, b: Builder, wire: Wire) -> Wire:
        if item in self.shared:
            return b.add(item + local, self.shared[item], wire)
        if item in self.rules.productions:
            return self.symbol(item, path, local, b, wire)
        return b.add(item + local, self.space.operation(item), wire)


@lru_cache(maxsize=64)
def _uneven(space: Grammar) -> frozenset[tuple[str, str]]:
    """Return symbol and label of the productions whose branches may differ in shape.

    Raises:
        UsageError: An operation can't take a shape that may reach it.
    """
    spread = Spread(space.grammar, space.depth, space.edges_of, space.operation)
    sides = (space.input_shape or (1, 32, 32))[1:]
    spread.of_symbol(space.grammar.start, space.depth, (space.filters, *sides))
    return frozenset(spread.uneven)
