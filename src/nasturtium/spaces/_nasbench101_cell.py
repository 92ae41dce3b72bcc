"""A cell of NAS-Bench-101 as a labeled matrix: pruning, channels, the official hash, all cells there are.

Ying et al. 2019, "NAS-Bench-101: Towards Reproducible Neural Architecture Search" (arXiv 1902.09635),
section 2, and the authors' code where it says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from itertools import product
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

Matrix = tuple[tuple[int, ...], ...]
"""Rows of zeros and ones, strictly upper triangular: entry [u][v] is the edge from u to v."""

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
"""What an inner vertex may do, in the order of the codes that the hash knows."""

INPUT, OUTPUT = -1, -2
"""The codes of the first and the last vertex."""


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """A cell without dead vertices.

    Args:
        matrix: Its edges; vertex 0 is the input and the last one the output.
        codes: What the inner vertices do, as places in ``OPERATIONS``.
        places: The vertices' numbers before pruning.
    """

    matrix: Matrix
    codes: tuple[int, ...]
    places: tuple[int, ...]

    @property
    def n_vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self.matrix)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return sum(map(sum, self.matrix))

    def sources(self, vertex: int) -> list[int]:
        """Return the vertices that a vertex reads."""
        return [u for u in range(vertex) if self.matrix[u][vertex]]

    def hash(self) -> str:
        """Return the official module hash, equal for isomorphic cells."""
        return module_hash(self.matrix, self.codes)

    def channels(self, outside: int) -> tuple[int, ...]:
        """Return each inner vertex's output channels in a cell that puts out ``outside``.

        What the output reads is concatenated there, so the channels are shared evenly among those
        vertices, the first ones having one more if that leaves a rest. Any other vertex has as many
        as its widest reader.
        """
        last = self.n_vertices - 1
        shared = [v for v in self.sources(last) if v]
        widths = [0] * self.n_vertices
        for rank, v in enumerate(shared):
            widths[v] = outside // len(shared) + (rank < outside % len(shared))
        for v in range(last - 1, 0, -1):
            if not self.matrix[v][last]:
                widths[v] = max(widths[w] for w in range(v + 1, last) if self.matrix[v][w])
        return tuple(widths[1:last])


def pruned(matrix: Sequence[Sequence[int]], codes: Sequence[int]) -> Cell | None:
    """Return the cell without the vertices that no path from input to output passes; None if none does.

    Args:
        matrix: Strictly upper triangular.
        codes: Of the inner vertices.

    Example:
        >>> pruned([[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]], [0, 1])
        Cell(matrix=((0, 1, 1), (0, 0, 1), (0, 0, 0)), codes=(1,), places=(0, 2, 3))
    """
    n = len(matrix)
    reached, reaching = {0}, {n - 1}
    for v in range(1, n):
        if any(matrix[u][v] for u in reached):
            reached.add(v)
    for v in range(n - 2, -1, -1):
        if any(matrix[v][w] for w in reaching):
            reaching.add(v)
    places = tuple(sorted(reached & reaching))
    if places[:1] != (0,):
        return None
    rows = tuple(tuple(int(matrix[u][v]) for v in places) for u in places)
    return Cell(rows, tuple(codes[v - 1] for v in places[1:-1]), places)


def module_hash(matrix: Matrix, codes: Sequence[int]) -> str:
    """Return the official hash of a cell without dead vertices.

    It starts from degrees and label of each vertex and mixes in the neighbors' hashes as often as
    there are vertices. On the benchmark's cells it separates all that are not isomorphic.

    Example:
        >>> module_hash(((0, 1), (0, 0)), ())
        '043721b9c7fe8c5fad811d47d83132ec'
    """
    vertices = range(len(matrix))
    incoming = [[u for u in vertices if matrix[u][v]] for v in vertices]
    outgoing = [[w for w in vertices if matrix[v][w]] for v in vertices]
    labels = (INPUT, *codes, OUTPUT)
    hashes = [_digest(str((len(outgoing[v]), len(incoming[v]), labels[v]))) for v in vertices]
    for _ in vertices:
        hashes = [
            _digest(
                "".join(sorted([hashes[u] for u in incoming[v]]))
                + "|"
                + "".join(sorted([hashes[w] for w in outgoing[v]]))
                + "|"
                + hashes[v]
            )
            for v in vertices
        ]
    return _digest(str(sorted(hashes)))


def _digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def distinct_cells(max_vertices: int, max_edges: int) -> Iterator[Cell]:
    """Yield one cell of each isomorphism class, by rising number of vertices.

    Isomorphic matrices have the same cells, so one of them is labeled in all ways and the others are
    passed over.
    """
    for n in range(2, max_vertices + 1):
        shapes: set[str] = set()
        seen: set[str] = set()
        for matrix in _full_matrices(n, max_edges):
            shape = module_hash(matrix, (0,) * (n - 2))
            if shape in shapes:
                continue
            shapes.add(shape)
            for codes in product(range(len(OPERATIONS)), repeat=n - 2):
                name = module_hash(matrix, codes)
                if name not in seen:
                    seen.add(name)
                    yield Cell(matrix, codes, tuple(range(n)))


def _full_matrices(n: int, max_edges: int) -> Iterator[Matrix]:
    """Yield the matrices in which every vertex is on a path from input to output.

    These are those without an empty row (but the last) or column (but the first). Bit
    ``u + v (v - 1) / 2`` of a number is the edge from u to v, as in the authors' code.
    """
    bit = {(u, v): u + v * (v - 1) // 2 for v in range(n) for u in range(v)}
    numbers = np.arange(2 ** len(bit))
    keep: NDArray[np.bool_] = np.bitwise_count(numbers) <= max_edges
    for w in range(n - 1):
        keep &= (numbers & sum(1 << b for (u, _), b in bit.items() if u == w)) > 0
        keep &= (numbers & sum(1 << b for (_, v), b in bit.items() if v == w + 1)) > 0
    for number in numbers[keep].tolist():
        yield tuple(tuple(number >> bit[u, v] & 1 if u < v else 0 for v in range(n)) for u in range(n))
