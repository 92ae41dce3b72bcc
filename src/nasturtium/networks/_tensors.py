"""The tensors of a module by identity: node name, dot, local name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from nasturtium.errors import UsageError, near_matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nasturtium.graphs import Tensors


def tensors(module: nn.Module) -> dict[str, NDArray[Any]]:
    """Return copies of a module's floating-point parameters and buffers by name.

    Integer buffers, such as the number of batches that normalization has seen, are left out: they
    hold no knowledge that a child could inherit.

    Example:
        >>> {name: array.shape for name, array in tensors(nn.Linear(2, 3)).items()}
        {'weight': (3, 2), 'bias': (3,)}
    """
    return {name: _array(tensor) for name, tensor in _floating(module)}


def load_tensors(module: nn.Module, mapping: Tensors) -> None:
    """Set every floating-point parameter and buffer of a module; dtypes stay the module's.

    Args:
        module: What to fill.
        mapping: An array for each name of ``tensors(module)``, no more and no less.

    Raises:
        UsageError: A name is missing or unknown, or a shape differs; the module is then unchanged.
    """
    own = dict(_floating(module))
    missing = [name for name in own if name not in mapping]
    if missing:
        raise UsageError(
            f"weights hold every tensor of the network, {missing[0]!r} is missing "
            f"({len(missing)} in all); use the weights of this architecture."
        )
    for name, array in mapping.items():
        if name not in own:
            raise UsageError(f"the network has no tensor {name!r}; {near_matches(name, own)}")
        if array.shape != tuple(own[name].shape):
            raise UsageError(
                f"tensor {name!r} has shape {tuple(own[name].shape)}, got {array.shape}; "
                "use the weights of this architecture."
            )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(torch.tensor(np.asarray(mapping[name])))


def _floating(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    state: dict[str, Any] = module.state_dict(keep_vars=True)
    return ((n, t) for n, t in state.items() if isinstance(t, Tensor) and t.is_floating_point())


def _array(tensor: Tensor) -> NDArray[Any]:
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:  # numpy has no such type; float32 holds every value of it
        tensor = tensor.float()
    return np.array(tensor.numpy(), order="C")
