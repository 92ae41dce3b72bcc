"""Search spaces: which architectures there are."""

from nasturtium.spaces import _chromosome as chromosomes
from nasturtium.spaces._amoebanet import AmoebaNet
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._around import Around
from nasturtium.spaces._base import (
    COSTS,
    SPACES,
    Binding,
    Choose,
    Decisions,
    Edits,
    Finite,
    Networks,
    Open,
    Space,
    forget_identities,
)
from nasturtium.spaces._blocks import op
from nasturtium.spaces._branch import branch
from nasturtium.spaces._branches import Branches
from nasturtium.spaces._cell_block import cell
from nasturtium.spaces._cgp import CGP
from nasturtium.spaces._chain import Chain, chain
from nasturtium.spaces._chromosome import Chromosome, ChromosomeKind
from nasturtium.spaces._circuit import Circuit
from nasturtium.spaces._codeepneat import Assembled, CoDeepNEAT
from nasturtium.spaces._conditions import Conditional, conditionals
from nasturtium.spaces._configspace import from_configuration, to_configspace, to_configuration
from nasturtium.spaces._darts import DARTS
from nasturtium.spaces._decision import Categorical, Decision, Interval, Value
from nasturtium.spaces._decisions import DecisionSpace, choice, skip
from nasturtium.spaces._dense import Dense
from nasturtium.spaces._enas_macro import EnasMacro
from nasturtium.spaces._enas_micro import EnasMicro
from nasturtium.spaces._genetic_cnn import GeneticCNNSpace
from nasturtium.spaces._genome import Gene, Genome, Genomes, Innovation
from nasturtium.spaces._grammar import Grammar
from nasturtium.spaces._growing import GrowingSpace
from nasturtium.spaces._hierarchical import Hierarchical
from nasturtium.spaces._macro import Macro
from nasturtium.spaces._miller import ConstraintMatrix
from nasturtium.spaces._mlp import MLP
from nasturtium.spaces._mobile import Mobile
from nasturtium.spaces._morphism import Morphism
from nasturtium.spaces._named_decisions import decisions
from nasturtium.spaces._nasbench101 import NASBench101
from nasturtium.spaces._nasbench201 import NASBench201
from nasturtium.spaces._nasbench_graph import NASBenchGraph
from nasturtium.spaces._nasnet import NASNet
from nasturtium.spaces._nats_size import NATSSize
from nasturtium.spaces._network_evolution import NetworkEvolution
from nasturtium.spaces._networks import ClosedNetworkSpace, NetworkSpace
from nasturtium.spaces._neurons import Neurons
from nasturtium.spaces._recurrent import Recurrent
from nasturtium.spaces._recurrent_baseline import RecurrentBaseline
from nasturtium.spaces._recurrent_darts import RecurrentDARTS
from nasturtium.spaces._repeat import optional, repeat
from nasturtium.spaces._tree import integer, option, real, subset

__all__ = [
    "CGP",
    "COSTS",
    "DARTS",
    "MLP",
    "SPACES",
    "AmoebaNet",
    "Architecture",
    "Around",
    "Assembled",
    "Binding",
    "Branches",
    "Categorical",
    "Chain",
    "Choose",
    "Chromosome",
    "ChromosomeKind",
    "Circuit",
    "ClosedNetworkSpace",
    "CoDeepNEAT",
    "Conditional",
    "ConstraintMatrix",
    "Decision",
    "DecisionSpace",
    "Decisions",
    "Dense",
    "Edits",
    "EnasMacro",
    "EnasMicro",
    "Finite",
    "Gene",
    "GeneticCNNSpace",
    "Genome",
    "Genomes",
    "Grammar",
    "GrowingSpace",
    "Hierarchical",
    "Innovation",
    "Interval",
    "Macro",
    "Mobile",
    "Morphism",
    "NASBench101",
    "NASBench201",
    "NASBenchGraph",
    "NASNet",
    "NATSSize",
    "NetworkEvolution",
    "NetworkSpace",
    "Networks",
    "Neurons",
    "Open",
    "Recurrent",
    "RecurrentBaseline",
    "RecurrentDARTS",
    "Space",
    "Value",
    "branch",
    "cell",
    "chain",
    "choice",
    "chromosomes",
    "conditionals",
    "decisions",
    "forget_identities",
    "from_configuration",
    "integer",
    "load",
    "op",
    "option",
    "optional",
    "real",
    "repeat",
    "skip",
    "subset",
    "to_configspace",
    "to_configuration",
]


def load(name: str, **arguments: object) -> Space:
    """Return the registered space of that name.

    Raises:
        UnknownNameError: No such space; the message offers near matches.

    Example:
        >>> load("nasnet", cells=2).cells
        2
    """
    return SPACES.make(name, arguments)
