"""Running a network over a long sequence, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from nasturtium.networks._network import Network

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn


@final
class Carried:
    """A network over time whose state goes on from one piece of a sequence to the next.

    Gradients end where a piece begins: truncated backpropagation through time.

    Args:
        network: Of one input and one output.

    References:
        Williams & Peng 1990, "An Efficient Gradient-Based Algorithm for On-Line Training of
        Recurrent Network Trajectories".
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._state: list[Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Return the outputs, shape ``(batch * time, *shape)``.

        Args:
            x: The next piece, shape ``(batch, time, *shape)``; the batch is always the same.
        """
        before = self._network.initial_state(x) if self._state is None else self._state
        (outputs,), after = self._network.advance((x,), before)
        self._state = [part.detach() for part in after]
        return outputs.flatten(0, 1)


def carried(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return what runs a network on one batch after the other: over time with its state, or as it is."""
    return Carried(network) if isinstance(network, Network) and network.over_time else network
