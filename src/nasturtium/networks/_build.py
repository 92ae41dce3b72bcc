"""From a graph to the module that computes it."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from nasturtium.errors import UsageError
from nasturtium.graphs import Composite, Graph, Layer, Operation, Shape
from nasturtium.graphs.operations import Foreign, Input
from nasturtium.networks._measure import constructor_arguments
from nasturtium.networks._network import Cell, Formula, Network
from nasturtium.networks._plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

M = TypeVar("M", bound=nn.Module)


def build(graph: Graph, *, seed: int = 0, over_time: bool | None = None) -> Network:
    """Return the network of a closed graph, freshly initialized, on the CPU in float32.

    The initial weights are those of torch's layers, drawn for each layer from a generator seeded
    by (seed, name of the layer). So a layer that two architectures share begins equal in both, and
    the global random state stays untouched.

    Args:
        graph: A closed graph whose inputs declare their shapes.
        seed: Of the initial weights.
        over_time: Whether inputs and outputs are sequences, shape ``(batch, time, ...)``, and the
            network runs once a time step, its delayed edges starting at zero. None: if the graph
            is recurrent. True also makes a sequence model of a graph that remembers nothing, as a
            space of recurrent graphs may hold.

    Raises:
        UsageError: The graph is open, or recurrent while ``over_time`` is False, or an operation
            names no layer of torch.
        ShapeError: An operation can't take what reaches it.

    Example:
        >>> from nasturtium.graphs import Builder, operations
        >>> b = Builder()
        >>> x = b.add("conv", operations.Conv(out=4), b.input("image", (1, 8, 8)))
        >>> x = b.add("pool", operations.GlobalPool(), x)
        >>> network = build(b.graph(b.add("head", operations.Linear(out=10), x)))
        >>> network(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 10])
        >>> [name for name, _ in network.named_parameters()][:2]
        ['conv.conv.weight', 'conv.norm.weight']
    """
    if graph.is_open:
        raise UsageError("a network is built from a closed graph; resolve it with an architecture.")
    if over_time is None:
        over_time = graph.is_recurrent
    if graph.is_recurrent and not over_time:
        raise UsageError("a recurrent graph runs over time, got over_time=False; leave it out.")
    plan = make_plan(graph, ())
    with torch.random.fork_rng(devices=[]):
        return Network(graph, plan, _children(graph, (), seed, ""), over_time=over_time)


def _children(graph: Graph, inputs: tuple[Shape, ...], seed: int, path: str) -> dict[str, nn.Module]:
    arriving = graph.infer(*inputs).arriving
    return {
        node.name: _module(node.op, arriving[node.name], seed, f"{path}{node.name}")
        for node in graph.nodes
        if not isinstance(node.op, Input)
    }


def _module(op: Any, inputs: tuple[Shape, ...], seed: int, path: str) -> nn.Module:
    if isinstance(op, Composite):
        op = op.opened(*inputs)
    if isinstance(op, Graph):
        return Cell(make_plan(op, inputs), _children(op, inputs, seed, f"{path}."))
    if isinstance(op, Foreign):
        return _foreign(op, inputs, seed, path)
    assert isinstance(op, Operation), "a closed graph holds operations and graphs"
    symbol = op.symbol(*inputs)
    if isinstance(symbol, Layer):
        kind = getattr(nn, symbol.module, None)
        if kind is None:
            raise UsageError(f"a layer is a class of torch.nn, got {symbol.module!r}; use an Expression.")
        module: nn.Module = _drawn(lambda: kind(*symbol.arguments, **dict(symbol.options)), seed, path)
        return module
    return Formula(symbol.template, len(inputs))


def _foreign(op: Foreign, inputs: tuple[Shape, ...], seed: int, path: str) -> nn.Module:
    """Return a user's module; lazy parameters get their shapes from one batch of zeros."""

    def make() -> nn.Module:
        module: nn.Module = op.module(**constructor_arguments(op.module, op.options, inputs))
        if any(is_lazy(p) for p in [*module.parameters(), *module.buffers()]):
            module(*(torch.zeros(2, *shape) for shape in inputs))
        return module

    return _drawn(make, seed, path)


def _drawn(make: Callable[[], M], seed: int, path: str) -> M:
    """Return a module whose initial weights depend on seed and path only."""
    digest = blake2b(f"{seed} {path}".encode(), digest_size=8).digest()
    # Not torch.manual_seed: it would also seed every accelerator, which fork_rng leaves out.
    torch.default_generator.manual_seed(int.from_bytes(digest, "big") >> 1)
    return make()
