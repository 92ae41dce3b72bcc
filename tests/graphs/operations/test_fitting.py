"""Merges that make their inputs fit."""

import pytest

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o

SHAPES = ((8, 16, 16), (24, 16, 16), (8, 7, 5), (6,), (3, 4))


def merged(op, *shapes):
    b = Builder()
    return b.graph(b.add("merge", op, *(b.input(f"x{i}", shape) for i, shape in enumerate(shapes))))


@pytest.mark.parametrize("op", [o.Sum(), o.Join()])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_fits_passes_untouched(op, shape):
    graph = merged(op, shape, shape)
    assert (graph.params, graph.flops) == (0, 0)
    assert len(op.opened(shape, shape).nodes) == 3
    plain = o.Add() if op == o.Sum() else o.Concat()
    assert graph.infer().outputs == merged(plain, shape, shape).infer().outputs


@pytest.mark.parametrize(
    ("op", "shapes", "output", "params"),
    [
        (o.Sum(), ((8, 16, 16), (24, 16, 16)), (24, 16, 16), 8 * 24 + 2 * 24),
        (o.Sum(), ((24, 16, 16), (8, 7, 5)), (24, 7, 5), 8 * 24 + 2 * 24),
        (o.Sum(), ((8, 16, 5), (8, 7, 16)), (8, 7, 5), 0),
        (o.Sum(), ((24, 16, 16), (6,)), (24,), 6 * 24 + 24),
        (o.Sum(), ((2,), (6,)), (6,), 2 * 6 + 6),
        (o.Join(), ((8, 16, 16), (24, 7, 5)), (32, 7, 5), 0),
        (o.Join(), ((8, 16, 16), (6,)), (14,), 0),
    ],
)
def test_the_rule_of_the_module(op, shapes, output, params):
    graph = merged(op, *shapes)
    assert graph.infer().outputs == (output,)
    assert graph.params == params


@pytest.mark.parametrize("op", [o.Sum(), o.Join()])
def test_networks_compute_what_the_rule_says(op):
    torch = pytest.importorskip("torch")
    from nasturtium.networks import build

    for shapes in [((8, 16, 16), (24, 7, 5), (8, 9, 9)), ((8, 4, 4), (6,))]:
        graph = merged(op, *shapes)
        inputs = [torch.randn(2, *shape) for shape in shapes]
        network = build(graph)
        assert tuple(network(*inputs).shape) == (2, *graph.infer().outputs[0])
        assert sum(p.numel() for p in network.parameters()) == graph.params


def test_a_larger_image_is_averaged_down():
    torch = pytest.importorskip("torch")
    from nasturtium.networks import build

    x, y = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 2, 2)
    means = x.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean((3, 5))
    torch.testing.assert_close(build(merged(o.Sum(), (3, 4, 4), (3, 2, 2)))(x, y), means + y)


def test_a_sums_order_does_not_matter_to_the_key_but_that_of_a_concatenation_does():
    def key(op, *order):
        b = Builder()
        x = b.input("x", (4, 4, 4))
        sides = [b.add("pool", o.MaxPool(), x), b.add("conv", o.Conv(8), x)]
        return b.graph(b.add("merge", op, *(sides[i] for i in order))).key

    assert key(o.Sum(), 0, 1) == key(o.Sum(), 1, 0)
    assert key(o.Join(), 0, 1) != key(o.Join(), 1, 0)


@pytest.mark.parametrize("shapes", [((3, 4), (3, 5)), ((3, 4), (3,)), ((3, 4, 4), (2, 3, 4, 4))])
def test_what_no_adapter_joins_is_refused(shapes):
    for op in (o.Sum(), o.Join()):
        with pytest.raises(ShapeError, match="images and vectors, or inputs of one shape"):
            op.shape(*shapes)


def test_merges_have_names():
    assert (o.merging("add"), o.merging("concat")) == (o.Sum(), o.Join())
    with pytest.raises(UsageError, match="a merge is 'add' or 'concat', got 'mean'"):
        o.merging("mean")
