"""Decision spaces: what follows from the tree, beyond the laws."""

import pickle

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import Architecture, Finite, choice, decisions, integer, option, real, skip
from nasturtium.spaces import _decisions as module
from nasturtium.spaces._tree import Choice
from nasturtium.testing import check_space

SPACE = decisions(a=choice("x", "y", "z"), b=integer(1, 4))


def changes(space, a, n=3_000):
    rng = np.random.default_rng(0)
    return [space.mutate(a, rng) for _ in range(n)]


def test_a_decision_is_a_block():
    with pytest.raises(UsageError, match=r"got a=3; wrap it in choice"):
        decisions(a=3)


def test_mutation_takes_every_decision_and_every_other_value_equally_often():
    found = changes(SPACE, Architecture({"a": "x", "b": 2}))
    assert np.mean([b["a"] != "x" for b in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([b["a"] == "y" for b in found]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([b["b"] == 4 for b in found]) == pytest.approx(1 / 6, abs=0.03)


def test_mutation_leaves_settled_decisions_alone():
    space = decisions(a=choice("only"), b=choice(0, 1), c=real(2, 2))
    assert {b.text for b in changes(space, space.parse('{"a":"only","b":0,"c":2.0}'), 20)} == {
        '{"a":"only","b":1,"c":2.0}'
    }


def test_mutation_keeps_what_it_can_and_draws_what_it_opens():
    space = decisions(o=choice("s", option("t", p=integer(1, 9))), q=integer(1, 9))
    for b in changes(space, space.parse('{"o":"s","q":5}'), 200):
        assert ("o.t.p" in b) == (b["o"] == "t")
        assert b["q"] == 5 or b["o"] == "s"
    drawn = {b["o.t.p"] for b in changes(space, space.parse('{"o":"s","q":5}')) if b["o"] == "t"}
    assert drawn == set(range(1, 10))


def test_mutation_redraws_what_a_rule_then_forbids():
    space = decisions(a=choice(1, 2), b=choice(1, 2, 3, rule=lambda prefix, v: v != prefix["a"]))
    found = {tuple(b.values()) for b in changes(space, Architecture({"a": 1, "b": 2}), 300)}
    assert found == {(2, 1), (2, 3), (1, 3)}


def test_crossover_takes_each_decision_from_either_parent():
    space = decisions(**{f"d{i}": choice(0, 1) for i in range(200)})
    zeros, ones = (Architecture({f"d{i}": v for i in range(200)}) for v in (0, 1))
    share = np.mean(list(space.crossover(zeros, ones, np.random.default_rng(0)).values()))
    assert 0.4 < share < 0.6


def test_crossover_takes_an_options_decisions_with_the_option():
    space = decisions(o=choice("s", option("t", p=integer(1, 9))))
    a, b = space.parse('{"o":"s"}'), space.parse('{"o":"t","o.t.p":7}')
    rng = np.random.default_rng(0)
    assert {space.crossover(a, b, rng).text for _ in range(50)} == {a.text, b.text}


def test_neighbors_complete_what_they_open_by_first_values():
    space = decisions(o=choice("s", option("t", p=integer(1, 9))), q=choice("u", "v"))
    found = [b.text for b in space.neighbors(space.parse('{"o":"s","q":"v"}'))]
    assert found == ['{"o":"t","o.t.p":1,"q":"v"}', '{"o":"s","q":"u"}']


def test_encoding_has_a_column_for_every_decision_there_may_be():
    space = decisions(b=choice("u", "v"), a=choice("s", option("t", p=integer(1, 2))))
    assert space.encode(space.parse('{"b":"v","a":"s"}')).tolist() == [0.75, 0.25, -1.0]
    assert space.encode(space.parse('{"b":"u","a":"t","a.t.p":2}')).tolist() == [0.25, 0.75, 0.75]


def test_trace_names_what_is_missing_or_too_much():
    with pytest.raises(UsageError, match="the architecture must set 'b'"):
        SPACE.trace(Architecture({"a": "x"}))
    with pytest.raises(UsageError, match=r"got also \['c'\]; drop them"):
        SPACE.trace(Architecture({"a": "x", "b": 1, "c": 2}))
    with pytest.raises(UsageError, match="'a' is one of"):
        SPACE.trace(Architecture({"a": "w", "b": 1}))


def test_parse_says_what_is_wrong():
    with pytest.raises(UsageError, match="an architecture's text is JSON"):
        SPACE.parse("a=x")
    with pytest.raises(UsageError, match="is a JSON object"):
        SPACE.parse("[1]")
    with pytest.raises(UsageError, match="'b' is a whole number in"):
        SPACE.parse('{"a":"x","b":7}')


def test_a_space_with_rules_is_counted(monkeypatch):
    different = decisions(a=choice(1, 2, 3), b=choice(1, 2, 3, rule=lambda p, v: v != p["a"]))
    assert different.size == 6
    monkeypatch.setattr(module, "COUNTABLE", 8)
    again = decisions(a=choice(1, 2, 3), b=choice(1, 2, 3, rule=lambda p, v: v != p["a"]))
    assert again.size == 9  # an upper bound


def test_a_huge_space_with_rules_is_not_counted():
    # It would take longer than the universe has.
    space = decisions(**{f"d{i}": choice(*range(50), rule=lambda p, v: True) for i in range(50)})
    assert space.size == 50**50
    assert space.supports(Finite)


def test_a_real_decision_makes_a_space_infinite():
    assert not decisions(a=choice(1, 2), b=real(0, 1)).supports(Finite)
    assert decisions(a=choice(1, 2)).supports(Finite)


def test_training_includes_what_its_options_open():
    space = SPACE.with_training(optimizer=choice("sgd", option("adam", beta=choice(0.9))))
    a = space.parse('{"a":"x","b":1,"training.optimizer":"adam","training.optimizer.adam.beta":0.9}')
    assert space.training(a) == {"optimizer": "adam", "optimizer.adam.beta": 0.9}
    assert SPACE.training(SPACE.parse('{"a":"x","b":1}')) == {}


def test_training_holds_blocks():
    with pytest.raises(UsageError, match=r"got rate=0\.1"):
        SPACE.with_training(rate=0.1)


def test_a_pickle_is_of_the_arguments():
    list(SPACE)
    assert pickle.loads(pickle.dumps(SPACE)) == SPACE


@pytest.mark.parametrize("seed", range(6))
def test_random_trees_obey_the_laws(seed):
    check_space(decisions(**_random_blocks(np.random.default_rng(seed), depth=2)))


def _random_blocks(rng, depth):
    names = [f"d{i}" for i in range(int(rng.integers(1, 4)))]
    return {name: _random_block(rng, depth) for name in names}


def _random_block(rng, depth):
    from nasturtium.spaces import repeat, subset

    kind = int(rng.integers(6 if depth else 4))
    if kind == 0:
        return choice(*range(int(rng.integers(1, 5))))
    if kind == 1:
        return integer(1, int(rng.integers(1, 6)), log=bool(rng.integers(2)))
    if kind == 2:
        return subset("p", "q", at_least=int(rng.integers(2)))
    if kind == 3:
        bound = int(rng.integers(3))
        return choice(*range(5), rule=lambda p, v: v == 4 or v > bound + len(p) % 2)
    if kind == 4:
        return choice("plain", option("opens", **_random_blocks(rng, depth - 1)))
    return repeat(_random_block(rng, depth - 1), at_least=int(rng.integers(2)), at_most=2)


def test_a_skip_knows_where_it_comes_from_and_is_left_or_taken():
    asked, _ = decisions(layer_1=skip("layer_0")).trace(Architecture({"layer_1": True}))[0]
    assert (asked.values, asked.skip_from) == ((False, True), "layer_0")
    with pytest.raises(UsageError, match="a skip is left"):
        Choice(("a", "b"), skip_from="layer_0")
