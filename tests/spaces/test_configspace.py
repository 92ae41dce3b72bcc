"""Spaces in the format of ConfigSpace."""

import sys

import ConfigSpace
import numpy as np
import pytest

from nasturtium.errors import MissingExtraError, RequirementError, UsageError
from nasturtium.spaces import (
    SPACES,
    DecisionSpace,
    Morphism,
    choice,
    decisions,
    from_configuration,
    integer,
    option,
    real,
    repeat,
    subset,
    to_configspace,
    to_configuration,
)
from nasturtium.testing._toys import Shapes

MIXED = decisions(
    optimizer=choice("sgd", option("adam", beta=real(0.8, 0.99), warm=subset("p", "q", "r"))),
    width=integer(1, 100, log=True),
    layers=repeat(choice(1, 2), at_most=3),
    rate=real(1e-4, 1e-1, log=True),
    sides=choice((1, 2), (3,)),
    flag=choice(True, False, None),
    only=choice("one"),
    point=real(1, 1),
)


def differs(prefix, value):
    return value not in prefix.values()


RULED = decisions(a=choice("x", "y", "z"), b=choice("x", "y", "z", rule=differs), c=choice("x", "y", "z", rule=differs))
EVERY = [("mixed", MIXED), ("ruled", RULED), *((name, cls.small().on(Shapes())) for name, cls in SPACES)]
EVERY = [pytest.param(space, id=name) for name, space in EVERY if isinstance(space, DecisionSpace)]


def rounded(architecture):
    """Return the values, real ones to the digits that ConfigSpace keeps."""
    return {path: round(value, 9) if isinstance(value, float) else value for path, value in architecture.items()}


@pytest.mark.parametrize("space", EVERY)
def test_architectures_come_back(space):
    configspace = to_configspace(space)
    rng = np.random.default_rng(0)
    for _ in range(20):
        architecture = space.sample(rng)
        configuration = to_configuration(space, architecture, configspace)
        configuration.check_valid_configuration()
        again = from_configuration(space, configuration)
        assert rounded(again) == rounded(architecture)


@pytest.mark.parametrize("space", EVERY)
def test_configurations_come_back_or_are_replaced_where_a_rule_forbids_them(space):
    configspace = to_configspace(space, seed=0)
    has_rule = any(tree.has_rule() for _, tree in space._trees)
    for configuration in configspace.sample_configuration(20):
        architecture = from_configuration(space, configuration)
        assert architecture in space
        again = to_configuration(space, architecture, configspace)
        assert has_rule or rounded(dict(again)) == rounded(dict(configuration))


def test_kinds_of_decisions_become_kinds_of_hyperparameters():
    configspace = to_configspace(MIXED)
    assert configspace["optimizer"].choices == ("sgd", "adam")
    assert isinstance(configspace["width"], ConfigSpace.UniformIntegerHyperparameter)
    assert configspace["width"].log
    assert (configspace["rate"].lower, configspace["rate"].upper) == (1e-4, 1e-1)
    assert configspace["flag"].choices == ("true", "false", "null")
    assert configspace["only"].value == "one"
    assert [child.name for child in configspace.children_of["optimizer"]] == [
        "optimizer.adam.beta",
        "optimizer.adam.warm",
    ]


def test_what_a_rule_forbids_is_replaced_by_the_legal_value_at_its_place():
    assert from_configuration(RULED, {"a": "z", "b": "z", "c": "z"}).text == '{"a":"z","b":"y","c":"x"}'


def test_a_space_that_grows_is_refused():
    with pytest.raises(RequirementError, match="which grows"):
        to_configspace(Morphism())


def test_without_the_extra_the_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ConfigSpace", None)
    with pytest.raises(MissingExtraError, match=r"nasturtium\[peers\]"):
        to_configspace(MIXED)


@pytest.mark.parametrize(
    ("told", "said"),
    [({"op": "zz"}, "got op='zz'"), ({"depth": "zz"}, "got depth='zz'"), ({"q": 1}, "got 'q'")],
)
def test_a_configuration_of_another_space_is_one_clear_line(told, said):
    space = decisions(op=choice("conv", "pool"), depth=integer(1, 4))
    with pytest.raises(UsageError, match=said):
        from_configuration(space, told)
