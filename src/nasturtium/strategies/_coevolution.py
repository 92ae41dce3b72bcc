"""Co-evolution: modules, and blueprints that point to species of them, share the credit of networks.

Miikkulainen et al. 2017, "Evolving Deep Neural Networks" (arXiv 1703.00548), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import nan
from typing import TYPE_CHECKING, Any, final

from nasturtium.spaces import Assembled, chromosomes
from nasturtium.strategies._demes import Breeding, Deme, credited, following, settled
from nasturtium.strategies._operators import generator
from nasturtium.trials import INFEASIBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from nasturtium.spaces import Architecture, Chromosome, Space
    from nasturtium.trials import History, Trial


@final
@dataclass(frozen=True)
class Generation:
    """Where the two populations stand.

    Args:
        number: Which generation is being assembled, from 0.
        modules: The modules.
        blueprints: The blueprints.
        results: Loss and attributes of the trials that ended and are not credited yet, by number.
    """

    number: int
    modules: Deme
    blueprints: Deme
    results: Mapping[int, tuple[float, Mapping[str, Any]]] = field(default_factory=dict)

    def assembly(self, space: Assembled, row: int, rng: np.random.Generator) -> tuple[Architecture, dict[str, Any]]:
        """Return the network of a blueprint and modules drawn for it, and what it must remember of them.

        One module is drawn from each species, for all nodes that point to the species.
        """
        blueprint = self.blueprints.members[row]
        drawn = {s.number: int(rng.choice(s.members)) for s in self.modules.species}
        pointed = dict.fromkeys(values[0] for _, values in blueprint.nodes)
        modules = {species: self.modules.members[drawn[species]] for species in pointed}
        return space.assemble(blueprint, modules), {"blueprint": row, "modules": [drawn[s] for s in pointed]}


@final
@dataclass(frozen=True)
class Coevolution:
    """How modules and blueprints evolve side by side.

    Args:
        n_modules: Modules.
        n_blueprints: Blueprints.
        n_assemblies: Networks a generation.
        modules: How modules breed.
        blueprints: How blueprints breed.
    """

    n_modules: int
    n_blueprints: int
    n_assemblies: int
    modules: Breeding
    blueprints: Breeding

    def block(self, generation: int) -> range:
        """Return the numbers of a generation's trials."""
        return range(generation * self.n_assemblies, (generation + 1) * self.n_assemblies)

    def generation(self, history: History) -> Generation:
        """Return the generation that is being assembled after the trials so far."""
        losses, space = history.losses(), assembled(history.study.space)

        def after(now: Generation, trial: Trial) -> Generation:
            result = (float(losses[trial.number, 0]), trial.proposal.attributes)
            now = replace(now, results={**now.results, trial.number: result})
            if not now.results.keys() >= set(self.block(now.number)):
                return now
            return self.succeeding(space, now, generator(history, -2 - now.number))

        return history.fold((self, history.compared_at), lambda: self.founded(space, generator(history, -1)), after)

    def founded(self, space: Assembled, rng: np.random.Generator) -> Generation:
        """Return the first generation: minimal chromosomes with random values."""
        members = [chromosomes.minimal(space.module, rng) for _ in range(self.n_modules)]
        modules = settled(members, [nan] * self.n_modules, (), space.module, self.modules)
        kind = space.blueprint(modules.numbers)
        plans = [chromosomes.minimal(kind, rng) for _ in range(self.n_blueprints)]
        return Generation(0, modules, settled(plans, [nan] * self.n_blueprints, (), kind, self.blueprints))

    def succeeding(self, space: Assembled, now: Generation, rng: np.random.Generator) -> Generation:
        """Return the generation that the credit of this one's networks, all of which ended, leads to."""
        block = self.block(now.number)
        results = [now.results[number] for number in block]
        usable = [loss < INFEASIBLE for loss, _ in results]  # no failure, within the limits
        worst = max((loss for (loss, _), is_usable in zip(results, usable, strict=True) if is_usable), default=0.0)
        assemblies = [(-(loss if ok else worst), at) for (loss, at), ok in zip(results, usable, strict=True)]
        for_modules = shared(len(now.modules.members), ((f, at.get("modules", ())) for f, at in assemblies))
        owners = ((f, [at["blueprint"]] if "blueprint" in at else []) for f, at in assemblies)
        for_blueprints = shared(len(now.blueprints.members), owners)
        modules = following(now.modules, credited(now.modules, for_modules), space.module, self.modules, rng)
        plans = following(
            repointed(now, space, modules),
            credited(now.blueprints, for_blueprints),
            space.blueprint(modules.numbers),
            self.blueprints,
            rng,
        )
        left = {number: result for number, result in now.results.items() if number not in block}
        return Generation(now.number + 1, modules, plans, left)


def shared(n_members: int, assemblies: Iterable[tuple[float, Sequence[int]]]) -> list[list[float]]:
    """Return for each member the fitness of every assembly that it was part of.

    Example:
        >>> shared(3, [(0.5, [0, 2]), (0.7, [2])])
        [[0.5], [], [0.5, 0.7]]
    """
    results: list[list[float]] = [[] for _ in range(n_members)]
    for fitness, rows in assemblies:
        for row in rows:
            results[row].append(fitness)
    return results


def repointed(now: Generation, space: Assembled, modules: Deme) -> Deme:
    """Return the blueprints with nodes that point to living species: in a dead one's place the nearest."""
    living = {s.number: s.representative for s in modules.species}
    nearest = {number: number for number in living}
    for dead in now.modules.species:
        if dead.number not in living:
            nearest[dead.number] = min(
                living, key=lambda k: chromosomes.distance(dead.representative, living[k], space.module)
            )

    def moved(plan: Chromosome) -> Chromosome:
        nodes = tuple((name, (nearest[values[0]], *values[1:])) for name, values in plan.nodes)
        return replace(plan, nodes=nodes)

    species = tuple(replace(s, representative=moved(s.representative)) for s in now.blueprints.species)
    return replace(now.blueprints, members=tuple(map(moved, now.blueprints.members)), species=species)


def assembled(space: Space) -> Assembled:
    """Return the space, which assembles: the engine has refused others."""
    assert isinstance(space, Assembled)
    return space
