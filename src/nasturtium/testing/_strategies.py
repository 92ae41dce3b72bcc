"""The laws of search strategies; third parties run them over their own.

@pytest.mark.parametrize(("name", "check"), strategy_checks())
def test_law(name, check):
    check(MyStrategy)
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from inspect import Parameter
from itertools import groupby
from math import inf, nan

import numpy as np

from nasturtium._registry import parameters
from nasturtium.errors import RequirementError
from nasturtium.spaces import Finite
from nasturtium.strategies import STRATEGIES, RandomSearch, Strategy, check_fit
from nasturtium.testing._processes import elsewhere
from nasturtium.testing._refusals import refusal
from nasturtium.testing._running import (
    Outcome,
    setting_of,
    snapshot,
    text_of,
    untouched_generators,
)
from nasturtium.testing._strategy_cases import (
    N_TRIALS,
    avoids_repeats,
    best_loss,
    histories,
    objective_lists,
    own_toy,
    pending,
    proposals_of,
    strangers,
    study,
    texts_of,
)
from nasturtium.testing._toys import Toy, small_table, spaces
from nasturtium.trials import Asked, Proposal

StrategyCheck = Callable[[type[Strategy]], None]
"""A law: raises AssertionError if the class that it is given breaks it."""


def strategy_checks() -> Iterator[tuple[str, StrategyCheck]]:
    """Yield every law with its name."""
    for check in CHECKS:
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def check_strategy(cls: type[Strategy]) -> None:
    """Check every law.

    Raises:
        AssertionError: The first law that is broken.
    """
    for check in CHECKS:
        check(cls)


# --- the object ----------------------------------------------------------------------------------


def check_default_constructible(cls: type[Strategy]) -> None:
    """Every argument has a default, and ``small`` is of the class."""
    missing = [name for name, default in parameters(cls).items() if default is Parameter.empty]
    assert not missing, f"every argument has a default, got none for {missing}"
    assert isinstance(cls(), cls), f"{cls.__name__}() must give a {cls.__name__}"
    assert isinstance(cls.small(), cls), f"{cls.__name__}.small() must give a {cls.__name__}"


def check_arguments_stored_unchanged(cls: type[Strategy]) -> None:
    """The constructor keeps every argument under its own name, and does nothing else to it."""
    for strategy in (cls(), cls.small()):
        arguments = {name: getattr(strategy, name) for name in parameters(cls)}
        again = cls(**arguments)
        for name, value in arguments.items():
            assert getattr(again, name) is value, f"{name}={value!r} became {getattr(again, name)!r}"
    for name, default in parameters(cls).items():
        assert getattr(cls(), name) == default, f"{name}={default!r} is not kept as given"


def check_equal_by_arguments(cls: type[Strategy]) -> None:
    """Two strategies of equal arguments are equal and have one hash: keys of folds rely on it."""
    assert cls() == cls(), f"two {cls.__name__}() must be equal"
    assert hash(cls()) == hash(cls()), f"two {cls.__name__}() must have one hash"


def check_pickles(cls: type[Strategy]) -> None:
    """A pickled strategy proposes the same."""
    strategy, toy = cls.small(), own_toy(cls)
    again = pickle.loads(pickle.dumps(strategy))
    history = study(strategy, toy).history().sealed()
    assert again == strategy, f"a pickle must give an equal strategy, got {again!r}"
    assert text_of(again.ask(history, 2)) == text_of(strategy.ask(history, 2))


def check_described_and_restored(cls: type[Strategy]) -> None:
    """A registered strategy is made again from what the log stores of it."""
    if STRATEGIES.name_of(cls) is None:
        return
    for strategy in (cls(), cls.small()):
        described = STRATEGIES.describe(strategy)
        assert "opaque" not in described, f"arguments must have a JSON form, got {strategy!r}"
        assert STRATEGIES.restore(described) == strategy, f"not the same again: {described}"


def check_scaled_fits_any_horizon(cls: type[Strategy]) -> None:
    """``scaled`` gives a strategy that works for studies of any length."""
    toy = own_toy(cls)
    for horizon in (1, 2, 10, 100, 10_000):
        strategy = cls().scaled(horizon)
        assert isinstance(strategy, cls), f"scaled({horizon}) must give a {cls.__name__}"
        assert strategy.scaled(horizon).scaled(horizon) == strategy.scaled(horizon)
        log = study(strategy, toy, trials=min(horizon, 10))
        assert log.history().n_trials, f"scaled({horizon}) proposes nothing"


# --- what it proposes ----------------------------------------------------------------------------


def check_proposals_are_members(cls: type[Strategy]) -> None:
    """Whatever is proposed is in the space, or is the whole space where it says so."""
    toy = own_toy(cls)
    for trial in study(cls.small(), toy, workers=3).history().trials():
        architecture = trial.architecture
        is_right = cls.whole_space if architecture is None else architecture in toy.space
        assert is_right, f"neither a member nor declared by whole_space: {architecture}"


def check_proposals_have_json(cls: type[Strategy]) -> None:
    """Every proposal survives the log, its attributes too, and its parents are earlier trials."""
    for trial in study(cls.small(), own_toy(cls), workers=3).history().trials():
        reason = refusal(TypeError, partial(json.dumps, trial.proposal.to_json()))
        assert reason is None, f"attributes are JSON data: {reason}"
        data = json.loads(json.dumps(trial.proposal.to_json()))
        again = Proposal.from_json(data)
        assert text_of([again]) == text_of([trial.proposal]), f"not the same again: {data}"
        earlier = all(0 <= parent < trial.number for parent in trial.parents)
        assert earlier, f"trial {trial.number} has parents {trial.parents}"


def check_at_most_n(cls: type[Strategy]) -> None:
    """``ask(history, n)`` gives at most n, and nothing for 0."""
    for history in histories(cls):
        for n in (0, 1, 2, 7):
            got = len(cls.small().ask(history, n))
            assert got <= n, f"ask(history, {n}) gives at most {n} proposals, got {got}"


def check_fewer_are_the_first(cls: type[Strategy]) -> None:
    """``ask(history, n)[:m] == ask(history, m)``."""
    for history in histories(cls):
        strategy = cls.small()
        many = strategy.ask(history, 6)
        for m in (1, 2, 5):
            few = strategy.ask(history, m)
            assert text_of(few) == text_of(many[:m]), f"ask(history, {m}) is no head of ask(_, 6)"


def check_pure(cls: type[Strategy]) -> None:
    """A fresh object, and the same one again, propose the same for the same history."""
    for history in histories(cls):
        strategy = cls.small()
        first = text_of(strategy.ask(history, 3))
        assert text_of(strategy.ask(history, 3)) == first, "asking twice must give the same"
        assert text_of(cls.small().ask(history, 3)) == first, "a fresh object must give the same"


def check_same_in_another_process(cls: type[Strategy]) -> None:
    """The same seed gives the same proposals in another process with another hash seed."""
    here = proposals_of(cls, 0)
    assert elsewhere(proposals_of, cls, 0) == here, "proposals must not depend on the process"


def check_seed_matters(cls: type[Strategy]) -> None:
    """Another seed gives other proposals."""
    assert proposals_of(cls, 0) != proposals_of(cls, 1), "seeds 0 and 1 give the same proposals"


def check_fold_memo_is_only_a_memo(cls: type[Strategy]) -> None:
    """With the memo of ``history.fold`` switched off everything is the same."""
    toy = own_toy(cls)
    kept = texts_of(study(cls.small(), toy, workers=2))
    assert kept == texts_of(study(cls.small(), toy, workers=2, memoize=False)), (
        "proposals differ without the memo; a fold's step must not change the state it is given"
    )


def check_reproduced_from_the_log(cls: type[Strategy]) -> None:
    """``ask(history.before(asked_at), n)`` gives every stored proposal again, batches included."""
    log = study(cls.small(), own_toy(cls), workers=3, is_hard=True)
    events = [event for event in log.events() if isinstance(event, Asked)]
    for asked_at, group in groupby(events, key=lambda event: event.asked_at):
        stored = [event.proposal for event in group]
        history = log.history().before(asked_at).sealed()
        again = cls.small().ask(history, len(stored))
        assert text_of(again) == text_of(stored), f"not reproduced at length {asked_at}"


def check_history_is_not_changed(cls: type[Strategy]) -> None:
    """An ask leaves the history as it was."""
    for history in histories(cls):
        before = snapshot(history)
        cls.small().ask(history, 3)
        assert snapshot(history) == before, "ask changed the history"


def check_global_generators_are_untouched(cls: type[Strategy]) -> None:
    """Randomness comes from the study's seed only."""
    for history in histories(cls):
        with untouched_generators():
            cls.small().ask(history, 3)


# --- histories of any kind -----------------------------------------------------------------------


def check_odd_trials_are_accepted(cls: type[Strategy]) -> None:
    """Failed and NaN trials, missing values and candidates that it did not propose do no harm."""
    toy = own_toy(cls)
    outcomes: list[Outcome] = [
        {"loss": 0.5, "size": 1.0},
        "ValueError: too large",
        {"loss": nan, "size": nan},
        {"size": 2.0},
        {"loss": inf, "size": 3.0},
        None,
        {"loss": -1.0, "size": 1.0},
    ]
    for objectives in objective_lists(cls):
        setting = setting_of(toy.space, objectives=objectives)
        for pattern in (outcomes, outcomes[1:6], outcomes[1:2]):
            history = strangers(setting, pattern, n=23).history().sealed()
            for proposal in cls.small().ask(history, 2):
                assert proposal.architecture is None or proposal.architecture in toy.space


def check_pending_are_not_repeated(cls: type[Strategy]) -> None:
    """While unseen candidates remain, none that is under way is proposed again."""
    toy = own_toy(cls)
    history = pending(cls, toy, 12).history()
    candidates = [history.architecture(n) for n in range(history.n_trials)]
    identities = [toy.space.identity(a) for a in candidates if a is not None]
    if avoids_repeats(cls):
        assert len(set(identities)) == len(identities), "a pending candidate was proposed again"


def check_exhausts_a_finite_space(cls: type[Strategy]) -> None:
    """Without repeats every architecture is proposed exactly once; then it has finished."""
    toy = small_table()
    fits = all(toy.space.supports(capability) for capability in cls.requires)
    if not fits or not toy.space.supports(Finite) or not avoids_repeats(cls):
        return
    for workers in (1, 3):
        log = study(cls.small(), toy, trials=50, workers=workers)
        asked = [t.architecture for t in log.history().trials() if t.architecture is not None]
        keys = sorted(a.key for a in asked)
        assert len(set(keys)) == len(keys), "a candidate was proposed twice"
        assert len(keys) == 12, f"a space of 12 has 12 proposals, got {len(keys)}"
        assert not cls.small().ask(log.history().sealed(), 1), "nothing is left to propose"


def check_keeps_names_trials(cls: type[Strategy]) -> None:
    """``keeps`` gives numbers of trials of the history."""
    for history in histories(cls):
        numbers = set(cls.small().keeps(history))
        assert numbers <= set(range(history.n_trials)), f"no such trials: {numbers}"


def check_several_objectives(cls: type[Strategy]) -> None:
    """Several objectives work, or are refused in one line before anything runs."""
    toy = own_toy(cls)
    setting = setting_of(toy.space, objectives=("loss", "size"))
    if cls.multi_objective:
        check_fit(cls(), setting)
        log = study(cls.small(), toy, objectives=("loss", "size"), is_hard=True)
        assert log.history().n_trials == N_TRIALS, "two objectives end the study early"
        return
    reason = refusal(RequirementError, lambda: check_fit(cls(), setting))
    assert reason is not None, "a strategy for one objective must refuse two"


def check_works_on_every_space(cls: type[Strategy]) -> None:
    """On every registered space it proposes members, or is refused in one line."""
    for name, space in spaces():
        strategy, setting = cls.small(), setting_of(space)
        if refusal(RequirementError, partial(check_fit, strategy, setting)) is not None:
            continue
        log = study(strategy, Toy(space), trials=12)
        history = log.history()
        assert history.n_trials, f"nothing was proposed on {name}"
        for number in range(history.n_trials):
            architecture = history.architecture(number)
            assert architecture is None or architecture in space, f"not of {name}: {architecture}"


def check_beats_random_search(cls: type[Strategy]) -> None:
    """With ``small`` settings it finds more than random search does; baselines need not.

    The best loss after 150 trials, over 10 seeds: the mean is lower by four standard errors.
    """
    if cls.is_baseline:
        return
    toy = own_toy(cls)
    found = np.array([best_loss(cls.small(), toy, seed) for seed in range(10)])
    random = np.array([best_loss(RandomSearch(), toy, seed) for seed in range(10)])
    margin = 4 * np.sqrt((found.var(ddof=1) + random.var(ddof=1)) / len(found))
    assert found.mean() + margin < random.mean(), (
        f"the mean best loss must be under random search's by {margin:.3f}, "
        f"got {found.mean():.3f} and {random.mean():.3f}"
    )


CHECKS: tuple[StrategyCheck, ...] = (
    check_default_constructible,
    check_arguments_stored_unchanged,
    check_equal_by_arguments,
    check_pickles,
    check_described_and_restored,
    check_scaled_fits_any_horizon,
    check_proposals_are_members,
    check_proposals_have_json,
    check_at_most_n,
    check_fewer_are_the_first,
    check_pure,
    check_same_in_another_process,
    check_seed_matters,
    check_fold_memo_is_only_a_memo,
    check_reproduced_from_the_log,
    check_history_is_not_changed,
    check_global_generators_are_untouched,
    check_odd_trials_are_accepted,
    check_pending_are_not_repeated,
    check_exhausts_a_finite_space,
    check_keeps_names_trials,
    check_several_objectives,
    check_works_on_every_space,
    check_beats_random_search,
)
