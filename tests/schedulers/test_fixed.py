"""Fixed: every trial gets the same."""

from nasturtium.schedulers import Fixed
from nasturtium.strategies import RandomSearch
from nasturtium.testing import ToyLearner
from nasturtium.testing._running import run, setting_of
from nasturtium.testing._toys import table
from nasturtium.trials import Fidelity, Log, State


def test_the_only_leg_ends_at_the_highest_rung():
    log = Log(setting_of(table().space, ToyLearner(table().metrics)))
    assert Fixed().first(log.history(), 0) == Fidelity(9)


def test_every_trial_is_finished_in_one_leg():
    toy = table()
    log = run(RandomSearch(), toy.space, ToyLearner(toy.metrics), trials=5, scheduler=Fixed())
    trials = log.history().trials()
    assert [t.state for t in trials] == [State.FINISHED] * 5
    assert [t.step for t in trials] == [9] * 5
    assert all(event.proposal.resume is None for event in log.events() if hasattr(event, "proposal"))
