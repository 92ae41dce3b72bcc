"""Peak memory: what torch's tensors really hold while a network runs."""

import weakref

import pytest

from nasturtium.graphs import Builder, chain_of, delayed
from nasturtium.graphs import operations as o

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from nasturtium.networks import build  # noqa: E402


class Live(TorchDispatchMode):
    """Follows which storages are alive."""

    def __init__(self):
        super().__init__()
        self.sizes, self.peak = {}, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(value, torch.Tensor):
                self.seen(value)
        return result

    def seen(self, value):
        storage = value.untyped_storage()
        key = storage._cdata
        if key not in self.sizes and storage.nbytes():
            self.sizes[key] = storage.nbytes()
            weakref.finalize(storage, self.sizes.pop, key, None)
        self.peak = max(self.peak, sum(self.sizes.values()))


def measured(graph):
    """Return the most bytes of activations that are alive while a built network runs."""
    network = build(graph).eval()
    live = Live()
    inputs = [torch.zeros(1, *graph.shapes[node.name]) for node in graph.inputs]
    known = {p.untyped_storage()._cdata for p in (*network.parameters(), *network.buffers())}
    with torch.no_grad(), live:
        for value in inputs:
            live.seen(value)
        live.sizes.update(dict.fromkeys(known, 0))
        network(*inputs)
    return live.peak


def chain():
    return chain_of([("a", o.Conv2d(8)), ("b", o.Conv2d(32)), ("c", o.Conv2d(2))])


def residual():
    return chain_of([("a", o.Residual(8)), ("b", o.Residual(16, stride=2)), ("pool", o.GlobalPool())])


def skips():
    b = Builder()
    x = b.input("x")
    y = b.add("y", o.Conv2d(8), x)
    z = b.add("z", o.Conv2d(8), b.add("same", o.Identity(), y))
    w = b.add("w", o.Conv2d(8), b.add("dropped", o.Dropout(), z))
    return b.graph(b.add("both", o.Concat(), b.add("sum", o.Add(), w, y), z))


@pytest.mark.parametrize("inside", [chain, residual, skips])
def test_the_peak_is_that_of_torch(inside):
    b = Builder()
    x = b.add("first", inside(), b.input("x", (3, 8, 8)))
    graph = b.graph(x)
    assert graph.memory == measured(graph)


def test_a_chain_holds_the_largest_two_neighbors_and_the_input():
    b = Builder()
    x = b.input("x", (1, 8, 8))
    for name, width in (("a", 4), ("b", 16), ("c", 8), ("d", 1)):
        x = b.add(name, o.Conv2d(width), x)
    assert b.graph(x).memory == 4 * 64 * (1 + 16 + 8)


def test_what_no_one_reads_is_held_while_it_is_made():
    b = Builder()
    x = b.input("x", (1, 8, 8))
    b.add("dead", o.Conv2d(100), x)
    assert b.graph(b.add("end", o.Conv2d(1), x)).memory == 4 * 64 * 101


def test_a_skipped_value_is_held_until_its_last_reader():
    def network(is_skipping):
        b = Builder()
        x = b.add("a", o.Conv2d(4), b.input("x", (1, 8, 8)))
        y = b.add("c", o.Conv2d(4), b.add("b", o.Conv2d(4), x))
        return b.graph(b.add("sum", o.Add(), y, x if is_skipping else y))

    assert network(is_skipping=True).memory - network(is_skipping=False).memory == 4 * 64 * 4


def test_a_state_is_held_from_step_to_step():
    b = Builder()
    x = b.input("x", (4,))
    state = b.add("state", o.Add(), x)
    b.extend("state", delayed(state))
    assert b.graph(state).memory == 4 * (4 + 4 + 4)  # the input, the state before, the state after
