"""A batch's pass through the recurrent policy, and the way back through time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nasturtium.policies._base import Arrays, Pass
from nasturtium.policies._batch import Batch, Softmax, softmax, softmax_gradient
from nasturtium.policies._timeline import NOTHING, Timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.policies._lstm import Array, Cell, Net


class Skips(NamedTuple):
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
    weights: NDArray[np.float64]


@final
class Plan:
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

    def _skips(self, batch: Batch, anchors: NDArray[np.int64]) -> Skips:
        skipping = [group for group in batch.groups if group.head.skip_from is not None]
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *(group.rows for group in skipping)])
        tokens = np.concatenate([np.zeros(0, dtype=np.int64), *(group.tokens for group in skipping)])
        taken = np.zeros((len(batch.walks), self.length))
        np.add.at(taken, (self.walks[rows], self.times[rows]), tokens)
        share = tokens / np.maximum(taken[self.walks[rows], self.times[rows]], 1)
        return Skips(rows, tokens, anchors[rows], np.where(anchors[rows] == NOTHING, 0.0, share))


@lru_cache(maxsize=4)
def plan_of(batch: Batch) -> Plan:
    """Return a batch's plan; kept, since PPO goes over a batch several times."""
    return Plan(batch)


@final
class RecurrentPass(Pass):
    """The probabilities of a batch's walks under an LSTM, all walks side by side through time."""

    def __init__(self, net: Net, batch: Batch) -> None:
        self._net = net
        self._plan = plan = plan_of(batch)
        self._cells: list[list[Cell]] = []
        self._inputs = self._zeros(plan.length + 1, len(batch.walks))
        self._tops = self._zeros(plan.length, len(batch.walks))
        self._recur()
        self._found: list[Softmax] = []
        self.log_probs = np.zeros(len(batch.steps))
        self.entropies = np.zeros(len(batch.steps))
        for group in plan.groups:
            readout = net.readout(group.head)
            found = softmax(self._at(group.rows) @ readout[:-1] + readout[-1], group)
            self._found.append(found)
            self.log_probs[group.rows], self.entropies[group.rows] = found.log_probs, found.entropies
        self._answer_skips()

    def _zeros(self, *shape: int) -> Array:
        return np.zeros((*shape, self._net.units), self._net.dtype)

    def _at(self, rows: NDArray[np.int64]) -> Array:
        """Return the states at which steps are answered, shape ``(n, units)``."""
        tops: Array = self._tops[self._plan.times[rows], self._plan.walks[rows]]
        return tops

    def _recur(self) -> None:
        """Go through time; what enters the first layer from answers is multiplied beforehand, at once."""
        net, plan, skips = self._net, self._plan, self._plan.skips
        for group in plan.groups:
            entered = (plan.times[group.rows] + 1, plan.walks[group.rows])
            self._inputs[entered] = net.embedding(group.head)[group.tokens]
        driven = net.drive(0, self._inputs)
        zero = np.zeros_like(self._inputs[0])
        states = [(zero, zero) for _ in net.layers]
        for time in range(plan.length):
            drive = driven[time]
            which = plan.entering[time]
            if len(which):
                walks = plan.walks[skips.rows[which]]
                np.add.at(self._inputs[time], walks, self._skipped(which, walks))
                drive = net.drive(0, self._inputs[time])
            cells: list[Cell] = []
            for layer in net.layers:
                cell = net.step(layer, drive if layer == 0 else net.drive(layer, cells[-1].h), *states[layer])
                states[layer] = (cell.h, cell.c)
                cells.append(cell)
            self._cells.append(cells)
            self._tops[time] = cells[-1].h

    def _skipped(self, which: NDArray[np.int64], walks: NDArray[np.int64]) -> Array:
        """Return what skips give to the input of the step after their anchor point, shape ``(n, units)``."""
        skips = self._plan.skips
        given: Array = skips.weights[which, None].astype(self._net.dtype) * self._tops[skips.anchors[which], walks]
        return given

    def _answer_skips(self) -> None:
        """Find the probabilities of the skips; see the class ``LSTM``."""
        rows, tokens, anchors, _ = self._plan.skips
        if not len(rows):
            return
        walks = self._plan.walks[rows]
        self._from = np.where(anchors[:, None] == NOTHING, 0, self._tops[anchors, walks])
        self._mixed = np.tanh(self._from @ self._net.previous + self._at(rows) @ self._net.current)
        logits = (self._mixed @ self._net.direction).astype(np.float64)
        yes, no = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
        self._yes = np.exp(yes)
        self._logits = logits
        self.log_probs[rows] = np.where(tokens == 1, yes, no)
        self.entropies[rows] = -(self._yes * yes + (1 - self._yes) * no)

    def gradient(self, log_probs: NDArray[np.float64], entropies: NDArray[np.float64]) -> Arrays:
        """Return derivatives by the parameters: through the outputs, then back through time."""
        gradients: dict[str, Array] = {}
        states = np.zeros_like(self._tops)  # derivatives by the states of the last layer
        times, walks, dtype = self._plan.times, self._plan.walks, self._net.dtype
        for group, found in zip(self._plan.groups, self._found, strict=True):
            by_outputs = softmax_gradient(found, group, log_probs[group.rows], entropies[group.rows]).astype(dtype)
            readout = self._net.readout(group.head)
            by_readout = np.concatenate([self._at(group.rows).T @ by_outputs, by_outputs.sum(axis=0)[None]])
            gradients[f"readout {group.head.name}"] = by_readout
            states[times[group.rows], walks[group.rows]] = by_outputs @ readout[:-1].T
        self._skips_back(log_probs, entropies, states, gradients)
        inputs = self._back(states, gradients)
        for group in self._plan.groups:
            entered = inputs[times[group.rows] + 1, walks[group.rows]]
            is_taken = np.arange(group.head.n_tokens)[:, None] == group.tokens
            gradients[f"embedding {group.head.name}"] = is_taken.astype(dtype) @ entered
        return gradients

    def _skips_back(
        self,
        log_probs: NDArray[np.float64],
        entropies: NDArray[np.float64],
        states: Array,
        gradients: dict[str, Array],
    ) -> None:
        rows, tokens, anchors, _ = self._plan.skips
        if not len(rows):
            return
        net, walks = self._net, self._plan.walks[rows]
        slopes = log_probs[rows] * (tokens - self._yes) - entropies[rows] * self._yes * (1 - self._yes) * self._logits
        by_logits = slopes.astype(net.dtype)
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
        transposed = [np.ascontiguousarray(kernel.T) for kernel in net.kernels]  # its products are twice as fast
        raws = [np.empty((*states.shape[:2], 4 * n), net.dtype) for _ in net.layers]
        by_h, by_c = self._zeros(2, len(net.layers), states.shape[1])
        begin = [np.zeros_like(by_c[0])] * len(net.layers)
        for time in reversed(range(plan.length)):
            old_c = [cell.c for cell in self._cells[time - 1]] if time else begin
            from_above = states[time]
            for layer in reversed(net.layers):
                raw = raws[layer][time]
                cell_back(self._cells[time][layer], old_c[layer], from_above + by_h[layer], by_c[layer], raw)
                by_h[layer] = raw @ transposed[layer][:, n:]
                if layer > 0:
                    from_above = raw @ transposed[layer][:, :n]
            which = plan.entering[time]
            if len(which):  # earlier anchors, whose turn comes later in this loop
                walks = plan.walks[skips.rows[which]]
                shares = skips.weights[which, None].astype(net.dtype)
                np.add.at(states, (skips.anchors[which], walks), shares * (raw[walks] @ transposed[0][:, :n]))
        below = self._inputs[:-1]
        for layer in net.layers:
            h = np.stack([cells[layer].h for cells in self._cells])
            flat, old_h = raws[layer].reshape(-1, 4 * n), np.concatenate([begin[0][None], h[:-1]])
            gradients[f"lstm.{layer}.kernel"] = np.concatenate([x.reshape(-1, n).T @ flat for x in (below, old_h)])
            gradients[f"lstm.{layer}.bias"] = flat.sum(axis=0)
            below = h
        by_inputs = self._zeros(plan.length + 1, states.shape[1])
        by_inputs[:-1] = raws[0] @ transposed[0][:, :n]
        return by_inputs


def cell_back(cell: Cell, old_c: Array, by_h: Array, by_c: Array, raw: Array) -> None:
    """Fill in derivatives by what the gates were computed of, and turn ``by_c`` into that of the old c.

    Args:
        cell: What the cell computed.
        old_c: Its c at the step before, shape ``(n_walks, units)``.
        by_h: Derivative by its h, of the same shape.
        by_c: Derivative by its c from the later step; changed.
        raw: Filled in, shape ``(n_walks, 4 units)``.
    """
    n = by_h.shape[-1]
    i, f, o = cell.gates[:, :n], cell.gates[:, n : 2 * n], cell.gates[:, 2 * n :]
    by_c += by_h * o * (1 - cell.squashed**2)
    raw[:, :n] = by_c * cell.candidate
    raw[:, n : 2 * n] = by_c * old_c
    raw[:, 2 * n : 3 * n] = by_h * cell.squashed
    raw[:, : 3 * n] *= cell.gates * (1 - cell.gates)
    raw[:, 3 * n :] = by_c * i * (1 - cell.candidate**2)
    by_c *= f
