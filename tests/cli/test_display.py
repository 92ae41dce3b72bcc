"""What a search shows while it runs, on a terminal and elsewhere."""

import io
import time

import pytest
from rich.console import Console

import nasturtium as nas
from nasturtium._display import Display, best_text, best_trials, clock, plan_text, states_text
from nasturtium.trials import Objective, State

PLAN = {"trials": 12, "minutes": None, "workers": 1, "why": "as given"}


def a_study(limits=None):
    space = nas.spaces.decisions(a=nas.spaces.choice(*range(12)))

    def measure(architecture):
        a = architecture["a"]
        if a == 4:
            raise ValueError("no")
        return {"valid_error": a / 100, "params": 100.0 - a}

    return nas.Study(
        space=space,
        estimator=nas.estimators.Function(measure),
        objectives=["valid_error", "params"],
        limits=limits,
        name="shown",
        notes={"plan": PLAN},
    )


def shown(*, is_terminal, seconds=None, trials=12):
    """Return what a short search leaves on a console, and one look at its live lines."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=is_terminal, width=100, highlight=False)
    study = a_study()
    study.begin("random-search")
    looks = []
    begun = time.monotonic()
    with Display(console, study, begun=begun, seconds=seconds, trials=trials) as display:
        display.watch("search", study, study.history)

        def watch(history):
            display._looked = 0.0
            display.watch("search", study, history)
            page = Console(file=io.StringIO(), width=100)
            page.print(display.render())
            looks.append(page.file.getvalue())

        study.run("random-search", trials=8, watch=watch)
    return file.getvalue(), looks


def test_on_a_terminal_the_lines_say_how_far_it_is():
    _, looks = shown(is_terminal=True)
    last = looks[-1]
    assert last.startswith("search")
    assert "of 12 finished" in last
    assert "1 failed" in last or "8 of 12 finished" in last
    assert "best so far  validation error" in last
    assert "left in this phase" in last
    assert "Ctrl-C" in last


def test_with_minutes_the_time_left_is_that_of_the_whole_job():
    _, looks = shown(is_terminal=True, seconds=90, trials=None)
    assert "of 1:30, 1:30 left" in looks[-1] or "of 1:30, 1:29 left" in looks[-1]


def test_elsewhere_there_are_three_plain_lines():
    text, _ = shown(is_terminal=False)
    lines = text.splitlines()
    assert lines[0].startswith("shown: no task, ")
    assert lines[0].endswith(", random-search, seed 0")
    assert lines[1] == "plan: 12 trials with 1 worker"
    assert len(lines) == 3
    assert lines[2].endswith("  search")
    assert "\x1b" not in text


def test_the_best_of_each_objective_is_shown_once():
    study = a_study().run("random-search", trials=12, seed=0)
    (error, first), (size, second) = best_trials(study.history)
    assert (error.metric, first.metrics["valid_error"]) == ("valid_error", 0.0)
    assert (size.metric, second.metrics["params"]) == ("params", 89.0)
    text = best_text(size, second, study.objectives)
    assert text == f"parameters 89, validation error 11.00 % (trial {second.number})"


def test_what_breaks_a_limit_is_not_the_best():
    study = a_study({"valid_error": -1.0}).run("random-search", trials=12, seed=0)
    assert best_trials(study.history) == []


def test_nothing_is_the_best_before_something_has_finished():
    study = a_study()
    study.begin("random-search")
    assert best_trials(study.history) == []


@pytest.mark.parametrize(
    ("states", "goal", "text"),
    [
        ({}, None, "0 finished"),
        ({State.FINISHED: 3, State.RUNNING: 1, State.PENDING: 1}, 9, "3 of 9 finished, 2 running"),
        ({State.PAUSED: 2, State.FAILED: 1}, None, "0 finished, 2 paused, 1 failed"),
    ],
)
def test_states_are_counted_in_words(states, goal, text):
    assert states_text(states, goal) == text


def test_a_plan_says_how_the_job_is_divided():
    assert plan_text(PLAN) == "12 trials with 1 worker"
    by_clock = {**PLAN, "trials": None, "minutes": 2.0, "workers": 2, "why": "an epoch takes 1 s"}
    assert plan_text(by_clock) == "2 min 0 s with 2 workers: an epoch takes 1 s"


def test_a_clock_shows_hours_only_if_there_are_any():
    assert [clock(s) for s in (0, 59.6, 3599, 3600)] == ["0:00", "1:00", "59:59", "1:00:00"]


def test_an_objective_to_be_made_large_has_its_best_too():
    space = nas.spaces.decisions(a=nas.spaces.choice(1, 2, 3))
    function = nas.estimators.Function(lambda architecture: {"accuracy": architecture["a"] / 10})
    study = nas.Study(space=space, estimator=function, objectives=[Objective("accuracy", maximize=True)])
    study.run("random-search", trials=3, seed=0)
    ((_, best),) = best_trials(study.history)
    assert best.metrics["accuracy"] == 0.3
