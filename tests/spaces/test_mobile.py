"""Mobile networks, and MobileNetV2 among them."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture, Mobile
from nasturtium.testing import Shapes

IMAGENET = Shapes((3, 224, 224), 1000)
DEPTHS = (1, 2, 3, 4, 3, 3, 1)
"""Sandler et al. 2018, table 2."""


def mobilenet_v2():
    values = {}
    for stage, depth in enumerate(DEPTHS):
        values |= {f"{stage}.width": 1.0, f"{stage}.blocks.n": depth}
        for i in range(depth):
            block = {"kernel": 3, "expansion": 6 if stage else 1, "squeeze": False}
            values |= {f"{stage}.blocks.{i}.{name}": value for name, value in block.items()}
    return Architecture(values)


def test_mobilenet_v2_is_a_member_with_its_published_costs():
    space = Mobile().on(IMAGENET)
    a = mobilenet_v2()
    assert a in space
    graph = space.graph(a)
    assert graph.params == 3_504_872  # 3.4 M in the paper, 3.47 M in the authors' release
    assert round(graph.flops / 1e6) == 301  # the paper: 300 M multiply-adds
    assert graph.depth == 1 + 2 + 3 * 16 + 2  # the stem, a block without expansion, 16 blocks, last and head


@pytest.mark.parametrize(("filters", "params"), [(32, 3.47e6), (24, 2.61e6), (16, 1.95e6)])
def test_its_width_multipliers_are_other_filters(filters, params):
    # As the authors' released models at 1.0, 0.75 and 0.5; the head stays at 1,280 channels.
    assert Mobile(filters=filters).on(IMAGENET).graph(mobilenet_v2()).params == pytest.approx(params, rel=0.02)


def test_once_for_all_has_the_published_size():
    arguments = {"min_depth": 2, "expansions": (3, 4, 6), "squeezes": (False,), "multipliers": (1.0,)}
    space = Mobile(widths=(24, 40, 80, 112, 160), strides=(2, 2, 2, 1, 2), **arguments)
    assert space.size == ((3 * 3) ** 2 + (3 * 3) ** 3 + (3 * 3) ** 4) ** 5


def test_each_decision_changes_what_it_says():
    space = Mobile().on(Shapes((3, 64, 64)))
    a = mobilenet_v2()
    before = space.graph(a).shapes
    assert before["block_1_1"] == (24, 16, 16)
    wider = space.graph(a.changed("1.width", 1.25)).shapes
    assert [wider[f"block_1_{i}"][0] for i in range(2)] == [32, 32]
    block = space.graph(a.changed("1.blocks.1.squeeze", True)).by_name["block_1_1"].op
    assert (block.squeeze, block.kernel, block.expansion, block.stride) == (True, 3, 6, 1)
    assert space.graph(a.changed("1.blocks.0.kernel", 7)).by_name["block_1_0"].op.kernel == 7


def test_filters_transfer():
    a = Mobile().sample(np.random.default_rng(0))
    params = [Mobile(filters=f).on(IMAGENET).graph(a).params for f in (16, 32)]
    assert params[1] > 1.3 * params[0]  # the head and its classes, which stay, are most of the small one


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"widths": (16,)}, "each stage has a width and a stride"),
        ({"kernels": ()}, "no list is empty"),
        ({"min_depth": 5}, "1 <= min_depth <= max_depth"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Mobile(**arguments)


@pytest.mark.parametrize(
    "wrong",
    [{"kernels": (2,)}, {"expansions": (0,)}, {"squeezes": ("no",)}, {"function": "rellu"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_wrong_options_are_refused_at_once(wrong):
    with pytest.raises(UsageError):
        Mobile(**wrong)
