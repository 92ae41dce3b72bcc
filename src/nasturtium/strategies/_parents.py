"""Parents: who has a child. Each operator picks rows of a population's losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nasturtium._registry import Registry
from nasturtium.errors import UsageError
from nasturtium.trials import INFEASIBLE, ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Chosen(NamedTuple):
    """Rows of a population.

    Args:
        parents: The parents, of which the first donates weights.
        sample: All members that competed to be the first parent, with repetition.
    """

    parents: tuple[int, ...]
    sample: tuple[int, ...]


class Parents(ABC):
    """Chooses parents from a population, which stays as it is."""

    @abstractmethod
    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return ``n`` parents, drawn independently of each other.

        Args:
            losses: The population's losses, shape ``(n_members, n_objectives)``, no NaN, not empty.
            n: Number of parents.
            rng: Draws them.
        """


def allowed(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return who is within the limits; everyone, where nobody is.

    Args:
        losses: Shape ``(n_members, n_objectives)``.

    Returns:
        Shape ``(n_members,)``.

    Example:
        >>> allowed(np.array([[0.5], [1e12], [0.7]])).tolist(), allowed(np.array([[1e12]])).tolist()
        ([True, False, True], [True])
    """
    fit = np.asarray((losses < INFEASIBLE).all(axis=1))
    return fit if fit.any() else np.ones_like(fit)


PARENTS: Registry[Parents] = Registry("parents", "nasturtium.parents")


@final
@PARENTS.register("uniform")
@dataclass(frozen=True)
class Uniform(Parents):
    """Anyone, whatever the loss; of a population of one the single parent (Suganuma et al. 2017)."""

    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return n members drawn uniformly with replacement."""
        rows = tuple(rng.integers(len(losses), size=n).tolist())
        return Chosen(rows, rows[:1])


@final
@PARENTS.register("tournament")
@dataclass(frozen=True)
class Tournament(Parents):
    """The best of a uniform sample.

    With replacement the member of rank r among P wins with probability
    ``((P - r + 1)**S - (P - r)**S) / P**S``. A sample of 2 without replacement is the pair of Real
    et al. 2017. Of several objectives the lower front wins, then the lonelier (Deb et al. 2002).

    Args:
        sample_size: S, the number of draws, at least; 1 is uniform.
        share: Draw this share of the population where that is more, as Liu et al. 2018 draw 5 %.
        replacement: Whether a member may be drawn twice, as in Real et al. 2019.

    References:
        Goldberg & Deb 1991.
    """

    sample_size: int = 2
    share: float = 0.0
    replacement: bool = True

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.sample_size < 1 or not 0 <= self.share <= 1:
            raise UsageError(
                f"sample_size is at least 1 and share in [0, 1], got {self.sample_size} and {self.share}; change them."
            )

    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return the winners of n tournaments, and the sample of the first."""
        size = max(self.sample_size, round(self.share * len(losses)))
        samples = [self._sample(len(losses), size, rng) for _ in range(n)]
        if losses.shape[1] == 1:
            winners = tuple(int(sample[losses.take(sample).argmin()]) for sample in samples)
        else:
            places = np.argsort(ranking(losses))
            winners = tuple(int(sample[places[sample].argmin()]) for sample in samples)
        return Chosen(winners, tuple(samples[0].tolist()))

    def _sample(self, n_members: int, size: int, rng: np.random.Generator) -> NDArray[np.intp]:
        if self.replacement:
            return (rng.random(size) * n_members).astype(np.intp)
        return rng.permutation(n_members)[:size]


@final
@PARENTS.register("in-turn")
@dataclass(frozen=True)
class InTurn(Parents):
    """All members in their order, over and over: the removal has chosen, as in species."""

    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return the first n members, beginning again where they are fewer."""
        del rng
        rows = tuple([row % len(losses) for row in range(n)])
        return Chosen(rows, rows[:1])


@final
@PARENTS.register("roulette")
@dataclass(frozen=True)
class Roulette(Parents):
    """A member with a probability in proportion to how much better it is than the worst.

    So the worst has no child, unless all are alike. Of several objectives the place in the ranking
    counts. Who exceeds a limit has no child while anyone does not, and is not the worst that the others
    are compared with: beside its loss theirs would all be alike.

    References:
        Xie & Yuille 2017, section 3.2.
    """

    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return n members drawn in proportion to (worst loss - loss)."""
        scores = losses[:, 0] if losses.shape[1] == 1 else np.argsort(ranking(losses)).astype(np.float64)
        fit = allowed(losses)
        gains = np.where(fit, scores[fit].max() - scores, 0.0)
        weights = gains if gains.any() else fit.astype(np.float64)
        shares = weights / weights.sum()
        rows = tuple(rng.choice(len(losses), size=n, p=shares).tolist())
        return Chosen(rows, rows[:1])


@final
@PARENTS.register("truncation")
@dataclass(frozen=True)
class Truncation(Parents):
    """Anyone of the best share of the population.

    Args:
        share: Which share, in (0, 1]; rounded up.

    References:
        Angeline, Saunders & Pollack 1994 take the better half.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        """Check the share."""
        if not 0 < self.share <= 1:
            raise UsageError(f"share is in (0, 1], got {self.share}; change it.")

    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return n members drawn uniformly from the best."""
        best = ranking(losses)[: int(np.ceil(self.share * len(losses)))]
        rows = tuple(best[rng.integers(len(best), size=n)].tolist())
        return Chosen(rows, rows[:1])


@final
@PARENTS.register("inverse-density")
@dataclass(frozen=True)
class InverseDensity(Parents):
    """A member with a probability inverse to how crowded its surroundings are.

    The density is a Gaussian kernel estimate over the logarithms of all objectives but the first,
    standardized; those are the cheap ones in Elsken et al. 2019. Where there is one objective, over
    that. A loss that is not positive is taken as it is. Who exceeds a limit, and is lonely for that, has no
    child while anyone does not. The paper does not publish the kernel; the bandwidth
    ``n_members ** (-1 / (n_objectives + 1))`` is ours.

    Args:
        least_bandwidth: Floor of the bandwidth, for large populations.

    References:
        Elsken, Metzen & Hutter 2019, section 3.1.
    """

    least_bandwidth: float = 0.05

    def __post_init__(self) -> None:
        """Check the bandwidth."""
        if not self.least_bandwidth > 0:
            raise UsageError(f"least_bandwidth is positive, got {self.least_bandwidth}; raise it.")

    def choose(self, losses: NDArray[np.float64], n: int, rng: np.random.Generator) -> Chosen:
        """Return n members drawn in proportion to 1 / density."""
        fit = np.flatnonzero(allowed(losses))
        shares = 1 / self.density(losses[fit])
        rows = tuple(fit[rng.choice(len(fit), size=n, p=shares / shares.sum())].tolist())
        return Chosen(rows, rows[:1])

    def density(self, losses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each member's density, shape ``(n_members,)``, up to a common factor."""
        points = losses[:, 1:] if losses.shape[1] > 1 else losses
        positive = (points > 0).all(axis=0)
        points = np.where(positive, np.log10(np.where(positive, points, 1.0)), points)
        spread = points.std(axis=0)
        z = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        bandwidth = max(len(z) ** (-1 / (z.shape[1] + 1)), self.least_bandwidth)
        squares = ((z[:, None] - z[None]) ** 2).sum(axis=2)
        return np.asarray(np.exp(-squares / (2 * bandwidth**2)).mean(axis=1))
