"""The published counts of search spaces beside those computed here, as a Markdown table.

Each line has the expression that gives our figure, to be evaluated after ``from nasturtium.spaces
import *`` and the definitions in this file. ``--all`` adds those that take minutes.

    python benchmarks/published.py [--all]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import permutations
from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np

import nasturtium.spaces
from nasturtium.benchmarking import table
from nasturtium.spaces import (
    DARTS,
    AmoebaNet,
    Architecture,
    Branches,
    Dense,
    Mobile,
    NASBench101,
    NASBench201,
    NASNet,
)
from nasturtium.testing import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nasturtium.graphs import Graph


@dataclass(frozen=True)
class Figure:
    """One published count.

    Args:
        family: The space's name.
        what: What is counted.
        published: As it is written where it was published.
        value: The number to reproduce.
        ours: The expression that gives our number.
        within: Relative tolerance; 0 means exactly.
        is_long: Whether it takes minutes.
    """

    family: str
    what: str
    published: str
    value: float
    ours: str
    within: float = 0.0
    is_long: bool = False

    def evaluated(self) -> float:
        """Return our number."""
        number: float = eval(self.ours, {**vars(nasturtium.spaces), "log10": log10, **globals()})
        return number

    def fits(self, number: float) -> bool:
        """Return whether a number is the published one."""
        return abs(number - self.value) <= self.within * abs(self.value)


# --- what is counted -----------------------------------------------------------------------------

CIFAR10, CIFAR100, IMAGENET = Shapes((3, 32, 32), 10), Shapes((3, 32, 32), 100), Shapes((3, 224, 224), 1000)


def distinct(values: Iterable[object]) -> int:
    """Return how many values there are."""
    return len(set(values))


NAMES = {
    **{"s3": "sep_conv_3", "s5": "sep_conv_5", "s7": "sep_conv_7", "d3": "dil_conv_3", "id": "identity"},
    **{"m3": "max_pool_3", "a3": "avg_pool_3", "c7": "conv_1x7_7x1"},
}
GENOTYPES = {
    "DARTS V1": ("s31 s30 id0 s31 id0 s31 s30 id2", "m30 m31 id2 m30 m30 id2 id2 a30"),
    "DARTS V2": ("s30 s31 s30 s31 s31 id0 id0 d32", "m30 m31 id2 m31 m30 id2 id2 m31"),
    "PC-DARTS": ("s31 id0 s30 d31 s50 s31 a30 d31", "s51 m30 s51 s52 s30 s33 s31 s32"),
    "NASNet": ("s51 s30 s50 s30 a31 id0 a30 a30 s31 id1", "s51 s70 m31 s70 a31 s50 id3 a32 s32 m31"),
    "AmoebaNet": ("a30 m31 s30 s52 s30 a33 s31 id1 id0 a31", "a30 s31 m30 s72 s70 a31 m30 m31 c70 s35"),
}


def network(space: Any, name: str) -> Graph:
    """Return the network of a published genotype for CIFAR-10."""
    cells = [[(NAMES[gene[:-1]], int(gene[-1])) for gene in cell.split()] for cell in GENOTYPES[name]]
    graph: Graph = space.on(CIFAR10).graph(space.genotype(*cells))
    return graph


LARGE = {"DARTS": DARTS(cells=20, filters=36), "NASNet": NASNet(cells=6, filters=36)}
LARGE["AmoebaNet"] = AmoebaNet(cells=6, filters=36)
A_6_768 = NASNet(cells=6, filters=32, normal_output=(0, 2, 3, 4, 5, 6), reduction_output=(3, 4, 5, 6))


def residual(depth: int) -> Graph:
    """Return a residual net for CIFAR-10 (He et al. 2016): every second sum reads the block inputs."""
    space = Branches(layers=(depth - 2) // 3, filters=16).on(CIFAR10)
    return space.graph(_with_skips(space, "add", lambda i, j: i % 2 == 1 and j % 2 == 0))


def _with_skips(space: Branches, merge: str, has_skip: Callable[[int, int], bool]) -> Architecture:
    values: dict[str, Any] = {}
    for path in space.columns:
        layer, _, what = path.partition(".")
        kind, _, source = what.partition("_")
        values[path] = {"op": "conv_3", "merge": merge}.get(kind, bool(source) and has_skip(int(layer), int(source)))
    return Architecture(values)


def dense_bc() -> Graph:
    """Return DenseNet-BC of 100 layers and growth 12 (Huang et al. 2017)."""
    space = Dense(stages=3, layers=16, filters=12).on(CIFAR10)
    return space.graph(
        space.construct(lambda decision, _: True if decision.values == (False, True) else decision.values[0])  # type: ignore[union-attr]
    )


def mobilenet_v2() -> Graph:
    """Return MobileNetV2 (Sandler et al. 2018, table 2)."""
    values: dict[str, Any] = {}
    for stage, depth in enumerate((1, 2, 3, 4, 3, 3, 1)):
        values |= {f"{stage}.width": 1.0, f"{stage}.blocks.n": depth}
        for i in range(depth):
            block = {"kernel": 3, "expansion": 6 if stage else 1, "squeeze": False}
            values |= {f"{stage}.blocks.{i}.{name}": value for name, value in block.items()}
    return Mobile().on(IMAGENET).graph(Architecture(values))


INCEPTION = [[0, 1, 1, 1, 0, 1, 0], *([[0] * 6 + [1]] * 2), [0, 0, 0, 0, 1, 0, 0], *([[0] * 6 + [1]] * 2), [0] * 7]
INCEPTION_CODES = [-1, 1, 0, 0, 0, 2, -2]


def exact_201(cost: str, data: str) -> int:
    """Return for how many of the cells of NAS-Bench-201 a cost is the table's (which counts biases as MACs)."""
    task = CIFAR10 if data == "c10" else CIFAR100
    space, column = NASBench201().on(task), table("nasbench201")[f"{data}_{cost}"]
    surplus = task.n_outputs if cost == "flops" else 0
    return sum(getattr(space.graph(space.at(i)), cost) + surplus == int(column[i]) for i in range(15_625))


def rows_101() -> Iterator[tuple[Any, list[int], Any, int]]:
    """Yield adjacency, codes, hash and parameters of the 14,000 cells of NAS-Bench-101 in the package."""
    cells = table("nasbench101-14k")
    for index, codes in enumerate(cells["ops"]):
        n = int((codes != -9).sum())
        matrix = cells["adjacency"][index][:n, :n]
        yield matrix, codes[:n].tolist(), cells["hash"][index].tobytes().hex(), int(cells["params"][index])


def hashes_101() -> int:
    """Return for how many of them the hash is the official one."""
    space = NASBench101()
    return sum(space.hash(space.from_matrix(matrix, codes)) == wanted for matrix, codes, wanted, _ in rows_101())


def exact_101(*, is_reordered: bool) -> int:
    """Return for how many the parameters are the table's, in its order of vertices or in any."""
    space = NASBench101()

    def fits(matrix: Any, codes: list[int], params: int) -> bool:
        return space.graph(space.from_matrix(matrix, codes)).params == params

    def orders(matrix: Any, codes: list[int]) -> Iterator[tuple[Any, list[int]]]:
        last = len(codes) - 1
        for inner in permutations(range(1, last)):
            order = [0, *inner, last]
            moved = matrix[np.ix_(order, order)]
            if not np.tril(moved).any():
                yield moved, [codes[v] for v in order]

    found = 0
    for matrix, codes, _, params in rows_101():
        is_exact = fits(matrix, codes, params)
        others = orders(matrix, codes) if is_reordered and not is_exact else iter(())
        found += is_exact or any(fits(*order, params) for order in others)
    return found


OFA = Mobile(
    widths=(24, 40, 80, 112, 160),
    strides=(2, 2, 2, 1, 2),
    min_depth=2,
    expansions=(3, 4, 6),
    squeezes=(False,),
    multipliers=(1.0,),
)

# --- the table -----------------------------------------------------------------------------------

SIZES = (
    Figure(
        "chain", "chains of at most 8 layers of 3 kinds", "(k^9-k)/(k-1)", 9_840,
        'repeat(choice("a", "b", "c"), at_least=1, at_most=8).count()',
    ),
    Figure(
        "chain", "MetaQNN: actions at the start", "14", 14,
        "len(Chain.metaqnn().trace(Architecture({'layer_0': 'gap'}))[0][0].options({}))",
    ),
    Figure("nasnet", "cells", "2.29e18", 2.29e18, "NASNet().size ** 0.5", 0.002),
    Figure("amoebanet", "cells", "5.57e14", 5.57e14, "AmoebaNet().size ** 0.5", 0.001),
    Figure("darts", "cells", "about 10^9", 1_037_664_180, "round(DARTS().size ** 0.5)"),
    Figure("enas-micro", "cells, in order", "5.0625e12", 5**10 * 720**2, "round(EnasMicro().size ** 0.5)"),
    Figure("enas-macro", "networks of 12 layers", "1.6e29", 1.6e29, "EnasMacro().size", 0.01),
    Figure("hierarchical", "architectures", "7^46", 7**46, "Hierarchical().size"),
    Figure("hierarchical", "flat control", "7^55", 7**55, "Hierarchical(motifs=(1,), nodes=(11,)).size"),
    Figure("hierarchical", "motifs of 4 nodes", "117,649", 117_649, "Hierarchical(motifs=(1,), nodes=(4,)).size"),
    Figure("grammar", "log10 of the hierarchical terms", "446", 446.09, "log10(Grammar().size)", 0.0001),
    Figure("grammar", "terms of the fixed control", "15,625", 15_625, 'Grammar(rules="fixed-nb201").size'),
    Figure("mobile", "Once-for-All", "2.2e19", 7_371**5, "OFA.size"),
    Figure("recurrent", "trees of base 8", "6e16", 6.33e16, "Recurrent().size", 0.001),
    Figure("recurrent-darts", "cells of 8 nodes", "4^8 8!", 2_642_411_520, "RecurrentDARTS().size"),
    Figure("nats-size", "widths", "32,768", 32_768, "NATSSize().size"),
    Figure("genetic-cnn", "MNIST, S=2", "8,192", 8_192, "GeneticCNNSpace(nodes=(3, 5), filters=(20, 50)).size"),
    Figure("genetic-cnn", "CIFAR-10, S=3", "524,288", 524_288, "GeneticCNNSpace().size"),
    Figure("macro", "networks", "6,561", 6_561, "Macro().size"),
    Figure(
        "macro", "distinct ones", "3,969", 3_969, "distinct(Macro().graph(a).key for a in Macro())", is_long=True
    ),
    Figure("nasbench201", "cells", "15,625", 15_625, "NASBench201().size"),
    Figure(
        "nasbench201", "distinct if skip is the identity", "12,751", 12_751,
        "distinct(NASBench201().isomorphism(a, zeros=False) for a in NASBench201())",
    ),
    Figure(
        "nasbench201", "and none is zero", "6,466", 6_466,
        "distinct(NASBench201().isomorphism(a) for a in NASBench201())",
    ),
    *(
        Figure(
            "nasbench101", f"distinct cells of at most {n} vertices", f"{cells:,}", cells,
            f"sum(1 for _ in NASBench101(max_vertices={n}).distinct())", is_long=n > 5,
        )
        for n, cells in ((2, 1), (3, 7), (4, 91), (5, 2_532), (6, 64_542), (7, 423_624))
    ),
    Figure("nasbench101", "official hashes of 14,000 cells", "14,000", 14_000, "hashes_101()", is_long=True),
)  # fmt: skip

COSTS = (
    *(
        Figure("darts", f"{name}, 20 cells, 36 filters", f"{n:,}", n, f'network(LARGE["DARTS"], "{name}").params')
        for name, n in (("DARTS V1", 3_169_414), ("DARTS V2", 3_349_342), ("PC-DARTS", 3_634_678))
    ),
    *(
        Figure(
            "darts", f"{name}, multiply-accumulates", f"{n:,}", n, f'network(LARGE["DARTS"], "{name}").flops'
        )
        for name, n in (("DARTS V1", 500_987_520), ("DARTS V2", 528_359_040))
    ),
    Figure(
        "nasnet", "NASNet, 20 cells, 36 filters", "3,830,950", 3_830_950,
        'network(LARGE["NASNet"], "NASNet").params',
    ),
    Figure("nasnet", "NASNet-A 6 @ 768", "3.3 M", 3.3e6, 'network(A_6_768, "NASNet").params', 0.05),
    Figure(
        "amoebanet", "AmoebaNet, 20 cells, 36 filters", "3,145,078", 3_145_078,
        'network(LARGE["AmoebaNet"], "AmoebaNet").params',
    ),
    Figure("branches", "ResNet-20", "0.27 M", 0.27e6, "residual(20).params", 0.01),
    Figure("branches", "ResNet-56", "0.85 M", 0.85e6, "residual(56).params", 0.01),
    Figure("dense", "DenseNet-BC 100/12", "0.8 M", 0.8e6, "dense_bc().params", 0.05),
    Figure("mobile", "MobileNetV2", "3.4 M", 3.4e6, "mobilenet_v2().params", 0.05),
    Figure("mobile", "MobileNetV2, multiply-accumulates", "300 M", 300e6, "mobilenet_v2().flops", 0.01),
    *(
        Figure("nats-size", text, f"{n:,}", n, f'NATSSize().graph(NATSSize().parse("{text}")).params')
        for text, n in (("8:8:8:8:8", 11_714), ("8:8:8:16:32", 49_202), ("8:8:40:32:40", 144_834))
    ),
    *(
        Figure(
            "nats-size", f"{text}, multiply-accumulates and 10", f"{n:,}", n,
            f'NATSSize().graph(NATSSize().parse("{text}")).flops + 10',
        )
        for text, n in (("8:8:8:8:8", 4_481_114), ("8:8:8:16:32", 6_840_650), ("8:8:40:32:40", 21_827_994))
    ),
    Figure(
        "nasbench101", "the Inception-like cell", "2,694,282", 2_694_282,
        "NASBench101().graph(NASBench101().from_matrix(INCEPTION, INCEPTION_CODES)).params",
    ),
    Figure(
        "nasbench101", "exact of 14,000 cells, in the table's order", "13,740", 13_740,
        "exact_101(is_reordered=False)", is_long=True,
    ),
    Figure(
        "nasbench101", "and in another order of the vertices", "14,000", 14_000,
        "exact_101(is_reordered=True)", is_long=True,
    ),
    *(
        Figure(
            "nasbench201", f"exact {cost} of all cells, {data}", "15,625", 15_625,
            f'exact_201("{cost}", "{data}")', is_long=True,
        )
        for data in ("c10", "c100")
        for cost in ("params", "flops")
    ),
)  # fmt: skip


def shown(number: float) -> str:
    """Return a number as the table has it.

    Example:
        >>> shown(15625), shown(7**46), shown(446.0928)
        ('15,625', '7.49e+38', '446.09')
    """
    if isinstance(number, float) and number < 1e4:
        return f"{number:.2f}"
    return f"{float(number):.3g}" if number > 1e13 else f"{round(number):,}"


def line(figure: Figure, ours: float) -> str:
    """Return a figure's row of the table."""
    cells = (figure.family, figure.what, figure.published, shown(ours))
    return f"| {' | '.join(cells)} | `{figure.ours}` |"


def main() -> None:
    """Print both tables."""
    for title, figures in (("Sizes", SIZES), ("Parameters and multiply-accumulates", COSTS)):
        sys.stdout.write(f"## {title}\n\n| space | what | published | ours | how |\n|---|---|---|---|---|\n")
        for figure in figures:
            if not figure.is_long or "--all" in sys.argv:
                sys.stdout.write(f"{line(figure, figure.evaluated())}\n")
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
