"""Fixtures of the tests of graphs."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    """Return what makes a generator from a seed."""
    return np.random.default_rng
