"""The source of one class: constructor, forward, and what a recurrent network needs besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.export._fold import fold, fold_assignment
from nasturtium.export._parameters import arguments_of
from nasturtium.export._statements import Body, attribute, body
from nasturtium.graphs import live_nodes
from nasturtium.graphs.operations import token_inputs
from nasturtium.networks import delayed_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.export._families import Family


def class_source(family: Family, *, is_root: bool, over_time: bool) -> str:
    """Return the source of a family's class.

    Args:
        family: What to write.
        is_root: Whether it is the whole network.
        over_time: Whether the network runs over time; only the root keeps the state.
    """
    written = body(family.graph, family.formulas)
    parts = [
        [f'    """{family.summary}"""'] if family.summary else [],
        _constructor(family),
        _initial_state(family, written, is_root=is_root) if written.before else [],
    ]
    if is_root and over_time:
        parts += [_forward(family, written, "step", with_shapes=True), _loop(written)]
    else:
        parts += [_forward(family, written, "forward", with_shapes=is_root)]
    texts = ["\n".join(part) for part in parts if part]
    return f"class {family.name}(nn.Module):\n" + "\n\n".join(texts)


def _constructor(family: Family) -> list[str]:
    instance = family.instances[0]
    if not instance.calls and not instance.inner:
        return []
    parameters = [p.name if p.default is None else f"{p.name}={p.default}" for p in family.parameters]
    lines = fold(f"    def __init__({', '.join(['self', *parameters])}):")
    lines.append("        super().__init__()")
    alive = live_nodes(family.graph)
    for node in family.graph.nodes:
        if node.name in instance.calls:
            callee = instance.calls[node.name].callee
        elif node.name in instance.inner:
            callee = instance.inner[node.name].family.name
        else:
            continue
        call = f"{callee}({', '.join(arguments_of(family, node.name))})"
        line = f"        {attribute(node.name)} = {call}"
        if node.name not in alive:
            line += "  # nothing reads it"
        lines += fold(line)
    return lines


def _forward(family: Family, written: Body, name: str, *, with_shapes: bool) -> list[str]:
    state = ["state"] if written.before else []
    lines = fold(f"    def {name}({', '.join(['self', *written.arguments, *state])}):")
    if name == "step":
        next_state = " and the next state" if state else ""
        lines.append(f'        """Return what one time step gives{next_state}."""')
    if state:
        lines += fold(f"        {_unpacked(written.before)} = state")
    statements = list(written.statements)
    results = ", ".join(written.results)
    if state:
        results += f", {_packed(written.after)}"
    elif statements and statements[-1][1].startswith(f"{results} = "):
        results = statements.pop()[1].partition(" = ")[2]
    shapes = family.graph.infer(*family.inputs).shapes if with_shapes else {}
    before = shapes.get(family.graph.inputs[0].name) if family.graph.inputs else None
    for node, statement in statements:
        comment = ""
        if shapes and shapes[node] != before:
            before = shapes[node]
            comment = f"  # {before}"
        lines += fold_assignment(f"        {statement}{comment}")
    return [*lines, *fold_assignment(f"        return {results}")]


def _initial_state(family: Family, written: Body, *, is_root: bool) -> list[str]:
    shapes = dict(zip(delayed_values(family.graph), family.state, strict=True))
    zeros = [f"x.new_zeros({', '.join(['len(x)', *map(str, shapes[value])])})" for value in written.delayed]
    inner = [f"{attribute(name)}.initial_state(x)" for name in written.recurrent]
    embedding, _ = token_inputs(family.graph).get(family.graph.inputs[0].name, ("", 0))
    # Tokens are whole numbers, the state is not.
    cast = [f"        x = x.to({attribute(embedding)}.weight.dtype)"] if is_root and embedding else []
    return [
        "    def initial_state(self, x):",
        '        """Return zeros for the first time step, one row for each example of x."""',
        *cast,
        *fold(f"        return {_packed([*zeros, *inner])}"),
    ]


def _loop(written: Body) -> list[str]:
    """Return the ``forward`` of a network that runs over time."""
    has_state = bool(written.before)
    first = written.arguments[0]
    at_t = [f"{argument}[:, t]" for argument in written.arguments]
    step = f"self.step({', '.join([*at_t, 'state'] if has_state else at_t)})"
    several = len(written.results) > 1
    values = "*values" if several and has_state else "values" if several else "value"
    left = f"{values}, state" if has_state else values
    stacked = "torch.stack(steps, dim=1)"
    if several:
        stacked = "tuple(torch.stack(values, dim=1) for values in zip(*steps))"
    return [
        *fold(f"    def forward({', '.join(['self', *written.arguments])}):"),
        '        """Return the outputs of all time steps; tensors are (batch, time, ...)."""',
        *([f"        state = self.initial_state({first})"] if has_state else []),
        "        steps = []",
        f"        for t in range({first}.shape[1]):",
        *fold(f"            {left} = {step}"),
        f"            steps.append({'values' if several else 'value'})",
        f"        return {stacked}",
    ]


def _unpacked(names: Sequence[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else ", ".join(names)


def _packed(texts: Sequence[str]) -> str:
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
