"""Control: the environments of gymnasium, for networks whose weights evolve.

Towers et al. 2024, "Gymnasium: A Standard Interface for Reinforcement Learning Environments"
(arXiv 2407.17032). The package is the extra ``control``.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium.errors import MissingExtraError, UsageError
from nasturtium.tasks._problem import Problem, of_arrays, of_floats
from nasturtium.tasks._sources import TASKS, TaskSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture, Genomes

FIRST_TEST_SEED = 1_000_000
"""Seed of the test's first episode; those of a search count from 0."""


@final
@dataclass(frozen=True, eq=False)
class World:
    """What stands between a network and an environment: what it sees, and what its outputs do.

    Args:
        environment: One of gymnasium's.
        middle: What is taken off each number of an observation, shape ``(n_inputs,)``.
        span: What it is divided by then, likewise.
        low: Of continuous actions, what an output of 0 does, shape ``(n_outputs,)``; None where actions are counted.
        high: Likewise of an output of 1.
        n_outputs: Numbers of a continuous action, or how many actions there are.
    """

    environment: Any
    middle: NDArray[np.float64]
    span: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None
    n_outputs: int

    def seen(self, observations: NDArray[Any]) -> NDArray[np.float64]:
        """Return what networks see.

        Args:
            observations: Of n environments, shape ``(n, ...)``.

        Returns:
            Shape ``(n_inputs, n)``.
        """
        flat = observations.reshape(len(observations), -1)
        return ((flat - self.middle) / self.span).T

    def actions(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        """Return what outputs do in n environments, shape ``(n,)`` or ``(n, *shape of an action)``.

        Args:
            outputs: Shape ``(n_outputs, n)``.
        """
        space = self.environment.action_space
        if self.low is None or self.high is None:
            return np.asarray(space.start + outputs.argmax(axis=0))
        shares = outputs.T.clip(0.0, 1.0)
        return np.asarray(self.low + (self.high - self.low) * shares).reshape(-1, *space.shape).astype(space.dtype)


def gymnasium() -> ModuleType:
    """Return the package.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import gymnasium
    except ImportError as error:
        raise MissingExtraError("control needs gymnasium, got none; pip install 'nasturtium[control]'.") from error
    return gymnasium


@lru_cache(maxsize=8)
def world_of(name: str) -> World:
    """Return an environment by gymnasium's name of it, with what its networks need to know.

    Raises:
        UsageError: There is none of this name, it lacks a package, or its observations or actions are of
            another kind.
    """
    gym = gymnasium()
    try:
        environment = gym.make(name, disable_env_checker=True)
    except (gym.error.Error, ImportError) as error:
        line = " ".join(str(error).split())
        raise UsageError(f"an environment is one of gymnasium's, got {name!r} ({line}); change it.") from error
    sees, does = environment.observation_space, environment.action_space
    if not isinstance(sees, gym.spaces.Box):
        raise UsageError(f"observations are arrays of numbers, got {sees} of {name}; take another environment.")
    bottom, top = sees.low.reshape(-1).astype(float), sees.high.reshape(-1).astype(float)
    is_bounded = np.isfinite(bottom) & np.isfinite(top) & (bottom < top)
    bottom, top = np.where(is_bounded, bottom, -1.0), np.where(is_bounded, top, 1.0)
    middle, span = bottom / 2 + top / 2, top / 2 - bottom / 2
    if isinstance(does, gym.spaces.Discrete):
        return World(environment, middle, span, None, None, int(does.n))
    if not isinstance(does, gym.spaces.Box) or not does.is_bounded():
        raise UsageError(f"actions are counted or numbers with bounds, got {does} of {name}; take another environment.")
    low, high = does.low.reshape(-1).astype(float), does.high.reshape(-1).astype(float)
    return World(environment, middle, span, low, high, len(low))


@final
@dataclass(frozen=True, kw_only=True)
class Gymnasium(Problem):
    """Act in an environment of gymnasium; the return of an episode is the sum of its rewards.

    A network sees an observation, each number with bounds scaled to [-1, 1] and the others as they are.
    Where actions are counted it has an output for each, and the greatest is done; where they are
    numbers, outputs from 0 to 1 go from the least to the greatest. The error falls linearly from 1
    at ``worst`` to 0 at ``solved``, both mean returns over ``episodes``, which begin the same for
    all networks: with the seeds 0, 1, ... The test is a hundred other episodes.

    Args:
        environment: Gymnasium's name of it, such as ``"CartPole-v1"``.
        worst: The mean return whose error is 1; what is below is no worse.
        solved: The mean return from which it is solved; by default gymnasium's threshold.
        episodes: How often each network is tried.

    Raises:
        MissingExtraError: The extra ``control`` is not installed.
        UsageError: See the message.

    References:
        Towers et al. 2024, arXiv 2407.17032.
    """

    environment: str
    worst: float
    solved: float | None = None
    episodes: int = 5

    metrics: ClassVar[tuple[str, ...]] = ("error", "return")
    n_test: ClassVar[int] = 100  # as many as gymnasium's thresholds are for

    def __post_init__(self) -> None:
        """Check that the environment is there, and the numbers."""
        if self.episodes < 1:
            raise UsageError(f"episodes is at least 1, got {self.episodes}; raise it.")
        known = self._world.environment.spec.reward_threshold
        if self.solved is None and known is None:
            raise UsageError(f"gymnasium names no threshold for {self.environment}, got solved=None; give solved.")
        if not (isfinite(self.worst) and isfinite(self._threshold) and self.worst < self._threshold):
            raise UsageError(f"worst is below solved, got worst={self.worst} and {self._threshold}; change one.")

    @property
    def _world(self) -> World:
        return world_of(self.environment)

    @property
    def _threshold(self) -> float:
        """The mean return from which the environment is solved."""
        return float(self._world.environment.spec.reward_threshold if self.solved is None else self.solved)

    @property
    def name(self) -> str:  # type: ignore[override]
        """Gymnasium's name."""
        return self.environment

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The numbers of an observation."""
        return (prod(self._world.environment.observation_space.shape),)

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """An output an action, or a number of it."""
        return self._world.n_outputs

    def error(self, mean: float) -> float:
        """Return the error of a mean return.

        Example:
            >>> Gymnasium(environment="CartPole-v1", worst=0.0).error(95.0)
            0.8
        """
        return min(max((self._threshold - mean) / (self._threshold - self.worst), 0.0), 1.0)

    def score(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the error and the mean return."""
        mean = float(np.mean([self.episode(space, architecture, seed) for seed in range(self.episodes)]))
        return {"error": self.error(mean), "return": mean}

    def test(self, space: Genomes, architecture: Architecture) -> Mapping[str, float]:
        """Return the error and the mean return over other episodes."""
        mean = float(self.returns(space, architecture, FIRST_TEST_SEED, self.n_test).mean())
        return {"test_error": self.error(mean), "test_return": mean}

    def episode(self, space: Genomes, architecture: Architecture, seed: int) -> float:
        """Return the return of one episode; for few episodes that is faster than all at a time."""
        world = self._world
        circuit, bias = of_floats(space, architecture)
        observation, _ = world.environment.reset(seed=seed)
        memory, total, is_over = None, 0.0, False
        while not is_over:
            seen = world.seen(observation[None])[:, 0].tolist()
            outputs, memory = circuit.step((*seen, *bias), memory)
            observation, reward, has_ended, is_late, _ = world.environment.step(
                world.actions(np.array(outputs)[:, None])[0]
            )
            total += float(reward)
            is_over = has_ended or is_late
        return total

    def returns(self, space: Genomes, architecture: Architecture, seed: int, n: int) -> NDArray[np.float64]:
        """Return the returns of n episodes with the seeds from ``seed`` on, all at a time, shape ``(n,)``.

        An environment that gymnasium has vectorized itself, such as CartPole, draws all starts from
        the first seed.
        """
        world = self._world
        circuit, bias = of_arrays(space, architecture, n)
        environments = gymnasium().make_vec(self.environment, num_envs=n)
        observations, _ = environments.reset(seed=seed)
        memory = None
        totals, is_on = np.zeros(n), np.ones(n, dtype=bool)
        while is_on.any():
            outputs, memory = circuit.step((*world.seen(observations), *bias), memory)
            observations, rewards, have_ended, are_late, _ = environments.step(
                world.actions(np.array([np.broadcast_to(y, n) for y in outputs]))
            )
            totals += np.where(is_on, rewards, 0.0)  # who is done begins anew, which counts no more
            is_on &= ~(have_ended | are_late)
        environments.close()
        return totals


@dataclass(frozen=True)
class ControlSource(TaskSource, ABC):
    """An environment whose returns are known.

    Class attributes:
        environment: Gymnasium's name.
        worst: The least mean return, or one that is as bad.
        solved: The mean return from which it is solved; None for gymnasium's threshold.

    Args:
        episodes: How often each network is tried.
    """

    episodes: int = 5

    environment: ClassVar[str]
    worst: ClassVar[float]
    solved: ClassVar[float | None] = None

    def load(self) -> Gymnasium:
        """Return the problem."""
        return Gymnasium(environment=self.environment, worst=self.worst, solved=self.solved, episodes=self.episodes)


@TASKS.register("cartpole")
@final
class CartPoleSource(ControlSource):
    """Balance a pole on a cart for 500 steps, for networks whose weights evolve; solved at 475.

    Args:
        episodes: How often each network is tried.
    """

    environment: ClassVar[str] = "CartPole-v1"
    worst: ClassVar[float] = 0.0


@TASKS.register("acrobot")
@final
class AcrobotSource(ControlSource):
    """Swing two links up by the joint between them, for networks whose weights evolve; solved at -100.

    Args:
        episodes: How often each network is tried.
    """

    environment: ClassVar[str] = "Acrobot-v1"
    worst: ClassVar[float] = -500.0


@TASKS.register("mountain-car")
@final
class MountainCarSource(ControlSource):
    """Rock a weak car up a hill within 200 steps, for networks whose weights evolve; solved at -110.

    Args:
        episodes: How often each network is tried.
    """

    environment: ClassVar[str] = "MountainCar-v0"
    worst: ClassVar[float] = -200.0


@TASKS.register("mountain-car-continuous")
@final
class MountainCarContinuousSource(ControlSource):
    """Rock a car up a hill with little force, for networks whose weights evolve; solved at 90.

    Args:
        episodes: How often each network is tried.
    """

    environment: ClassVar[str] = "MountainCarContinuous-v0"
    worst: ClassVar[float] = -99.9  # 999 steps of full force, a tenth each


@TASKS.register("pendulum")
@final
class PendulumSource(ControlSource):
    """Swing a pendulum up and hold it, for networks whose weights evolve; solved at -200, which is ours.

    Args:
        episodes: How often each network is tried.
    """

    environment: ClassVar[str] = "Pendulum-v1"
    worst: ClassVar[float] = -3254.72  # 200 steps of pi ** 2 + 0.1 * 8 ** 2 + 0.001 * 2 ** 2
    solved: ClassVar[float | None] = -200.0


@TASKS.register("gymnasium")
@final
@dataclass(frozen=True)
class GymnasiumSource(TaskSource):
    """Any environment of gymnasium whose observations are arrays, for networks whose weights evolve.

    Args:
        environment: Gymnasium's name of it, such as ``CartPole-v1``.
        worst: The mean return whose error is 1.
        solved: The mean return from which it is solved; by default gymnasium's threshold.
        episodes: How often each network is tried.
    """

    environment: str
    worst: float
    solved: float | None = None
    episodes: int = 5

    def load(self) -> Gymnasium:
        """Return the problem."""
        return Gymnasium(environment=self.environment, worst=self.worst, solved=self.solved, episodes=self.episodes)
