"""Spaces of named decisions."""

import pytest

from nasturtium.errors import UsageError
from nasturtium.spaces import SPACES, choice, decisions, integer, option, real


def test_decisions_come_in_the_given_order_with_what_they_open():
    space = decisions(b=choice("x", option("y", rate=integer(1, 2))), a=choice(0, 1))
    assert space.columns == ("b", "b.y.rate", "a")
    assert space.size == len(list(space)) == 3 * 2


def test_a_stored_space_is_made_again():
    space = decisions(a=choice("x", "y"), b=real(0, 1))
    assert SPACES.restore(SPACES.describe(space)) == space


def test_a_decision_is_a_block_and_no_value():
    with pytest.raises(UsageError, match="a decision is choice"):
        decisions(a=3)
