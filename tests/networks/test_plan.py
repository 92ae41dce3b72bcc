"""Plans: what runs on what, and what is freed when."""

from dataclasses import replace

import pytest

from nasturtium.graphs import Builder, delayed
from nasturtium.graphs import operations as o
from nasturtium.networks import delayed_shapes, delayed_values
from nasturtium.networks._plan import make_plan, state_shapes


def test_steps_of_a_branch():
    b = Builder()
    x = b.input("x", (4,))
    left, right = b.add("left", o.Linear(4), x), b.add("right", o.Linear(4), x)
    plan = make_plan(b.graph(b.add("sum", o.Add(), left, right)), ())
    assert [(s.child, s.sources, s.target, s.freed) for s in plan.steps] == [
        ("left", (0,), 1, ()),
        ("right", (0,), 2, (0,)),
        ("sum", (1, 2), 3, (1, 2)),
    ]
    assert (plan.n_inputs, plan.n_outputs, plan.exits, plan.state) == (1, 1, (3,), ())


def test_a_value_that_nothing_reads_is_freed_at_once():
    b = Builder()
    x = b.input("x", (4,))
    b.add("dead", o.Linear(9), x)
    plan = make_plan(b.graph(b.add("fc", o.Linear(2), x)), ())
    assert plan.steps[0].freed == (1,)


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_used_after_it_was_freed(random_graph, rng, seed, is_recurrent):
    graph = random_graph(rng(seed), is_recurrent=is_recurrent)
    plan = make_plan(graph, ())
    held = set(range(plan.n_inputs + len(plan.state)))
    for step in plan.steps:
        assert set(step.sources) <= held
        held = (held | {step.target}) - set(step.freed)
    assert set(plan.exits) <= held
    assert len(plan.exits) == plan.n_outputs + len(plan.state)


def test_state_is_that_of_this_level_and_then_of_nested_graphs():
    inner = Builder()
    y = inner.add("y", o.Linear(5), inner.input("x"))
    z = inner.add("z", o.Add(), y)
    inner.extend("z", delayed(y))
    cell = inner.graph(z, y)
    b = Builder()
    x = b.input("x", (3,))
    node = b.add("cell", cell, x)
    second = delayed(tuple(replace(e, output="y") for e in node))
    graph = b.graph(b.add("sum", o.Add(), node, second), b.add("late", o.Identity(), delayed(x)))
    assert delayed_values(graph) == [("x", 0), ("cell", 1)]
    assert delayed_shapes(graph, ()) == [(3,), (5,)]
    assert state_shapes(graph, ()) == ((3,), (5,), (5,))
