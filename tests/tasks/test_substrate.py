"""Substrates: places, and weights that a pattern over them expresses."""

import numpy as np
import pytest

from nasturtium.errors import UsageError
from nasturtium.tasks._substrate import Sheets, expressed


def test_the_threshold_of_the_paper():
    # methods B4, check (a).
    assert expressed(np.array([0.2, 1.0, 0.6, -0.6, 0.1, -5.0])) == pytest.approx([0.0, 3.0, 1.5, -1.5, 0.0, -3.0])


def test_every_pair_is_queried_once():
    sheets = Sheets(11)
    x1, y1, x2, y2 = sheets.queries()
    assert len({*zip(x1, y1, x2, y2, strict=True)}) == 14_641
    for places in (x1, y1, x2, y2):
        assert (places.min(), places.max()) == (-1.0, 1.0)


def test_weights_lead_from_rows_to_columns():
    sheets = Sheets(3)
    x1, y1, x2, y2 = sheets.queries()
    right = ((y1 == y2) & (x2 == x1 + 1)).astype(float)  # each neuron excites the one to its right
    weights = sheets.weights(right)
    image = np.zeros(9)
    image[3] = 1.0  # the middle row's first pixel
    assert (image @ weights).tolist() == [0, 0, 0, 0, 3, 0, 0, 0, 0]


@pytest.mark.parametrize("arguments", [{"size": 1}, {"greatest": 0.0}])
def test_impossible_sheets_are_refused(arguments):
    with pytest.raises(UsageError, match="at least 2"):
        Sheets(**arguments)
