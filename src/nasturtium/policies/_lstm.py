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
from nasturtium.policies._base import POLICIES, Arrays, Pass, Policy, Rollout, Weights
from nasturtium.policies._batch import Batch, Softmax, softmax, softmax_gradient
from nasturtium.policies._initial import generator_of
from nasturtium.policies._timeline import NOTHING, Timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.policies._walk import Head

    Array = NDArray[np.float64]


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

    References:
        Zoph & Le 2017, ICLR, arXiv 1611.01578; the mean: Pham et al. 2018, arXiv 1802.03268.
    """

    units: int = 35
    layers: int = 2
    spread: float = 0.08

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not min(self.units, self.layers) >= 1 or not 0 < self.spread < inf:
            got = arguments_of(self, "units", "layers", "spread")
            raise UsageError(f"units and layers are at least 1, spread is positive and finite, got {got}; change them.")

    def initial(self, seed: int, name: str, shape: tuple[int, ...]) -> Array:
        """Return uniform values."""
        return _initial(seed, name, shape, self.spread)

    def rollout(self, weights: Weights) -> Rollout:
        """Begin a walk."""
        return _Rollout(_Net(self, weights))

    def forward(self, weights: Weights, batch: Batch) -> Pass:
        """Return the probabilities of walks."""
        return _Pass(_Net(self, weights), batch)


@lru_cache(maxsize=16_384)
def _initial(seed: int, name: str, shape: tuple[int, ...], spread: float) -> Array:
    return generator_of(seed, name).uniform(-spread, spread, shape)


@final
class _Net:
    """The network with its parameters."""

    def __init__(self, policy: LSTM, weights: Weights) -> None:
        self.units = policy.units
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

    def step(self, layer: int, x: Array, h: Array, c: Array) -> _Cell:
        """Return a layer's new state for input and old state, each of shape ``(..., units)``."""
        n = self.units
        joined = np.concatenate([x, h], axis=-1)
        raw = joined @ self.kernels[layer] + self.biases[layer]
        gates = 1 / (1 + np.exp(-raw[..., : 3 * n]))
        candidate = np.tanh(raw[..., 3 * n :])
        new_c = gates[..., n : 2 * n] * c + gates[..., :n] * candidate
        squashed = np.tanh(new_c)
        return _Cell(joined, gates, candidate, c, new_c, squashed, gates[..., 2 * n :] * squashed)


class _Cell(NamedTuple):
    """What a layer computed at one step; kept for the way back."""

    joined: Array
    gates: Array
    candidate: Array
    old_c: Array
    c: Array
    squashed: Array
    h: Array


# --- one walk ------------------------------------------------------------------------------------


@final
class _Rollout(Rollout):
    def __init__(self, net: _Net) -> None:
        self._net = net
        zero = np.zeros(net.units)
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
        return np.zeros(self._net.units) if anchor == NOTHING else self._tops[anchor]

    def _advance(self) -> None:
        x = np.mean(self._skipped, axis=0) if self._skipped else self._input
        for layer in self._net.layers:
            cell = self._net.step(layer, x, *self._states[layer])
            self._states[layer] = (cell.h, cell.c)
            x = cell.h
        self._tops.append(x)
        self._input = np.zeros(self._net.units)
        self._skipped = []

    def take(self, path: str, head: Head, token: int) -> None:
        """Remember the input of the next step."""
        del path
        if head.skip_from is None:
            self._input = self._net.embedding(head)[token]
        elif token:
            self._skipped.append(self._state_of(self._anchor))


# --- a batch -------------------------------------------------------------------------------------


class _Skips(NamedTuple):
    """The skips of a batch.

    Args:
        rows: Their places among the steps of the batch.
        tokens: 1 for what is taken.
        anchors: Times of the anchors they skip from.
        weights: What the anchor's state counts in the input of the next step.
    """

    rows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    anchors: NDArray[np.int64]
    weights: Array


@final
class _Plan:
    """When each step of a batch is answered, and what enters where."""

    def __init__(self, batch: Batch) -> None:
        times, anchors = [], []
        for walk in batch.walks:
            timeline = Timeline()
            for step in walk:
                time, anchor = timeline.place(step.path, step.head)
                times.append(time)
                anchors.append(anchor)
        self.times = np.array(times, dtype=np.int64)
        self.walks = np.repeat(np.arange(len(batch.walks)), batch.lengths)
        self.length = int(self.times.max(initial=-1)) + 1
        self.groups = [group for group in batch.groups if group.head.skip_from is None]
        self.skips = self._skips(batch, np.array(anchors, dtype=np.int64))
        self.entering = [np.flatnonzero(self.times[self.skips.rows] == time - 1) for time in range(self.length)]

    def _skips(self, batch: Batch, anchors: NDArray[np.int64]) -> _Skips:
        skipping = [group for group in batch.groups if group.head.skip_from is not None]
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *(group.rows for group in skipping)])
        tokens = np.concatenate([np.zeros(0, dtype=np.int64), *(group.tokens for group in skipping)])
        taken = np.zeros((len(batch.walks), self.length))
        np.add.at(taken, (self.walks[rows], self.times[rows]), tokens)
        share = tokens / np.maximum(taken[self.walks[rows], self.times[rows]], 1)
        return _Skips(rows, tokens, anchors[rows], np.where(anchors[rows] == NOTHING, 0.0, share))


@final
class _Pass(Pass):
    def __init__(self, net: _Net, batch: Batch) -> None:
        self._net = net
        self._plan = plan = _plan(batch)
        self._cells: list[list[_Cell]] = []
        self._tops = np.zeros((plan.length, len(batch.walks), net.units))
        self._recur(len(batch.walks))
        self._found: list[Softmax] = []
        self.log_probs = np.zeros(len(batch.steps))
        self.entropies = np.zeros(len(batch.steps))
        for group in plan.groups:
            readout = net.readout(group.head)
            found = softmax(self._at(group.rows) @ readout[:-1] + readout[-1], group)
            self._found.append(found)
            self.log_probs[group.rows], self.entropies[group.rows] = found.log_probs, found.entropies
        self._answer_skips()

    def _at(self, rows: NDArray[np.int64]) -> Array:
        """Return the states at which steps are answered, shape ``(n, units)``."""
        tops: Array = self._tops[self._plan.times[rows], self._plan.walks[rows]]
        return tops

    def _recur(self, n_walks: int) -> None:
        """Go through time."""
        net, plan, skips = self._net, self._plan, self._plan.skips
        inputs = np.zeros((plan.length + 1, n_walks, net.units))
        for group in plan.groups:
            entered = (plan.times[group.rows] + 1, plan.walks[group.rows])
            inputs[entered] = net.embedding(group.head)[group.tokens]
        zero = np.zeros((n_walks, net.units))
        states = [(zero, zero) for _ in net.layers]
        for time in range(plan.length):
            x = inputs[time]
            which = plan.entering[time]
            if len(which):
                walks = plan.walks[skips.rows[which]]
                np.add.at(x, walks, skips.weights[which, None] * self._tops[skips.anchors[which], walks])
            cells = []
            for layer in net.layers:
                cell = net.step(layer, x, *states[layer])
                states[layer] = (cell.h, cell.c)
                cells.append(cell)
                x = cell.h
            self._cells.append(cells)
            self._tops[time] = x

    def _answer_skips(self) -> None:
        """Find the probabilities of the skips; see the class ``LSTM``."""
        rows, tokens, anchors, _ = self._plan.skips
        if not len(rows):
            return
        walks = self._plan.walks[rows]
        self._from = np.where(anchors[:, None] == NOTHING, 0.0, self._tops[anchors, walks])
        self._mixed = np.tanh(self._from @ self._net.previous + self._at(rows) @ self._net.current)
        logits = self._mixed @ self._net.direction
        yes, no = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
        self._yes = np.exp(yes)
        self._logits = logits
        self.log_probs[rows] = np.where(tokens == 1, yes, no)
        self.entropies[rows] = -(self._yes * yes + (1 - self._yes) * no)

    def gradient(self, log_probs: Array, entropies: Array) -> Arrays:
        """Return derivatives by the parameters: through the outputs, then back through time."""
        gradients: dict[str, Array] = {}
        states = np.zeros_like(self._tops)  # derivatives by the states of the last layer
        times, walks = self._plan.times, self._plan.walks
        for group, found in zip(self._plan.groups, self._found, strict=True):
            by_outputs = softmax_gradient(found, group, log_probs[group.rows], entropies[group.rows])
            readout = self._net.readout(group.head)
            by_readout = np.concatenate([self._at(group.rows).T @ by_outputs, by_outputs.sum(axis=0)[None]])
            gradients[f"readout {group.head.name}"] = by_readout
            states[times[group.rows], walks[group.rows]] = by_outputs @ readout[:-1].T
        self._skips_back(log_probs, entropies, states, gradients)
        inputs = self._back(states, gradients)
        for group in self._plan.groups:
            entered = inputs[times[group.rows] + 1, walks[group.rows]]
            by_embedding = np.zeros((group.head.n_tokens, self._net.units))
            np.add.at(by_embedding, group.tokens, entered)
            gradients[f"embedding {group.head.name}"] = by_embedding
        return gradients

    def _skips_back(self, log_probs: Array, entropies: Array, states: Array, gradients: dict[str, Array]) -> None:
        rows, tokens, anchors, _ = self._plan.skips
        if not len(rows):
            return
        net, walks = self._net, self._plan.walks[rows]
        by_logits = log_probs[rows] * (tokens - self._yes)
        by_logits -= entropies[rows] * self._yes * (1 - self._yes) * self._logits
        raw = by_logits[:, None] * net.direction * (1 - self._mixed**2)
        gradients["anchor.v"] = by_logits @ self._mixed
        gradients["anchor.previous"] = self._from.T @ raw
        gradients["anchor.current"] = self._at(rows).T @ raw
        np.add.at(states, (self._plan.times[rows], walks), raw @ net.current.T)
        known = anchors != NOTHING
        np.add.at(states, (anchors[known], walks[known]), (raw @ net.previous.T)[known])

    def _back(self, states: Array, gradients: dict[str, Array]) -> Array:
        """Return derivatives by the inputs, shape ``(n_times + 1, n_walks, units)``; add those of the cells."""
        net, plan, skips, n = self._net, self._plan, self._plan.skips, self._net.units
        inputs = np.zeros((plan.length + 1, *states.shape[1:]))
        by_h = [np.zeros(states.shape[1:]) for _ in net.layers]
        by_c = [np.zeros(states.shape[1:]) for _ in net.layers]
        raws = [np.zeros((*states.shape[:2], 4 * n)) for _ in net.layers]
        transposed = [kernel.T for kernel in net.kernels]
        for time in reversed(range(plan.length)):
            from_above = states[time]
            for layer in reversed(net.layers):
                cell, raw = self._cells[time][layer], raws[layer][time]
                by_h[layer] += from_above
                _cell_back(cell, by_h[layer], by_c[layer], raw)
                by_joined = raw @ transposed[layer]
                from_above, by_h[layer] = by_joined[:, :n], by_joined[:, n:]
            inputs[time] = from_above
            which = plan.entering[time]
            if len(which):  # earlier anchors, whose turn comes later in this loop
                walks = plan.walks[skips.rows[which]]
                np.add.at(states, (skips.anchors[which], walks), skips.weights[which, None] * from_above[walks])
        for layer in net.layers:
            joined = np.stack([cells[layer].joined for cells in self._cells]).reshape(-1, 2 * n)
            flat = raws[layer].reshape(-1, 4 * n)
            gradients[f"lstm.{layer}.kernel"] = joined.T @ flat
            gradients[f"lstm.{layer}.bias"] = flat.sum(axis=0)
        return inputs


@lru_cache(maxsize=4)
def _plan(batch: Batch) -> _Plan:
    """Return a batch's plan; kept, since PPO goes over a batch several times."""
    return _Plan(batch)


def _cell_back(cell: _Cell, by_h: Array, by_c: Array, raw: Array) -> None:
    """Fill in derivatives by what the gates were computed of, and turn ``by_c`` into that of the old c.

    Args:
        cell: What the cell computed.
        by_h: Derivative by its h, shape ``(n_walks, units)``.
        by_c: Derivative by its c from the later step; changed.
        raw: Filled in, shape ``(n_walks, 4 units)``.
    """
    n = by_h.shape[-1]
    i, f, o = cell.gates[:, :n], cell.gates[:, n : 2 * n], cell.gates[:, 2 * n :]
    by_c += by_h * o * (1 - cell.squashed**2)
    raw[:, :n] = by_c * cell.candidate
    raw[:, n : 2 * n] = by_c * cell.old_c
    raw[:, 2 * n : 3 * n] = by_h * cell.squashed
    raw[:, : 3 * n] *= cell.gates * (1 - cell.gates)
    raw[:, 3 * n :] = by_c * i * (1 - cell.candidate**2)
    by_c *= f
