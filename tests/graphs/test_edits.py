"""Edits of graphs; that they preserve the function is in ``tests/networks/test_inheritance.py``."""

import json

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import (
    EDITS,
    Branch,
    Builder,
    Deepen,
    GrowKernel,
    Skip,
    SkipConcat,
    Widen,
    graph_from_json,
    graph_to_json,
    kept,
    legal_edits,
)
from nasturtium.graphs import operations as o


def plain(**ops):
    """Return image -> conv_0 -> conv_1 -> pool -> head, with other operations by name."""
    b = Builder()
    x = b.input("image", (2, 8, 8))
    x = b.add("conv_0", ops.get("conv_0", o.Conv(4)), x)
    x = b.add("conv_1", ops.get("conv_1", o.Conv(4)), x)
    x = b.add("pool", o.GlobalPool(), x)
    return b.graph(b.add("head", o.Linear(3), x))


def sources(graph, name):
    return [edge.source for edge in graph.by_name[name].edges]


def test_deepen_stands_between_a_block_and_its_readers():
    graph = Deepen("conv_0", 5).apply(plain())
    assert sources(graph, "conv_1") == ["conv_0_k5"]
    assert sources(graph, "conv_0_k5") == ["conv_0"]
    assert graph.by_name["conv_0_k5"].op == o.Conv(4, 5)


def test_deepen_at_an_output_becomes_the_output():
    b = Builder()
    graph = b.graph(b.add("conv", o.Conv(4), b.input("image", (2, 8, 8))))
    assert Deepen("conv").apply(graph).outputs == ("conv_k3",)


@pytest.mark.parametrize(
    ("edit", "graph", "message"),
    [
        (Deepen("pool"), plain(), "that ends with ReLU, got 'pool'"),
        (Deepen("nothing"), plain(), "got 'nothing'"),
        (Deepen("conv_0", 4), plain(), "side is odd, got kernel=4"),
        (Deepen("conv_0"), plain(conv_0=o.Conv(4, preactivated=True)), "ends with ReLU"),
        (Deepen("conv_0"), Deepen("conv_0").apply(plain()), "'conv_0_k3' which exists"),
        (Widen("conv_0", 4), plain(), "more than 4 channels, got out=4"),
        (Widen("conv_0", 8), plain(conv_1=o.SepConv(4)), "between conv blocks"),
        (Widen("conv_0", 8), plain(conv_1=o.Conv()), "between conv blocks"),
        (GrowKernel("conv_0", 3), plain(), "from one odd side to another, got 3 for 3"),
        (GrowKernel("conv_0", 4), plain(), "from one odd side to another, got 4 for 3"),
        (GrowKernel("conv_0", 9), plain(conv_0=o.Conv(4, (1, 7))), "from one odd side to another"),
        (Branch("pool"), plain(), "that ends with ReLU, got 'pool'"),
        (Branch("conv_0", "multiply"), plain(), "joined by 'add' or"),
        (Branch("conv_0", "concat"), plain(conv_0=o.Conv(1)), "joined by 'add' or"),
        (Branch("conv_0"), Branch("conv_0").apply(plain()), "'conv_0_add' which exists"),
        (Skip("conv_1", "conv_0"), plain(), "from an earlier node to a later one"),
        (SkipConcat("conv_1", "conv_0"), plain(), "from an earlier node to a later one"),
        (SkipConcat("conv_0", "conv_1"), plain(conv_1=o.Conv(4, stride=2)), "joins equal sides"),
        (SkipConcat("image", "conv_0"), plain(conv_1=o.SepConv(4)), "before conv blocks"),
        (SkipConcat("image", "conv_1"), Skip("conv_0", "conv_1").apply(plain()), "before conv blocks"),
        (Skip("conv_0", "nothing"), plain(), "from an earlier node to a later one"),
        (Skip("conv_0", "conv_1"), plain(conv_1=o.Conv(5)), "joins equal shapes"),
    ],
)
def test_what_does_not_fit_is_refused(edit, graph, message):
    with pytest.raises(UsageError, match=message):
        edit.apply(graph)


def test_widen_takes_all_blocks_of_a_sum_along():
    graph = Skip("conv_0", "conv_1").apply(plain())
    wider = Widen("conv_0", 6).apply(graph)
    assert wider.by_name["conv_1"].op == o.Conv(6)
    assert wider.shapes["conv_1_plus_conv_0"] == (6, 8, 8)
    assert wider.shapes["head"] == (3,)


def test_skip_adds_the_scaled_source():
    graph = Skip("conv_0", "conv_1").apply(plain())
    assert sources(graph, "pool") == ["conv_1_plus_conv_0"]
    assert sources(graph, "conv_1_plus_conv_0") == ["conv_1", "conv_1_plus_conv_0_scale"]
    assert sources(graph, "conv_1_plus_conv_0_scale") == ["conv_0"]


def test_a_concatenating_skip_joins_other_numbers_of_channels():
    graph = SkipConcat("conv_0", "conv_1").apply(plain(conv_1=o.Conv(7)))
    assert graph.shapes["pool"] == (11,)
    assert sources(graph, "conv_1_with_conv_0") == ["conv_1", "conv_0"]


def test_a_kernel_grows_in_its_place():
    graph = GrowKernel("conv_0", 7).apply(plain())
    assert graph.by_name["conv_0"].op == o.Conv(4, 7)
    assert graph.shapes == plain().shapes


def test_added_branches_read_the_same_and_are_widened_together():
    graph = Branch("conv_1").apply(plain())
    assert sources(graph, "conv_1_add_copy") == sources(graph, "conv_1") == ["conv_0"]
    assert graph.by_name["conv_1_add_copy"].op == graph.by_name["conv_1"].op
    assert sources(graph, "pool") == ["conv_1_add"]
    wider = Widen("conv_1_add_copy", 6).apply(graph)
    assert wider.by_name["conv_1"].op == o.Conv(6)


def test_concatenated_branches_share_the_filters():
    graph = Branch("conv_1", "concat").apply(plain(conv_1=o.Conv(5)))
    assert graph.by_name["conv_1"].op == o.Conv(3)
    assert graph.by_name["conv_1_concat_copy"].op == o.Conv(2)
    assert sources(graph, "conv_1_concat") == ["conv_1", "conv_1_concat_copy"]
    assert graph.params == plain(conv_1=o.Conv(5)).params


def test_a_branch_of_a_branch_deepens_on_its_own():
    graph = Branch("conv_1").apply(plain())
    for edit in (Branch("conv_1_add_copy", "concat"), Branch("conv_1", "concat"), Deepen("conv_1")):
        graph = edit.apply(graph)
    assert sources(graph, "conv_1_concat") == ["conv_1_k3", "conv_1_concat_copy"]
    assert graph.shapes["conv_1_add"] == (4, 8, 8)


def test_edits_keep_all_other_names():
    graph = plain()
    for edit in legal_edits(graph, widths=(8,)):
        assert set(graph.by_name) <= set(edit.apply(graph).by_name)


def test_names_follow_from_the_content_not_from_the_order():
    first, second = Deepen("conv_0"), Deepen("conv_1", 5)
    one = second.apply(first.apply(plain()))
    other = first.apply(second.apply(plain()))
    assert set(one.by_name) == set(other.by_name)
    assert one.key == other.key


def test_legal_edits_all_apply():
    graph = plain(conv_0=o.Conv(4, stride=2))
    for _ in range(3):
        edits = list(legal_edits(graph, widths=(4, 6, 8)))
        assert len(set(edits)) == len(edits)
        for edit in edits:
            assert edit.apply(graph).shapes["head"] == (3,)
        graph = edits[-1].apply(graph)


def test_legal_edits_leave_alone_what_they_cannot_change():
    graph = plain(conv_0=o.SepConv(4), conv_1=o.Conv())
    assert list(legal_edits(graph, widths=(8,))) == []


def test_edits_are_stored_as_json():
    for edit in (
        Deepen("a", 5),
        Widen("a", 9),
        Skip("a", "b"),
        GrowKernel("a", 7),
        Branch("a", "concat"),
        SkipConcat("a", "b"),
    ):
        assert EDITS.restore(json.loads(json.dumps(EDITS.describe(edit)))) == edit


def test_an_edited_graph_is_stored_as_json():
    graph = Skip("conv_0", "conv_0_k3").apply(Deepen("conv_0").apply(plain()))
    assert graph_from_json(graph_to_json(graph)) == graph


def test_kept_copies_by_name_and_shape():
    trained = {"a": np.ones(2), "b": np.ones(3), "c": np.ones(1)}
    fresh = {"a": np.zeros(2), "b": np.zeros(2), "d": np.zeros(1)}
    result = kept(trained, fresh)
    assert {name: array.sum() for name, array in result.items()} == {"a": 2, "b": 0, "d": 0}
