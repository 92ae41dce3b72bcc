"""Simplification: fewer nodes, same function (compared with torch in ``tests/networks``)."""

from dataclasses import replace

import pytest

from nasturtium.graphs import Builder, chain_of, delayed
from nasturtium.graphs import operations as o


def names(graph):
    return [node.name for node in graph.nodes]


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_it_is_idempotent_and_keeps_shapes(random_graph, rng, seed, is_recurrent):
    graph = random_graph(rng(seed), is_recurrent=is_recurrent)
    once = graph.simplified()
    assert once.simplified() == once
    assert once.infer().outputs == graph.infer().outputs
    assert once.params <= graph.params
    assert once.key == graph.key


def test_dead_parts_go_but_inputs_stay():
    b = Builder()
    x, unread = b.input("x", (4,)), b.input("unread", (4,))
    b.add("dead", o.Linear(8), b.add("dead_too", o.Linear(3), unread))
    graph = b.graph(b.add("fc", o.Linear(2), x)).simplified()
    assert names(graph) == ["x", "unread", "fc"]


def test_identities_and_sums_of_one_are_contracted():
    b = Builder()
    x = b.add("same", o.Identity(), b.input("x", (4,)))
    x = b.add("one", o.Add(), x)
    x = b.add("joined", o.Concat(), x)
    graph = b.graph(b.add("fc", o.Linear(2), x), b.add("end", o.Identity(), x)).simplified()
    assert names(graph) == ["x", "fc"]
    assert graph.outputs == ("fc", "x")


def test_a_weighted_or_delayed_identity_does_something():
    b = Builder()
    x = b.input("x", (4,))
    half = b.add("half", o.Identity(), tuple(replace(e, weight=0.5) for e in x))
    late = b.add("late", o.Identity(), delayed(x))
    assert names(b.graph(half, late).simplified()) == ["x", "half", "late"]


def test_sums_are_sorted_and_other_inputs_are_not():
    b = Builder()
    x, y = b.input("x", (4,)), b.input("y", (4,))
    graph = b.graph(b.add("sum", o.Add(), y, x), b.add("cat", o.Concat(), y, x)).simplified()
    assert [e.source for e in graph.by_name["sum"].edges] == ["x", "y"]
    assert [e.source for e in graph.by_name["cat"].edges] == ["y", "x"]


def test_edges_follow_an_output_whose_name_changes():
    inner = Builder()
    x = inner.input("x")
    fc = inner.add("fc", o.Linear(3), x)
    cell = inner.graph(x, inner.add("end", o.Identity(), fc))
    b = Builder()
    wire = tuple(replace(e, output="end") for e in b.add("cell", cell, b.input("x", (4,))))
    graph = b.graph(b.add("last", o.Linear(2), wire))
    assert graph.simplified().by_name["last"].edges[0].output == "fc"
    assert graph.simplified().params == graph.params


def test_nested_graphs_stay_shared():
    cell = chain_of([("same", o.Identity()), ("fc", o.Linear(4))])
    b = Builder()
    y = b.add("two", cell, b.add("one", cell, b.input("x", (4,))))
    graph = b.graph(y).simplified()
    assert graph.by_name["one"].op is graph.by_name["two"].op
    assert names(graph.by_name["one"].op) == ["x", "fc"]


# --- zeros ---------------------------------------------------------------------------------------


def zero(b, name, x):
    return b.add(name, o.Zero(), x)


def test_a_zero_summand_vanishes_and_so_does_what_led_to_it():
    b = Builder()
    x = b.input("x", (3, 8, 8))
    unused = zero(b, "none", b.add("conv", o.Conv2d(3), x))
    y = b.add("sum", o.Add(), b.add("used", o.Conv2d(3), x), unused, x)
    graph = b.graph(y).simplified()
    assert names(graph) == ["x", "used", "sum"]
    assert [(e.source, e.slot) for e in graph.by_name["sum"].edges] == [("x", 0), ("used", 1)]


def test_a_sum_with_one_summand_that_is_not_zero_is_that_summand():
    b = Builder()
    x = b.input("x", (4,))
    y = b.add("fc", o.Linear(4), x)
    assert b.graph(b.add("sum", o.Add(), y, zero(b, "none", x))).key == chain_key(o.Linear(4))


def chain_key(op):
    b = Builder()
    return b.graph(b.add("only", op, b.input("x", (4,)))).key


@pytest.mark.parametrize(
    "op",
    [
        o.Identity(),
        o.Add(),
        o.Multiply(),
        o.Concat(),
        o.Dropout(0.5),
        o.MaxPool(3, 1),
        o.AvgPool(3, 1),
        o.Zero(),
        *(o.Activation(f) for f in ("relu", "relu6", "tanh", "silu", "hardswish", "mish", "gelu")),
    ],
    ids=lambda op: getattr(op, "function", type(op).__name__),
)
def test_what_maps_zeros_to_zeros_is_zero(op):
    b = Builder()
    x = b.input("x", (3, 8, 8))
    y = b.add("op", op, zero(b, "none", x))
    assert names(b.graph(b.add("sum", o.Add(), x, y, b.add("c", o.Conv2d(3), x))).simplified()) == ["x", "c", "sum"]


@pytest.mark.parametrize(
    "op",
    [o.Conv2d(3), o.Conv(3), o.SepConv(3), o.BatchNorm(), o.Scale(), o.Activation("sigmoid"), o.Residual()],
    ids=lambda op: type(op).__name__,
)
def test_what_may_shift_zeros_stays(op):
    b = Builder()
    x = b.input("x", (3, 8, 8))
    y = b.add("op", op, zero(b, "none", x))
    assert names(b.graph(b.add("sum", o.Add(), x, y)).simplified()) == ["x", "none", "op", "sum"]


def test_a_zero_factor_and_a_zero_part_stay():
    b = Builder()
    x = b.input("x", (4,))
    none = zero(b, "none", x)
    graph = b.graph(b.add("product", o.Multiply(), x, none), b.add("joined", o.Concat(), none, x)).simplified()
    assert names(graph) == ["x", "none", "product", "joined"]


def test_a_sum_of_zeros_stays_since_it_has_a_shape():
    b = Builder()
    x = b.input("x", (3, 8, 8))
    total = b.add("total", o.Add(), zero(b, "a", x), zero(b, "b", x))
    graph = b.graph(total, b.add("after", o.Conv2d(3), total)).simplified()
    assert names(graph) == ["x", "a", "b", "total", "after"]
    assert graph.infer().outputs == ((3, 8, 8), (3, 8, 8))
    single = Builder()
    graph = single.graph(zero(single, "none", single.input("x", (4,)))).simplified()
    assert names(graph) == ["x", "none"]


def test_zeros_stay_where_an_edge_is_delayed():
    b = Builder()
    x = b.input("x", (4,))
    state = b.add("state", o.Add(), zero(b, "none", x))
    b.extend("state", delayed(state))
    graph = b.graph(state).simplified()
    assert names(graph) == ["x", "none", "state"]
    assert graph.infer().outputs == ((4,),)


@pytest.mark.parametrize("seed", range(20))
def test_cells_with_zeros_compute_the_same_before_and_after(rng, seed):
    torch = pytest.importorskip("torch")
    from nasturtium.networks import build

    random = rng(seed)
    b = Builder()
    states = [b.input("x", (3, 6, 6))]
    kinds = [o.Zero(), o.Identity(), o.Conv(3), o.AvgPool(3), o.Activation("tanh"), o.Zero()]
    for i in range(4):
        ends = [b.add(f"n{i}_{j}", kinds[random.integers(len(kinds))], s) for j, s in enumerate(states)]
        states.append(b.add(f"sum_{i}", o.Add(), *ends))
    graph = b.graph(*states[2:])
    small = graph.simplified()
    assert small.simplified() == small
    whole, part = build(graph, seed=0).double().eval(), build(small, seed=0).double().eval()
    part.load_state_dict({name: whole.state_dict()[name] for name in part.state_dict()})
    inputs = torch.tensor(random.normal(size=(2, 3, 6, 6)))
    with torch.no_grad():
        for a, c in zip(flat(whole(inputs)), flat(part(inputs)), strict=True):
            torch.testing.assert_close(a, c)  # the order of a sum changes the last bits


def flat(outputs):
    return outputs if isinstance(outputs, (tuple, list)) else (outputs,)
