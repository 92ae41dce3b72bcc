"""The space around an existing network: other widths, depths and kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Graph, OpenOperation, Operation, Pick, alternatives, under
from nasturtium.graphs.operations import Conv2d
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._channels import channel_groups
from nasturtium.spaces._decision import Interval
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._networks import NetworkSpace
from nasturtium.spaces._tree import Ask, Block, Group
from nasturtium.spaces._units import units_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nasturtium.graphs import Condition, Node, Wire
    from nasturtium.spaces._architecture import Architecture
    from nasturtium.spaces._channels import Channels
    from nasturtium.spaces._decision import Decision, Value
    from nasturtium.spaces._units import Unit


@final
@SPACES.register("around", is_listed=False)
@dataclass(frozen=True, kw_only=True)
class Around(NetworkSpace):
    """Networks like an existing one; made by ``nasturtium.space_from``.

    The network is cut wherever a single value is alive. What lies between two cuts, a layer or a
    residual block with the normalization and activation behind it, is a unit. Units in a row that
    keep the shape are a run: how many of them there are is a decision, and those beyond the
    original are copies of the last. A layer's width is a decision, one for all layers that a sum, a
    depthwise convolution or a run ties; so is the side of each window larger than 1x1. A width stays
    if a layer that nasturtium has no operation for reads it, or if it is added to a concatenation.

    Args:
        base: The network: closed, one input, one output; its last layer gives the task's outputs.
        widths: Factors on each width to choose from, 1 among them.
        depth: How many units a run may lose or gain.
        kernels: What to add to each window's side, to choose from: even, 0 among them.
    """

    base: Graph
    widths: tuple[float, ...] = (0.5, 1.0, 1.5)
    depth: int = 1
    kernels: tuple[int, ...] = (-2, 0, 2)

    def __post_init__(self) -> None:
        """Check the choices, and that the network ends in a layer whose width can be set."""
        is_centered = 1 in self.widths and 0 in self.kernels
        if not is_centered or min(self.widths) <= 0 or self.depth < 0 or any(step % 2 for step in self.kernels):
            raise UsageError(
                "widths are positive and hold 1, depth is at least 0, kernels are even and hold 0, got "
                f"widths={self.widths}, depth={self.depth} and kernels={self.kernels}; add what is missing."
            )
        if not self._plan.output.is_free:
            raise UsageError(
                "a network that becomes a space ends in a linear layer or a convolution that sets the number of "
                f"outputs, got {self.base.outputs[0]!r}; end it in one."
            )

    @property
    def _plan(self) -> _Plan:
        return _planned(self.base, self.widths, self.depth, self.kernels)

    @property
    def root(self) -> Block:
        """The widths that the network shares, then each part's own decisions."""
        return self._plan.root

    @property
    def original(self) -> Architecture:
        """The architecture of the existing network."""
        values = self._plan.original

        def choose(decision: Decision, prefix: Mapping[str, Value]) -> Value:
            del prefix
            return values[decision.path]

        return self.construct(choose)

    def _open_graph(self) -> Graph:
        b = Builder()
        wire = b.input(self.base.inputs[0].name, self.input_shape)
        for part in self._plan.parts:
            ends = [wire]
            for i, copy in enumerate(part.copies):
                is_there = ((part.path, frozenset(range(i + 1, len(part.copies) + 1))),) if part.path else ()
                ends.append(self._add(b, copy, ends[-1], is_there))
            wire = ends[-1]
            if part.path:
                numbers = range(part.at_least, len(part.copies) + 1)
                wire = alternatives(*(under(ends[n], part.path, n) for n in numbers))
        return b.graph(wire)

    def _add(self, b: Builder, copy: _Copy, wire: Wire, when: Condition) -> Wire:
        wires = {copy.unit.entry: wire}
        for node in copy.unit.nodes:
            operation = self._opened(node, copy.suffix)
            sources = [wires[edge.source] for edge in node.edges]
            wires[node.name] = b.add(node.name + copy.suffix, operation, *sources, when=when)
        return wires[copy.unit.nodes[-1].name]

    def _opened(self, node: Node, suffix: str) -> Operation | OpenOperation:
        """Return a node's operation with its decisions in it."""
        plan = self._plan
        assert isinstance(node.op, Operation), "a traced network has no nested graphs"
        arguments: dict[str, Any] = node.op.arguments()
        if node.name in plan.output.producers:
            arguments["out"] = self.n_outputs or plan.output.width
        elif node.name in plan.width_paths:
            arguments["out"] = Pick(plan.width_paths[node.name] + suffix * (node.name in plan.local))
        if f"kernel.{node.name}" in plan.original:
            arguments["kernel"] = Pick(f"kernel.{node.name}{suffix}")
        if any(isinstance(value, Pick) for value in arguments.values()):
            return OpenOperation(type(node.op), tuple(arguments.items()))
        return type(node.op)(**arguments)


@final
@dataclass(frozen=True)
class Run(Block):
    """The first so many of several groups of decisions, whose paths do not depend on the run's."""

    units: tuple[Group, ...]
    at_least: int

    def decide(self, path: str, ask: Ask) -> None:
        """Ask how many, then the decisions of those."""
        n = ask(Interval(path, self.at_least, len(self.units), is_log=False, is_integer=True))
        assert isinstance(n, int)
        for unit in self.units[:n]:
            unit.decide("", ask)

    def paths(self, path: str) -> Iterator[str]:
        """Yield the number's path, then those of all groups."""
        yield path
        for unit in self.units:
            yield from unit.paths("")

    def count(self) -> float:
        """Return the sum over the numbers."""
        ways = [unit.count() for unit in self.units]
        return sum(prod(ways[:n]) for n in range(self.at_least, len(ways) + 1))


@final
@dataclass(frozen=True)
class _Copy:
    """A unit with the suffix that its names have; the original has none."""

    unit: Unit
    suffix: str = ""


@final
@dataclass(frozen=True)
class _Part:
    """A unit, or a run of units; of a run, ``path`` is the decision how many there are."""

    copies: tuple[_Copy, ...]
    path: str = ""
    at_least: int = 1


@final
@dataclass(frozen=True)
class _Plan:
    """What follows from a network and the choices around it.

    Args:
        parts: In order.
        output: The width that the task sets.
        width_paths: The decision of each node whose width may change.
        local: Nodes whose width decision belongs to their unit.
        original: The existing network's value of each decision that it is asked.
        root: The decision tree.
    """

    parts: tuple[_Part, ...]
    output: Channels
    width_paths: Mapping[str, str]
    local: frozenset[str]
    original: Mapping[str, Value]
    root: Group


@lru_cache(maxsize=16)
def _planned(base: Graph, widths: tuple[float, ...], depth: int, kernels: tuple[int, ...]) -> _Plan:
    parts = _parts(base, depth)
    runs = [part for part in parts if part.path]
    ties = [(copy.unit.entry, copy.unit.nodes[-1].name) for run in runs for copy in run.copies]
    groups = channel_groups(base, ties)
    output = next(group for group in groups if base.outputs[0] in group.members)
    insides = [frozenset(node.name for node in copy.unit.nodes) for run in runs for copy in run.copies]
    free = [group for group in groups if group.is_free and group is not output]
    local = [group for group in free if any(group.members <= inside for inside in insides)]
    original: dict[str, Value] = {f"width.{group.producers[0]}": group.width for group in free}
    original |= {part.path: sum(not copy.suffix for copy in part.copies) for part in runs}
    original |= {f"kernel.{node.name}": side for node in base.nodes if (side := _side(node))}

    def decisions(copy: _Copy) -> list[tuple[str, Block]]:
        """Return a unit's own decisions: widths that no other part shares, and kernels."""
        names = [node.name for node in copy.unit.nodes]
        own = [group for group in local if group.producers[0] in names]
        found: list[tuple[str, Block]] = [
            (f"width.{group.producers[0]}{copy.suffix}", _width(group, widths)) for group in own
        ]
        sides = [(node.name, side) for node in copy.unit.nodes if (side := _side(node))]
        return found + [(f"kernel.{name}{copy.suffix}", _kernel(side, kernels)) for name, side in sides]

    tree: list[tuple[str, Block]] = [
        (f"width.{group.producers[0]}", _width(group, widths)) for group in free if group not in local
    ]
    for part in parts:
        if part.path:
            tree.append((part.path, Run(tuple(Group(tuple(decisions(copy))) for copy in part.copies), part.at_least)))
        else:
            tree += decisions(part.copies[0])
    return _Plan(
        parts=parts,
        output=output,
        width_paths={name: f"width.{group.producers[0]}" for group in free for name in group.producers},
        local=frozenset(name for group in local for name in group.producers),
        original=original,
        root=Group(tuple(tree)),
    )


def _parts(base: Graph, depth: int) -> tuple[_Part, ...]:
    """Return the units of a network, those that may be repeated in runs with their further copies."""
    parts: list[_Part] = []
    for is_run, group in groupby(units_of(base), key=lambda unit: unit.is_repeatable and depth > 0):
        units = list(group)
        if not is_run:
            parts += [_Part((_Copy(unit),)) for unit in units]
            continue
        further = [_Copy(units[-1], f"_copy{i + 1}") for i in range(depth)]
        copies = (*(_Copy(unit) for unit in units), *further)
        parts.append(_Part(copies, f"depth.{units[0].nodes[0].name}", max(len(units) - depth, 0)))
    return tuple(parts)


def _side(node: Node) -> int | None:
    """Return the side of a convolution's window if it is square and larger than one."""
    kernel = node.op.kernel if isinstance(node.op, Conv2d) else None
    return kernel if isinstance(kernel, int) and kernel > 1 else None


def _width(group: Channels, factors: tuple[float, ...]) -> Block:
    """Return the choice of a width: multiples of what grouped convolutions need."""
    step = group.multiple
    return choice(*sorted({max(step, round(group.width * factor / step) * step) for factor in factors}))


def _kernel(side: int, steps: tuple[int, ...]) -> Block:
    return choice(*sorted({max(1, side + step) for step in steps}))
