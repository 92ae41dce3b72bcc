"""What makes a space ask a decision."""

import numpy as np
import pytest

from nasturtium.spaces import (
    SPACES,
    DecisionSpace,
    choice,
    conditionals,
    decisions,
    integer,
    option,
    real,
    repeat,
    subset,
)
from nasturtium.testing._toys import Shapes

NESTED = decisions(
    kind=choice(
        "plain", option("wide", width=integer(1, 64)), option("deep", inner=choice("a", option("b", x=real(0, 1))))
    ),
    layers=repeat(choice("u", option("v", n=integer(2, 4))), at_most=3),
    extras=subset("p", option("q", strength=real(0, 1))),
)


def active(space, architecture):
    """Return the paths that the conditions say are asked."""
    found = set()
    for each in conditionals(space):
        if all(path in found and architecture[path] in values for path, values in each.when):
            found.add(each.decision.path)
    return found


EVERY = [("nested", NESTED), *((name, cls.small().on(Shapes())) for name, cls in SPACES)]


@pytest.mark.parametrize(
    "space", [pytest.param(space, id=name) for name, space in EVERY if isinstance(space, DecisionSpace)]
)
def test_the_conditions_say_what_is_asked(space):
    rng = np.random.default_rng(0)
    for _ in range(30):
        architecture = space.sample(rng)
        assert active(space, architecture) == set(architecture)


def test_every_decision_of_the_tree_is_found_once():
    paths = [each.decision.path for each in conditionals(NESTED)]
    assert sorted(paths) == sorted(NESTED.columns)


def test_a_decision_names_only_the_nearest_that_opens_it():
    when = {each.decision.path: dict(each.when) for each in conditionals(NESTED)}
    assert when["kind"] == {}
    assert when["kind.deep.inner.b.x"] == {"kind.deep.inner": frozenset({"b"})}
    assert when["layers.1"] == {"layers.n": frozenset({2, 3})}
    assert when["layers.1.v.n"] == {"layers.1": frozenset({"v"})}
    assert when["extras.q.strength"] == {"extras": frozenset({("q",), ("p", "q")})}
