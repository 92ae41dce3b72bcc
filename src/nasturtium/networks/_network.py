"""The modules that networks are made of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasturtium.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nasturtium.graphs import Graph
    from nasturtium.networks._plan import Plan


@final
class Formula(nn.Module):
    """A node without weights: the formula of an ``Expression``, such as ``"{0} + {1}"``.

    Args:
        template: Python source with ``{0}``, ``{1}``, ... or ``{all}`` for the inputs.
        n_inputs: How many inputs it takes.

    Example:
        >>> Formula("torch.relu({0})", 1)(torch.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def __init__(self, template: str, n_inputs: int) -> None:
        super().__init__()
        self.template = template
        self.n_inputs = n_inputs
        self._function = _compiled(template, n_inputs)

    def forward(self, *values: Tensor) -> Tensor:
        """Return the formula's value."""
        return self._function(*values)

    def extra_repr(self) -> str:
        """Return the formula for ``print(network)``."""
        return self.template

    def __getstate__(self) -> dict[str, Any]:
        """Leave the compiled function out of a pickle."""
        return {name: value for name, value in self.__dict__.items() if name != "_function"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Compile the function again."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]  # torch's is untyped
        self._function = _compiled(self.template, self.n_inputs)


@lru_cache(maxsize=1024)
def _compiled(template: str, n_inputs: int) -> Callable[..., Tensor]:
    names = [f"x{i}" for i in range(n_inputs)]
    source = f"lambda {', '.join(names)}: {template.format(*names, all=', '.join(names))}"
    function = eval(source, {"torch": torch, "functional": functional})
    return cast("Callable[..., Tensor]", function)


@final
class Cell(nn.Module):
    """A nested graph or the parts of a composite operation; its children are named after nodes.

    A recurrent one takes the state behind its inputs and returns the next state behind its
    outputs, see ``Plan``.

    Args:
        plan: How the graph runs.
        children: The module of every node that is no input.
    """

    def __init__(self, plan: Plan, children: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self._plan = plan
        # Not add_module: it refuses names that nn.Module uses itself, such as "train".
        self._modules.update(children)

    def forward(self, *values: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the single result, or the tuple of several."""
        results = _run(self._plan, self._modules, list(values))
        return results[0] if len(results) == 1 else tuple(results)


@final
class Network(nn.Module):
    """The module of a whole graph; made by ``build``.

    Its children are named after the graph's nodes, so a tensor's name is the node's name, a dot
    and the local name: ``conv_1.conv.weight``. Every node of the graph as written has its module
    and runs; build ``graph.simplified()`` to leave dead parts out.

    Args:
        graph: The closed graph that it was built from; kept as ``network.graph``.
        plan: How the graph runs.
        children: The module of every node that is no input.
        over_time: Whether inputs and outputs have a time axis; kept as ``network.over_time``.
    """

    def __init__(self, graph: Graph, plan: Plan, children: Mapping[str, nn.Module], *, over_time: bool) -> None:
        super().__init__()
        self.graph = graph
        self.over_time = over_time
        self._plan = plan
        self._modules.update(children)

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return the output, or the tuple of several outputs.

        Args:
            inputs: One tensor an input node, shape ``(batch, *shape)``; of a network that runs
                over time ``(batch, time, *shape)``, and the outputs have the time axis too.

        Raises:
            UsageError: The number of inputs is not the graph's.
        """
        if len(inputs) != self._plan.n_inputs:
            raise UsageError(
                f"a network takes one tensor an input, got {len(inputs)} for "
                f"{[node.name for node in self.graph.inputs]}; give one for each."
            )
        if self.over_time:
            results, _ = self.advance(inputs, self.initial_state(inputs[0]))
        else:
            results = _run(self._plan, self._modules, list(inputs))
        return results[0] if len(results) == 1 else tuple(results)

    def initial_state(self, x: Tensor) -> list[Tensor]:
        """Return the zeros that a sequence begins with, one row an example of x.

        Args:
            x: The first input, shape ``(batch, time, *shape)``; only the batch matters.
        """
        # Tokens are whole numbers, the state is not.
        like = x if x.is_floating_point() else next(self.parameters())
        # Not len(x): tracing would take it for a constant.
        return [like.new_zeros(x.shape[0], *shape) for shape in self._plan.state]

    def advance(self, inputs: tuple[Tensor, ...], state: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the outputs of all time steps, and the state behind them; for networks over time.

        Args:
            inputs: One tensor an input node, shape ``(batch, time, *shape)``.
            state: What ``initial_state`` gives, or ``advance`` gave for what comes before.
        """
        plan = self._plan
        outputs: list[list[Tensor]] = [[] for _ in range(plan.n_outputs)]
        for t in range(inputs[0].shape[1]):
            results = _run(plan, self._modules, [x[:, t] for x in inputs] + state)
            state = results[plan.n_outputs :]
            for output, value in zip(outputs, results, strict=False):
                output.append(value)
        return [torch.stack(output, dim=1) for output in outputs], state


def _run(plan: Plan, children: Mapping[str, nn.Module | None], values: list[Any]) -> list[Tensor]:
    """Return the outputs and the next state for the inputs and the state.

    Children are looked up by name at each call, so that one may be replaced (as quantization and
    pruning tools do) and hooks are honored.
    """
    values += [None] * (plan.n_values - len(values))
    for child, function, sources, target, freed in plan.steps:
        call: Any = function if child is None else children[child]
        values[target] = call(*[values[i] for i in sources])
        for i in freed:
            values[i] = None
    return [values[i] for i in plan.exits]
