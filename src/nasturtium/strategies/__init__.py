"""Search strategies: one file a method, history in, proposals out."""

from nasturtium.strategies import _operators as operators
from nasturtium.strategies._annealing import Annealing
from nasturtium.strategies._base import STRATEGIES, Strategy, check_fit
from nasturtium.strategies._cgp import CGP
from nasturtium.strategies._codeepneat import CoDeepNEAT
from nasturtium.strategies._evolution import Evolution
from nasturtium.strategies._genes import Genes
from nasturtium.strategies._genetic_cnn import GeneticCNN
from nasturtium.strategies._gnarl import GNARL
from nasturtium.strategies._hierarchical_evolution import HierarchicalEvolution
from nasturtium.strategies._hyperneat import HyperNEAT
from nasturtium.strategies._large_scale_evolution import LargeScaleEvolution
from nasturtium.strategies._miller import Miller
from nasturtium.strategies._neat import NEAT
from nasturtium.strategies._nevergrad import Nevergrad
from nasturtium.strategies._niches import Niches
from nasturtium.strategies._non_aging_evolution import NonAgingEvolution
from nasturtium.strategies._nsga2 import NSGA2
from nasturtium.strategies._optuna import Optuna
from nasturtium.strategies._parents import (
    PARENTS,
    InTurn,
    InverseDensity,
    Parents,
    Roulette,
    Tournament,
    Truncation,
    Uniform,
)
from nasturtium.strategies._ppo import PPO
from nasturtium.strategies._q_learning import QLearning
from nasturtium.strategies._random_search import RandomSearch
from nasturtium.strategies._regularized_evolution import RegularizedEvolution
from nasturtium.strategies._reinforce import Reinforce
from nasturtium.strategies._removal import (
    REMOVALS,
    Dominated,
    Generational,
    KeepAll,
    Oldest,
    Population,
    Removal,
    Worst,
    WorstOfSample,
)
from nasturtium.strategies._scalarization import (
    SCALARIZATIONS,
    Chebyshev,
    MnasNetReward,
    Scalarization,
)
from nasturtium.strategies._smac3 import SMAC3
from nasturtium.strategies._variation import (
    VARIATIONS,
    Copy,
    Crossover,
    GraphEdit,
    Mutation,
    MutationByLevel,
    PerDecision,
    RowCrossover,
    StageCrossover,
    Variation,
)

__all__ = [
    "CGP",
    "GNARL",
    "NEAT",
    "NSGA2",
    "PARENTS",
    "PPO",
    "REMOVALS",
    "SCALARIZATIONS",
    "SMAC3",
    "STRATEGIES",
    "VARIATIONS",
    "Annealing",
    "Chebyshev",
    "CoDeepNEAT",
    "Copy",
    "Crossover",
    "Dominated",
    "Evolution",
    "Generational",
    "Genes",
    "GeneticCNN",
    "GraphEdit",
    "HierarchicalEvolution",
    "HyperNEAT",
    "InTurn",
    "InverseDensity",
    "KeepAll",
    "LargeScaleEvolution",
    "Miller",
    "MnasNetReward",
    "Mutation",
    "MutationByLevel",
    "Nevergrad",
    "Niches",
    "NonAgingEvolution",
    "Oldest",
    "Optuna",
    "Parents",
    "PerDecision",
    "Population",
    "QLearning",
    "RandomSearch",
    "RegularizedEvolution",
    "Reinforce",
    "Removal",
    "Roulette",
    "RowCrossover",
    "Scalarization",
    "StageCrossover",
    "Strategy",
    "Tournament",
    "Truncation",
    "Uniform",
    "Variation",
    "Worst",
    "WorstOfSample",
    "check_fit",
    "operators",
]
