"""The JSON form is exact."""

import json

import pytest

from nasturtium.errors import UsageError
from nasturtium.graphs import (
    Builder,
    OpenOperation,
    Pick,
    chain_of,
    graph_from_json,
    graph_to_json,
)
from nasturtium.graphs import operations as o


@pytest.mark.parametrize("is_recurrent", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_round_trip(random_graph, rng, seed, is_recurrent):
    graph = random_graph(rng(seed), is_recurrent=is_recurrent)
    restored = graph_from_json(json.loads(json.dumps(graph_to_json(graph))))
    assert restored == graph
    assert restored.key == graph.key


def test_a_shared_graph_is_written_once_and_stays_shared():
    inner = chain_of([("fc", o.Linear(4))])
    cell = chain_of([("a", inner), ("b", inner)])
    b = Builder()
    y = b.add("two", cell, b.add("one", cell, b.input("x", (4,))))
    data = graph_to_json(b.graph(y))
    assert len(data["motifs"]) == 2
    restored = graph_from_json(data)
    assert restored.by_name["one"].op is restored.by_name["two"].op


def test_a_graph_without_nesting_has_no_motifs():
    assert set(graph_to_json(chain_of([("fc", o.Linear(4))]))) == {"nodes", "outputs"}


def test_an_open_graph_has_no_json_form():
    graph = chain_of([("fc", OpenOperation(o.Linear, (("out", Pick("w")),)))])
    with pytest.raises(UsageError, match="open graph has no JSON form"):
        graph_to_json(graph)


def test_a_users_class_has_no_json_form():
    graph = chain_of([("own", o.Foreign(dict))])
    with pytest.raises(UsageError, match="holds registered operations"):
        graph_to_json(graph)
