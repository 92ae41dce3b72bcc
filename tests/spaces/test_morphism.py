"""The growing space: what edits do to it, beyond the laws."""

import numpy as np
import pytest

from nasturtium.errors import NoFeasibleNeighbor, UsageError
from nasturtium.graphs import Branch, Deepen, GrowKernel, Skip, Widen
from nasturtium.spaces import Architecture, Morphism
from nasturtium.testing import Shapes

SPACE = Morphism(layers=2).on(Shapes())
START = SPACE.start()


def test_the_start_is_a_plain_network():
    assert START in SPACE
    names = [node.name for node in SPACE.graph(START).nodes]
    assert names == ["image", "conv_0", "pool_1", "conv_1", "global_pool", "head"]
    widths = [SPACE.graph(START).shapes[name][0] for name in ("conv_0", "conv_1")]
    assert widths == [8, 16]


def test_an_architecture_does_not_hold_the_tasks_shapes():
    other = Morphism(layers=2).on(Shapes((3, 20, 20), 4))
    for seed in range(5):
        a = SPACE.sample(np.random.default_rng(seed))
        assert a in other
        assert other.graph(a).infer().outputs == ((4,),)


def test_edits_of_the_start():
    edits = SPACE.edits(START)
    assert Deepen("conv_0", 3) in edits
    assert Deepen("conv_1", 5) in edits
    assert Widen("conv_0", 12) in edits
    assert Widen("conv_1", 24) in edits
    assert GrowKernel("conv_0", 5) in edits
    assert {edit for edit in edits if isinstance(edit, Branch)} == {
        Branch(f"conv_{i}", merge) for i in range(2) for merge in ("add", "concat")
    }
    assert not any(isinstance(edit, Skip) for edit in edits)


def test_a_skip_fits_between_equal_shapes():
    deeper = SPACE.apply(START, Deepen("conv_0", 3))
    assert Skip("conv_0", "conv_0_k3") in SPACE.edits(deeper)
    skipped = SPACE.apply(deeper, Skip("conv_0", "conv_0_k3"))
    assert "conv_0_k3_plus_conv_0" in SPACE.graph(skipped).by_name


def test_edits_that_do_not_touch_each_other_give_the_same_in_either_order():
    one, two = Deepen("conv_0", 3), Widen("conv_1", 24)
    forwards = SPACE.apply(SPACE.apply(START, one), two)
    backwards = SPACE.apply(SPACE.apply(START, two), one)
    assert forwards == backwards


def test_it_grows_without_bound():
    rng = np.random.default_rng(0)
    a, params = START, [SPACE.graph(START).params]
    for _ in range(30):
        a = SPACE.mutate(a, rng)
        params.append(SPACE.graph(a).params)
    assert params == sorted(params)
    assert len(SPACE.graph(a).nodes) > 15


def test_a_sample_is_the_start_after_a_few_edits():
    sizes = {len(SPACE.graph(SPACE.sample(np.random.default_rng(s))).nodes) for s in range(20)}
    assert min(sizes) == len(SPACE.graph(START).nodes)
    assert Morphism(layers=2, steps=0).on(Shapes()).sample(np.random.default_rng(0)) == START


def test_limits_stop_the_growth():
    limited = SPACE.limited(params=3_000)
    rng = np.random.default_rng(0)
    a = limited.sample(rng)
    params = []

    def grow():
        architecture = a
        while True:
            architecture = limited.mutate(architecture, rng)
            params.append(limited.graph(architecture).params)

    with pytest.raises(NoFeasibleNeighbor, match="params <= 3000"):
        grow()
    assert max(params) <= 3_000


def broken(**changes):
    return Architecture({**START, **changes})


@pytest.mark.parametrize(
    "stranger",
    [
        broken(nodes=()),
        broken(nodes=5),
        broken(outputs=("nowhere",)),
        broken(nodes=(("image", 3, ()),)),
        broken(nodes=START["nodes"][:3]),
        broken(more=1),
        Architecture({"nodes": START["nodes"]}),
        SPACE.apply(START, Deepen("conv_0", 3)).changed("outputs", ("conv_0",)),
    ],
    ids=lambda a: a.text[-40:],
)
def test_strangers_are_no_members(stranger):
    assert stranger not in SPACE or stranger["outputs"] == ("conv_0",)


def test_unknown_edits_are_refused():
    with pytest.raises(UsageError, match="needs a conv node"):
        SPACE.apply(START, Deepen("head", 3))


@pytest.mark.parametrize("arguments", [{"width": 0}, {"layers": 0}, {"steps": -1}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(UsageError, match="width and layers are at least 1"):
        Morphism(**arguments)
