"""The recurrent policy: an LSTM whose state remembers all earlier decisions.

Zoph & Le 2017, "Neural Architecture Search with Reinforcement Learning" (arXiv 1611.01578), section 3.
Written in NumPy: a step of one walk costs a tenth of a millisecond, and strategies stay free of torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nasturtium.errors import UsageError, arguments_of
from nasturtium.policies._base import POLICIES, Pass, Policy, Rollout, Weights
from nasturtium.policies._initial import generator_of
from nasturtium.policies._recurrence import RecurrentPass
from nasturtium.policies._timeline import NOTHING, Timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.policies._batch import Batch
    from nasturtium.policies._walk import Head

    Array = NDArray[np.floating]


@final
@POLICIES.register("lstm")
@dataclass(frozen=True)
class LSTM(Policy):
    """A recurrent network that answers one decision after the other (Zoph & Le 2017).

    The answer to a decision is, through an embedding, the input of the next step. Skips from earlier
    layers are independent of each other at the layer's anchor point: with its state h_i and that of the
    earlier layer's anchor h_j, ``P(j -> i) = sigmoid(v . tanh(W_previous h_j + W_current h_i))``.

    Departures, where the paper says nothing: the embedding is as wide as the state; the first input is
    zero; the input after an anchor point is the mean of the states that were skipped from, as in ENAS.

    Args:
        units: Width of the state.
        layers: Number of layers.
        spread: Parameters begin uniform in [-spread, spread].
        bits: Of the numbers it computes with, 32 or 64; log-probabilities are right to about 1e-5 or 1e-12.

    References:
        Zoph & Le 2017, ICLR, arXiv 1611.01578; the mean: Pham et al. 2018, arXiv 1802.03268.
    """

    units: int = 35
    layers: int = 2
    spread: float = 0.08
    bits: int = 32

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.bits not in (32, 64):
            raise UsageError(f"bits are 32 or 64, got {self.bits}; choose one.")
        if not min(self.units, self.layers) >= 1 or not 0 < self.spread < inf:
            got = arguments_of(self, "units", "layers", "spread")
            raise UsageError(f"units and layers are at least 1, spread is positive and finite, got {got}; change them.")

    def initial(self, seed: int, name: str, shape: tuple[int, ...]) -> Array:
        """Return uniform values."""
        return _initial(seed, name, shape, self.spread, self.bits)

    def rollout(self, weights: Weights) -> Rollout:
        """Begin a walk."""
        return _Rollout(Net(self, weights))

    def forward(self, weights: Weights, batch: Batch) -> Pass:
        """Return the probabilities of walks."""
        return RecurrentPass(Net(self, weights), batch)


@lru_cache(maxsize=16_384)
def _initial(seed: int, name: str, shape: tuple[int, ...], spread: float, bits: int) -> Array:
    return generator_of(seed, name).uniform(-spread, spread, shape).astype(f"f{bits // 8}")


@final
class Net:
    """The network with its parameters."""

    def __init__(self, policy: LSTM, weights: Weights) -> None:
        self.units = policy.units
        self.dtype = np.dtype(f"f{policy.bits // 8}")
        self.layers = range(policy.layers)
        self._policy = policy
        self._weights = weights

    def _get(self, name: str, *shape: int) -> Array:
        return self._policy.parameter(self._weights, name, shape)

    @cached_property
    def kernels(self) -> list[Array]:
        """Of each layer what input and state are multiplied by, shape ``(2 units, 4 units)``: i, f, o, g."""
        return [self._get(f"lstm.{i}.kernel", 2 * self.units, 4 * self.units) for i in self.layers]

    @cached_property
    def biases(self) -> list[Array]:
        """Of each layer, shape ``(4 units,)``."""
        return [self._get(f"lstm.{i}.bias", 4 * self.units) for i in self.layers]

    @cached_property
    def previous(self) -> Array:
        """W_previous, shape ``(units, units)``."""
        return self._get("anchor.previous", self.units, self.units)

    @cached_property
    def current(self) -> Array:
        """W_current, shape ``(units, units)``."""
        return self._get("anchor.current", self.units, self.units)

    @cached_property
    def direction(self) -> Array:
        """The vector v, shape ``(units,)``."""
        return self._get("anchor.v", self.units)

    def readout(self, head: Head) -> Array:
        """Return what gives a question's outputs, the last row its bias, shape ``(units + 1, n_outputs)``."""
        return self._get(f"readout {head.name}", self.units + 1, head.n_outputs)

    def embedding(self, head: Head) -> Array:
        """Return an answer's input to the next step, shape ``(n_tokens, units)``."""
        return self._get(f"embedding {head.name}", head.n_tokens, self.units)

    def drive(self, layer: int, x: Array) -> Array:
        """Return an input's share in what a layer's gates are computed of, shape ``(..., 4 units)``."""
        driven: Array = x @ self.kernels[layer][: self.units]
        driven += self.biases[layer]
        return driven

    def step(self, layer: int, drive: Array, h: Array, c: Array) -> Cell:
        """Return a layer's new state.

        Args:
            layer: Its number.
            drive: What ``drive`` made of its input.
            h: The old state, shape ``(..., units)``.
            c: The rest of it, of the same shape.
        """
        n = self.units
        raw = drive + h @ self.kernels[layer][n:]
        gates = 1 / (1 + np.exp(-raw[..., : 3 * n]))
        candidate = np.tanh(raw[..., 3 * n :])
        new_c = gates[..., n : 2 * n] * c + gates[..., :n] * candidate
        squashed = np.tanh(new_c)
        return Cell(gates, candidate, new_c, squashed, gates[..., 2 * n :] * squashed)


class Cell(NamedTuple):
    """What a layer computes at one step: i, f and o; g; and the new state c, its tanh, and h."""

    gates: Array
    candidate: Array
    c: Array
    squashed: Array
    h: Array


# --- one walk ------------------------------------------------------------------------------------


@final
class _Rollout(Rollout):
    def __init__(self, net: Net) -> None:
        self._net = net
        zero = np.zeros(net.units, net.dtype)
        self._zero = zero
        self._states = [(zero, zero) for _ in net.layers]
        self._timeline = Timeline()
        self._tops: list[Array] = []
        self._input = zero
        self._skipped: list[Array] = []
        self._anchor = NOTHING

    def outputs(self, path: str, head: Head) -> Array:
        """Return the outputs at the next step, which skips into one place share."""
        time, self._anchor = self._timeline.place(path, head)
        if time == len(self._tops):
            self._advance()
        h = self._tops[-1]
        net = self._net
        if head.skip_from is None:
            readout = net.readout(head)
            outputs: Array = h @ readout[:-1] + readout[-1]
            return outputs
        logit = net.direction @ np.tanh(self._state_of(self._anchor) @ net.previous + h @ net.current)
        return np.array([0.0, logit])

    def _state_of(self, anchor: int) -> Array:
        return self._zero if anchor == NOTHING else self._tops[anchor]

    def _advance(self) -> None:
        x = np.mean(self._skipped, axis=0) if self._skipped else self._input
        for layer in self._net.layers:
            cell = self._net.step(layer, self._net.drive(layer, x), *self._states[layer])
            self._states[layer] = (cell.h, cell.c)
            x = cell.h
        self._tops.append(x)
        self._input = self._zero
        self._skipped = []

    def take(self, path: str, head: Head, token: int) -> None:
        """Remember the input of the next step."""
        del path
        if head.skip_from is None:
            self._input = self._net.embedding(head)[token]
        elif token:
            self._skipped.append(self._state_of(self._anchor))
