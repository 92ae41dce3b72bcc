"""From a module to the graph that computes it: what ``torch.fx`` traces, in nasturtium's operations.

Reed, DeVito, He, Ussery & Ansel 2022, "torch.fx: Practical Program Capture and Transformation for
Deep Learning in Python" (arXiv 2112.08429).
"""

from __future__ import annotations

import inspect
import operator
from typing import TYPE_CHECKING, Any

from torch import Tensor, fx, nn

from nasturtium.errors import ShapeError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nasturtium.graphs import Graph, Operation, Shape, Wire


def graph_of(module: nn.Module, input_shape: Shape) -> Graph:
    """Return the graph of a module; its nodes have the names of the module's layers.

    Convolutions with "same" padding, pooling, normalization, activations, sums, products and
    concatenations become nasturtium's operations. Any other layer of ``torch.nn`` becomes an
    operation with its own class. No weights are taken over.

    Args:
        module: One input, one output, and a ``forward`` that ``torch.fx`` can trace: no decision in
            it depends on a tensor's values.
        input_shape: Shape of one example, without the batch.

    Raises:
        UsageError: The module can't be traced, does what no operation does, or uses a layer twice.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 10))
        >>> graph = graph_of(net, (1, 8, 8))
        >>> [type(node.op).__name__ for node in graph.nodes], graph.params
        (['Input', 'Conv2d', 'Activation', 'Flatten', 'Linear'], 2610)
    """
    try:
        traced = fx.symbolic_trace(module)
    except Exception as error:  # a user's forward may raise anything
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UsageError(
            f"a module that becomes a space is traceable by torch.fx, got {type(module).__name__}: {reason}; "
            "take decisions about tensors out of its forward."
        ) from error
    traced.graph.eliminate_dead_code()
    graph = _Translation(traced).graph(tuple(input_shape))
    params = sum(p.numel() for p in module.parameters() if p.requires_grad)
    try:
        found = graph.params
    except ShapeError as error:
        raise UsageError(f"a module that becomes a space takes its input, got {input_shape}: {error}") from error
    if found != params:
        raise UsageError(
            f"a module that becomes a space uses each trainable layer once, got {params} parameters and {found} in "
            "what was traced; drop unused layers, unfreeze frozen ones and copy shared ones."
        )
    return graph


class _Translation:
    """Translates the calls of a traced module in order; used once."""

    def __init__(self, traced: fx.GraphModule) -> None:
        self.traced = traced
        self.layers = dict(traced.named_modules())
        self.b = Builder()
        self.wires: dict[fx.Node, Wire] = {}
        self.sizes: set[fx.Node] = set()

    def graph(self, input_shape: Shape) -> Graph:
        placeholders = [node for node in self.traced.graph.nodes if node.op == "placeholder"]
        if len(placeholders) != 1:
            raise UsageError(f"a module that becomes a space has one input, got {len(placeholders)}; wrap it.")
        for node in self.traced.graph.nodes:
            if node.op == "placeholder":
                self.wires[node] = self.b.input(node.name, input_shape)
            elif node.op == "output":
                result = node.args[0]
            elif not self._is_size(node):
                inputs, operation = self._call(node)
                self.wires[node] = self.b.add(node.name, operation, *(self.wires[i] for i in inputs))
        if result not in self.wires:
            raise UsageError(f"a module that becomes a space returns one tensor, got {result}; wrap it.")
        return self.b.graph(self.wires[result])

    def _is_size(self, node: fx.Node) -> bool:
        """Whether a call gives a size and no tensor; flattening may ask for one."""
        is_size = (
            (node.op == "call_method" and node.target == "size")
            or (node.target is getattr and node.args[1] == "shape")
            or (node.target is operator.getitem and node.args[0] in self.sizes)
        )
        if is_size:
            self.sizes.add(node)
        return is_size

    def _call(self, node: fx.Node) -> tuple[list[fx.Node], Operation]:
        """Return the nodes whose tensors a call takes, and the operation that it is."""
        arguments: list[Any] = list(node.args)
        if node.op == "call_module":
            return arguments, operation_of(self.layers[str(node.target)])
        name = node.target if node.op == "call_method" else getattr(node.target, "__name__", str(node.target))
        name = str(name).strip("_")
        if name in _MERGES:
            parts = arguments
            axes = dict(node.kwargs)
            if name == "cat":
                parts, axis = list(arguments[0]), axes.pop("dim", arguments[1] if len(arguments) > 1 else 0)
            if all(part in self.wires for part in parts) and not axes and (name != "cat" or axis == 1):
                return parts, _MERGES[name]()
        elif name in _CALLS and arguments and arguments[0] in self.wires:
            operation = _CALLS[name](arguments[1:], node.kwargs)
            if operation is not None:
                return [arguments[0]], operation
        written = f"self.{node.target}" if node.op == "get_attr" else f"{name}({', '.join(map(str, arguments))})"
        raise UsageError(f"nasturtium has no operation for {written}; put it into a layer of torch.nn or rewrite it.")


def operation_of(layer: nn.Module) -> Operation:
    """Return the operation of a layer; one with the layer's own class if there is no other.

    Raises:
        UsageError: The layer does not store the arguments of its constructor.
    """
    translate = _LAYERS.get(type(layer))
    found = translate(layer) if translate else None
    if found is not None:
        return found
    taken = inspect.signature(type(layer)).parameters
    stored = {name: getattr(layer, name) for name in taken if hasattr(layer, name)}
    options = {name: value for name, value in stored.items() if not isinstance(value, (Tensor, nn.Module))}
    if "bias" in taken:
        options["bias"] = getattr(layer, "bias", None) is not None
    kept = {k: v for k, v in options.items() if k not in ("in_channels", "in_features", "device", "dtype")}
    missing = [n for n, p in taken.items() if p.default is p.empty and n not in options and p.kind != p.VAR_KEYWORD]
    if missing:
        raise UsageError(
            f"a layer that becomes an operation stores its arguments, got {type(layer).__name__} without {missing}; "
            "rewrite it with layers of torch.nn."
        )
    return o.Foreign(type(layer), tuple(sorted(kept.items())))


def _conv2d(layer: Any) -> Operation | None:
    kernel, stride, dilation = layer.kernel_size, layer.stride, layer.dilation
    same = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    is_plain = all(k % 2 for k in kernel) and stride[0] == stride[1] and dilation[0] == dilation[1]
    pads_same = layer.padding == same or layer.padding == "same"
    if not (is_plain and pads_same and layer.padding_mode == "zeros"):
        return None
    is_depthwise = layer.groups == layer.in_channels == layer.out_channels
    return o.Conv2d(
        out=None if is_depthwise else layer.out_channels,
        kernel=kernel[0] if kernel[0] == kernel[1] else kernel,
        stride=stride[0],
        dilation=dilation[0],
        groups=0 if is_depthwise and layer.groups > 1 else layer.groups,
        bias=layer.bias is not None,
    )


def _pool(layer: Any) -> Operation | None:
    kernel, stride, padding = layer.kernel_size, layer.stride, layer.padding
    sizes = [value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value for value in (kernel, stride)]
    is_plain = all(isinstance(size, int) for size in sizes) and padding in ((sizes[0] - 1) // 2, (0, 0))
    if not is_plain or layer.ceil_mode or getattr(layer, "dilation", 1) != 1:
        return None
    if isinstance(layer, nn.MaxPool2d):
        return o.MaxPool(*sizes)
    counts_padding = padding not in (0, (0, 0)) and layer.count_include_pad
    return None if counts_padding or layer.divisor_override else o.AvgPool(*sizes)


def _adaptive(layer: Any) -> Operation | None:
    sides = layer.output_size if isinstance(layer.output_size, tuple) else (layer.output_size,) * 2
    return o.AdaptivePool(*sides) if all(isinstance(side, int) for side in sides) else None


def _norm(layer: Any) -> Operation | None:
    is_usual = layer.affine and layer.track_running_stats and layer.eps == 1e-5 and layer.momentum == 0.1
    return o.BatchNorm() if is_usual else None


_LAYERS: Mapping[type[nn.Module], Callable[[Any], Operation | None]] = {
    nn.Conv2d: _conv2d,
    nn.Linear: lambda layer: o.Linear(layer.out_features, bias=layer.bias is not None),
    nn.BatchNorm1d: _norm,
    nn.BatchNorm2d: _norm,
    nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool,
    nn.AdaptiveAvgPool2d: _adaptive,
    nn.ReLU: lambda _: o.Activation("relu"),
    nn.Tanh: lambda _: o.Activation("tanh"),
    nn.Sigmoid: lambda _: o.Activation("sigmoid"),
    nn.SiLU: lambda _: o.Activation("silu"),
    nn.GELU: lambda layer: o.Activation("gelu") if layer.approximate == "none" else None,
    nn.Dropout: lambda layer: o.Dropout(layer.p),
    nn.Flatten: lambda layer: o.Flatten() if (layer.start_dim, layer.end_dim) == (1, -1) else None,
    nn.Identity: lambda _: o.Identity(),
}
"""The operation of a layer; None where its arguments say more than the operation can."""

_MERGES: Mapping[str, Callable[[], Operation]] = {
    "add": o.Add,
    "iadd": o.Add,
    "mul": o.Multiply,
    "imul": o.Multiply,
    "cat": o.Concat,
}
"""The operation of a call that joins tensors."""


def _flatten(arguments: list[Any], options: Mapping[str, Any]) -> Operation | None:
    return o.Flatten() if arguments == [1] or dict(options) == {"start_dim": 1} else None


def _view(arguments: list[Any], options: Mapping[str, Any]) -> Operation | None:
    return o.Flatten() if len(arguments) == 2 and arguments[1] == -1 and not options else None


def _mean(arguments: list[Any], options: Mapping[str, Any]) -> Operation | None:
    axes = arguments[0] if arguments else options.get("dim")
    if not isinstance(axes, (list, tuple)) or {axis % 4 for axis in axes} != {2, 3}:
        return None
    return o.AdaptivePool(1, 1) if options.get("keepdim") else o.GlobalPool()


def _as_layer(layer: Callable[..., nn.Module]) -> Callable[[list[Any], Mapping[str, Any]], Operation | None]:
    """Return the translation of a function that a layer of torch.nn calls with the same arguments."""

    def translated(arguments: list[Any], options: Mapping[str, Any]) -> Operation | None:
        kept = {name: value for name, value in options.items() if name not in ("training", "inplace")}
        return operation_of(layer(*arguments, **kept))

    return translated


_CALLS: Mapping[str, Callable[[list[Any], Mapping[str, Any]], Operation | None]] = {
    "relu": _as_layer(nn.ReLU),
    "tanh": _as_layer(nn.Tanh),
    "sigmoid": _as_layer(nn.Sigmoid),
    "silu": _as_layer(nn.SiLU),
    "gelu": _as_layer(nn.GELU),
    "dropout": _as_layer(nn.Dropout),
    "max_pool2d": _as_layer(nn.MaxPool2d),
    "avg_pool2d": _as_layer(nn.AvgPool2d),
    "adaptive_avg_pool2d": _as_layer(nn.AdaptiveAvgPool2d),
    "flatten": _flatten,
    "view": _view,
    "reshape": _view,
    "mean": _mean,
}
"""The operation of a call with one tensor; None where its arguments say more."""
