"""NAS-Bench-Graph: its classes of isomorphic architectures, and published figures."""

from collections import Counter

import numpy as np
import pytest

import nasturtium as nas
from nasturtium.benchmarking import _nasbench_graph, table
from nasturtium.spaces._nasbench_graph import NASBenchGraph
from nasturtium.testing import space_checks

SPACE = NASBenchGraph()


def test_every_class_of_isomorphic_architectures_has_one_row():
    classes = Counter(SPACE.signature(architecture) for architecture in SPACE)
    rows = Counter(
        SPACE.signature(_nasbench_graph.architecture_of(int(h))) for h in table("nasbench-graph-cora")["hash"]
    )
    assert sum(classes.values()) == 9 * 9**4
    assert len(rows) == 26_206  # the published number
    assert set(rows.values()) == {1}
    assert set(classes) - set(rows) == {()}  # four skips are no network


@pytest.mark.parametrize("data", _nasbench_graph.DATA)
def test_rows_are_the_same_for_all_data(data):
    assert np.array_equal(table(f"nasbench-graph-{data}")["hash"], table("nasbench-graph-cora")["hash"])


def test_isomorphic_architectures_share_a_row():
    benchmark = nas.benchmarks.load("nasbench-graph-arxiv")
    texts = (
        '{"link":"0012","op1":"gcn","op2":"sage","op3":"gat","op4":"gin"}',
        '{"link":"0012","op1":"sage","op2":"gcn","op3":"gin","op4":"gat"}',
    )
    one, other = (benchmark.estimator.row(SPACE.parse(text)) for text in texts)
    assert one == other is not None


def test_four_skips_fail():
    benchmark = nas.benchmarks.load("nasbench-graph-cora")
    architecture = SPACE.parse('{"link":"0000","op1":"skip","op2":"skip","op3":"skip","op4":"skip"}')
    with pytest.raises(nas.errors.UsageError, match="must be in the table"):
        benchmark.estimator.report(architecture)


@pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in space_checks()])
def test_space_law(check):
    check(SPACE)
