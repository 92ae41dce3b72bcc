"""The sweep of a space: many members, each built, run, counted, written and read again."""

from __future__ import annotations

import sys
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from nasturtium.errors import NoFeasibleNeighbor
from nasturtium.graphs.operations import Neuron
from nasturtium.spaces import Architecture, Networks, Space
from nasturtium.testing._sampling import same_json, samples

if TYPE_CHECKING:
    from torch import Tensor

    from nasturtium.graphs import Graph
    from nasturtium.networks import Network

CHAIN_LENGTH = 50
"""Mutations one after the other."""

N_STEPS = 3
"""Length of the sequences that a recurrent network reads."""


def check_sweep(space: Space, n: int, *, n_exports: int, n_chains: int) -> None:
    """Check everything that a member of a bound space promises, on many members.

    Text and JSON give it back; its network is built, runs forward and backward, and has the
    parameters and multiply-accumulates that torch counts; its plain source runs and computes the
    same; chains of ``CHAIN_LENGTH`` mutations stay in the space.

    Args:
        space: A space, bound to its task's shapes.
        n: How many random members are swept.
        n_exports: Of how many of them the plain source is run.
        n_chains: From how many of them a chain of mutations begins.

    Raises:
        AssertionError: The first promise that is broken, with the member's text.
    """
    drawn = samples(space, n)
    for index, a in enumerate(drawn):
        _check_written(space, a)
        if isinstance(space, Networks):
            _check_network(space.network(a), a, is_exported=index < n_exports)
    rng = np.random.default_rng(1)
    for a in islice(drawn, n_chains):
        _check_mutations(space, a, rng)


def _check_written(space: Space, a: Architecture) -> None:
    assert a in space, f"a sample is a member, got {a.text}"
    assert space.parse(space.text(a)) == a, f"not the same from its text: {a.text}"
    assert Architecture.from_json(same_json(a.to_json())) == a, f"not the same from JSON: {a.text}"


def _check_mutations(space: Space, a: Architecture, rng: np.random.Generator) -> None:
    for step in range(CHAIN_LENGTH):
        try:
            a = space.mutate(a, rng)
        except NoFeasibleNeighbor:  # of a limited space: it says so instead of leaving the space
            return
        assert a in space, f"mutation {step} of a chain leads out of the space, got {a.text}"


def _check_network(graph: Graph, a: Architecture, *, is_exported: bool) -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from nasturtium.networks import build, random_inputs

    network = build(graph)
    evolved = sum(len(node.edges) for node in graph.nodes if isinstance(node.op, Neuron))  # constants to torch
    trained = sum(p.numel() for p in network.parameters())
    assert graph.params == trained + evolved, f"torch counts other parameters at {a.text}"
    lead = (2, N_STEPS) if graph.is_recurrent else (2,)
    inputs = random_inputs(graph, *lead)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:  # with gradients, following the modules would cost more than all else
        network(*inputs)
    n_examples = int(np.prod(lead))
    macs = counter.get_total_flops() // 2
    wanted_macs = n_examples * (graph.flops - evolved)
    assert macs == wanted_macs, f"torch counts {macs}, not {wanted_macs}, for {n_examples} examples at {a.text}"
    outputs = _tuple(network(*inputs))
    shapes = tuple(tuple(y.shape) for y in outputs)
    wanted = tuple((*lead, *shape) for shape in graph.infer().outputs)
    assert shapes == wanted, f"outputs have the shapes {wanted}, got {shapes} at {a.text}"
    if evolved and not trained:
        return
    sum(y.square().sum() for y in outputs).backward()  # type: ignore[union-attr]
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients, f"no parameter has a gradient at {a.text}"
    assert all(bool(g.isfinite().all()) for g in gradients), f"a gradient is not finite at {a.text}"
    if is_exported:
        _check_source(graph, network, inputs, a)


def _check_source(graph: Graph, network: Network, inputs: tuple[Tensor, ...], a: Architecture) -> None:
    import torch

    from nasturtium.export import source_of

    module = ModuleType("swept")
    module.__file__ = "model.py"
    sys.modules[module.__name__] = module
    try:
        exec(compile(source_of(graph), "model.py", "exec"), vars(module))
        other = module.Network()
    finally:
        del sys.modules[module.__name__]
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        pairs = zip(*(_tuple(each.eval()(*inputs)) for each in (network, other)), strict=True)
    assert all(torch.equal(y, z) for y, z in pairs), f"the exported source computes something else at {a.text}"


def _tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)
