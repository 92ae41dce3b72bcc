"""The space of NAS-Bench-101: cells of up to seven vertices and nine edges.

Ying, Klein, Christiansen, Real, Murphy & Hutter 2019, "NAS-Bench-101: Towards Reproducible Neural
Architecture Search" (arXiv 1902.09635), section 2, and the authors' code where it says more.

Departure: at most nine edges are set, dead ones included, where the authors count after pruning. It
costs no cell, since each can be written without dead edges.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, final

from nasturtium.errors import UsageError, arguments_of, near_matches
from nasturtium.graphs import Builder, Graph, Operation, Shape, Wire
from nasturtium.graphs import operations as o
from nasturtium.spaces._architecture import Architecture
from nasturtium.spaces._base import SPACES
from nasturtium.spaces._decisions import choice
from nasturtium.spaces._nasbench101_cell import INPUT, OPERATIONS, OUTPUT, Cell, distinct_cells, pruned
from nasturtium.spaces._networks import ClosedNetworkSpace
from nasturtium.spaces._tree import Block, Group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from typing_extensions import Self

    from nasturtium.spaces._decision import Value


@final
@SPACES.register("nasbench101")
@dataclass(frozen=True, kw_only=True)
class NASBench101(ClosedNetworkSpace):
    """Cells that are any directed acyclic graph of few vertices, 423,624 in all (Ying et al. 2019).

    An inner vertex applies an operation to the sum of what it reads; the output concatenates what
    it reads and adds the input if it reads that, too. What leaves the input is projected by a 1x1
    convolution, and where one of the others has a channel too many, the last one is cut off. Three
    stacks of equal cells, a max-pool between two, which halves the image while the channels double.
    The widths in a cell depend on all of its edges, so there is no open graph.

    The decisions are the edges (``edge_0_1``, 0 or 1) and the operations (``op_1``) of all vertices.
    Isomorphic cells share ``hash``. The defaults are the benchmark's network for CIFAR-10; for
    another task, ``on(task)``.

    Args:
        cells: Cells in each of the three stacks.
        filters: Channels of the first stack.
        max_vertices: Greatest number of vertices of a cell, input and output included.
        max_edges: Greatest number of edges of a cell.

    Example:
        >>> space = NASBench101()
        >>> a = space.from_matrix([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"])
        >>> a["edge_0_1"], a["op_1"], space.hash(a)[:8], space.graph(a).params
        (1, 'maxpool3x3', '53cee426', 882570)
    """

    cells: int = 3
    filters: int = 128
    max_vertices: int = 7
    max_edges: int = 9
    input_shape: Shape | None = (3, 32, 32)
    n_outputs: int | None = 10

    def __post_init__(self) -> None:
        """Check the counts."""
        if min(self.cells, self.max_vertices - 1, self.max_edges) < 1:
            got = arguments_of(self, "cells", "max_edges", "max_vertices")
            raise UsageError(f"cells and max_edges are at least 1 and max_vertices 2, got {got}; raise them.")
        if self.filters < self.max_vertices - 2:
            got = arguments_of(self, "filters", "max_vertices")
            raise UsageError(f"each inner vertex needs a channel, got {got}; raise filters to max_vertices - 2.")

    @classmethod
    def small(cls) -> Self:
        """Return one cell a stack, six channels wide."""
        return cls(cells=1, filters=6)

    @property
    def root(self) -> Block:
        """The edges by their target, the one from input to output last; then the operations."""
        return _tree(self.max_vertices, self.max_edges)

    def _sample(self, rng: np.random.Generator) -> Architecture:
        """Draw edges and operations uniformly until the cell is valid, as the authors do.

        Decision by decision the edges would run out before those to the output are asked.
        """
        n = self.max_vertices
        while True:
            bits = iter(rng.integers(2, size=n * (n - 1) // 2).tolist())
            matrix = [[next(bits) if u < v else 0 for v in range(n)] for u in range(n)]
            codes = rng.integers(len(OPERATIONS), size=n - 2).tolist()
            cell = pruned(matrix, codes)
            if cell is not None and cell.n_edges <= self.max_edges:
                drawn = self._architecture(cell, cell.places, [OPERATIONS[code] for code in codes])
                return self._drawn(drawn, rng) if self.hyperparameters else drawn

    def from_matrix(self, adjacency: Sequence[Sequence[int]], operations: Sequence[str | int]) -> Architecture:
        """Return the cell of a matrix and its vertices' operations; dead vertices are left out.

        Args:
            adjacency: Zeros and ones, strictly upper triangular, shape ``(n, n)``.
            operations: One a vertex: ``"input"``, ``"conv3x3-bn-relu"``, ``"conv1x1-bn-relu"``,
                ``"maxpool3x3"`` and ``"output"``, or their codes -1, 0, 1, 2 and -2.

        Raises:
            UsageError: They are malformed, no path leads from input to output, or the cell has more
                vertices or edges than this space allows.
        """
        matrix = [[int(entry) for entry in row] for row in adjacency]
        cell = pruned(_checked(matrix), _codes(operations, len(matrix)))
        if cell is None:
            raise UsageError(f"a path leads from input to output, got {matrix}; add edges.")
        if cell.n_vertices > self.max_vertices or cell.n_edges > self.max_edges:
            raise UsageError(
                f"a cell has at most {self.max_vertices} vertices and {self.max_edges} edges that count, got "
                f"{cell.n_vertices} and {cell.n_edges}; drop some."
            )
        return self._placed(cell)

    def cell(self, architecture: Architecture) -> Cell:
        """Return the cell without its dead vertices."""
        n = self.max_vertices
        matrix = [[architecture[f"edge_{u}_{v}"] if u < v else 0 for v in range(n)] for u in range(n)]
        cell = pruned(matrix, [OPERATIONS.index(architecture[f"op_{v}"]) for v in range(1, n - 1)])
        assert cell is not None, "the rule of the edges keeps a path"
        return cell

    def hash(self, architecture: Architecture) -> str:
        """Return the official module hash, by which the benchmark knows a cell."""
        return self.cell(architecture).hash()

    def distinct(self) -> Iterator[Architecture]:
        """Yield one architecture of each isomorphism class, by rising number of vertices."""
        return map(self._placed, distinct_cells(self.max_vertices, self.max_edges))

    def draw_chances(self) -> dict[str, float]:
        """Return the chance of each cell, by its official hash, to be what ``sample`` draws.

        All matrices and operations are walked through, which takes a second for five vertices.

        Raises:
            UsageError: There are more vertices than that.
        """
        n = self.max_vertices
        if n > 5:
            raise UsageError(f"chances are counted up to 5 vertices, got {n}; sample instead.")
        counts: Counter[Cell] = Counter()
        for bits in product((0, 1), repeat=n * (n - 1) // 2):
            entries = iter(bits)
            matrix = [[next(entries) if u < v else 0 for v in range(n)] for u in range(n)]
            for codes in product(range(len(OPERATIONS)), repeat=n - 2):
                cell = pruned(matrix, codes)
                if cell is not None and cell.n_edges <= self.max_edges:
                    counts[cell] += 1
        chances: dict[str, float] = {}
        for cell, count in counts.items():
            key = cell.hash()
            chances[key] = chances.get(key, 0.0) + count / counts.total()
        return chances

    def _placed(self, cell: Cell) -> Architecture:
        """Return the architecture of a cell whose inner vertices come first, then dead ones."""
        places = (*range(cell.n_vertices - 1), self.max_vertices - 1)
        names = [OPERATIONS[code] for code in cell.codes]
        return self._architecture(cell, places, names + [OPERATIONS[0]] * (self.max_vertices - cell.n_vertices))

    def _architecture(self, cell: Cell, places: Sequence[int], names: Sequence[str]) -> Architecture:
        """Return the architecture of a cell at these places among the vertices."""
        living = {(places[u], places[v]) for v in range(cell.n_vertices) for u in cell.sources(v)}
        edges = {f"edge_{u}_{v}": int((u, v) in living) for u, v in _edges(self.max_vertices)}
        return Architecture({**edges, **{f"op_{v}": name for v, name in enumerate(names, start=1)}})

    def _network(self, architecture: Architecture) -> Graph:
        cell = self.cell(architecture)
        b = Builder()
        x = b.add("stem", o.Conv(self.filters, 3), b.input("image", self.input_shape))
        for stack in range(3):
            if stack:
                x = b.add(f"halving_{stack}", o.MaxPool(2, 2), x)
            graph = _cell_graph(cell, self.filters * 2**stack)
            for number in range(self.cells):
                x = b.add(f"cell_{stack}_{number}", graph, x)
        return b.graph(b.add("head", o.Linear(self.n_outputs), b.add("pool", o.GlobalPool(), x)))


def _edges(n: int) -> list[tuple[int, int]]:
    """Return the edges in the order of their decisions: by target, that from input to output last."""
    inner = [(u, v) for v in range(1, n - 1) for u in range(v)]
    return [*inner, *((u, n - 1) for u in range(1, n - 1)), (0, n - 1)]


@lru_cache(maxsize=16)
def _tree(n: int, max_edges: int) -> Group:
    edges = tuple(_edges(n))
    flags = [(f"edge_{u}_{v}", choice(0, 1, rule=_EdgeRule(edges, i, max_edges))) for i, (u, v) in enumerate(edges)]
    return Group((*flags, *((f"op_{v}", choice(*OPERATIONS)) for v in range(1, n - 1))))


@dataclass(frozen=True)
class _EdgeRule:
    """The rule of one edge: in the end a path leads to the output, and no edge is too many."""

    edges: tuple[tuple[int, int], ...]
    index: int
    max_edges: int

    def __call__(self, prefix: Mapping[str, Value], value: Value) -> bool:
        """Return whether the edges so far and this one leave a valid cell to be reached."""
        last = self.edges[-1]
        taken = [edge for edge in self.edges[: self.index] if prefix["edge_{}_{}".format(*edge)]]
        taken += [self.edges[self.index]] if value else []
        reached = {0}
        for u, v in taken:  # by target, so that a source is settled before what it reaches
            if u in reached:
                reached.add(v)
        if last[1] in reached:
            return len(taken) <= self.max_edges
        return self.index + 1 < len(self.edges) and len(taken) < self.max_edges


def _checked(matrix: list[list[int]]) -> list[list[int]]:
    n = len(matrix)
    is_square = n >= 2 and all(len(row) == n for row in matrix)
    if not is_square or any(matrix[u][v] not in ((0, 1) if u < v else (0,)) for u in range(n) for v in range(n)):
        raise UsageError(f"adjacency is 0 and 1, square and strictly upper triangular, got {matrix}; sort them.")
    return matrix


def _codes(operations: Sequence[str | int], n: int) -> list[int]:
    """Return the codes of the inner vertices."""
    names = {"input": INPUT, "output": OUTPUT, **{name: code for code, name in enumerate(OPERATIONS)}}
    codes = []
    for operation in operations:
        code = names.get(operation) if isinstance(operation, str) else int(operation)
        if code is None or code not in names.values():
            raise UsageError(f"unknown operation {operation!r}; {near_matches(str(operation), names)}")
        codes.append(code)
    inner = codes[1:-1]
    if len(codes) != n or codes[0] != INPUT or codes[-1] != OUTPUT or any(code < 0 for code in inner):
        raise UsageError(
            f"operations are an input, one for each inner vertex and an output, got {list(operations)}; mend it."
        )
    return inner


@lru_cache(maxsize=1024)
def _cell_graph(cell: Cell, channels: int) -> Graph:
    """Return the cell that puts out so many channels; its nodes are named by the vertices' places."""
    last = cell.n_vertices - 1
    b = Builder()
    wires = [b.input("input")]
    widths = (0, *cell.channels(channels))

    def projected(place: int | str, width: int) -> Wire:
        return b.add(f"project_{place}", o.Conv(width, 1), wires[0])

    def read(source: int, target: int) -> Wire:
        """Return what a vertex brings to an inner one: without its last channel if that has no place."""
        if widths[source] == widths[target]:
            return wires[source]
        name = f"cut_{cell.places[source]}_{cell.places[target]}"
        return b.add(name, o.FitChannels(widths[target]), wires[source])

    for v in range(1, last):
        place = cell.places[v]
        terms = [read(u, v) if u else projected(place, widths[v]) for u in cell.sources(v)]
        x = terms[0] if len(terms) == 1 else b.add(f"sum_{place}", o.Add(), *terms)
        wires.append(b.add(f"vertex_{place}", _operation(cell.codes[v - 1], widths[v]), x))
    shared = [wires[v] for v in cell.sources(last) if v]
    parts = [shared[0] if len(shared) == 1 else b.add("concat", o.Concat(), *shared)] if shared else []
    if cell.matrix[0][last]:
        parts.append(projected("output", channels))
    return b.graph(parts[0] if len(parts) == 1 else b.add("output", o.Add(), *parts))


def _operation(code: int, width: int) -> Operation:
    return (o.Conv(width, 3), o.Conv(width, 1), o.MaxPool(3))[code]
