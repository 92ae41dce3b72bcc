"""The space of large-scale evolution (Real et al. 2017), and what its weights inherit."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.networks import build, inherit, tensors
from nasturtium.spaces import NetworkEvolution
from nasturtium.spaces._backbone import MUTATIONS, Backbone, Layer
from nasturtium.testing import Shapes

SPACE = NetworkEvolution().on(Shapes((3, 16, 16)))
LAYERS = (
    Layer("a", "bn_relu", 4.0),
    Layer("b", "linear", 1.0, scale=1.0),
    Layer("c", "bn_relu"),
    Layer("d", "bn_relu", 0.5, 2.0, 1.0),
)
PARENT = Backbone((("learning_rate", 0.1),), LAYERS, (("a", "c"), ("image", "d"))).architecture()


def test_it_starts_from_a_linear_classifier():
    graph = SPACE.graph(SPACE.start())
    assert [node.name for node in graph.nodes] == ["image", "pool", "head"]
    assert graph.params == 3 * 10 + 10
    assert SPACE.training(SPACE.start()) == {"learning_rate": 0.1}
    assert NetworkEvolution(steps=0).sample(np.random.default_rng(0)) == SPACE.start()


def test_a_network_by_hand():
    graph = SPACE.graph(PARENT)
    assert graph.shapes["a_relu"] == (12, 16, 16)
    assert graph.shapes["b_conv"] == (12, 8, 8)
    assert graph.shapes["c_sum"] == (12, 8, 8)  # the skip from "a" is halved
    assert graph.shapes["d_sum"] == (6, 8, 8)
    sources = [edge.source for edge in graph.by_name["c_sum"].edges]
    assert sources == ["b_conv", "a_relu"]
    convolutions = 12 * 3 * 9 + 12 * 12 * 9 + 6 * 12 * 5 * 3
    assert graph.params == convolutions + 2 * (12 + 12 + 6) + (6 * 10 + 10)


def test_every_mutation_is_drawn_equally_often():
    rng = np.random.default_rng(0)
    n = 3_300
    kinds = {name: 0 for name in MUTATIONS}
    for _ in range(n):
        kinds[kind_of(Backbone.of(SPACE.mutate(PARENT, rng)))] += 1
    for name, count in kinds.items():
        assert count == pytest.approx(n / 11, rel=0.25), name


def kind_of(child):
    """Return the mutation that made a child of ``PARENT``."""
    parent = Backbone.of(PARENT)
    if child.training != parent.training:
        return "alter-learning-rate"
    if (child.rounds, child.resets) != (0, 0):
        return "identity" if child.rounds else "reset-weights"
    added = set(child.layers) - set(parent.layers)
    if len(child.layers) > len(parent.layers):
        return "insert-convolution" if added.pop().factor else "insert-one-to-one"
    if len(child.layers) < len(parent.layers):
        return "remove-convolution"
    if child.skips != parent.skips:
        return "add-skip" if len(child.skips) > len(parent.skips) else "remove-skip"
    new = added.pop()
    old = next(layer for layer in parent.layers if layer.name == new.name)
    if new.scale != old.scale:
        return "alter-stride"
    return "alter-number-of-channels" if new.factor != old.factor else "filter-size"


def marked():
    """Return tensors of the parent that no fresh one equals."""
    parent = tensors(build(SPACE.graph(PARENT)))
    return {name: np.full_like(tensor, 2 + i) for i, (name, tensor) in enumerate(parent.items())}


def lost(name, seed=0):
    """Return the parent's tensors that a mutation's child does not inherit."""
    child = MUTATIONS[name](Backbone.of(PARENT), np.random.default_rng(seed)).architecture()
    given = marked()
    found = tensors(inherit(SPACE.graph(child), SPACE.graph(PARENT), [], given))
    return {name for name in given if name not in found or not np.array_equal(found[name], given[name])}


@pytest.mark.parametrize("name", ["identity", "alter-learning-rate", "alter-stride", "add-skip", "remove-skip"])
def test_what_changes_no_shape_keeps_all_tensors(name):
    assert lost(name) == set()


def test_an_insertion_keeps_all_tensors_where_channels_stay():
    assert lost("insert-convolution") == lost("insert-one-to-one") == set()


def test_a_reset_keeps_none():
    assert lost("reset-weights") == set(marked())


def test_another_filter_loses_its_convolution_alone():
    found = [lost("filter-size", seed) for seed in range(40)]
    assert max(map(len, found)) == 1
    assert set().union(*found) == {"a_conv.weight", "b_conv.weight", "d_conv.weight"}


def test_other_channels_lose_what_has_or_reads_them():
    """Of the last convolution: itself, its normalization and the classifier's weights."""
    losses = [lost("alter-number-of-channels", seed) for seed in range(12)]
    assert {
        "d_conv.weight",
        *(f"d_norm.{local}" for local in ("weight", "bias", "running_mean", "running_var")),
        "head.weight",
    } in losses


def test_other_hyperparameters_evolve_too():
    space = NetworkEvolution(hyperparameters=(("learning_rate", 0.1), ("weight_decay", 1e-4)))
    assert space.training(space.start()) == {"learning_rate": 0.1, "weight_decay": 1e-4}
    assert space.start() not in SPACE
    evolving = NetworkEvolution(hyperparameters=space.hyperparameters, mutations=("alter-learning-rate",))
    a, rng = space.start(), np.random.default_rng(0)
    for _ in range(20):
        a = evolving.mutate(a, rng)
    assert all(
        value != start for (_, start), value in zip(space.hyperparameters, space.training(a).values(), strict=True)
    )


def test_a_mutation_that_does_not_apply_leaves_the_architecture():
    space = NetworkEvolution(mutations=("remove-skip",))
    assert space.mutate(space.start(), np.random.default_rng(0)) == space.start()


def test_it_grows_without_bound():
    rng = np.random.default_rng(0)
    a = SPACE.start()
    for _ in range(300):
        a = SPACE.mutate(a, rng)
        assert a in SPACE
    assert len(Backbone.of(a).layers) > 15


def test_a_network_needs_the_tasks_channels():
    with pytest.raises(UsageError, match=r"bind it with \.on\(task\)"):
        NetworkEvolution().graph(NetworkEvolution().start())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mutations": ("add_skip",)}, "did you mean 'add-skip'"),
        ({"mutations": ()}, "there is a mutation"),
        ({"steps": -1}, "steps are at least 0"),
        ({"hyperparameters": (("learning_rate", 0.0),)}, "are positive"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        NetworkEvolution(**arguments)
