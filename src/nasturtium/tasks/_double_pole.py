"""Two poles on a cart: the benchmark of neuro-evolution for control.

Stanley & Miikkulainen 2002, section 4.2 and appendix B; constants of the authors' program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium.errors import UsageError
from nasturtium.tasks._problem import Problem, of_arrays, of_floats
from nasturtium.tasks._sources import TASKS, TaskSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture, Genomes

State = tuple[Any, ...]
"""Position and speed of the cart, angle and its speed of both poles: floats, or arrays of environments."""

GRAVITY, FRICTION, CART = -9.8, 0.000002, 1.0  # m/s2, of a hinge, kg
POLES = ((0.5, 0.1), (0.05, 0.01))  # half length in m, mass in kg
STEP = 0.01  # seconds; two a decision
TRACK, FALLEN = 2.4, 36 * math.pi / 180
START: State = (0.0, 0.0, 0.07, 0.0, 0.0, 0.0)  # 4 degrees, as in the program; 1 degree in the text

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
RANGES = (2.16, 1.35, 0.0628, 0.150)
"""Where the test begins: shares of the way from minus to plus these, for the cart and the long pole."""


def change(state: State, force: Any, m: Any) -> State:
    """Return the state's derivative.

    Args:
        state: Floats, or arrays of one shape.
        force: On the cart, in N.
        m: The module ``math`` for floats, ``numpy`` for arrays.
    """
    _, speed, *angles = state
    total, mass = force, CART
    sines, cosines, drags = [], [], []
    for (length, weight), angle, turning in zip(POLES, angles[::2], angles[1::2], strict=True):
        sine, cosine = m.sin(angle), m.cos(angle)
        drag = FRICTION * turning / (weight * length)
        total = total + weight * length * turning * turning * sine + 0.75 * weight * cosine * (drag + GRAVITY * sine)
        mass = mass + weight * (1 - 0.75 * cosine * cosine)
        sines.append(sine)
        cosines.append(cosine)
        drags.append(drag)
    pull = total / mass
    (l1, _), (l2, _) = POLES
    return (
        speed,
        pull,
        angles[1],
        -0.75 * (pull * cosines[0] + GRAVITY * sines[0] + drags[0]) / l1,
        angles[3],
        -0.75 * (pull * cosines[1] + GRAVITY * sines[1] + drags[1]) / l2,
    )


def moved(state: State, force: Any, m: Any) -> State:
    """Return the state after one step of the classical Runge-Kutta method."""
    half = 0.5 * STEP
    k1 = change(state, force, m)
    k2 = change(tuple([s + half * k for s, k in zip(state, k1, strict=True)]), force, m)
    k3 = change(tuple([s + half * k for s, k in zip(state, k2, strict=True)]), force, m)
    k4 = change(tuple([s + STEP * k for s, k in zip(state, k3, strict=True)]), force, m)
    sixth = STEP / 6
    return tuple([s + sixth * (a + 2 * (b + c) + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True)])


def has_fallen(state: State) -> Any:
    """Return whether the cart has left its track or a pole has fallen."""
    return (abs(state[0]) > TRACK) | (abs(state[2]) > FALLEN) | (abs(state[4]) > FALLEN)


@final
@dataclass(frozen=True, kw_only=True)
class DoublePole(Problem):
    """Balance two poles of different length on a cart that is pushed left or right.

    With velocities the error is the share of ``steps`` that was not balanced. Without, a network
    must remember, and oscillating is punished: the error is 1 - (0.1 f1 + 0.9 f2) / 2 over 1,000
    steps, f1 the share that was balanced and f2 = 0.75 / (sum of the sizes of x, x', a, a' of cart and long
    pole over the last 100), 0 if fewer than 100 were. The test balances 1,000 steps from each of 625
    other starts; ``test_error`` is the share that fails.

    Args:
        has_velocities: Whether a network sees speeds too.
        steps: Decisions to balance, of 0.02 s each.

    References:
        Stanley & Miikkulainen 2002, section 4.2; Gruau, Whitley & Pyeatt 1996 for the second measure.
    """

    has_velocities: bool = True
    steps: int = 100_000

    n_test: ClassVar[int] = len(SHARES) ** 4

    def __post_init__(self) -> None:
        """Check the number of steps."""
        if self.steps < 1:
            raise UsageError(f"steps is at least 1, got {self.steps}; raise it.")

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name in the registry."""
        return "double-pole" if self.has_velocities else "double-pole-no-velocities"

    @property
    def space(self) -> str:  # type: ignore[override]
        """The space: networks that remember where speeds are not seen."""
        return "neurons(bias=0.5)" if self.has_velocities else "neurons(bias=0.5, is_recurrent=True)"

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Six numbers, or three without velocities."""
        return (6,) if self.has_velocities else (3,)

    def seen(self, state: State) -> tuple[Any, ...]:
        """Return what a network sees of a state."""
        x, dx, a, da, b, db = state
        if self.has_velocities:
            return (x / 4.8, dx / 2, a / 0.52, da / 2, b / 0.52, db / 2)
        return (x / 4.8, a / 0.52, b / 0.52)

    def score(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the error."""
        if self.has_velocities:
            n_balanced = self.balanced(space, architecture, self.steps)[0]
            return {"error": 1 - n_balanced / self.steps}
        n_balanced, unrest = self.balanced(space, architecture, 1_000)
        steady = 0.75 / max(sum(unrest[-100:]), 1e-9) if n_balanced >= 100 else 0.0
        return {"error": max(1 - (0.1 * n_balanced / 1_000 + 0.9 * steady) / 2, 0.0)}

    def balanced(self, space: Genomes, architecture: Architecture, steps: int) -> tuple[int, list[float]]:
        """Return how many steps a network balances, and without velocities the unrest of each."""
        circuit, bias = of_floats(space, architecture)
        state, memory = START, None
        unrest: list[float] = []
        for step in range(steps):
            outputs, memory = circuit.step((*self.seen(state), *bias), memory)
            force = 20 * (outputs[0] - 0.5)
            state = moved(moved(state, force, math), force, math)
            if has_fallen(state):
                return step, unrest
            if not self.has_velocities:
                unrest.append(abs(state[0]) + abs(state[1]) + abs(state[2]) + abs(state[3]))
        return steps, unrest

    def test(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return which share of 625 starts ends in a fall within 1,000 steps, all of them at a time."""
        starts = np.array(list(product(SHARES, repeat=4))).T * 2 - 1
        values = [share * span for share, span in zip(starts, RANGES, strict=True)]
        rest = np.zeros(self.n_test)
        state: State = (*values, rest, rest)
        is_up: NDArray[np.bool_] = np.ones(self.n_test, dtype=bool)
        circuit, bias = of_arrays(space, architecture, self.n_test)
        memory = None
        for _ in range(1_000):
            outputs, memory = circuit.step((*self.seen(state), *bias), memory)
            force = 20 * (outputs[0] - 0.5)
            state = moved(moved(state, force, np), force, np)
            is_up = is_up & ~has_fallen(state)
            if not is_up.any():
                break
            state = tuple([np.where(is_up, value, 0.0) for value in state])  # who fell rests
        return {"test_error": 1 - float(is_up.mean())}


@TASKS.register("double-pole")
@final
@dataclass(frozen=True)
class DoublePoleSource(TaskSource):
    """Two poles on a cart, for networks whose weights evolve (Stanley & Miikkulainen 2002).

    Args:
        steps: Decisions to balance, of 0.02 s each.
    """

    steps: int = 100_000

    def load(self) -> DoublePole:
        """Return the problem."""
        return DoublePole(steps=self.steps)


@TASKS.register("double-pole-no-velocities")
@final
@dataclass(frozen=True)
class BlindDoublePoleSource(TaskSource):
    """Two poles on a cart whose speeds are not seen, for networks that remember."""

    def load(self) -> DoublePole:
        """Return the problem."""
        return DoublePole(has_velocities=False)
