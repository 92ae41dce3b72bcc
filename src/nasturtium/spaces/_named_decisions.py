"""Spaces of named decisions without networks, for tables, simulators and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import DecisionSpace
from nasturtium.spaces._tree import Block, Group, group_of


@final
@SPACES.register("decisions", is_listed=False)
@dataclass(frozen=True, kw_only=True)
class NamedDecisions(DecisionSpace):
    """A space of named decisions without networks; made by ``decisions``."""

    blocks: tuple[tuple[str, Block], ...] = ()

    @property
    def root(self) -> Block:
        """The decisions in the given order."""
        return Group(self.blocks)


def decisions(**blocks: Block) -> NamedDecisions:
    """Return a space of named decisions without networks: for tables, simulators, anything.

    Raises:
        UsageError: A value is no block.

    Example:
        >>> import numpy as np
        >>> from nasturtium.spaces import choice, integer
        >>> space = decisions(layer_0=choice("identity", "mb3_k3"), width=integer(1, 3))
        >>> space.sample(np.random.default_rng(0))["layer_0"] in ("identity", "mb3_k3")
        True
        >>> [a.text for a in space][:2]
        ['{"layer_0":"identity","width":1}', '{"layer_0":"identity","width":2}']
    """
    return NamedDecisions(blocks=group_of(blocks).blocks)
