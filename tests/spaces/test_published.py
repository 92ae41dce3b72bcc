"""The published counts of every space, each reproduced by the expression that the docs print."""

import importlib.util
import sys
from pathlib import Path

import pytest

from nasturtium.spaces import SPACES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "search-spaces.md").read_text()


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


PUBLISHED = load(ROOT / "benchmarks" / "published.py")
FIGURES = (*PUBLISHED.SIZES, *PUBLISHED.COSTS)


def marks_of(figure):
    return (pytest.mark.slow, pytest.mark.timeout(3600)) if figure.is_long else ()


@pytest.mark.parametrize(
    "figure", [pytest.param(figure, marks=marks_of(figure), id=f"{figure.family}: {figure.what}") for figure in FIGURES]
)
def test_the_published_figure_is_reproduced_and_printed(figure):
    ours = figure.evaluated()
    assert figure.fits(ours), f"published {figure.published}, got {ours}"
    assert PUBLISHED.line(figure, ours) in PAGE


def test_every_figure_is_printed_once_and_of_a_registered_space():
    assert {figure.family for figure in FIGURES} <= set(SPACES.names())
    for figure in FIGURES:
        rows = [line for line in PAGE.splitlines() if line.endswith(f"| `{figure.ours}` |")]
        assert len(rows) == 1, figure.ours
