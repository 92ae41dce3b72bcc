"""Replay: derived state that follows the log event by event equals that of a replay from the start."""

import numpy as np
import pytest

from nasturtium.errors import StorageError
from nasturtium.spaces import Architecture, choice, decisions
from nasturtium.trials import (
    Asked,
    Ended,
    Fidelity,
    Limit,
    Log,
    Lost,
    Measured,
    Measurement,
    Objective,
    Proposal,
    Rung,
    Setting,
    State,
)

SPACE = decisions(x=choice(*range(50)))
RUNGS = [Fidelity(n, schedule=9) for n in (1, 3, 9)]
SETTING = Setting(SPACE, (Objective("loss"), Objective("size")), (Limit("size", 8.0),), ladder=tuple(map(Rung, RUNGS)))


def random_events(rng, n=120):
    """Yield events as an engine could write them: legs, losses, failures, promotions, stops."""
    under_way, paused, number = {}, {}, 0
    for _ in range(n):
        kind = rng.random()
        if kind < 0.25 or not under_way:
            if paused and rng.random() < 0.5:
                resumed = int(rng.choice(sorted(paused)))
                level = paused.pop(resumed) + 1
                under_way[resumed] = [level, RUNGS[level - 1].epochs, level]
                proposal = Proposal(Architecture({"x": resumed}), resume=resumed)
                yield Asked(resumed, proposal, 0, RUNGS[level])
                continue
            level = int(rng.integers(3))
            under_way[number] = [level, -1, level]
            architecture = None if rng.random() < 0.1 else Architecture({"x": number % 50})
            yield Asked(number, Proposal(architecture), 0, RUNGS[level])
            number += 1
            continue
        chosen = int(rng.choice(sorted(under_way)))
        level, step, _ = under_way[chosen]
        if kind < 0.3:
            under_way[chosen][1] = RUNGS[level - 1].epochs if step >= 0 and level and chosen in paused else -1
            yield Lost(chosen, "killed", is_crash=bool(rng.integers(2)))
        elif kind < 0.35:
            del under_way[chosen]
            yield Ended(chosen, State.FAILED, "died")
        elif kind < 0.4 and step >= 0:
            del under_way[chosen]
            yield Ended(chosen, State.STOPPED, "stopped", {"loss": float(rng.random())})
        elif step >= RUNGS[level].epochs:
            del under_way[chosen]
            if level < 2:
                paused[chosen] = level
            yield Ended(chosen, State.FINISHED if level == 2 else State.PAUSED)
        else:
            under_way[chosen][1] = step + 1
            metrics = {"loss": float(rng.random()), "size": float(rng.integers(5, 10))}
            yield Measured(chosen, Measurement(step + 1, metrics))


def facts(history):
    """Return everything that a history derives, as plain values."""
    tables = [history.losses(objectives, at) for objectives in (None, [Objective("size")]) for at in (None, *RUNGS)]
    return {
        "losses": [np.nan_to_num(table, nan=-1.0).tolist() for table in tables],
        "trials": history.trials(),
        "sealed": history.sealed().trials(),
        "completed": list(history.completed),
        "front": [trial.number for trial in history.front()],
        "counts": (history.n_trials, history.n_under_way, history.n_epochs, history.n_settled, history.has_checkpoints),
        "identities": set(history.identities),
        "folded": history.fold("losses", tuple, lambda state, t: (*state, t.metrics.get("loss"))),
    }


@pytest.mark.parametrize("seed", range(15))
def test_looking_at_any_time_gives_what_a_fresh_replay_gives(seed):
    rng = np.random.default_rng(seed)
    log = Log(SETTING)
    looked = []
    for event in random_events(rng):
        log.append([event])
        if rng.random() < 0.3:
            looked.append((len(log), log.history(), facts(log.history())))
    for length, history, found in looked:
        fresh = Log(SETTING, memoize=False)
        fresh.append(log.events()[:length])
        assert facts(fresh.history()) == found, f"at length {length}"
        assert facts(log.history(length)) == found, f"looking back to length {length}"
        assert facts(history) == found, "a history that was kept has changed"


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_the_states(seed):
    log = Log(SETTING)
    for event in random_events(np.random.default_rng(seed)):
        log.append([event])
        history = log.history()
        assert history.n_under_way == len(history.trials(State.PENDING, State.RUNNING))
        assert len(history.completed) == sum(t.is_over for t in history.trials())


def test_trials_are_numbered_in_order():
    log = Log(SETTING)
    with pytest.raises(StorageError, match="trials are numbered in order, got 1 after 0"):
        log.append([Asked(1, Proposal(None), 0, RUNGS[0])])
