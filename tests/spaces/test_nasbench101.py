"""The space of NAS-Bench-101, against the published figures and 14,000 of its cells."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from nasturtium.benchmarking import table
from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import NASBench101
from nasturtium.testing import Shapes, check_space

SPACE = NASBench101()
C3, C1, MP = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"
INCEPTION = [
    [0, 1, 1, 1, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
INCEPTION_OPERATIONS = ["input", C1, C3, C3, C3, MP, "output"]
CELLS = table("nasbench101-14k")


def row(index):
    """Return adjacency and operation codes of a cell of the table."""
    codes = CELLS["ops"][index]
    n = int((codes != -9).sum())
    return CELLS["adjacency"][index][:n, :n], codes[:n].tolist()


def other_orders(matrix, codes):
    """Yield the same cell with its vertices in every other order that has the edges point forward."""
    n = len(codes)
    for inner in permutations(range(1, n - 1)):
        order = [0, *inner, n - 1]
        moved = matrix[np.ix_(order, order)]
        if not np.tril(moved).any():
            yield moved, [codes[v] for v in order]


def params(matrix, codes):
    return SPACE.graph(SPACE.from_matrix(matrix, codes)).params


def test_the_inception_like_cell_has_the_published_parameters():
    # methods A7 [V]: as printed by the official notebook.
    graph = SPACE.graph(SPACE.from_matrix(INCEPTION, INCEPTION_OPERATIONS))
    assert graph.params == 2_694_282
    assert graph.shapes["cell_2_2"] == (512, 8, 8)


def test_further_cells_have_the_known_parameters():
    residual = [[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert params(residual, ["input", C3, C3, "output"]) == 20_346_506
    assert params([[0, 1], [0, 0]], ["input", "output"]) == 882_570


def test_a_module_has_the_graphs_parameters_and_any_class_of_operations_runs():
    graph = NASBench101(filters=16, cells=1).graph(SPACE.from_matrix(INCEPTION, INCEPTION_OPERATIONS))
    assert sum(p.numel() for p in build(graph).parameters()) == graph.params


@pytest.mark.parametrize("n_cells", [500, pytest.param(14_000, marks=pytest.mark.slow)])
def test_official_hashes_of_the_table(n_cells):
    for index in range(n_cells):
        assert SPACE.hash(SPACE.from_matrix(*row(index))) == CELLS["hash"][index].tobytes().hex()


@pytest.mark.parametrize(("n_cells", "n_reordered"), [(400, 12), pytest.param(14_000, 260, marks=pytest.mark.slow)])
def test_parameters_of_the_table(n_cells, n_reordered):
    """Where three vertices share the output's channels unevenly, their order matters to the count.

    The table's order of such a cell is not the one that was measured, but another one is.
    """
    wrong = [index for index in range(n_cells) if params(*row(index)) != CELLS["params"][index]]
    assert len(wrong) == n_reordered
    for index in wrong:
        assert any(params(*order) == CELLS["params"][index] for order in other_orders(*row(index)))


@pytest.mark.parametrize(
    ("max_vertices", "n_cells"),
    [
        *((2, 1), (3, 7), (4, 91), (5, 2_532)),
        pytest.param(6, 64_542, marks=pytest.mark.slow),
        pytest.param(7, 423_624, marks=(pytest.mark.slow, pytest.mark.timeout(1200))),
    ],
)
def test_published_numbers_of_distinct_cells(max_vertices, n_cells):
    space = NASBench101(max_vertices=max_vertices)
    assert sum(1 for _ in space.distinct()) == n_cells


def test_distinct_cells_are_members_with_hashes_of_their_own():
    space = NASBench101(max_vertices=5)
    cells = list(space.distinct())
    assert len({space.hash(a) for a in cells}) == len(cells)
    assert all(a in space for a in cells)
    assert Counter(space.cell(a).n_vertices for a in cells) == {2: 1, 3: 6, 4: 84, 5: 2_441}


def test_names_codes_and_order_of_vertices_give_one_cell():
    codes = [-1, 1, 0, 0, 0, 2, -2]
    a = SPACE.from_matrix(INCEPTION, INCEPTION_OPERATIONS)
    assert SPACE.from_matrix(np.array(INCEPTION), np.array(codes, dtype=np.int8)) == a
    hashes = {SPACE.hash(SPACE.from_matrix(*order)) for order in other_orders(np.array(INCEPTION), codes)}
    assert hashes == {SPACE.hash(a)}


def test_dead_vertices_do_not_count():
    # Eight vertices and ten edges, of which one vertex and its edge lead nowhere.
    matrix = np.zeros((8, 8), dtype=int)
    matrix[:6, :6] = np.array(INCEPTION)[:6, :6]
    matrix[:6, 7] = np.array(INCEPTION)[:6, 6]
    matrix[0, 6] = 1
    operations = [*INCEPTION_OPERATIONS[:6], C3, "output"]
    assert SPACE.from_matrix(matrix, operations) == SPACE.from_matrix(INCEPTION, INCEPTION_OPERATIONS)


def test_a_sample_may_have_dead_vertices_but_never_dead_edges():
    rng = np.random.default_rng(0)
    for _ in range(100):
        a = SPACE.sample(rng)
        assert SPACE.cell(a).n_edges == sum(v for k, v in a.items() if k.startswith("edge"))


def test_samples_are_those_of_drawing_until_valid():
    """Of the 8 equally likely matrices of three vertices, 3 have no path, 2 use the middle vertex."""
    space = NASBench101(max_vertices=3)
    rng = np.random.default_rng(0)
    sizes = Counter(space.cell(space.sample(rng)).n_vertices for _ in range(2_000))
    assert sizes[3] / 2_000 == pytest.approx(2 / 5, abs=0.03)


def test_channels_are_shared_by_what_the_output_reads_and_one_too_many_is_cut():
    # Of 128 channels three vertices get 43, 43 and 42; what feeds the first two is as wide as they.
    matrix = np.zeros((6, 6), dtype=int)
    for u, v in [(0, 1), (1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)]:
        matrix[u, v] = 1
    graph = SPACE.graph(SPACE.from_matrix(matrix, ["input", C1, MP, MP, MP, "output"]))
    cell = graph.by_name["cell_0_0"].op
    assert SPACE.cell(SPACE.from_matrix(matrix, [-1, 1, 2, 2, 2, -2])).channels(128) == (43, 43, 43, 42)
    assert [node.name for node in cell.nodes if node.name.startswith("cut")] == ["cut_1_4"]
    assert cell.infer((128, 8, 8)).outputs == ((128, 8, 8),)


def test_cells_and_filters_transfer():
    a = SPACE.sample(np.random.default_rng(0))
    small = NASBench101(cells=1, filters=8).on(Shapes((1, 7, 7)))
    assert small.graph(a).shapes["cell_2_0"] == (32, 1, 1)


def test_training_hyper_parameters_are_drawn_too():
    space = SPACE.with_training(rate=SPACE.root.blocks[0][1])
    a = space.sample(np.random.default_rng(0))
    assert a in space
    assert set(space.training(a)) == {"rate"}


@pytest.mark.parametrize(
    "space",
    [NASBench101(cells=1, filters=6, max_vertices=4, max_edges=3), NASBench101.small().limited(params=30_000)],
    ids=["few vertices", "limited"],
)
def test_other_arguments_obey_the_laws(space):
    check_space(space.on(Shapes()))


@pytest.mark.parametrize(
    ("matrix", "operations", "message"),
    [
        ([[0, 1]], [-1, -2], "adjacency is 0 and 1, square"),
        ([[0, 0], [1, 0]], [-1, -2], "strictly upper triangular"),
        ([[0, 2], [0, 0]], [-1, -2], "adjacency is 0 and 1"),
        ([[0, 0], [0, 0]], [-1, -2], "a path leads from input to output"),
        ([[0, 1], [0, 0]], [-2, -1], "operations are an input, one for each"),
        ([[0, 1], [0, 0]], ["input", "outputs"], "unknown operation 'outputs'; did you mean 'output'"),
        (np.triu(np.ones((5, 5), dtype=int), 1), [-1, 0, 0, 0, -2], "at most 7 vertices and 9 edges that count, got 5"),
    ],
)
def test_malformed_cells_are_refused(matrix, operations, message):
    with pytest.raises(UsageError, match=message):
        SPACE.from_matrix(matrix, operations)


def test_impossible_arguments_are_refused():
    with pytest.raises(UsageError, match="raise filters"):
        NASBench101(filters=4)
    with pytest.raises(UsageError, match="max_vertices 2"):
        NASBench101(max_vertices=1)
