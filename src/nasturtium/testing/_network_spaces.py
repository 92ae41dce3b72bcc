"""The laws of spaces of networks: graphs, limits, edits."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np

from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.graphs import EDITS, Graph
from nasturtium.spaces import Architecture, Edits, Finite, Networks, Open, Space, _base
from nasturtium.testing._refusals import refusal
from nasturtium.testing._sampling import same_json, samples
from nasturtium.testing._toys import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = Shapes((3, 12, 12), 7)
"""A task that no space is bound to yet."""


def check_networks_have_shapes(space: Space) -> None:
    """Every member's network is closed, and its shapes and costs follow without training."""
    for a, graph in _networks(space):
        found = graph.infer()
        assert not graph.is_open, f"a network has no choices left, got one at {a.text}"
        assert min(found.params, found.flops) >= 0, f"costs are not negative, got {found}"
        assert type(found.params) is int, f"parameters are whole, got {found.params!r}"
        assert type(found.flops) is int, f"multiply-accumulates are whole, got {found.flops!r}"
        assert graph.simplified().infer().outputs == found.outputs, f"simplifying changes {a.text}"


def check_networks_are_repeatable(space: Space) -> None:
    """Equal architectures have equal networks, whatever was asked in between."""
    if isinstance(space, Networks):
        for a, graph in _networks(space):
            again = Architecture.from_json(same_json(a.to_json()))
            assert space.network(again) == graph, f"two networks of {a.text}"


def check_binding_gives_the_ends(space: Space) -> None:
    """``on(task)`` gives the networks the task's shapes at both ends, and may be called again."""
    if not isinstance(space, Networks):
        return
    bound = space.on(OTHER)
    assert bound.on(OTHER) == bound, "binding twice is binding once"
    for a in samples(bound, 5):
        graph = bound.graph(a)
        inputs = [graph.shapes[node.name] for node in graph.inputs]
        outputs = graph.infer().outputs
        assert inputs == [OTHER.input_shape], f"the input has the task's shape, got {inputs}"
        assert outputs == ((OTHER.n_outputs,),), f"the output has the task's shape, got {outputs}"


def check_open_graph_resolves(space: Space) -> None:
    """``graph().resolve(a)`` is ``graph(a)``, and every node of it is in the open graph."""
    if not isinstance(space, Open) or not isinstance(space, Networks):
        return
    opened = space.graph()
    for a, graph in _networks(space):
        assert opened.resolve(a) == graph, f"the open graph gives another network for {a.text}"
        missing = set(graph.by_name) - set(opened.by_name)
        assert not missing, f"the open graph lacks {sorted(missing)}"


def check_limits_hold(space: Space) -> None:
    """Samples, mutations and walks of a limited space meet its limits; membership includes them."""
    if not isinstance(space, Networks):
        return
    found = samples(space)
    costs = [space.cost(a, "params") for a in found]
    bound = float(np.median(costs))
    limited = space.limited(params=bound)
    drawn = samples(limited, 5)
    rng = np.random.default_rng(0)
    drawn += [_mutated(limited, a, rng) for a in drawn]
    if isinstance(limited, Finite):
        drawn += islice(limited, 5)
    for a in drawn:
        params = space.network(a).params
        assert params <= bound, f"at most {bound} parameters, got {params}"
        assert a in limited, "what meets the limits is a member"
    for a, cost in zip(found, costs, strict=True):
        assert (a in limited) == (cost <= bound), f"membership includes limits, got {cost}"
        assert a in space, "the space without limits stays as it was"


def check_impossible_limits_are_reported(space: Space) -> None:
    """Where nothing is feasible, sampling and mutating end with ``NoFeasibleNeighbor``."""
    if not isinstance(space, Networks):
        return
    a = samples(space, 1)[0]
    nothing = space.limited(flops=1e-9)
    rng = np.random.default_rng(0)
    draws: list[Callable[[], Architecture]] = [
        lambda: nothing.sample(rng),
        lambda: nothing.mutate(a, rng),
    ]
    with patch.object(_base, "TRIES", 10):
        for draw in draws:
            reason = refusal(NoFeasibleNeighbor, draw)
            assert reason is not None, "no network is without multiply-accumulates"
            assert "flops" in reason, f"the limit is named, got {reason}"


def check_wrong_limits_are_refused(space: Space) -> None:
    """Unknown costs and bounds that are not positive are refused; later limits replace earlier."""
    if not isinstance(space, Networks):
        return
    for limits in ({"no such cost": 1.0}, {"params": 0.0}, {"flops": float("nan")}):
        reason = refusal(UsageError, partial(space.limited, **limits))
        assert reason is not None, f"limits {limits} must be refused"
    assert space.limited(params=5).limited(params=7) == space.limited(params=7)


def check_edits_keep_names(space: Space) -> None:
    """An edit gives a member, and every node of the network keeps its name."""
    if not isinstance(space, Edits):
        return
    assert isinstance(space, Networks), "what edits extend is a network"
    for a in samples(space, 5):
        before, text = set(space.network(a).by_name), a.text
        edits = space.edits(a)
        assert edits == space.edits(a), "edits come in a fixed order"
        for edit in edits[:20]:
            child = space.apply(a, edit)
            lost = before - set(space.network(child).by_name)
            assert not lost, f"{edit} loses the nodes {sorted(lost)}"
            assert child in space, f"{edit} leads out of the space"
            assert child != a, f"{edit} changes nothing"
            assert space.apply(a, edit) == child, f"{edit} gives another network when applied again"
        assert a.text == text, "an edit leaves its origin as it was"


def check_edits_have_json(space: Space) -> None:
    """An edit is made again from what the log stores of it."""
    if not isinstance(space, Edits):
        return
    for a in samples(space, 5):
        for edit in space.edits(a):
            restored = EDITS.restore(same_json(EDITS.describe(edit)))
            assert restored == edit, f"not the same again: {edit}"


def check_mutation_is_one_edit(space: Space) -> None:
    """In a growing space a mutation is one edit more."""
    if not isinstance(space, Edits):
        return
    rng = np.random.default_rng(0)
    for a in samples(space, 5):
        child = space.mutate(a, rng)
        ways = [edit for edit in space.edits(a) if space.apply(a, edit) == child]
        assert ways, f"no edit leads from {a.text} to {child.text}"


CHECKS: tuple[Callable[[Space], None], ...] = (
    check_networks_have_shapes,
    check_networks_are_repeatable,
    check_binding_gives_the_ends,
    check_open_graph_resolves,
    check_limits_hold,
    check_impossible_limits_are_reported,
    check_wrong_limits_are_refused,
    check_edits_keep_names,
    check_edits_have_json,
    check_mutation_is_one_edit,
)


def _networks(space: Space, n: int = 10) -> list[tuple[Architecture, Graph]]:
    """Return a few members with their networks; none of a space without."""
    if not isinstance(space, Networks):
        return []
    return [(a, space.network(a)) for a in samples(space, n)]


def _mutated(space: Space, a: Architecture, rng: np.random.Generator) -> Architecture:
    """Return a mutation, or the origin where the limits leave none."""
    try:
        return space.mutate(a, rng)
    except NoFeasibleNeighbor:
        return a
