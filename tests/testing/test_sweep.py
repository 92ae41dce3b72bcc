"""The sweep bites: each promise is broken by a space that breaks it alone."""

from dataclasses import dataclass

import pytest

from nasturtium.graphs import Composite, Expression, Operation, chain_of
from nasturtium.graphs import operations as o
from nasturtium.spaces import Architecture, chain, choice, op
from nasturtium.testing import Shapes, check_sweep


@dataclass(frozen=True)
class Lying(Operation):
    """A 1x1 convolution whose rules are off by what the fields say."""

    more_params: int = 0
    more_macs: int = 0

    @property
    def _real(self):
        return o.Conv2d(4, 1)

    def shape(self, *inputs):
        return self._real.shape(*inputs)

    def params(self, *inputs):
        return self._real.params(*inputs) + self.more_params

    def macs(self, *inputs):
        return self._real.macs(*inputs) + self.more_macs

    def symbol(self, *inputs):
        return self._real.symbol(*inputs)


@dataclass(frozen=True)
class Whole(Composite):
    """Holds an operation, so that a space can name it."""

    inner: Operation

    def body(self, *inputs):
        return chain_of([("inner", self.inner)])


@dataclass(frozen=True)
class Infinite(Operation):
    """Divides by zero."""

    def shape(self, *inputs):
        return inputs[0]

    def symbol(self, *inputs):
        return Expression("{0} / 0")


def space_with(monkeypatch, inner):
    found = chain(op("conv", out=choice(2, 4)), op("identity"), op("global_pool"), op("linear")).on(Shapes())
    network = type(found).network

    def spoiled(self, architecture):
        graph = network(self, architecture)
        nodes = [n if n.name != "identity_1" else type(n)(n.name, Whole(inner), n.edges) for n in graph.nodes]
        return type(graph)(tuple(nodes), graph.outputs)

    monkeypatch.setattr(type(found), "network", spoiled)
    return found


@pytest.mark.parametrize(
    ("inner", "broken"),
    [
        (Lying(more_params=1), "torch counts other parameters"),
        (Lying(more_macs=1), "torch counts .*, not"),
        (Infinite(), "a gradient is not finite"),
    ],
)
def test_what_torch_sees_otherwise_is_found(monkeypatch, inner, broken):
    with pytest.raises(AssertionError, match=broken):
        check_sweep(space_with(monkeypatch, inner), 3, n_exports=1, n_chains=0)


def test_an_honest_operation_is_swept(monkeypatch):
    check_sweep(space_with(monkeypatch, Lying()), 3, n_exports=3, n_chains=2)


def test_a_mutation_that_leaves_is_found(monkeypatch):
    space = chain(op("conv", out=choice(2, 4)), op("global_pool"), op("linear")).on(Shapes())
    monkeypatch.setattr(type(space), "_mutate", lambda self, a, rng: Architecture({**a, "other": 1}))
    with pytest.raises(AssertionError, match="mutation 0 of a chain leads out of the space"):
        check_sweep(space, 1, n_exports=0, n_chains=1)


def test_source_that_computes_something_else_is_found(monkeypatch):
    from nasturtium import export

    source_of = export.source_of
    monkeypatch.setattr(export, "source_of", lambda graph: source_of(graph).replace("relu(", "sigmoid("))
    space = chain(op("activation"), op("conv", preactivated=choice(True, False)), op("global_pool"), op("linear"))
    with pytest.raises(AssertionError, match="the exported source computes something else"):
        check_sweep(space.on(Shapes()), 1, n_exports=1, n_chains=0)
