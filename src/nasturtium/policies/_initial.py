"""Initial values of parameters: a function of a seed and the parameter's name."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np


def generator_of(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one parameter's initial values; the same in every process."""
    digest = blake2b(f"{seed} {name}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
