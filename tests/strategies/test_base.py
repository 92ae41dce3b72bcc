"""The contract of a strategy: what does not fit is refused."""

import pytest

from nasturtium.errors import RequirementError
from nasturtium.spaces import Decisions, Edits, Networks
from nasturtium.strategies import RandomSearch, Strategy, check_fit
from nasturtium.testing import ToyTwoStage
from nasturtium.testing._running import setting_of, told
from nasturtium.testing._toys import network_toys, small_table
from nasturtium.trials import Proposal


class Grows(Strategy):
    requires = (Networks, Edits)

    def ask(self, history, n):
        return []


def test_a_space_without_a_capability_is_refused_with_the_reason():
    with pytest.raises(RequirementError, match="Grows needs a space with Networks, got NamedDecisions"):
        check_fit(Grows(), setting_of(small_table().space))
    chain, growing, *_ = (toy.space for toy in network_toys())
    with pytest.raises(RequirementError, match="Grows needs a space with Edits"):
        check_fit(Grows(), setting_of(chain))
    check_fit(Grows(), setting_of(growing))


def test_several_objectives_are_refused_by_a_strategy_for_one():
    with pytest.raises(RequirementError, match=r"handles one objective, got \['loss', 'size'\]"):
        check_fit(ToyTwoStage(), setting_of(small_table().space, objectives=("loss", "size")))
    check_fit(RandomSearch(), setting_of(small_table().space, objectives=("loss", "size")))


def test_the_checkpoints_of_finished_trials_are_kept():
    space = small_table().space
    members = list(space)
    trials = [(Proposal(a), o) for a, o in zip(members, [{"loss": 1.0}, "died", None, {"loss": 2.0}], strict=False)]
    assert list(RandomSearch().keeps(told(setting_of(space), trials).history())) == [0, 3]


def test_a_strategy_is_as_it_was_made_unless_it_scales():
    assert RandomSearch().scaled(10) == RandomSearch.small() == RandomSearch()
    assert Decisions not in RandomSearch.requires
