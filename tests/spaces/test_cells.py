"""What spaces of stacked cells share."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import Builder, operations
from nasturtium.graphs.operations import Concat, Conv, FactorizedReduction
from nasturtium.spaces import _cells


def one_sum(kind, channels):
    b = Builder()
    stride = 2 if kind == "reduction" else 1
    sides = [b.add(f"pool_{i}", operations.MaxPool(3, stride), b.input(f"in_{i}")) for i in range(2)]
    return b.graph(b.add("output", Concat(), *sides))


def test_a_cell_reads_the_two_before_it_at_its_own_size():
    b = Builder()
    image = b.input("image", (3, 16, 16))
    kinds = _cells.stack_kinds(4, [1])
    graph = _cells.classified(b, _cells.stacked(b, image, kinds, 4, one_sum), 10)
    fits = [graph.by_name[f"fit_{i}_left"] for i in range(4)]
    assert [type(node.op) for node in fits] == [Conv, Conv, FactorizedReduction, Conv]
    assert [node.edges[0].source for node in fits] == ["stem_norm", "stem_norm", "normal_0", "reduction_1"]
    assert graph.shapes["stem"] == (12, 16, 16)
    assert [graph.shapes[name] for name in ("normal_0", "reduction_1", "normal_3")] == [
        (8, 16, 16),
        (16, 8, 8),
        (16, 8, 8),
    ]


def test_every_named_operation_halves_with_stride_2():
    for name in _cells.OPERATION_NAMES:
        assert _cells.cell_operation(name, 2, 4).shape((4, 9, 8)) == (4, 5, 4), name


@pytest.mark.parametrize("counts", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_there_is_one_of_everything(counts):
    with pytest.raises(UsageError, match="cells, filters and blocks are at least 1"):
        _cells.check_stack(*counts)
