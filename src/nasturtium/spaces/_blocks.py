"""Blocks that build networks: ``op``, ``repeat``, sequences, and choices among them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium._registry import parameters, tuples
from nasturtium.errors import UsageError, near_matches
from nasturtium.graphs import (
    OPERATIONS,
    Builder,
    Condition,
    Graph,
    OpenOperation,
    Operation,
    Pick,
    Wire,
    alternatives,
    under,
)
from nasturtium.graphs.operations import Foreign, Linear
from nasturtium.spaces._decision import Interval
from nasturtium.spaces._decisions import DecisionSpace
from nasturtium.spaces._tree import BLOCKS, Ask, Block, Choice, Labeled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@final
@BLOCKS.register("op")
@dataclass(frozen=True)
class Op(Labeled):
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
            not hashable.

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
    return Op(target, arguments)


@final
@BLOCKS.register("repeat")
@dataclass(frozen=True)
class Repeat(Block):
    """A block applied a number of times, each time with decisions of its own."""

    block: Block
    at_least: int
    at_most: int

    def decide(self, path: str, ask: Ask) -> None:
        """Ask how often, then each copy's decisions."""
        n = ask(Interval(f"{path}.n", self.at_least, self.at_most, is_log=False, is_integer=True))
        assert isinstance(n, int)
        for i in range(n):
            self.block.decide(f"{path}.{i}", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield the number's path, then those of as many copies as there may be."""
        yield f"{path}.n"
        for i in range(self.at_most):
            yield from self.block.paths(f"{path}.{i}")

    def count(self) -> float:
        """Return the sum of the powers."""
        return sum(self.block.count() ** n for n in range(self.at_least, self.at_most + 1))

    def has_rule(self) -> bool:
        """Return whether the block has a rule."""
        return self.block.has_rule()

    def build(self, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
        """Add every copy, each present if the number is large enough."""
        ends = [wire]
        for i in range(self.at_most):
            enough = frozenset(range(i + 1, self.at_most + 1))
            ends.append(build(self.block, f"{path}.{i}", b, ends[-1], (*when, (f"{path}.n", enough))))
        numbers = range(self.at_least, self.at_most + 1)
        return alternatives(*(under(ends[n], f"{path}.n", n) for n in numbers))


def repeat(block: Any, *, at_least: int = 0, at_most: int) -> Repeat:
    """Return a block that is applied ``at_least`` to ``at_most`` times in a row.

    Raises:
        UsageError: The bounds are negative or in the wrong order.
    """
    if not 0 <= at_least <= at_most or at_most < 1:
        raise UsageError(f"0 <= at_least <= at_most and at_most >= 1, got {at_least} and {at_most}; swap them.")
    if isinstance(block, DecisionSpace):
        block = block.root
    if not isinstance(block, Block):
        raise UsageError(f"what is repeated is a block, got {block!r}; wrap it in op(...).")
    return Repeat(block, at_least, at_most)


@final
@BLOCKS.register("series")
@dataclass(frozen=True)
class Series(Labeled):
    """Blocks one after the other."""

    blocks: tuple[Block, ...]

    @property
    def label(self) -> str:
        """The labels of the blocks, joined."""
        return "-".join(block.label if isinstance(block, Labeled) else "x" for block in self.blocks)

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


def build(block: Block, path: str, b: Builder, wire: Wire, when: Condition) -> Wire:
    """Add a block's nodes to an open graph and return the wire of its result."""
    if isinstance(block, Choice):
        ends = []
        for label, option in zip(block.labels(), block.values, strict=True):
            inner = build(option, f"{path}.{label}", b, wire, (*when, (path, frozenset({label}))))
            ends.append(under(inner, path, label))
        return alternatives(*ends)
    if isinstance(block, (Op, Repeat, Series)):
        return block.build(path, b, wire, when)
    raise UsageError(f"a network is made of op, choice, repeat and chain, got {block!r}; wrap it in op(...).")


def network_block(value: Any) -> Block:
    """Return the block of an argument of ``chain``.

    Raises:
        UsageError: It is none, or a choice of plain values.
    """
    if isinstance(value, DecisionSpace):
        value = value.root
    if isinstance(value, Choice):
        return replace(value, values=tuple(network_block(option) for option in value.values))
    if isinstance(value, Repeat):
        return replace(value, block=network_block(value.block))
    if isinstance(value, (Op, Series)):
        return value
    raise UsageError(f"a network is made of op, choice, repeat and chain, got {value!r}; wrap it in op(...).")


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

    def ended(op: Operation | Graph | OpenOperation) -> Operation | Graph | OpenOperation:
        if isinstance(op, Linear) and op.out is None:
            return replace(op, out=n_outputs)
        if isinstance(op, OpenOperation) and op.make is Linear and "out" not in dict(op.arguments):
            return replace(op, arguments=(*op.arguments, ("out", n_outputs)))
        return op

    return Graph(tuple(replace(node, op=ended(node.op)) for node in graph.nodes), graph.outputs)
