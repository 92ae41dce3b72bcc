"""``nasturtium describe``: size, costs and what limits leave, before anything is trained."""

import json
from pathlib import Path

import numpy as np
import pytest

import nasturtium as nas
from nasturtium._describe import RARE, describe, least_cost, limit_lines, size_text
from nasturtium.errors import UsageError
from nasturtium.spaces import load

TINY = "chain(stages=1, depth=2)"


def test_the_page_has_size_costs_shares_and_a_drawing(run):
    result = run("describe", TINY, "--task", "digits", "--limit", "params=20000")
    assert result.code == 0, result.err
    size = load("chain", stages=1, depth=2).size
    assert f"{size:,} architectures" in result.out
    assert "digits: (1, 8, 8) -> 10 classes" in result.out
    for cost in ("parameters", "multiply-accumulates", "activation memory", "depth"):
        assert cost in result.out
    assert "of random networks meet all limits together" not in result.out  # one limit says it once
    assert "% of random networks meet the limit on parameters (95 %:" in result.out
    assert "flowchart" in result.out


def test_costs_and_shares_are_those_of_the_space(run):
    shown = json.loads(run("describe", TINY, "--task", "digits", "--limit", "params=5000", "--json").out)
    space = load("chain", stages=1, depth=2).on(nas.tasks.load_task("digits"))
    params = [space.cost(a, "params") for a in space]
    assert shown["size"] == len(params)
    assert shown["costs"]["params"][0] == min(params)
    assert shown["costs"]["params"][-1] == max(params)
    share = space.limited(params=5000).feasible_share(np.random.default_rng(1), 2_000)
    assert 0.1 < share < 0.9
    assert shown["shares"]["params"] == pytest.approx(share, abs=0.08)
    assert space.cost(space.parse(json.dumps(shown["example"])), "params") <= 5000


def test_an_impossible_limit_names_the_bound_and_the_nearest_cost(run):
    result = run("describe", TINY, "--task", "digits", "--limit", "params=10", "--limit", "flops=1e12")
    least = min(load("chain", stages=1, depth=2).on(nas.tasks.load_task("digits")).cost(a, "params") for a in _all())
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert f"params <= 10 (nearest found: {least:,g})" in result.err
    assert "flops" not in result.err


def _all():
    return list(load("chain", stages=1, depth=2))


def test_limits_that_only_clash_together_are_all_named():
    space = load("chain", stages=1, depth=2).on(nas.tasks.load_task("digits"))
    cheapest = min(space, key=lambda a: (space.cost(a, "params"), space.cost(a, "flops")))
    fastest = min(space, key=lambda a: (space.cost(a, "flops"), space.cost(a, "params")))
    few, fast = space.cost(cheapest, "params"), space.cost(fastest, "flops")
    if any(space.cost(a, "params") <= few and space.cost(a, "flops") <= fast for a in space):
        few, fast = 1.0, 1.0
    with pytest.raises(UsageError, match=r"params <= .* flops <= "):
        describe(space.limited(params=few, flops=fast), TINY, None, n=50)


def test_a_limit_that_almost_nothing_meets_says_so():
    space = load("chain").on(nas.tasks.load_task("digits"))
    rng = np.random.default_rng(1)
    lowest = sorted(space.cost(space.sample(rng), "params") for _ in range(600))[1]
    found = describe(space.limited(params=lowest), "chain", None, n=200)
    assert found.shares["all"] < RARE
    assert "almost nothing" in limit_lines(found)[-1]
    loose = describe(space.limited(params=10_000_000), "chain", None, n=20)
    assert loose.shares["all"] == 1
    assert not any("almost nothing" in line for line in limit_lines(loose))


def test_the_least_cost_of_an_enumerable_space_is_found():
    space = load("chain", stages=1, depth=2).on(nas.tasks.load_task("digits"))
    rng = np.random.default_rng(0)
    found = least_cost(space, "flops", [space.sample(rng) for _ in range(3)], rng)
    assert found == min(space.cost(a, "flops") for a in space)


def test_a_picture_is_written(run):
    result = run("describe", TINY, "--svg", "a.svg")
    assert result.code == 0, result.err
    assert Path("a.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "flowchart" not in result.out


def test_a_space_without_networks_is_described_without_costs(run):
    result = run("describe", "decisions")
    assert result.code == 0, result.err
    assert "no networks" in result.out


def test_any_size_is_written():
    assert size_text(31 * 10**445) == "3.10e+446 architectures"
    assert "infinite" in size_text(float("inf"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nasnett"], "did you mean 'nasnet'"),
        (["nasnet", "--task", "digitz"], "did you mean 'digits'"),
        (["nasnet", "--limit", "latency_ms=1"], "a limit is on one of"),
        (["decisions", "--limit", "params=1"], "networks"),
    ],
)
def test_bad_input_is_one_line(run, words, said):
    result = run("describe", *words)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert said in result.err
