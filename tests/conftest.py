"""What the tests of several rooms share."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def random_graph():
    """Return the maker of random graphs, see ``tests/graphs/random_graphs.py``."""
    path = Path(__file__).parent / "graphs" / "random_graphs.py"
    spec = importlib.util.spec_from_file_location("random_graphs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.random_graph
