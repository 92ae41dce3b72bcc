"""Blocks of networks: op, repeat, series, choices among them."""

import json

import numpy as np
import pytest

from nasturtium.errors import UnknownNameError, UsageError
from nasturtium.graphs import Builder
from nasturtium.graphs import operations as o
from nasturtium.spaces import (
    SPACES,
    NASNet,
    branch,
    cell,
    chain,
    choice,
    decisions,
    integer,
    op,
    option,
    optional,
    real,
    repeat,
    subset,
)
from nasturtium.spaces._blocks import node_name, with_outputs
from nasturtium.testing import Shapes, check_space

HEAD = (op("global_pool"), op("linear"))


def names(space):
    bound = space.on(Shapes())
    return [[n.name for n in bound.graph(a).nodes] for a in bound]


def test_an_unknown_operation_offers_near_matches():
    with pytest.raises(UnknownNameError, match="did you mean 'conv'"):
        op("conf")


def test_an_unknown_hyperparameter_offers_near_matches():
    with pytest.raises(UsageError, match="operation 'conv' has no 'kernels'; did you mean 'kernel'"):
        op("conv", kernels=3)


def test_nodes_are_named_by_operation_and_place():
    space = chain(op("conv", out=8), repeat(op("sep_conv"), at_least=2, at_most=2), *HEAD)
    assert names(space) == [["image", "conv_0", "sep_conv_1_0", "sep_conv_1_1", "global_pool_2", "linear_3"]]


def test_options_that_differ_in_what_is_fixed_have_names_of_their_own():
    rates = [op("dropout", rate=r) for r in (0.25, 0.5)]
    kernels = [op("conv", kernel=k) for k in (3, 5)]
    space = chain(choice(*rates), choice(*kernels), *HEAD)
    assert names(space)[0][1:3] == ["dropout_0_rate_0_25", "conv_1_kernel_3"]
    assert len(names(space)) == 4


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("conv", "1.0.conv", "conv_1_0"),
        ("conv", "1.conv(kernel=(1, 3))", "conv_1_kernel_1_3"),
        ("conv", "2.conv-pool.0", "conv_2_conv_pool_0"),
        ("max_pool", "3", "max_pool_3"),
    ],
)
def test_node_names_are_identifiers(name, path, expected):
    assert node_name(name, path) == expected
    assert expected.isidentifier()


def test_a_chain_may_end_with_what_may_be_absent():
    space = chain(op("conv", out=4), repeat(op("sep_conv"), at_least=0, at_most=2)).on(Shapes())
    for a in space:
        graph = space.graph(a)
        assert len(graph.outputs) == 1
        assert graph.infer().outputs == ((4, 8, 8),)
        assert len([n for n in graph.nodes if n.name.startswith("sep")]) == a["1.n"]


def test_a_chain_may_end_with_a_choice():
    space = chain(choice(op("conv", out=4), chain(op("conv", out=4), op("max_pool")))).on(Shapes())
    outputs = [space.graph(a).simplified().outputs for a in space]
    assert outputs == [
        ("conv_0_out_4",),
        ("max_pool_0_conv_out_4_max_pool_1",),
    ]


def test_choices_nest():
    inner = choice(op("sep_conv", kernel=choice(3, 5)), op("identity"))
    space = chain(op("conv", out=choice(4, 8)), chain(inner, inner), *HEAD)
    assert space.size == 2 * 3 * 3
    check_space(space.on(Shapes()))


def test_linear_layers_without_a_width_give_the_tasks_outputs():
    space = chain(op("global_pool"), op("linear", bias=choice(True, False))).on(Shapes((3, 4, 4), 5))
    assert [space.graph(a).params for a in space] == [20, 15]
    with_hidden = chain(op("global_pool"), op("linear", out=7), op("linear")).on(Shapes((3, 4, 4), 5))
    assert with_hidden.graph(next(iter(with_hidden))).params == 28 + 40


def test_without_a_task_a_graph_stays_without_outputs():
    b = Builder()
    graph = b.graph(b.add("head", o.Linear(), b.input("x", (3,))))
    assert with_outputs(graph, None) is graph


@pytest.mark.parametrize("block", [3, "conv", None, integer(1, 2), choice(1, 2), option("a")])
def test_a_network_is_made_of_network_blocks(block):
    with pytest.raises(UsageError, match="a network is made of op, choice, repeat, branch, cell and chain"):
        chain(block)


def test_a_network_repeats_network_blocks():
    with pytest.raises(UsageError, match="a network is made of op, choice, repeat, branch, cell and chain"):
        chain(repeat(integer(1, 2), at_most=2))


def test_hyperparameters_are_checked_when_they_are_written():
    with pytest.raises(UsageError, match="a kernel's side is odd and positive, got kernel=4"):
        op("conv2d", kernel=choice(3, 4))
    with pytest.raises(UsageError, match="repeats is at least 1, got 0"):
        op("sep_conv", repeats=integer(0, 1000))


PART = chain(op("conv", out=choice(4, 8)))


@pytest.mark.parametrize(
    "part", [PART.limited(params=9), PART.with_training(rate=real(0.1, 1))], ids=["limits", "rate"]
)
@pytest.mark.parametrize(
    "around",
    [chain, lambda part: repeat(part, at_most=1), lambda part: choice(part, op("identity"))],
    ids=["chain", "repeat", "choice"],
)
def test_limits_and_training_of_a_part_are_refused(part, around):
    with pytest.raises(UsageError, match="limits and training hyper-parameters belong to the outermost space"):
        around(part)


def test_every_choice_is_known_to_fit_once_the_shapes_are():
    flat = choice(op("flatten"), op("conv", out=choice(4, 8)))
    space = chain(flat, op("max_pool"), *HEAD)
    with pytest.raises(UsageError, match=r"every choice must fit, got 'max_pool' at '1': max_pool needs"):
        space.on(Shapes())


def test_a_rule_may_keep_apart_what_does_not_fit():
    flat = choice(op("flatten"), op("conv", out=4))
    pool = choice(
        op("global_pool"),
        op("identity"),
        rule=lambda prefix, value: (value == "identity") == (prefix["0"] == "flatten"),
    )
    space = chain(flat, pool, op("linear")).on(Shapes())
    assert [space.graph(a).infer().outputs for a in space] == [((10,),)] * 2


def test_an_empty_chain_is_refused():
    with pytest.raises(UsageError, match="a chain has at least one block"):
        chain()


def test_a_users_module_is_an_operation():
    pytest.importorskip("torch")
    from torch import nn

    import nasturtium  # noqa: F401 - knows who measures modules

    class Block(nn.Module):
        def __init__(self, in_channels, width=4):
            super().__init__()
            self.conv = nn.Conv2d(in_channels, width, 3, padding=1)

        def forward(self, x):
            return self.conv(x)

    space = chain(op(Block, width=choice(4, 6)), *HEAD).on(Shapes())
    assert [space.graph(a).params for a in space] == [40 + 50, 60 + 70]
    assert names(space)[0][1] == "Block_0"


def test_a_chain_is_an_option_with_names_of_its_own():
    wide, deep = chain(op("conv", out=choice(8, 16))), chain(op("conv", out=choice(4, 6)))
    space = chain(choice(wide, deep, op("identity")), *HEAD)
    assert [a["0"] for a in space] == ["conv", "conv", "conv#2", "conv#2", "identity"]
    assert len({tuple(n) for n in names(space)}) == 3
    check_space(space.on(Shapes()))


def test_repeats_are_options_within_a_chain():
    space = chain(choice(chain(repeat(op("sep_conv"), at_most=2)), chain(repeat(op("conv"), at_most=1))), *HEAD)
    assert space.size == 3 + 2
    check_space(space.on(Shapes()))


@pytest.mark.parametrize(
    "options", [(op("conv"), op("conv")), (chain(op("conv")), chain(op("conv"))), (option("a"), option("a"))]
)
def test_equal_options_are_refused(options):
    with pytest.raises(UsageError, match="no two alike"):
        choice(*options)


class Mine:
    """Stands for a user's module."""


def test_hyperparameters_may_be_lists():
    assert op(Mine, sizes=[8, [1]]) == op(Mine, sizes=(8, (1,)))
    assert hash(chain(op(Mine, sizes=[8])))
    assert o.Foreign(Mine, (("sizes", [8]),)) == o.Foreign(Mine, (("sizes", (8,)),))
    with pytest.raises(UsageError, match="a hyper-parameter is hashable, got sizes="):
        op(Mine, sizes={"a": 1})


# --- stored --------------------------------------------------------------------------------------

COMPOSED = chain(
    op("conv", out=choice(8, 16), kernel=integer(3, 3)),
    repeat(choice(op("sep_conv", kernel=3), chain(op("conv"), op("identity"))), at_least=1, at_most=2),
    *HEAD,
)


@pytest.mark.parametrize(
    "space",
    [
        COMPOSED,
        COMPOSED.on(Shapes()).limited(params=9_000),
        chain(op("conv", out=4), branch(op("conv"), optional(op("conv"))), cell(op("conv"), op("max_pool"), nodes=2)),
        COMPOSED.with_training(rate=real(0.01, 1, log=True), optimizer=choice("sgd", option("adam", b=real(0, 1)))),
        NASNet.small().with_training(rate=real(0.01, 1, log=True)),
        decisions(a=choice(1, (2, "x"), None), b=subset("p", "q", at_most=1), c=integer(1, 9), d=real(0, 1)),
    ],
    ids=["chain", "limited", "branch and cell", "with training", "nasnet", "decisions"],
)
def test_composed_spaces_are_stored_and_made_again(space):
    described = json.loads(json.dumps(SPACES.describe(space)))
    assert "opaque" not in described
    again = SPACES.restore(described)
    assert again == space
    assert SPACES.describe(again) == described
    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    assert space.sample(rng) == again.sample(other)


def test_composed_spaces_are_not_listed():
    assert not {"composed", "decisions"} & set(SPACES.names())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chain(op(Mine, width=3)), chain(op(Mine, width=4))),
        (decisions(a=choice(1, 2, rule=lambda p, v: v > 1)), decisions(a=choice(1, 2, rule=lambda p, v: v > 0))),
    ],
    ids=["module", "rule"],
)
def test_what_has_no_json_is_opaque_and_told_apart(one, other):
    assert SPACES.describe(one)["opaque"].startswith("nasturtium.spaces.")
    assert SPACES.describe(one) != SPACES.describe(other)
