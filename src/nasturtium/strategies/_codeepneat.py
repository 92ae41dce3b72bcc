"""CoDeepNEAT: blueprints and modules that evolve together.

Miikkulainen et al. 2017, "Evolving Deep Neural Networks" (arXiv 1703.00548), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from nasturtium.errors import NoFeasibleNeighbor, UsageError, arguments_of
from nasturtium.spaces import Assembled
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._coevolution import Coevolution, assembled
from nasturtium.strategies._demes import Breeding
from nasturtium.strategies._operators import generator, unseen
from nasturtium.strategies._variation import check_rate
from nasturtium.trials import Proposal

if TYPE_CHECKING:
    from typing_extensions import Self

    from nasturtium.spaces import Architecture
    from nasturtium.strategies._coevolution import Generation
    from nasturtium.trials import History


@final
@STRATEGIES.register("codeepneat")
@dataclass(frozen=True)
class CoDeepNEAT(Strategy):
    """Two populations of chromosomes, assembled into networks and credited with their mean.

    A generation is ``n_assemblies`` networks: each blueprint in turn, and at all its nodes that
    point to one species the same module, drawn from that species. When all have ended, the fitness
    of a blueprint or a module is the mean over the networks that it was part of, and both breed as
    in NEAT. What points to a species that died points to the one nearest to it.

    Choices, since the paper publishes no rates: those of ``Breeding`` and of chromosomes are ours
    or a public program's. A network that was assembled before is drawn again. One that failed
    or exceeds a limit counts as the worst of its generation.

    Args:
        n_blueprints: Blueprints.
        n_modules: Modules.
        n_assemblies: Networks a generation.
        n_module_species: Greatest number of species of modules.
        n_blueprint_species: Greatest number of species of blueprints.
        crossover_rate: Probability that a child has two parents; it is not mutated then.

    References:
        Miikkulainen et al. 2017, arXiv 1703.00548.
    """

    n_blueprints: int = 25
    n_modules: int = 45
    n_assemblies: int = 100
    n_module_species: int = 4
    n_blueprint_species: int = 3
    crossover_rate: float = 0.2

    requires: ClassVar[tuple[type, ...]] = (Assembled,)
    reference: ClassVar[str] = "Miikkulainen et al. 2017, arXiv 1703.00548"

    def __post_init__(self) -> None:
        """Check the sizes."""
        sizes = (self.n_blueprints, self.n_modules, self.n_module_species, self.n_blueprint_species)
        if min(sizes) < 1 or self.n_assemblies < self.n_blueprints:
            got = arguments_of(
                self, "n_blueprints", "n_modules", "n_assemblies", "n_module_species", "n_blueprint_species"
            )
            raise UsageError(f"sizes are at least 1 and n_assemblies >= n_blueprints, got {got}; raise them.")
        check_rate(self.crossover_rate)

    def _coevolution(self) -> Coevolution:
        modules = Breeding(self.n_module_species, self.crossover_rate)
        blueprints = Breeding(self.n_blueprint_species, self.crossover_rate)
        return Coevolution(self.n_modules, self.n_blueprints, self.n_assemblies, modules, blueprints)

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return a generation's networks; none while the one before is not over."""
        how = self._coevolution()
        now = how.generation(history)
        batch: set[str] = set()
        proposals: list[Proposal] = []
        for number in range(history.n_trials, min(history.n_trials + n, how.block(now.number).stop)):
            proposal = self._assembly(history, now, number, batch)
            if proposal is None:
                break
            proposals.append(proposal)
        return proposals

    def _assembly(self, history: History, now: Generation, number: int, batch: set[str]) -> Proposal | None:
        space, rng = history.study.space, generator(history, number)
        origins: dict[Architecture, dict[str, Any]] = {}

        def draw(rejected: Architecture | None) -> Architecture:
            row = number % self.n_blueprints if rejected is None else int(rng.integers(self.n_blueprints))
            network, origin = now.assembly(assembled(space), row, rng)
            if not space.is_feasible(network):
                raise NoFeasibleNeighbor("an assembly is within the limits, got one that is not; loosen them.")
            origins[network] = origin
            return network

        network = unseen(history, batch, draw, rng)
        return None if network is None else Proposal(network, attributes=origins.get(network, {}))

    def scaled(self, horizon: int) -> Self:
        """Return the strategy with networks for about eight generations, and four or more of a species."""
        n = int(np.clip(horizon // 8, 8, self.n_assemblies))
        n_blueprints, n_modules = min(self.n_blueprints, max(n // 4, 3)), min(self.n_modules, max(n * 9 // 20, 6))
        return replace(
            self,
            n_assemblies=n,
            n_blueprints=n_blueprints,
            n_modules=n_modules,
            n_module_species=min(self.n_module_species, max(n_modules // 4, 1)),
            n_blueprint_species=max(min(self.n_blueprint_species, n_blueprints // 3), 1),
        )

    @classmethod
    def small(cls) -> Self:
        """Return generations of 10 networks from 5 blueprints and 8 modules."""
        return cls(n_blueprints=5, n_modules=8, n_assemblies=10, n_module_species=2, n_blueprint_species=2)
