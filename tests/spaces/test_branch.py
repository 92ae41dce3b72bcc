"""Branches: blocks side by side."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import branch, chain, choice, integer, op, optional, repeat
from nasturtium.testing import Shapes, check_space

HEAD = (op("global_pool"), op("linear"))


def test_a_plain_residual_network_is_a_member():
    layer = branch(op("identity"), chain(op("conv"), op("conv")))
    space = chain(op("conv", out=4), layer, *HEAD).on(Shapes())
    graph = space.graph(next(iter(space)))
    # stem, two layers of 4 to 4 channels, head; the sum of equal shapes has no adapter
    assert graph.params == (36 + 8) + 2 * (144 + 8) + 50
    assert [edge.source for edge in graph.by_name["merge_1"].edges] == ["identity_1_0", "conv_1_1_1"]


def test_merges_are_a_choice():
    space = chain(branch(op("conv", out=4), op("conv", out=8), merge=choice("add", "concat")), *HEAD).on(Shapes())
    widths = {a["0.merge"]: space.graph(a).shapes["merge_0"][0] for a in space}
    assert widths == {"add": 8, "concat": 12}


def test_strides_and_widths_that_differ_fit():
    sides = branch(
        op("conv", out=choice(4, 8), stride=choice(1, 2)),
        chain(op("max_pool", stride=2), op("conv", out=6)),
        optional(op("max_pool", stride=2)),
        merge=choice("add", "concat"),
    )
    space = chain(sides, *HEAD)
    assert space.size == 2 * 2 * 2 * 2
    for a in space.on(Shapes()):
        assert space.on(Shapes()).graph(a).infer().outputs == ((10,),)
    check_space(space.on(Shapes()))


def test_images_and_vectors_merge_to_vectors():
    space = chain(branch(op("conv", out=4), chain(op("flatten"), op("linear", out=6))), op("linear")).on(Shapes())
    assert space.graph(next(iter(space))).shapes["merge_0"] == (6,)


def test_branches_nest():
    inner = branch(op("conv"), optional(op("sep_conv")), merge="concat")
    outer = branch(repeat(inner, at_most=2), choice(op("identity"), branch(op("identity"), op("conv"))))
    space = chain(op("conv", out=2), outer, *HEAD)
    assert space.size == (1 + 2 + 4) * 2
    check_space(space.on(Shapes()))


@pytest.mark.parametrize(
    ("blocks", "merge", "message"),
    [
        ((op("conv"),), "add", "a branch has at least two blocks, got 1"),
        ((op("conv"), op("conv")), "mean", "a merge is 'add' or 'concat', got 'mean'"),
        ((op("conv"), op("conv")), choice("add", "mean"), "a merge is 'add' or 'concat', got 'mean'"),
        ((op("conv"), integer(1, 2)), "add", "a network is made of"),
    ],
)
def test_impossible_branches_are_refused(blocks, merge, message):
    with pytest.raises(UsageError, match=message):
        branch(*blocks, merge=merge)


def test_a_branch_that_can_not_fit_is_named():
    space = chain(branch(op("conv"), choice(op("identity"), op("linear", out=3))), *HEAD)
    with pytest.raises(UsageError, match=r"every choice must fit, got 'linear\(out=3\)' at '0.1.linear\(out=3\)'"):
        space.on(Shapes())
