"""The whole job from Python: search, final training, test, export, and going on later."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import nasturtium as nas
from nasturtium import _complete, _final, _planning
from nasturtium._complete import complete
from nasturtium._evidence import results_of
from nasturtium._final import FinalPlan, children_of, open_final, plan_final
from nasturtium._planning import divide, time_epoch
from nasturtium._search import reopen
from nasturtium.errors import RequirementError, StudyExistsError, UsageError
from nasturtium.spaces import load
from nasturtium.tasks import Crop
from nasturtium.trials import Note

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {
    "space": "chain(stages=1, depth=1, widths=(4, 6, 8, 12))",
    "estimator": "training(epochs=1)",
    "executor": "inline",
}


def bars(n: int = 240) -> nas.Task:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 1, 6, 6)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 0, 2 * label : 2 * label + 2] += 2
    return nas.Task.from_tensors(x, y, name="bars")


@pytest.fixture(scope="module")
def task() -> nas.Task:
    return bars()


def reads(study: nas.Study) -> list[tuple[int, str]]:
    notes = [e for owner in (study, *children_of(study)) for e in owner.journal.log.events() if isinstance(e, Note)]
    return [(n.data["of"], n.data["weights"]) for n in notes if n.kind == "tested"]


def test_a_search_delivers_networks_front_and_report(task: nas.Task, tmp_path: Path) -> None:
    study = nas.search(task, trials=2, objectives=["valid_error", "params"], out=tmp_path / "out", **SMALL)
    front = json.loads((tmp_path / "out" / "front.json").read_text())
    assert [entry["trial"] for entry in front] == [t.number for t in study.front()]
    for entry in front:
        folder = tmp_path / "out" / entry["folder"]
        assert {"model.py", "weights.safetensors", "architecture.json", "model.pt2"} <= {
            p.name for p in folder.iterdir()
        }
        assert entry["weights"] == "final"
        assert 0 <= entry["test_error"] <= 1
        assert entry["params"] == study.history.trial(entry["trial"]).metrics["params"]
    assert "bars" in (tmp_path / "out" / "report.html").read_text()


def test_of_networks_that_are_equal_in_every_objective_the_smallest_is_delivered(tmp_path: Path) -> None:
    def alike(logits: object, y: object) -> float:
        return 0.5

    rng = np.random.default_rng(0)
    task = nas.Task.from_tensors(rng.normal(size=(90, 1, 6, 6)), np.arange(90) % 3, metric=alike)
    study = nas.search(
        task, trials=4, strategy="random-search", objectives=["valid_alike"], out=tmp_path / "out", **SMALL
    )  # fmt: skip
    front = study.front()
    least = min(front, key=lambda t: (t.metrics["params"], t.number))
    assert len(front) == 4
    assert least != front[0]
    assert [entry["trial"] for entry in json.loads((tmp_path / "out" / "front.json").read_text())] == [least.number]
    [final] = children_of(study)
    assert final.created["of"] == [least.number]
    assert results_of(study.notes)["seeds_result"]["of"] == least.number


def test_the_test_data_is_read_once_a_network_even_if_the_search_goes_on(task: nas.Task, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    nas.search(task, trials=2, name="s", storage=url, **SMALL)
    study = nas.search(task, trials=3, name="s", storage=url, **SMALL)
    assert study.history.n_trials == 3
    numbers = [number for number, _ in reads(study)]
    assert len(numbers) == len(set(numbers))


def test_the_same_call_again_changes_nothing(task: nas.Task, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    first = nas.search(task, trials=2, name="s", storage=url, **SMALL)
    again = nas.search(task, trials=2, name="s", storage=url, **SMALL)
    assert [t.metrics for t in again.history.trials()] == [t.metrics for t in first.history.trials()]
    assert reads(again) == reads(first)


@pytest.mark.parametrize(
    ("other", "part"),
    [({"space": "nasnet"}, "space"), ({"strategy": "random-search"}, "strategy"), ({"seed": 5}, "seed")],
)
def test_another_search_of_that_name_is_refused(
    task: nas.Task, tmp_path: Path, other: dict[str, object], part: str
) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    nas.search(task, trials=1, name="s", storage=url, **SMALL)
    with pytest.raises(StudyExistsError, match=part):
        nas.search(task, **{"trials": 1, "name": "s", "storage": url, **SMALL, **other})


def test_data_of_a_script_are_needed_to_go_on(task: nas.Task, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    nas.search(task, trials=1, name="s", storage=url, **SMALL)
    with pytest.raises(UsageError, match="used data of a script"):
        reopen("s", url)
    assert complete(reopen("s", url, task), executor="inline", trials=2).study.history.n_trials == 2


def test_the_report_of_a_study_has_the_final_results(task: nas.Task, tmp_path: Path) -> None:
    study = nas.search(task, trials=2, **SMALL)
    page = study.report(tmp_path / "report.html").read_text()
    assert "test error" in page


def test_an_export_does_not_replace_what_is_no_export(task: nas.Task, tmp_path: Path) -> None:
    study = nas.search(task, trials=1, **SMALL)
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="replaces an earlier one only"):
        study.export(0, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"
    study.export(0, tmp_path / "network")
    study.export(0, tmp_path / "network")
    assert (tmp_path / "network" / "model.py").exists()


def test_a_metric_of_the_task_is_an_objective(tmp_path: Path) -> None:
    def worst(logits: object, y: object) -> float:
        return 0.25

    rng = np.random.default_rng(0)
    task = nas.Task.from_tensors(rng.normal(size=(90, 1, 6, 6)), np.arange(90) % 3, metric=worst)
    study = nas.search(task, trials=1, objectives=["valid_worst"], **SMALL)
    assert study.front()[0].metrics["valid_worst"] == 0.25


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        ("digits", {"seed": -1}, "a seed is at least 0, got -1; take another."),
        (None, {}, "a task is a Task, a Problem, a name or a path, got NoneType; write 'digits', say."),
        (3, {}, "a task is a Task, a Problem, a name or a path, got int; write 'digits', say."),
    ],
)
def test_no_task_and_no_seed_are_told_in_a_line(task: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        nas.search(task, trials=1, **given)
    assert str(caught.value) == message


def test_a_scheduler_needs_rungs(task: nas.Task) -> None:
    with pytest.raises(RequirementError, match="needs an estimator with several rungs"):
        nas.search(task, trials=1, scheduler="successive-halving", **SMALL)


def test_successive_halving_finishes_a_third_of_a_bracket(task: nas.Task) -> None:
    options = {
        **SMALL,
        "space": "chain(stages=1, depth=2, widths=(2, 4, 8))",
        "estimator": "training(epochs=2, rungs=2, eta=2)",
    }
    study = nas.search(task, trials=4, scheduler="successive-halving(bracket=4, eta=2)", **options)
    states = sorted(str(t.state) for t in study.history.trials())
    assert states == ["finished", "finished", "stopped", "stopped"]


def test_little_time_means_a_share_of_the_data_and_much_means_more_candidates(task: nas.Task) -> None:
    space = load("chain", stages=1, depth=1, widths=(4,)).on(task)
    hasty, plan = divide(space, task, "training", 1e-5, None, 1, {})
    assert (hasty.epochs, hasty.fraction) == (1, 0.05)  # type: ignore[attr-defined]
    assert plan.expected >= 4
    patient, plan = divide(space, task, "training", 1000, None, 1, {})
    # An epoch of 153 examples is 3 steps, so that 80 steps are more than the 10 epochs of larger data.
    assert (patient.epochs, patient.fraction) == (27, 1.0)  # type: ignore[attr-defined]
    assert plan.expected > 40


def test_an_estimator_that_is_spelled_out_is_timed_so_that_schedules_fit_the_clock(
    task: nas.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {6: 2.0, 3: 0.5}  # an epoch, by the height of the images
    monkeypatch.setattr(_planning, "time_epoch", lambda _, smaller: seconds[smaller.input_shape[1]])
    space = load("chain", stages=1, depth=1, widths=(4,)).on(task)

    def expected(estimator: str, minutes: float | None, trials: int | None) -> int:
        return divide(space, task, estimator, minutes, trials, 2, {}, share=0.5)[1].expected

    assert expected("training(epochs=3)", 10.0, None) == int(_planning.PRUDENCE * 300 * 2 / 6)
    assert expected("training(epochs=3, resolution=0.5)", 10.0, None) == int(_planning.PRUDENCE * 300 * 2 / 1.5)
    assert expected("training(epochs=3)", 10.0, 50) == 50
    assert expected("training(epochs=3)", 10.0, 500) == expected("training(epochs=3)", 10.0, None)
    assert expected("training(epochs=3)", None, 500) == 500


def test_an_epoch_on_little_data_takes_the_time_of_its_validation_too(task: nas.Task) -> None:
    space = load("chain", stages=1, depth=1, widths=(4,)).on(task)
    judged = replace(task, valid=task.train.select(torch.arange(len(task.train)).repeat(300)))
    assert time_epoch(space, judged) > 3 * time_epoch(space, task)


def test_a_job_computes_in_one_thread_of_this_process_and_gives_the_others_back(
    task: nas.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(_complete, "train_seeds", lambda *_: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        nas.search(task, trials=1, **SMALL)
        assert seen == [1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_a_final_training_after_smaller_stand_ins_is_planned_by_the_network_itself(
    task: nas.Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = nas.Study(
        space="chain(stages=1, depth=1, widths=(4, 8))", estimator="training(epochs=1, resolution=0.5)",
        task=replace(task, augment=Crop(1)),
    )  # fmt: skip
    study.run("random-search", trials=2, seed=0)
    examples = study.task.for_search()
    an_epoch = 10.0 * len(examples.train) / (len(examples.train) + len(examples.valid))
    monkeypatch.setattr(_final, "time_epoch_of", lambda *_: an_epoch)
    planned = plan_final(study, 100.0, 1)
    assert planned is not None
    assert planned.epochs == 5


def test_more_time_trains_more_networks_for_longer(task: nas.Task) -> None:
    study = nas.search(task, trials=2, objectives=["valid_error", "params"], **SMALL)
    for child in children_of(study):
        assert child.created["kind"] == "final"
    fresh = nas.Study(
        space="chain(stages=1, depth=1, widths=(4, 8))", estimator="training(epochs=1)",
        task=replace(task, augment=Crop(1)), objectives=["valid_error", "params"],
    )  # fmt: skip
    fresh.run("random-search", trials=2, seed=0)
    little, much = plan_final(fresh, 0.01, 1), plan_final(fresh, 1000.0, 1)
    assert little is not None
    assert much is not None
    assert (len(little.numbers), little.epochs) == (1, 1)
    assert much == FinalPlan(tuple(t.number for t in fresh.front()), 12)
    fresh.task = task  # without augmentation, longer would fit the training examples more closely
    assert plan_final(fresh, 1000.0, 1) == FinalPlan(tuple(t.number for t in fresh.front()), 1)
    assert open_final(fresh, None) is None
