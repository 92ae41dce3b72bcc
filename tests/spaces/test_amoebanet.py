"""The space of AmoebaNet (Real et al. 2019)."""

import numpy as np

from nasturtium.spaces import AmoebaNet
from nasturtium.testing import Shapes

AMOEBANET = {
    "normal": [
        ("avg_pool_3x3", 0), ("max_pool_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_5x5", 2), ("sep_conv_3x3", 0),
        ("avg_pool_3x3", 3), ("sep_conv_3x3", 1), ("skip_connect", 1), ("skip_connect", 0), ("avg_pool_3x3", 1),
    ],
    "reduction": [
        ("avg_pool_3x3", 0), ("sep_conv_3x3", 1), ("max_pool_3x3", 0), ("sep_conv_7x7", 2), ("sep_conv_7x7", 0),
        ("avg_pool_3x3", 1), ("max_pool_3x3", 0), ("max_pool_3x3", 1), ("conv_7x1_1x7", 0), ("sep_conv_3x3", 5),
    ],
}  # fmt: skip


def test_size_of_a_cell():
    assert f"{AmoebaNet().size ** 0.5:.4g}" == "5.566e+14"
    assert f"{AmoebaNet().size:.3g}" == "3.1e+29"


def test_a_block_has_four_decisions():
    a = AmoebaNet(blocks=1).sample(np.random.default_rng(0))
    assert list(a)[:4] == [f"normal.0.{key}" for key in ("left", "right", "left_op", "right_op")]
    assert len(a) == 2 * 4


def test_parameters_of_amoebanet_in_the_network_of_darts():
    # The genotype in the authors' code of DARTS with 20 cells and 36 filters.
    space = AmoebaNet(cells=6, filters=36).on(Shapes((3, 32, 32), 10))
    assert space.graph(space.genotype(**AMOEBANET)).params == 3_145_078
