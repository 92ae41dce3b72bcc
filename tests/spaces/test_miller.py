"""Miller, Todd & Hegde 1989: exclusive or needs a hidden unit, and rows are what is inherited."""

import numpy as np
import pytest
import torch

from nasturtium.errors import UsageError
from nasturtium.networks import build
from nasturtium.spaces import ConstraintMatrix
from nasturtium.strategies import RowCrossover

SPACE = ConstraintMatrix()
FULL = SPACE.parse("110001 110001 001101")  # both hidden units hear both inputs, the output both of them
CASES = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
WANTED = torch.tensor([[0.0], [1.0], [1.0], [0.0]])


def error(architecture, seed, steps=600):
    """Return the sum of squared errors of a sigmoid output after training by backpropagation."""
    torch.manual_seed(seed)
    network = build(SPACE.graph(architecture))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    for _ in range(steps):
        loss = ((torch.sigmoid(network(CASES)) - WANTED) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def test_exclusive_or_is_learned_with_two_hidden_units_and_not_without():
    errors = [error(FULL, seed) for seed in range(5)]
    assert sum(value < 0.1 for value in errors) >= 3, errors
    alone = SPACE.parse("000000 000000 110001")  # the output hears the inputs alone
    assert error(alone, 0) == pytest.approx(1.0, abs=0.01)  # all four answers are a half


def test_five_units_have_three_rows_of_six_bits():
    assert SPACE.size == 2 ** (3 * 6)
    assert SPACE.text(FULL) == "110001 110001 001101"
    assert SPACE.graph(FULL).params == 9
    assert list(FULL)[:6] == [*(f"unit_2.from_{j}" for j in range(5)), "unit_2.from_bias"]


def test_entries_that_feed_back_do_not_change_the_network():
    back = SPACE.parse("111111 110111 001111")  # hidden to itself, to earlier hidden, and from the output
    # Of these only hidden 2 to hidden 3 would be forward, and it is not set.
    assert SPACE.graph(back) == SPACE.graph(FULL)


def test_a_unit_that_nothing_feeds_feeds_nobody():
    deaf = SPACE.graph(SPACE.parse("000000 110001 001101"))
    assert deaf.params == 3 + 2
    nothing = build(SPACE.graph(SPACE.parse("000000 000000 000000")))
    assert nothing(CASES).tolist() == [[0.0]] * 4


def test_a_pair_swaps_all_that_one_unit_hears():
    other = SPACE.parse("001110 001110 110010")
    swapped = {
        SPACE.text(RowCrossover(1.0, 0.0).child(SPACE, [FULL, other], 0, np.random.default_rng(seed)))
        for seed in range(30)
    }
    assert swapped == {"001110 110001 001101", "110001 001110 001101", "110001 110001 110010"}


def test_what_is_no_matrix_is_refused():
    with pytest.raises(UsageError, match="3 rows of 6 bits, got '110'"):
        SPACE.parse("110")
    with pytest.raises(UsageError, match="hidden is at least 0, got -1"):
        ConstraintMatrix(hidden=-1)
