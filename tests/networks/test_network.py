"""Running networks: recurrence, several outputs, memory, pickling."""

import copy
import pickle
import weakref
from dataclasses import replace

import pytest
import torch
from torch import nn

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, Edge, delayed
from nasturtium.graphs import operations as o
from nasturtium.networks import Formula, build


def elman(n_inputs=3, width=4):
    """Return the graph of y = tanh(W x + U h), h the previous y."""
    b = Builder()
    x = b.add("from_input", o.Linear(width), b.input("x", (n_inputs,)))
    u = b.add("from_before", o.Linear(width, bias=False), delayed(later("h")))
    return b.graph(b.add("h", o.Activation("tanh"), b.add("sum", o.Add(), x, u)))


def later(name):
    return (Edge(name),)


class TestRecurrence:
    def test_it_equals_a_loop_written_by_hand(self):
        network = build(elman())
        x = torch.randn(5, 7, 3)
        w, u = network.get_submodule("from_input"), network.get_submodule("from_before")
        h, expected = torch.zeros(5, 4), []
        for t in range(7):
            h = torch.tanh(w(x[:, t]) + u(h))
            expected.append(h)
        assert torch.equal(network(x), torch.stack(expected, dim=1))

    def test_it_equals_torchs_own(self):
        network, reference = build(elman()), nn.RNN(3, 4, batch_first=True)
        with torch.no_grad():
            reference.weight_ih_l0.copy_(network.get_submodule("from_input").weight)
            reference.bias_ih_l0.copy_(network.get_submodule("from_input").bias)
            reference.weight_hh_l0.copy_(network.get_submodule("from_before").weight)
            reference.bias_hh_l0.zero_()
        x = torch.randn(5, 7, 3)
        assert torch.allclose(network(x), reference(x)[0], atol=1e-6)

    def test_the_state_of_nested_graphs_lives_on(self):
        counter = Builder()
        total = counter.add("total", o.Add(), counter.input("x"))
        counter.extend("total", delayed(total))
        cell = counter.graph(total)
        b = Builder()
        x = b.input("x", (1,))
        graph = b.graph(b.add("second", cell, b.add("first", cell, x)), x)
        sums, same = build(graph)(torch.ones(2, 5, 1))
        assert sums[0, :, 0].tolist() == [1, 3, 6, 10, 15]
        assert torch.equal(same, torch.ones(2, 5, 1))

    def test_two_delays_reach_two_steps_back(self):
        b = Builder()
        x = b.input("x", (1,))
        graph = b.graph(b.add("two", o.Identity(), delayed(b.add("one", o.Identity(), delayed(x)))))
        ramp = torch.arange(5.0).view(1, 5, 1)
        assert build(graph)(ramp).flatten().tolist() == [0, 0, 0, 1, 2]

    def test_a_delayed_edge_may_carry_one_output_of_a_nested_graph(self):
        inner = Builder()
        x = inner.input("x")
        double = inner.add("double", o.Add(), x, x)
        cell = inner.graph(x, double)
        b = Builder()
        node = b.add("cell", cell, b.input("x", (1,)))
        late = delayed(tuple(replace(e, output="double", weight=10.0) for e in node))
        ramp = torch.arange(4.0).view(1, 4, 1)
        result = build(b.graph(b.add("late", o.Identity(), late)))(ramp)
        assert result.flatten().tolist() == [0, 0, 20, 40]

    def test_gradients_flow_back_through_time(self):
        network = build(elman())
        x = torch.randn(2, 6, 3, requires_grad=True)
        network(x)[:, -1].sum().backward()
        assert x.grad[:, 0].abs().sum() > 0

    def test_a_graph_without_memory_may_run_over_time(self):
        b = Builder()
        graph = b.graph(b.add("fc", o.Linear(2), b.input("x", (3,))))
        network = build(graph, over_time=True)
        x = torch.randn(4, 5, 3)
        assert torch.allclose(network(x), network.get_submodule("fc")(x), atol=1e-6)

    def test_the_state_follows_the_dtype(self):
        x = torch.randn(2, 3, 3, dtype=torch.float64)
        assert build(elman()).double()(x).dtype == torch.float64


class TestOutputs:
    def two_sided(self):
        inner = Builder()
        x, y = inner.input("x"), inner.input("y")
        total = inner.add("total", o.Add(), x, y)
        product = inner.add("product", o.Multiply(), x, y)
        return inner.graph(total, product)

    def test_one_output_is_a_tensor_and_several_are_a_tuple(self):
        b = Builder()
        x, y = b.input("x", (2,)), b.input("y", (2,))
        graph = b.graph(b.add("cell", self.two_sided(), x, y), x)
        x, y = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 5.0]])
        total, same = build(graph)(x, y)
        assert total.tolist() == [[4, 7]]
        assert same is x

    def test_a_nested_graph_with_several_outputs(self):
        b = Builder()
        x, y = b.input("x", (2,)), b.input("y", (2,))
        node = b.add("cell", self.two_sided(), x, y)
        product = tuple(replace(e, output="product") for e in node)
        graph = b.graph(b.add("cat", o.Concat(), product, node))
        result = build(graph)(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 5.0]]))
        assert result.tolist() == [[3, 10, 4, 7]]

    def test_edge_weights_are_constant_factors(self):
        b = Builder()
        x = b.input("x", (1,))
        half = tuple(replace(e, weight=-0.5) for e in x)
        network = build(b.graph(b.add("sum", o.Add(), half, x)))
        assert network(torch.tensor([[4.0]])).item() == 2
        assert list(network.parameters()) == []

    def test_a_wrong_number_of_inputs_is_refused(self):
        network = build(elman())
        with pytest.raises(UsageError, match=r"one tensor an input, got 2 for \['x'\]"):
            network(torch.zeros(1, 1, 3), torch.zeros(1, 1, 3))


class TestModule:
    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
    @pytest.mark.parametrize("seed", range(5))
    def test_copies_compute_the_same(self, random_graph, rng, draw, tupled, copied, seed):
        graph = random_graph(rng(seed))
        network = build(graph).eval()
        inputs = draw(graph, 2)
        other = copied(network)
        assert other.graph == graph
        for one, two in zip(tupled(network(*inputs)), tupled(other(*inputs)), strict=True):
            assert torch.equal(one, two)

    def test_a_copy_has_weights_of_its_own(self):
        network = build(chain_of_image())
        other = copy.deepcopy(network)
        with torch.no_grad():
            other.get_submodule("fc").weight.zero_()
        assert network.get_submodule("fc").weight.abs().sum() > 0
        x = torch.randn(2, 2, 4, 4)
        assert not torch.equal(network.eval()(x), other.eval()(x))

    def test_a_child_may_be_replaced(self):
        network = build(chain_of_image()).eval()
        network.fc = nn.Linear(32, 7)
        assert network(torch.zeros(2, 2, 4, 4)).shape == (2, 7)

    def test_hooks_of_nodes_are_called(self):
        network = build(chain_of_image())
        seen = []
        network.get_submodule("conv.relu").register_forward_hook(lambda *call: seen.append(call))
        network(torch.zeros(2, 2, 4, 4))
        assert len(seen) == 1

    def test_values_are_freed_behind_their_last_use(self):
        b = Builder()
        x = b.input("x", (3,))
        for i in range(4):
            x = b.add(f"fc{i}", o.Linear(3), x)
        network = build(b.graph(x))
        alive, seen = [], []

        def watch(module, inputs, output):
            seen.append(sum(reference() is not None for reference in alive))
            alive.append(weakref.ref(output))

        for i in range(4):
            network.get_submodule(f"fc{i}").register_forward_hook(watch)
        with torch.no_grad():
            network(torch.zeros(2, 3))
        assert seen == [0, 1, 1, 1]

    def test_channels_last_is_kept(self):
        network = build(chain_of_image()).to(memory_format=torch.channels_last)
        x = torch.randn(2, 2, 4, 4).to(memory_format=torch.channels_last)
        conv = network.get_submodule("conv")
        assert conv(x).is_contiguous(memory_format=torch.channels_last)

    @pytest.mark.parametrize("seed", [3, 6])
    def test_it_compiles_as_one_graph(self, random_graph, rng, draw, tupled, seed):
        graph = random_graph(rng(seed))
        network = build(graph).eval()
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        inputs = draw(graph, 2)
        for one, two in zip(tupled(network(*inputs)), tupled(compiled(*inputs)), strict=True):
            assert torch.equal(one, two)

    def test_a_formula_shows_itself(self):
        assert repr(Formula("{0} + {1}", 2)) == "Formula({0} + {1})"


def chain_of_image():
    b = Builder()
    x = b.add("conv", o.Conv(2), b.input("image", (2, 4, 4)))
    x = b.add("flat", o.Flatten(), x)
    return b.graph(b.add("fc", o.Linear(3), x))
