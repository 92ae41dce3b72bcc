"""Blocks that build networks: ``op``, ``repeat``, sequences, and choices among them."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium._registry import parameters, tuples
from nasturtium.errors import ShapeError, UsageError, near_matches
from nasturtium.graphs import (
    OPERATIONS,
    Builder,
    Condition,
    Graph,
    OpenOperation,
    Operation,
    Pick,
    Shape,
    Wire,
    alternatives,
    under,
)
from nasturtium.graphs.operations import Foreign, Linear
from nasturtium.spaces._decision import Categorical, Decision
from nasturtium.spaces._decisions import DecisionSpace, tree_of
from nasturtium.spaces._tree import BLOCKS, Ask, Block, Choice, Labeled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Shapes = frozenset[Shape]

MANY = 64
"""How many values of a number are tried to see that every choice fits; of more, three."""

WIDTHS = 4
"""How many widths of one height and width are tried."""


class NetworkBlock(Labeled):
    """A piece of a network: it takes one value and gives one."""

    @abstractmethod
    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add the nodes to an open graph.

        Args:
            path: The piece's place; decisions and nodes are named after it.
            b: Collects the nodes.
            wire: What the piece takes.
            when: The decisions under which the piece is there.

        Returns:
            What the piece gives.
        """

    @abstractmethod
    def shapes(self, path: str, shape: Shape, fitting: Fitting) -> Shapes:
        """Return the shapes that the piece may give for an input of one shape.

        Args:
            path: The piece's place, for the error.
            shape: Of the input, without the batch.
            fitting: Tells the same of the pieces inside.

        Raises:
            UsageError: One of the choices can't take that shape.
        """

    def checked(self) -> NetworkBlock:
        """Return the block, its parts known to be pieces of networks.

        Raises:
            UsageError: One is not.
        """
        return self


@final
@BLOCKS.register("op")
@dataclass(frozen=True)
class Op(NetworkBlock):
    """An operation whose hyper-parameters may be decisions; made by ``op``.

    Args:
        target: The name of a registered operation, or a user's ``nn.Module`` class.
        arguments: (name, value or block) pairs.
    """

    target: str | type
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """The operation's registry name, or the class's own."""
        return self.target if isinstance(self.target, str) else self.target.__name__

    @property
    def make(self) -> Callable[..., Operation]:
        """What takes the hyper-parameters and gives the operation."""
        return OPERATIONS.get(self.target) if isinstance(self.target, str) else ForeignMaker(self.target)

    @property
    def label(self) -> str:
        """The operation's name with the hyper-parameters that are fixed."""
        fixed = [f"{key}={value}" for key, value in self.arguments if not isinstance(value, Block)]
        return f"{self.name}({', '.join(fixed)})" if fixed else self.name

    def decide(self, path: str, ask: Ask) -> None:
        """Ask the hyper-parameters that are decisions."""
        for key, value in self.arguments:
            if isinstance(value, Block):
                value.decide(f"{path}.{key}", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield the paths of the hyper-parameters that are decisions."""
        for key, value in self.arguments:
            if isinstance(value, Block):
                yield from value.paths(f"{path}.{key}")

    def count(self) -> float:
        """Return the product over the hyper-parameters."""
        return prod(value.count() for _, value in self.arguments if isinstance(value, Block))

    def has_rule(self) -> bool:
        """Return whether a hyper-parameter has a rule."""
        return any(isinstance(value, Block) and value.has_rule() for _, value in self.arguments)

    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add the node, open in the hyper-parameters that are decisions."""
        arguments = tuple((k, Pick(f"{path}.{k}") if isinstance(v, Block) else v) for k, v in self.arguments)
        is_open = any(isinstance(v, Pick) for _, v in arguments)
        node = OpenOperation(self.make, arguments) if is_open else self.make(**dict(arguments))
        return b.add(node_name(self.name, path), node, wire, when=when)

    def variants(self) -> Iterator[Operation]:
        """Yield the operation of the first options, then with every other option once."""
        options = {key: options_of(value) if isinstance(value, Block) else [value] for key, value in self.arguments}
        first = {key: values[0] for key, values in options.items()}
        yield self.make(**first)
        for key, values in options.items():
            for value in values[1:]:
                yield self.make(**{**first, key: value})

    def shapes(self, path: str, shape: Shape, fitting: Fitting) -> Shapes:
        """Return the shapes that the hyper-parameters lead to."""
        try:
            return frozenset(ended(each, fitting.n_outputs).shape(shape) for each in self.variants())
        except ShapeError as error:
            raise UsageError(f"every choice must fit, got {self.label!r} at {path!r}: {error}") from error


@final
@dataclass(frozen=True)
class ForeignMaker:
    """Makes the operation of a user's module from its constructor arguments."""

    module: type

    def __call__(self, **options: Any) -> Foreign:
        """Return the operation."""
        return Foreign(self.module, tuple(sorted(options.items())))


def op(target: str | type, **hyperparameters: Any) -> Op:
    """Return an operation for ``chain`` and ``choice``.

    Args:
        target: The name of a registered operation, or a user's ``nn.Module`` class. A module's
            constructor gets ``in_channels``, ``in_features`` or ``in_shape`` if it takes one.
        hyperparameters: Values or decisions; lists count as tuples.

    Raises:
        UsageError: The name is unknown, the operation has no such hyper-parameter, or a value is
            not hashable or one that the operation refuses.

    Example:
        >>> from nasturtium.spaces import choice
        >>> op("conv", out=choice(8, 16), kernel=3).label
        'conv(kernel=3)'
    """
    if isinstance(target, str):
        taken = list(parameters(OPERATIONS.get(target)))
        unknown = [key for key in hyperparameters if key not in taken]
        if unknown:
            raise UsageError(f"operation {target!r} has no {unknown[0]!r}; {near_matches(unknown[0], taken)}")
    arguments = tuple((key, tuples(value)) for key, value in hyperparameters.items())
    for key, value in arguments:
        try:
            hash(value)
        except TypeError as error:
            raise UsageError(f"a hyper-parameter is hashable, got {key}={value!r}; give a tuple.") from error
    made = Op(target, arguments)
    for _ in made.variants():  # makes each one, which checks the hyper-parameters
        pass
    return made


def options_of(block: Block) -> Sequence[Any]:
    """Return the values of a hyper-parameter that is a decision; the ends and the middle of many."""
    asked: list[Any] = []

    def ask(decision: Decision) -> Any:
        asked.append(decision)
        return decision.at(0.0, {})

    block.decide("", ask)
    options = asked[0].values if isinstance(asked[0], Categorical) else asked[0].options({})
    if len(options) > MANY:
        options = [options[0], options[len(options) // 2], options[-1]]
    return options or [asked[0].low, asked[0].high]


@final
@BLOCKS.register("series")
@dataclass(frozen=True)
class Series(NetworkBlock):
    """Blocks one after the other."""

    blocks: tuple[Block, ...]

    @property
    def label(self) -> str:
        """The labels of the blocks, joined."""
        return "-".join(map(short, self.blocks))

    def decide(self, path: str, ask: Ask) -> None:
        """Ask each block's decisions."""
        for i, block in enumerate(self.blocks):
            block.decide(f"{path}.{i}" if path else str(i), ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield each block's paths."""
        for i, block in enumerate(self.blocks):
            yield from block.paths(f"{path}.{i}" if path else str(i))

    def count(self) -> float:
        """Return the product over the blocks."""
        return prod(block.count() for block in self.blocks)

    def has_rule(self) -> bool:
        """Return whether a block has a rule."""
        return any(block.has_rule() for block in self.blocks)

    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add the blocks in order."""
        for i, block in enumerate(self.blocks):
            wire = build(block, f"{path}.{i}" if path else str(i), b, wire, when)
        return wire

    def shapes(self, path: str, shape: Shape, fitting: Fitting) -> Shapes:
        """Return what the last block gives."""
        found = frozenset({shape})
        for i, block in enumerate(self.blocks):
            found = fitting.after(block, f"{path}.{i}" if path else str(i), found)
        return found


def build(block: Block, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
    """Add a block's nodes to an open graph and return the wire of its result."""
    if isinstance(block, Choice):
        ends = []
        for label, option in zip(block.labels(), block.values, strict=True):
            inner = build(option, f"{path}.{label}", b, wire, (*when, (path, frozenset({label}))))
            ends.append(under(inner, path, label))
        return alternatives(*ends)
    assert isinstance(block, NetworkBlock), "network_block lets nothing else in"
    return block.build(path, b, wire, when)


@final
@dataclass(frozen=True)
class Fitting:
    """One look through a network space: whether every choice fits, and what shapes may arise.

    Args:
        n_outputs: What a linear layer without ``out=`` gives.
        known: What was found so far; a copy in a repeat is looked at once a shape.
    """

    n_outputs: int | None
    known: dict[tuple[int, Shape], Shapes] = field(default_factory=dict, compare=False)

    def after(self, block: Block, path: str, shapes: Iterable[Shape]) -> Shapes:
        """Return the shapes that a block may give; of those that differ in width alone, a few.

        Raises:
            UsageError: One of its choices can't take one of the shapes.
        """
        found: set[Shape] = set()
        for shape in shapes:
            key = (id(block), shape)
            if key not in self.known:
                self.known[key] = self._given(block, path, shape)
            found |= self.known[key]
        return _thinned(found)

    def _given(self, block: Block, path: str, shape: Shape) -> Shapes:
        if isinstance(block, Choice):
            options = zip(block.labels(), block.values, strict=True)
            return frozenset().union(*(self.after(option, f"{path}.{label}", (shape,)) for label, option in options))
        assert isinstance(block, NetworkBlock), "network_block lets nothing else in"
        return block.shapes(path, shape, self)


def _thinned(shapes: Iterable[Shape]) -> Shapes:
    """Return the shapes, of those that differ in width alone a few: the narrowest and the widest."""
    by_size: dict[Shape, list[Shape]] = {}
    for shape in sorted(shapes):
        by_size.setdefault(shape[1:] if len(shape) > 1 else (), []).append(shape)
    return frozenset(s for same in by_size.values() for s in (*same[: WIDTHS // 2], *same[-WIDTHS // 2 :]))


def network_block(value: Any) -> Block:
    """Return the block of an argument of ``chain``.

    Raises:
        UsageError: It is none, a choice of plain values, or a space with limits of its own.
    """
    if isinstance(value, DecisionSpace):
        value = tree_of(value)
    if isinstance(value, Choice):
        return replace(value, values=tuple(network_block(option) for option in value.values))
    if isinstance(value, NetworkBlock):
        return value.checked()
    raise UsageError(
        f"a network is made of op, choice, repeat, branch, cell and chain, got {value!r}; wrap it in op(...)."
    )


def short(block: Block) -> str:
    """Return what stands for a block in the label of one around it."""
    return block.label if isinstance(block, Labeled) else "x"


def node_name(name: str, path: str) -> str:
    """Return the identifier of the node at a decision path.

    Example:
        >>> node_name("conv", "1.0.conv")
        'conv_1_0'
        >>> node_name("conv", "1.0.conv(kernel=3)")
        'conv_1_0_kernel_3'
    """
    places = [part.removeprefix(name) if part.split("(")[0] == name else part for part in path.split(".")]
    words = (re.sub(r"\W+", "_", part).strip("_") for part in [name, *places])
    return "_".join(word for word in words if word)


def with_outputs(graph: Graph, n_outputs: int | None) -> Graph:
    """Return the graph in which linear layers without ``out=`` give the task's outputs."""
    if n_outputs is None:
        return graph

    @cache  # a nested graph that is used twice stays one
    def inside(op: Operation | Graph | OpenOperation) -> Operation | Graph | OpenOperation:
        if isinstance(op, Graph):
            return with_outputs(op, n_outputs)
        if isinstance(op, OpenOperation):
            is_end = op.make is Linear and "out" not in dict(op.arguments)
            return replace(op, arguments=(*op.arguments, ("out", n_outputs))) if is_end else op
        return ended(op, n_outputs)

    return Graph(tuple(replace(node, op=inside(node.op)) for node in graph.nodes), graph.outputs)


def ended(operation: Operation, n_outputs: int | None) -> Operation:
    """Return the operation, a linear layer without ``out=`` with the task's number of outputs."""
    if isinstance(operation, Linear) and operation.out is None:
        return replace(operation, out=n_outputs)
    return operation
