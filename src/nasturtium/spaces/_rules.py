"""Context-free grammars: rules, the terms they derive, and how many of these there are.

A grammar is written a symbol a line, ``SYMBOL -> head argument ... | head argument ...``, the start
symbol first. ``SYMBOL = ...`` instead of ``->`` makes the symbol *shared*: it is derived once, and
stands for the same term wherever it occurs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.spaces._decision import Categorical
from nasturtium.spaces._tree import BLOCKS, Ask, Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@final
@dataclass(frozen=True)
class Production:
    """One way to derive a symbol.

    Args:
        label: The items, and behind the second of equal productions ``#2``, and so on.
        items: What stands on the right: a head, then its arguments.
    """

    label: str
    items: tuple[str, ...]


@final
@dataclass(frozen=True)
class Rules:
    """A grammar that was read; made by ``read_rules``.

    Args:
        productions: Those of each symbol, the start symbol first.
        shared: Symbols that are derived once, in order.
    """

    productions: Mapping[str, tuple[Production, ...]]
    shared: tuple[str, ...]
    _counts: dict[tuple[str, int], int] = field(default_factory=dict, repr=False, compare=False)
    _fitting: dict[tuple[str, int], tuple[tuple[int, Production], ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def start(self) -> str:
        """The start symbol."""
        return next(iter(self.productions))

    @property
    def roots(self) -> tuple[str, ...]:
        """The symbols that are derived once: those shared, then the start symbol."""
        return (*self.shared, self.start)

    def children(self, production: Production) -> list[tuple[int, str]]:
        """Return place and symbol of the items that are derived where they stand."""
        found = enumerate(production.items)
        return [(i, item) for i, item in found if item in self.productions and item not in self.shared]

    def count(self, symbol: str, depth: int) -> int:
        """Return how many derivations of a symbol there are of at most so many levels."""
        if depth < 1:
            return 0
        if (symbol, depth) not in self._counts:
            self._counts[symbol, depth] = sum(self.ways(p, depth) for p in self.productions[symbol])
        return self._counts[symbol, depth]

    def ways(self, production: Production, depth: int) -> int:
        """Return how many derivations begin with a production."""
        return prod(self.count(symbol, depth - 1) for _, symbol in self.children(production))

    def fitting(self, symbol: str, depth: int) -> tuple[tuple[int, Production], ...]:
        """Return place and production of those that end within so many levels."""
        if (symbol, depth) not in self._fitting:
            pairs = enumerate(self.productions[symbol])
            self._fitting[symbol, depth] = tuple(pair for pair in pairs if self.ways(pair[1], depth))
        return self._fitting[symbol, depth]

    def is_recursive(self) -> bool:
        """Return whether a symbol can occur below itself, which makes the terms infinitely many."""
        heights: dict[str, int] = {}
        for _ in self.productions:  # the height of one symbol more is known after each round, if it has one
            for symbol, productions in self.productions.items():
                below = [heights.get(child) for p in productions for _, child in self.children(p)]
                if None not in below:
                    heights[symbol] = 1 + max((h for h in below if h), default=0)
        return len(heights) < len(self.productions)


@lru_cache(maxsize=64)
def read_rules(text: str) -> Rules:
    """Return the grammar of a text.

    Raises:
        UsageError: A line has no arrow, a symbol has two lines or an empty production, or a shared
            symbol reads one that comes later.

    Example:
        >>> rules = read_rules("S -> Linear2 C C | C ; C -> conv3x3 | id")
        >>> rules.start, [p.label for p in rules.productions["S"]], rules.count("S", 2)
        ('S', ['Linear2 C C', 'C'], 6)
    """
    found: dict[str, tuple[Production, ...]] = {}
    shared = []
    for line in filter(None, (line.strip() for line in text.replace(";", "\n").splitlines())):
        left, arrow, right = line.partition("->") if "->" in line else line.partition("=")
        symbol = left.strip()
        if not arrow or not symbol.isidentifier() or symbol in found:
            raise UsageError(f"a rule is 'SYMBOL -> head argument | head', one a symbol, got {line!r}; rewrite it.")
        if arrow == "=":
            shared.append(symbol)
        found[symbol] = _productions(symbol, right)
    if not found or next(iter(found)) in shared:
        raise UsageError(f"the first rule is of the start symbol, which is not shared, got {text!r}; write S -> ...")
    for n, symbol in enumerate(shared):
        later = {item for p in found[symbol] for item in p.items}.intersection(shared[n:])
        if later:
            raise UsageError(f"a shared symbol reads earlier ones only, got {sorted(later)} in {symbol!r}; reorder.")
    return Rules(found, tuple(shared))


def _productions(symbol: str, right: str) -> tuple[Production, ...]:
    seen: Counter[tuple[str, ...]] = Counter()
    made = []
    for alternative in right.split("|"):
        items = tuple(alternative.split())
        if not items or not all(item.isidentifier() for item in items):
            raise UsageError(f"a production is one or more words, got {alternative!r} of {symbol!r}; use letters.")
        seen[items] += 1
        made.append(Production(" ".join(items) + (f"#{seen[items]}" if seen[items] > 1 else ""), items))
    return tuple(made)


@final
@BLOCKS.register("derivation")
@dataclass(frozen=True)
class Derivation(Block):
    """The decisions that derive a symbol: its production, then those of the symbols in that.

    The decision of a symbol at place 2 of production 0 of ``"S"`` is ``"S.0.2"``: another production
    asks other decisions, so that to change one is to draw the subterm below it anew.

    Args:
        rules: The grammar's text.
        symbol: What is derived.
        depth: How many levels the derivation may have.
    """

    rules: str
    symbol: str
    depth: int

    def decide(self, path: str, ask: Ask) -> None:
        """Ask for the production, then derive the symbols in it."""
        _decide(read_rules(self.rules), self.symbol, self.depth, path, ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield the path of each symbol that may occur."""
        yield from _paths(read_rules(self.rules), self.symbol, self.depth, path)

    def count(self) -> int:
        """Return the number of derivations, exactly."""
        return read_rules(self.rules).count(self.symbol, self.depth)


def _decide(rules: Rules, symbol: str, depth: int, path: str, ask: Ask) -> None:
    options = rules.fitting(symbol, depth)
    chosen = ask(Categorical(path, tuple([production.label for _, production in options])))
    place, production = next(option for option in options if option[1].label == chosen)
    for i, child in rules.children(production):
        _decide(rules, child, depth - 1, f"{path}.{place}.{i}", ask)


def _paths(rules: Rules, symbol: str, depth: int, path: str) -> Iterator[str]:
    yield path
    for place, production in rules.fitting(symbol, depth):
        for i, child in rules.children(production):
            yield from _paths(rules, child, depth - 1, f"{path}.{place}.{i}")


# --- terms as text -------------------------------------------------------------------------------


def write_term(rules: Rules, chosen: Mapping[str, str], symbol: str, path: str) -> str:
    """Return the derivation at a path as the paper writes it, ``(S Linear2 (C id) (C conv3x3))``.

    The second of equal productions has ``#2`` behind its symbol.

    Args:
        rules: The grammar.
        chosen: The label of the production at each path.
        symbol: What is derived there.
        path: The place.
    """
    place, production = production_of(rules, symbol, chosen[path])
    below = {i: write_term(rules, chosen, child, f"{path}.{place}.{i}") for i, child in rules.children(production)}
    mark = production.label[len(" ".join(production.items)) :]
    return f"({symbol}{mark} {' '.join(below.get(i, item) for i, item in enumerate(production.items))})"


def read_terms(rules: Rules, text: str) -> dict[str, str]:
    """Return the label of the production at each path, from the terms of ``roots`` in order.

    Raises:
        UsageError: The text is malformed or no term of the grammar.
    """
    found: dict[str, str] = {}
    terms = _nested(text)
    if len(terms) != len(rules.roots):
        raise UsageError(f"there is one term each of {list(rules.roots)}, got {len(terms)} terms in {text!r}.")
    for root, term in zip(rules.roots, terms, strict=True):
        _read(rules, term, root, root, found)
    return found


Term = list[Any]
"""A symbol with its mark, then the items of its production: words, or terms in place of symbols."""


def _nested(text: str) -> list[Term | str]:
    levels: list[list[Any]] = [[]]
    for word in text.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            levels.append([])
        elif word == ")" and len(levels) > 1:
            closed = levels.pop()
            levels[-1].append(closed)
        else:
            levels[-1].append(word)
    if len(levels) > 1 or ")" in levels[0]:
        raise UsageError(f"every bracket is opened and closed, got {text!r}; balance them.")
    return levels[0]


def _read(rules: Rules, term: Term | str, symbol: str, path: str, found: dict[str, str]) -> None:
    if isinstance(term, str) or not term or not all(_name(item) for item in term):
        raise UsageError(f"a term of {symbol} is written ({symbol} ...), got {term!r}; give it in brackets.")
    name, _, ordinal = term[0].partition("#")
    if name != symbol or symbol not in rules.productions:
        raise UsageError(f"a term of {symbol} stands at {path!r}, got one of {name!r}; write ({symbol} ...).")
    found[path] = " ".join(map(_name, term[1:])) + (f"#{ordinal}" if ordinal else "")
    place, _ = production_of(rules, symbol, found[path])
    for i, item in enumerate(term[1:]):
        if isinstance(item, list):
            _read(rules, item, _name(item), f"{path}.{place}.{i}", found)


def _name(item: Term | str) -> str:
    """Return the symbol or word that an item is; nothing if it is malformed."""
    if isinstance(item, str):
        return item
    return item[0].partition("#")[0] if item and isinstance(item[0], str) else ""


def production_of(rules: Rules, symbol: str, label: str) -> tuple[int, Production]:
    """Return place and production of a label.

    Raises:
        UsageError: The symbol has no such production.
    """
    for place, production in enumerate(rules.productions[symbol]):
        if production.label == label:
            return place, production
    known = [p.label for p in rules.productions[symbol]]
    raise UsageError(f"{symbol} is one of {known}, got {label!r}; choose one of them.")
