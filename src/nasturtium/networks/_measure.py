"""Shape and cost of a user's module, without computing or allocating anything."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from nasturtium.graphs import Shape

_BATCH = 2  # not 1, so that a module that loses the batch axis is noticed


@final
@dataclass(frozen=True, slots=True)
class ModuleCost:
    """What a module does to a shape and what it costs.

    Attributes:
        shape: The output's shape without the batch.
        params: Trainable parameters.
        macs: Multiply-accumulates for one example, as torch counts them.
    """

    shape: Shape
    params: int
    macs: int


Options = tuple[tuple[str, Any], ...]


def measure_module(module: type, options: Options, inputs: tuple[Shape, ...]) -> ModuleCost:
    """Return shape and costs of a user's module, found on torch's meta device (cached).

    Args:
        module: The class, a subclass of ``nn.Module``.
        options: Constructor arguments as (name, value) pairs; ``in_channels``, ``in_features`` and
            ``in_shape`` are filled in if the constructor takes them.
        inputs: The shape of each input of ``forward``, without the batch.

    Raises:
        ShapeError: The module can't be made or can't take the inputs; the message is one line.

    Example:
        >>> measure_module(nn.LazyLinear, (("out_features", 3),), ((4,),))
        ModuleCost(shape=(3,), params=15, macs=12)
    """
    try:
        return _measured(module, options, inputs)
    except ShapeError:
        raise
    except TypeError as error:  # _measured lets none out: an option has no hash
        raise UsageError(
            f"options of a module are hashable, got {dict(options)} for {module.__name__} "
            f"({error}); use tuples instead of lists."
        ) from error


def constructor_arguments(module: type, options: Options, inputs: tuple[Shape, ...]) -> dict[str, Any]:
    """Return the keyword arguments for a user's class: its options and what the input tells.

    Raises:
        ShapeError: The class is no ``nn.Module``.
    """
    if not issubclass(module, nn.Module):
        raise ShapeError(f"a module is a subclass of nn.Module, got {module.__name__}; derive it.")
    given = dict(options)
    if not inputs:
        return given
    first = inputs[0]
    known = {"in_channels": first[:1], "in_features": first[-1:], "in_shape": (first,)}
    taken = inspect.signature(module).parameters
    filled = {name: value[0] for name, value in known.items() if name in taken and name not in given and value}
    return {**filled, **given}


@lru_cache(maxsize=4096)
def _measured(module: type, options: Options, inputs: tuple[Shape, ...]) -> ModuleCost:
    text = f"{module.__name__}({', '.join(f'{k}={v!r}' for k, v in options)})"
    arguments = constructor_arguments(module, options, inputs)
    counter = FlopCounterMode(display=False)
    try:
        with torch.device("meta"):
            made: nn.Module = module(**arguments).eval()
            values = [torch.empty(_BATCH, *shape) for shape in inputs]
            with torch.no_grad(), counter:
                result = made(*values)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ShapeError(
            f"{text} must run on the meta device for input shapes {list(inputs)}, got {reason!r}; "
            "check its constructor and its forward."
        ) from error
    if not isinstance(result, Tensor) or result.dim() < 1 or result.shape[0] != _BATCH:
        got = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise ShapeError(
            f"{text} must return one tensor (batch, ...), got {got} for a batch of {_BATCH}; change its forward."
        )
    params = sum(p.numel() for p in made.parameters() if p.requires_grad)
    return ModuleCost(tuple(result.shape[1:]), params, counter.get_total_flops() // 2 // _BATCH)
