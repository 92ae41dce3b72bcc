"""From a module to its graph: the same function, in operations."""

import operator

import pytest
import torch
from torch import nn
from torch.nn import functional

from nasturtium.errors import UsageError
from nasturtium.graphs import operations as o
from nasturtium.networks import build, graph_of


class Calls(nn.Module):
    """Wraps a function of one tensor."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Branches(nn.Module):
    """Sums, products, concatenations, functions and methods, strides and groups."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 5, padding=2, groups=8)
        self.grouped = nn.Conv2d(8, 12, 3, padding=2, dilation=2, groups=4)
        self.valid = nn.Conv2d(20, 6, 3)
        self.head = nn.Linear(6, 10)

    def forward(self, x):
        x = functional.relu(self.norm(self.stem(x)))
        x = torch.cat([x + self.depthwise(x), self.grouped(x)], dim=1)
        x = functional.max_pool2d(x, 3, 2, padding=1) * torch.tanh(functional.avg_pool2d(x, 2))
        x = functional.gelu(self.valid(x))
        x = functional.adaptive_avg_pool2d(x, 1)
        return self.head(functional.dropout(x.view(x.size(0), -1), 0.5, self.training))


def same(module, shape):
    """Check that the graph's network computes what the module does, given its weights by name."""

    def plain(name):
        return name.replace(".", "_").lstrip("_")

    network = build(graph_of(module, shape))
    weights = {plain(name): value for name, value in module.state_dict().items()}
    network.load_state_dict({name: weights[plain(name)] for name in network.state_dict()})
    x = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.eval()(x), module.eval()(x))
    return network.graph


def test_the_graph_computes_what_the_module_does():
    graph = same(Branches(), (3, 16, 16))
    kinds = {node.name: type(node.op).__name__ for node in graph.nodes}
    assert kinds["depthwise"] == kinds["grouped"] == "Conv2d"
    assert graph.by_name["depthwise"].op.groups == 0
    assert kinds["valid"] == "Foreign"
    assert kinds["view"] == "Flatten"


@pytest.mark.parametrize(
    "layer",
    [
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        nn.AvgPool2d(3, 2, padding=1),
        nn.AvgPool2d(2),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.MaxPool2d((2, 3)),
        nn.AdaptiveAvgPool2d((3, 2)),
        nn.Conv2d(4, 6, (1, 3), padding=(0, 1)),
        nn.Conv2d(4, 6, 4, padding="same"),
        nn.Conv2d(4, 6, 3, padding="same", padding_mode="circular"),
        nn.GroupNorm(2, 4),
        nn.Hardswish(),
        nn.GELU(approximate="tanh"),
        nn.SiLU(),
        nn.Identity(),
        nn.BatchNorm2d(4, eps=1e-3),
        nn.Flatten(2),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_each_layer_is_an_operation_or_stays_itself(layer):
    same(nn.Sequential(layer), (4, 7, 9))


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (lambda x: x.relu(), o.Activation("relu")),
        (torch.sigmoid, o.Activation("sigmoid")),
        (functional.silu, o.Activation("silu")),
        (lambda x: x.mean((2, 3)), o.GlobalPool()),
        (lambda x: x.mean(dim=[-1, -2], keepdim=True), o.AdaptivePool(1, 1)),
        (lambda x: torch.flatten(x, 1), o.Flatten()),
        (lambda x: x.flatten(start_dim=1), o.Flatten()),
        (lambda x: x.reshape(x.shape[0], -1), o.Flatten()),
    ],
)
def test_calls_are_operations(function, operation):
    assert same(Calls(function), (4, 6, 6)).nodes[-1].op == operation


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (lambda x: x * 2, r"mul\(x, 2\)"),
        (lambda x: torch.add(x, x, alpha=2), r"add\(x, x\)"),
        (lambda x: torch.cat([x, x], 2), r"cat\(\[x, x\], 2\)"),
        (lambda x: x.mean(1), r"mean\(x, 1\)"),
        (lambda x: x.view(-1, 4), r"view\(x, -1, 4\)"),
        (lambda x: torch.flatten(x), r"flatten\(x\)"),
        (lambda x: functional.softplus(x), r"softplus\(x\)"),
        (operator.neg, r"neg\(x\)"),
    ],
)
def test_what_no_operation_does_is_named(function, written):
    with pytest.raises(UsageError, match=f"nasturtium has no operation for {written}"):
        graph_of(Calls(function), (4, 6, 6))


def shared():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, layer)


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (Calls(lambda x: x if x.sum() > 0 else -x), (4,), "traceable by torch.fx, got Calls: symbolically traced"),
        (shared(), (4,), "uses each trainable layer once, got 20 parameters and 40"),
        (nn.Sequential(nn.Linear(4, 4)), (5, 2, 2), r"takes its input, got \(5, 2, 2\): "),
        (Calls(lambda x: (x, x)), (4,), "returns one tensor, got"),
        (nn.Linear(4, 4), (4,), "nasturtium has no operation for self.weight"),
        (nn.Bilinear(2, 2, 2), (2,), "has one input, got 2"),
    ],
)
def test_what_can_not_become_a_graph_is_refused(module, shape, message):
    with pytest.raises(UsageError, match=message) as caught:
        graph_of(module, shape)
    assert "\n" not in str(caught.value)
