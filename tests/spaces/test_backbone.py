"""The eleven mutations of Real et al. 2017, section 3.2."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture
from nasturtium.spaces._backbone import MUTATIONS, Backbone, Layer

A, B, C = (Layer("a", "bn_relu", 1.0), Layer("b", "linear"), Layer("c", "bn_relu", 2.0))
PLAIN = Backbone((("learning_rate", 0.1),), (A, B, C), (("image", "c"),))


def mutated(name, backbone=PLAIN, n=200):
    """Return many results of one mutation."""
    return [MUTATIONS[name](backbone, np.random.default_rng(seed)) for seed in range(n)]


def test_there_are_eleven():
    assert len(MUTATIONS) == 11


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_gives_another_sound_backbone(name):
    for child in mutated(name, n=20):
        assert child != PLAIN
        assert Backbone.of(child.architecture()) == child


def test_the_learning_rate_changes_by_a_factor_of_up_to_two():
    rates = [dict(child.training)["learning_rate"] for child in mutated("alter-learning-rate")]
    assert 0.05 <= min(rates) < 0.052
    assert 0.19 < max(rates) <= 0.2
    assert np.median(rates) == pytest.approx(0.1, rel=0.15)  # on a log scale


def test_ten_channels_become_five_to_twenty():
    changed = [child.layers[0].channels(10) for child in mutated("alter-number-of-channels")]
    others = [child.layers[2].channels(5) for child in mutated("alter-number-of-channels")]
    assert {5, 10, 20} <= set(changed) <= set(range(5, 21))
    assert {10} < set(others) <= set(range(5, 21))


def test_a_filter_keeps_odd_sides_and_changes_one_of_them():
    kernels = {layer.kernel for child in mutated("filter-size") for layer in child.layers}
    assert kernels == {(3, 3), (3, 5), (5, 3)}
    small = Backbone((), (Layer("a", "linear", 1.0, 0.7, 0.7),))
    assert {(1, 3), (3, 1)} <= {child.layers[0].kernel for child in mutated("filter-size", small)}


def test_a_stride_is_a_power_of_two():
    strides = {layer.stride for child in mutated("alter-stride") for layer in child.layers}
    assert strides == {1, 2}
    assert replaced_stride(Layer("a", "linear", 1.0, scale=2.0)) == {2, 4, 8}


def replaced_stride(layer):
    return {c.layers[0].stride for c in mutated("alter-stride", Backbone((), (layer,)))}


def test_an_inserted_convolution_is_3_x_3_with_as_many_channels_as_its_input():
    places, strides, activations = set(), set(), set()
    for child in mutated("insert-convolution"):
        (new,) = set(child.layers) - set(PLAIN.layers)
        assert (new.kernel, new.channels(7)) == ((3, 3), 7)
        places.add(child.layers.index(new))
        strides.add(new.stride)
        activations.add(new.activation)
    assert (places, strides, activations) == ({0, 1, 2, 3}, {1, 2}, {"linear", "bn_relu"})


def test_one_to_one_inserts_an_identity_edge():
    for child in mutated("insert-one-to-one", n=20):
        (new,) = set(child.layers) - set(PLAIN.layers)
        assert new.factor is None
        assert new.channels(7) == 7


def test_a_removed_convolution_takes_its_skips_along():
    left = {(tuple(layer.name for layer in child.layers), child.skips) for child in mutated("remove-convolution")}
    assert left == {(("b", "c"), (("image", "c"),)), (("a", "b"), ())}


def test_skips_lead_forwards_and_are_not_doubled():
    added = {pair for child in mutated("add-skip") for pair in set(child.skips) - set(PLAIN.skips)}
    # "a" -> "b" is there already, as the identity edge of the backbone
    assert added == {("image", "a"), ("image", "b"), ("a", "c"), ("b", "c")}
    assert {child.skips for child in mutated("remove-skip", n=5)} == {()}


def test_what_does_not_apply_to_the_start_says_so():
    start = Backbone((("learning_rate", 0.1),))
    applicable = {name for name, mutation in MUTATIONS.items() if mutation(start, np.random.default_rng(0)) is not None}
    wanted = {"alter-learning-rate", "identity", "reset-weights", "insert-convolution", "insert-one-to-one"}
    assert applicable == wanted
    assert MUTATIONS["alter-learning-rate"](Backbone(()), np.random.default_rng(0)) is None


WRITTEN = PLAIN.architecture()
ROW = WRITTEN["layers"][0]


@pytest.mark.parametrize(
    "stranger",
    [
        Architecture({}),
        WRITTEN.changed("more", 1),
        WRITTEN.changed("resets", -1),
        WRITTEN.changed("rounds", 0.5),
        WRITTEN.changed("skips", (("c", "a"),)),
        WRITTEN.changed("skips", (("nowhere", "a"),)),
        WRITTEN.changed("layers", (ROW, ROW)),
        WRITTEN.changed("layers", (("image", *ROW[1:]),)),
        WRITTEN.changed("layers", ((ROW[0], "tanh", *ROW[2:]),)),
        WRITTEN.changed("layers", ((*ROW[:2], 0.0, *ROW[3:]),)),
        WRITTEN.changed("layers", ((*ROW[:5], 99.0),)),
        WRITTEN.changed("layers", 3),
        WRITTEN.changed("training", (("learning_rate", 1),)),
    ],
    ids=lambda a: a.text[-60:],
)
def test_strangers_are_refused(stranger):
    with pytest.raises(UsageError, match="a backbone"):
        Backbone.of(stranger)
