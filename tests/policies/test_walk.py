"""Walks: tokens for every kind of decision, masks, and opened sub-spaces."""

import numpy as np
import pytest

from nasturtium.policies import N_BINS, walk_of
from nasturtium.policies._walk import head_of, step_of, value_of
from nasturtium.spaces import Architecture, choice, decisions, integer, option, real, subset


def decision(block):
    space = decisions(x=block)
    return space.trace(space.sample(np.random.default_rng(0)))[0][0]


def tokens(space, **values):
    return [step.token for step in walk_of(space, Architecture(values))]


def test_a_value_of_a_list_is_a_token():
    assert tokens(decisions(x=choice("a", "b", "c"), y=choice(3, 5)), x="c", y=3) == [2, 0]


def test_an_opened_decision_is_a_step_only_where_it_was_opened():
    space = decisions(x=choice("pool", option("conv", kernel=choice(1, 3, 5))))
    assert tokens(space, x="pool") == [0]
    assert tokens(space, **{"x": "conv", "x.conv.kernel": 5}) == [1, 2]


def test_a_short_interval_of_whole_numbers_has_a_token_for_each():
    assert tokens(decisions(x=integer(3, 9)), x=5) == [2]
    assert head_of(decision(integer(1, 16, log=True))).n_tokens == 16


@pytest.mark.parametrize("block", [integer(1, 100), integer(1, 1000, log=True), integer(-40, 40)])
def test_the_bins_of_a_long_interval_hold_every_whole_number_once(block):
    asked = decision(block)
    head = head_of(asked)
    assert head.n_tokens == N_BINS
    spans = np.diff(head.first)
    assert spans.sum() == len(asked.options({}))
    steps = [step_of(asked, number, {}) for number in asked.options({})]
    assert np.bincount([step.token for step in steps], minlength=N_BINS).tolist() == spans.tolist()
    for step in steps:
        assert np.exp(step.share) == pytest.approx(1 / spans[step.token])
        assert step.legal is None or step.legal[step.token]


@pytest.mark.parametrize("block", [real(-2.0, 3.0), real(1e-4, 1.0, log=True), integer(1, 1000, log=True)])
def test_a_value_drawn_from_a_bin_is_of_that_bin(block):
    asked = decision(block)
    head = head_of(asked)
    rng = np.random.default_rng(0)
    for token in range(N_BINS):
        if head.first and head.first[token] == head.first[token + 1]:
            continue
        for generator in (rng, None):
            value = value_of(asked, head, token, generator)
            assert step_of(asked, value, {}).token == token


def test_a_rule_masks_tokens():
    space = decisions(x=choice("a", "b"), y=choice("a", "b", "c", rule=lambda prefix, value: value != prefix["x"]))
    first, second = walk_of(space, Architecture({"x": "b", "y": "c"}))
    assert first.legal is None
    assert second.legal.tolist() == [True, False, True]


def test_subsets_have_a_logit_an_element():
    head = head_of(decision(subset("a", "b", "c")))
    assert (head.n_tokens, head.n_outputs) == (8, 3)
    assert head.members.sum(axis=1).tolist() == [0, 1, 1, 1, 2, 2, 2, 3]
    assert head_of(decision(choice((1, 7), (3, 3), (7, 1), (5, 5)))).n_outputs == 4


def test_questions_are_told_apart_by_path_and_values():
    heads = [head_of(decision(block)) for block in (choice(1, 2), choice(1, 3), integer(1, 2), real(1.0, 2.0))]
    assert len({head.name for head in heads}) == 4
    assert head_of(decision(choice(1, 2))).name == heads[0].name == "x 05c87722130b"
