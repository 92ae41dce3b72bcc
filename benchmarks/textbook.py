"""A textbook pipeline, pinned: DataLoader, plain modules, default settings.

What a careful tutorial writes, and nothing of nasturtium: ``training.py`` measures against it.
It must not get faster with the project, so that ratios of different releases compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Sequence


class Images(Dataset[tuple[Tensor, int]]):
    """Images as bytes; each is cropped, mirrored, resized and normalized when it is asked for."""

    def __init__(self, x: Tensor, y: Tensor, *, augment: bool, size: int) -> None:
        self.x, self.y = x, y.tolist()
        self.augment, self.size = augment, size

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return a normalized image and its label."""
        image = self.x[index].float() / 255
        if self.augment:
            padded = functional.pad(image, (3, 3, 3, 3))
            dy, dx = torch.randint(0, 7, (2,)).tolist()
            image = padded[:, dy : dy + image.shape[1], dx : dx + image.shape[2]]
            if torch.rand(()) < 0.5:
                image = image.flip(2)
        if image.shape[1] != self.size:
            image = functional.interpolate(image[None], (self.size, self.size), mode="bilinear", antialias=True)[0]
        return (image - 0.286) / 0.353, self.y[index]


class ReLUConvBN(nn.Sequential):
    """The order of NAS-Bench-201."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """The operation ``none``."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros."""
        return x.mul(0.0)


def operation(name: str, channels: int) -> nn.Module:
    """Return one of the cell's five operations."""
    if name in ("nor_conv_1x1", "nor_conv_3x3"):
        return ReLUConvBN(channels, channels, int(name[-1]))
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return nn.Identity() if name == "skip_connect" else Zero()


class Cell(nn.Module):
    """Four nodes; ``names`` are the operations of the edges 01, 02, 12, 03, 13, 23."""

    def __init__(self, names: Sequence[str], channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(operation(name, channels) for name in names)

    def forward(self, x: Tensor) -> Tensor:
        """Return the last node."""
        nodes, edges = [x], iter(self.edges)
        for target in (1, 2, 3):
            nodes.append(sum(next(edges)(nodes[source]) for source in range(target)))
        return nodes[3]


class Reduction(nn.Module):
    """The residual block between two stages."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(ReLUConvBN(channels, 2 * channels, 3, 2), ReLUConvBN(2 * channels, 2 * channels, 3))
        self.around = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(channels, 2 * channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both ways."""
        return self.main(x) + self.around(x)


def network(names: Sequence[str], filters: int) -> nn.Module:
    """Return the network of a cell, one cell a stage."""
    layers: list[nn.Module] = [nn.Conv2d(1, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters)]
    for stage in range(3):
        if stage:
            layers.append(Reduction(filters * 2 ** (stage - 1)))
        layers.append(Cell(names, filters * 2**stage))
    last = 4 * filters
    layers += [nn.BatchNorm2d(last), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, 10)]
    return nn.Sequential(*layers)


def train_epoch(model: nn.Module, images: Images, batch_size: int) -> None:
    """Train one epoch with a cosine schedule."""
    loader = DataLoader(images, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(loader))
    model.train()
    total = correct = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        loss = functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() * len(y)
        correct += (logits.argmax(1) == y).sum().item()


@torch.no_grad()
def accuracy(model: nn.Module, images: Images, batch_size: int) -> float:
    """Return the share of images that are classified right."""
    model.eval()
    loader = DataLoader(images, batch_size=batch_size)
    return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(images)
