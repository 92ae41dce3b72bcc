"""The state of a training, as bytes that hold no code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from nasturtium.spaces import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping


@final
@dataclass(frozen=True)
class Checkpoint:
    """What continuing, inheriting and exporting need of a training.

    Args:
        architecture: Whose network it is.
        epoch: Epochs done.
        network: Its state dict; names are node name, dot, local name.
        optimizer: Its state, or None if the schedule is at its end.
    """

    architecture: Architecture
    epoch: int
    network: Mapping[str, Tensor]
    optimizer: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """Return the checkpoint in torch's format."""
        buffer = BytesIO()
        data = {
            "architecture": self.architecture.text,
            "epoch": self.epoch,
            "network": {name: tensor.cpu().contiguous() for name, tensor in self.network.items()},
            "optimizer": self.optimizer,
        }
        torch.save(data, buffer)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Checkpoint:
        """Return the checkpoint that ``to_bytes`` wrote; only tensors and plain data are read."""
        content = torch.load(BytesIO(data), weights_only=True)
        architecture = Architecture.from_json(json.loads(content["architecture"]))
        return cls(architecture, content["epoch"], content["network"], content["optimizer"])
