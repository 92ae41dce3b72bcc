"""The same network, run faster: exact rewrites for training on a CPU.

Four things cost more there than their arithmetic does. torch's average pooling takes as long as a
3x3 convolution; it becomes a depthwise convolution with constant weights. Batch normalization of
few channels handles an image's pixels one by one; it gets rows of many pixels, and ReLU in the
same pass. Cells whose edges each begin with ReLU compute it once for all edges of a node. And
tiny convolutions spend their time on oneDNN's preparations; they take torch's own kernel.
"""

from __future__ import annotations

from math import gcd
from typing import Any, final

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from nasturtium.networks._network import Cell, Formula, Network

FOLD = 16
"""Neighboring pixels that normalization takes as one row; more do not pay."""

FEW = 1 << 16
"""Numbers of a batch below which torch's pooling is faster after all."""

TINY = 1 << 18
"""Multiply-accumulates up to which a convolution takes torch's own kernel rather than oneDNN's."""

LARGE = 1 << 14
"""Pixels of a batch from which folded normalization pays; below, its small calls cost more."""


def accelerated(network: Network) -> nn.Module:
    """Return a module that computes what a network computes, with the same parameters and buffers.

    Outputs and gradients are the network's up to rounding. Parameters, buffers and the mode
    (``train``, ``eval``) are shared, so train the one and save or export the other. What can't be
    rewritten, such as a network that runs over time, is returned as it is.

    Args:
        network: One input, on the CPU; left as it is.

    Example:
        >>> from nasturtium.networks import build
        >>> from nasturtium.spaces import load
        >>> space = load("nasbench201", cells=1, filters=4, input_shape=(1, 8, 8))
        >>> network = build(space.graph(space.at(7)))
        >>> x = torch.randn(2, 1, 8, 8)
        >>> torch.allclose(accelerated(network)(x), network(x), atol=1e-5)
        True
    """
    if network.over_time or len(network.graph.inputs) != 1:
        return network
    root = _OneInput(network)
    traced = fx.GraphModule(root, _Tracer().trace(root))
    _share_repeated(traced)
    _replace_pooling(traced)
    _replace_normalization(traced)
    _replace_convolution(traced)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


@final
class _OneInput(nn.Module):
    """A network under a signature that can be traced."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.network(x)  # type: ignore[no-any-return]


@final
class _Tracer(fx.Tracer):
    """Looks into what ``build`` makes of graphs, and into nothing of torch's or the user's."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        del module_qualified_name
        return not isinstance(m, (Cell, Formula, Network))


def _share_repeated(traced: fx.GraphModule) -> None:
    """Let calls of one pure function on the same values be one call."""
    seen: dict[Any, fx.Node] = {}
    for node in list(traced.graph.nodes):
        if node.target is not functional.relu:
            continue
        first = seen.setdefault((node.args, tuple(node.kwargs.items())), node)
        if first is not node:
            node.replace_all_uses_with(first)
            traced.graph.erase_node(node)


def _replace_pooling(traced: fx.GraphModule) -> None:
    for node in _calls(traced, nn.AvgPool2d):
        pool: Any = traced.get_submodule(str(node.target))
        if not (pool.padding and pool.count_include_pad):
            _replace(traced, node, ConvolutionPool(pool.kernel_size, pool.stride, pool.padding))


def _replace_normalization(traced: fx.GraphModule) -> None:
    for node in _calls(traced, nn.BatchNorm2d):
        norm: Any = traced.get_submodule(str(node.target))
        users = list(node.users)
        relu = len(users) == 1 and users[0].target is functional.relu
        if relu:
            users[0].replace_all_uses_with(node)
            traced.graph.erase_node(users[0])
        _replace(traced, node, FoldedNorm(norm, relu=relu))


def _replace_convolution(traced: fx.GraphModule) -> None:
    for node in _calls(traced, nn.Conv2d):
        convolution: Any = traced.get_submodule(str(node.target))
        plain = type(convolution) is nn.Conv2d and convolution.padding_mode == "zeros"
        if plain and convolution.groups == 1 and convolution.dilation == (1, 1):
            _replace(traced, node, TinyConvolution(convolution))


def _calls(traced: fx.GraphModule, kind: type[nn.Module]) -> list[fx.Node]:
    nodes = [node for node in traced.graph.nodes if node.op == "call_module"]
    return [node for node in nodes if isinstance(traced.get_submodule(str(node.target)), kind)]


def _replace(traced: fx.GraphModule, node: fx.Node, module: nn.Module) -> None:
    name = f"fast_{str(node.target).replace('.', '_')}"
    traced.add_submodule(name, module)
    node.target = name


@final
class ConvolutionPool(nn.Module):
    """``nn.AvgPool2d`` whose padding does not count, by a depthwise convolution with equal weights.

    Args:
        kernel: Side of the window.
        stride: Step in both directions.
        padding: On each side.

    Example:
        >>> x = torch.randn(2, 3, 5, 5)
        >>> torch.allclose(ConvolutionPool(3, 2, 1)(x), nn.AvgPool2d(3, 2, 1, count_include_pad=False)(x), atol=1e-6)
        True
    """

    def __init__(self, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self._constants: dict[tuple[int, ...], tuple[Tensor, Tensor | None]] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Return the means, shape ``(batch, channels, height', width')``."""
        if x.numel() < FEW:
            windows = (self.kernel, self.stride, self.padding)
            return functional.avg_pool2d(x, *windows, count_include_pad=False)
        key = tuple(x.shape[1:])
        if key not in self._constants:
            self._constants[key] = self._made(x)
        result: Tensor = _Pool.apply(x, *self._constants[key], self.stride, self.padding)  # type: ignore[no-untyped-call]
        return result

    def _made(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the weights 1 / window, and by how much the means at the border fall short."""
        channels, k = x.shape[1], self.kernel
        weight = x.new_full((channels, 1, k, k), 1 / k**2)
        if not self.padding:
            return weight, None
        ones = x.new_ones((1, *x.shape[1:]))
        shares = functional.conv2d(ones, weight, stride=self.stride, padding=self.padding, groups=channels)
        return weight, shares.reciprocal().contiguous(memory_format=torch.channels_last)


class _Pool(torch.autograd.Function):
    """The convolution, corrected in place; its weights get no gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, correction: Tensor | None, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(weight, correction)
        ctx.shape, ctx.stride, ctx.padding = x.shape, stride, padding
        y = functional.conv2d(x, weight, stride=stride, padding=padding, groups=len(weight))
        return y if correction is None else y.mul_(correction)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        weight, correction = ctx.saved_tensors
        kernel, stride, padding = weight.shape[2], ctx.stride, ctx.padding
        if stride == 1 and kernel == 2 * padding + 1 and correction is not None:
            # Its own transpose; torch's transposed depthwise convolution takes 20 times as long.
            back = functional.conv2d(gradients[0] * correction, weight, padding=padding, groups=len(weight))
        else:
            # Of the input, torch reads shape and memory format only.
            like = torch.empty(ctx.shape, dtype=weight.dtype, memory_format=torch.channels_last)
            windows = ([kernel] * 2, [stride] * 2, [padding] * 2)
            back = torch.ops.aten.avg_pool2d_backward(gradients[0], like, *windows, False, False, None)
        return back, None, None, None, None


@final
class TinyConvolution(nn.Module):
    """A convolution that takes torch's own kernel where a batch has little arithmetic.

    oneDNN looks up a kernel and brings the weights into its order at each call: forward and
    backward take 0.18 ms for 2 images of 4 x 4 and 8 channels, torch's kernel 0.05 ms.

    Args:
        convolution: Whose parameters are used; neither grouped nor dilated, padded with zeros.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        """Return what the convolution does, shape ``(batch, out, height', width')``."""
        own = self.convolution
        multiplications = x.shape[0] * x.shape[2] * x.shape[3] * own.weight.numel() // (own.stride[0] * own.stride[1])
        # In other memory formats, torch 2.13's kernel raises or gets the gradient of the weights wrong.
        fits = all(tensor.is_contiguous(memory_format=torch.channels_last) for tensor in (x, own.weight))
        if multiplications > TINY or not fits:
            y: Tensor = own(x)
            return y
        result: Tensor = torch.ops.aten.thnn_conv2d(x, own.weight, own.kernel_size, own.bias, own.stride, own.padding)
        return result


@final
class FoldedNorm(nn.Module):
    """Batch normalization, then perhaps ReLU, over rows of several pixels.

    Args:
        norm: Whose parameters, statistics, momentum and mode are used.
        relu: Whether ReLU follows.
    """

    def __init__(self, norm: nn.BatchNorm2d, *, relu: bool) -> None:
        super().__init__()
        self.norm = norm
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized images, shape ``(batch, channels, height, width)``."""
        norm = self.norm
        pixels = x.shape[0] * x.shape[2] * x.shape[3]
        if not norm.training or pixels < LARGE or not x.is_contiguous(memory_format=torch.channels_last):
            y: Tensor = norm(x)
            return y.relu_() if self.relu else y
        fold = gcd(pixels, FOLD)
        applied = _Norm.apply(x, norm.weight, norm.bias, norm.eps, fold, self.relu)  # type: ignore[no-untyped-call]
        result, mean, variance = applied
        _track(norm, mean, variance * (pixels / (pixels - 1)))
        out: Tensor = result
        return out


def _track(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    """Update running statistics as ``nn.BatchNorm2d`` does; no momentum means the cumulative mean."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    momentum = norm.momentum if norm.momentum is not None else 1 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean, momentum)
    norm.running_var.lerp_(variance, momentum)


class _Norm(torch.autograd.Function):
    """Ioffe & Szegedy 2015 (arXiv 1502.03167), algorithm 1 and the gradients below it."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, fold: int, relu: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows = _rows(x, fold)
        unused = rows.new_zeros(rows.shape[1])
        # Statistics of each place in a row, then those of each channel from them.
        means, variances = torch.batch_norm_update_stats(rows, unused, unused.clone(), 0.0)
        means = means.view(fold, -1)
        mean = means.mean(0)
        variance = variances.view(fold, -1).mean(0) + (means - mean).square().mean(0)
        deviation = (variance + eps).rsqrt()
        scale = weight * deviation
        shift = bias - mean * scale
        y = torch.addcmul(shift.repeat(fold), rows, scale.repeat(fold))
        if relu:
            y.relu_()
        result = _images(y, x)
        ctx.save_for_backward(x, weight, mean, deviation, result if relu else None)
        ctx.fold = fold
        ctx.mark_non_differentiable(mean, variance)
        return result, mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, deviation, result = ctx.saved_tensors
        fold = ctx.fold
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        if result is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, result, 0)
        rows, received = _rows(x, fold), _rows(gradient, fold)
        total = received.sum(0).view(fold, -1).sum(0)
        product = (received * rows).sum(0).view(fold, -1).sum(0)
        slope = (product - mean * total) * deviation  # of the weight
        n = rows.numel() // len(mean)
        scale = weight * deviation
        factor = -scale * deviation * slope / n
        offset = -scale * total / n - factor * mean
        back = torch.addcmul(offset.repeat(fold), received, scale.repeat(fold))
        back.addcmul_(rows, factor.repeat(fold))
        return _images(back, x), slope, total, None, None, None


def _rows(images: Tensor, fold: int) -> Tensor:
    """Return channels_last images as a matrix, a view: ``fold`` pixels a row, channels fastest."""
    return images.permute(0, 2, 3, 1).reshape(-1, fold * images.shape[1])


def _images(rows: Tensor, like: Tensor) -> Tensor:
    n, c, h, w = like.shape
    return rows.view(n, h, w, c).permute(0, 3, 1, 2)
