"""What the constructor of a generated class takes: the constants in which its uses differ."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nasturtium.export._families import Call, Family, Instance

Position = tuple[str, str]
"""A place for a constant: the node and the name of its constructor's argument."""

_CHANNELS = {
    "in_channels",
    "out_channels",
    "channels",
    "in_features",
    "out_features",
    "features",
    "num_features",
    "num_channels",
    "groups",
}


_TAKEN = {"self", "torch", "nn", "functional"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a generated class.

    Attributes:
        name: Its name.
        kind: ``"channels"`` for counts of channels and features, else an argument's name; only
            constants of one kind share a parameter.
        default: Source text of what it is if not given, or None.
    """

    name: str
    kind: str
    default: str | None = None


def parametrized(family: Family) -> None:
    """Set a family's parameters and places, and the values that each instance gives.

    Positions that are equal in every instance hold that constant. The others are grouped by what
    they hold in all instances, and each group is one parameter. Inner families come first.
    """
    rows = [_row(instance) for instance in family.instances]
    _complete(rows, family.instances)
    groups: dict[tuple[str, tuple[str, ...]], list[Position]] = {}
    for position in rows[0]:
        values = tuple(row[position] for row in rows)
        family.places[position] = values[0]
        if len(set(values)) > 1:
            kind = _kind(family.instances[0], position)
            groups.setdefault((kind, values), []).append(position)
    defaults = {
        members[0]: _default(family.instances[0], members[0], set(values)) for (_, values), members in groups.items()
    }
    # Counts of channels come first, as in torch's own layers; what has a default comes last.
    ordered = sorted(
        groups.items(),
        key=lambda item: (defaults[item[1][0]] is not None, item[0][0] != "channels"),
    )
    names = _names([members for _, members in ordered], [kind for (kind, _), _ in ordered])
    for name, ((kind, _), members) in zip(names, ordered, strict=True):
        family.parameters.append(Parameter(name, kind, defaults[members[0]]))
        family.places.update(dict.fromkeys(members, name))
    for i, instance in enumerate(family.instances):
        instance.values = tuple(values[i] for (_, values), _ in ordered)


def _default(instance: Instance, position: Position, values: set[str]) -> str | None:
    """Return the usual value of an argument if it is one of those that occur."""
    node, argument = position
    if node in instance.inner:
        parameters = instance.inner[node].family.parameters
        usual = next(p.default for p in parameters if p.name == argument)
    else:
        usual = _layer_default(instance.calls[node], argument)
    return usual if usual in values else None


def arguments_of(family: Family, node: str) -> list[str]:
    """Return the arguments of the constructor call that makes a node's module."""
    instance = family.instances[0]
    places = [(argument, text) for (name, argument), text in family.places.items() if name == node]
    if node in instance.calls:
        n_positional = instance.calls[node].n_positional
    else:
        parameters = instance.inner[node].family.parameters
        defaults = {p.name: p.default for p in parameters}
        places = [(argument, text) for argument, text in places if text != defaults[argument]]
        n_positional = sum(p.kind == "channels" and p.default is None for p in parameters)
    named = [f"{argument}={text}" for argument, text in places[n_positional:]]
    return [text for _, text in places[:n_positional]] + named


def _row(instance: Instance) -> dict[Position, str]:
    """Return every constant of an instance by its position, in the order of the nodes."""
    row = {}
    for node in instance.family.graph.nodes:
        if node.name in instance.calls:
            for argument, text in instance.calls[node.name].arguments.items():
                row[node.name, argument] = text
        elif node.name in instance.inner:
            inner = instance.inner[node.name]
            for parameter, text in zip(inner.family.parameters, inner.values, strict=True):
                row[node.name, parameter.name] = text
    return row


def _complete(rows: list[dict[Position, str]], instances: list[Instance]) -> None:
    """Give every row the positions of all rows: an option that is left out has its default."""
    every = {position: None for row in rows for position in row}
    calls = instances[0].calls
    nodes = {node.name: i for i, node in enumerate(instances[0].family.graph.nodes)}
    order = {
        (node, argument): list(inspect.signature(calls[node].kind).parameters).index(argument)
        for node, argument in every
        if node in calls and calls[node].is_torch
    }
    positions = sorted(every, key=lambda position: (nodes[position[0]], order.get(position, 0)))
    for i, (row, instance) in enumerate(zip(rows, instances, strict=True)):
        rows[i] = {
            (node, argument): row.get((node, argument)) or str(_layer_default(instance.calls[node], argument))
            for node, argument in positions
        }


def _layer_default(call: Call, argument: str) -> str | None:
    """Return the source text of the default that a layer of torch has for an argument."""
    if not call.is_torch:
        return None
    default = inspect.signature(call.kind).parameters[argument].default
    return None if default is inspect.Parameter.empty else repr(default)


def _kind(instance: Instance, position: Position) -> str:
    node, argument = position
    if node in instance.inner:
        parameters = instance.inner[node].family.parameters
        return next(p.kind for p in parameters if p.name == argument)
    return "channels" if argument in _CHANNELS else argument


def _names(groups: list[list[Position]], kinds: list[str]) -> list[str]:
    """Return a name for each group of positions: an argument's, made unique by the node's."""
    wanted = [members[0][1] for members in groups]
    outside = any(name.startswith("out_") for name in wanted)
    for i, (members, kind) in enumerate(zip(groups, kinds, strict=True)):
        arguments = {argument.partition("_")[0] for _, argument in members}
        if kind == "channels" and not outside and ({"in", "out"} <= arguments or "channels" in arguments):
            wanted[i] = "features" if wanted[i].endswith("features") else "channels"
    names: list[str] = []
    clashing = {n for n, kind in zip(wanted, kinds, strict=True) if kind != "channels"}
    clashing = {name for name in clashing if wanted.count(name) > 1}
    for members, name in zip(groups, wanted, strict=True):
        longer = (f"{node}_{argument}" for node, argument in members)
        numbered = (f"{name}{i}" for i in count(2))
        options = chain([] if name in clashing else [name], longer, numbered)
        names.append(next(option for option in options if option not in {*names, *_TAKEN}))
    return names
