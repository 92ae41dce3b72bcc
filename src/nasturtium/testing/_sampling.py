"""What the laws of spaces share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture, Space


def samples(space: Space, n: int = 20, seed: int = 0) -> list[Architecture]:
    """Return random members, always the same ones."""
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(n)]


def same_json(data: Any) -> Any:
    """Return JSON data after writing and reading it."""
    return json.loads(json.dumps(data, allow_nan=False))
