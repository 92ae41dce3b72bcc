"""The macro search space of ENAS (Pham et al. 2018)."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import EnasMacro
from nasturtium.testing import Shapes

ROWS = [[0], [1, 1], [4, 0, 1], [3, 0, 0, 1]]


def built(rows, **arguments):
    space = EnasMacro(**arguments).on(Shapes((3, 16, 16)))
    return space.graph(space.genotype(rows))


def test_size():
    assert EnasMacro().size == 6**12 * 2**66


def test_a_skip_of_the_encoding_is_a_summand():
    graph = built(ROWS, layers=4, filters=4)
    sources = {name: [edge.source for edge in graph.by_name[name].edges] for name in ("sum_1", "sum_2", "sum_3")}
    # Every state is reduced behind layer 0 and behind layer 1; state 0 is the stem's output.
    assert sources["sum_1"] == ["layer_1_sep_conv_3", "reduction_0_0"]
    assert sources["sum_2"] == ["layer_2_avg_pool_3", "reduction_1_1"]
    assert sources["sum_3"] == ["layer_3_sep_conv_5", "reduction_1_2"]


def test_parameters_by_hand():
    c = 4
    stem = 27 * c + 2 * c
    fit = c * c + 2 * c
    layers = [9 * c * c + 2 * c, 9 * c + c * c + 2 * c, 0, 25 * c + c * c + 2 * c]
    norms = 3 * 2 * c
    reductions = (2 + 3) * (c * c + 2 * c)
    head = 10 * c + 10
    assert built(ROWS, layers=4, filters=c).params == stem + 4 * fit + sum(layers) + norms + reductions + head


@pytest.mark.parametrize("rows", [ROWS[:3], [[6], *ROWS[1:]], [[0], [1], *ROWS[2:]]])
def test_wrong_rows_are_refused(rows):
    with pytest.raises(UsageError, match="row i is an operation"):
        EnasMacro(layers=4).genotype(rows)


def test_too_few_layers_are_refused():
    with pytest.raises(UsageError, match="layers is at least 3 and filters 2, got 2 and 36"):
        EnasMacro(layers=2)
