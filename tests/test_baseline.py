"""A user's own network as the baseline: read from its file, trained as the best networks are, judged."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nasturtium as nas
from nasturtium import _baseline
from nasturtium._baseline import baseline_class, baseline_space, train_baseline
from nasturtium._evidence import MOST_SEEDS, Means, results_of
from nasturtium._search import reopen
from nasturtium.errors import UsageError
from nasturtium.trials import Note

SOURCE = """
from torch import nn

WIDTH = 4

class Own(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, WIDTH, 3)
        self.head = nn.Linear(WIDTH, num_classes)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))

class Wrong(nn.Linear):
    def __init__(self):
        super().__init__(7, 2)

class Image(Own):
    def __init__(self):
        super().__init__(1, 7)
"""

SMALL = {"space": "chain(stages=1, depth=1, widths=(4, 6, 8))", "estimator": "training(epochs=1)", "executor": "inline"}


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    y = np.arange(240) % 3
    x = rng.normal(size=(240, 1, 6, 6)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 0, 2 * label : 2 * label + 2] += 2
    return nas.Task.from_tensors(x, y, name="bars")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "own.py"
    path.write_text(SOURCE)
    return str(path)


def test_the_constructor_gets_the_shapes_of_both_ends(task, file):
    space = baseline_space(f"{file}:Own", task)
    graph = space.graph(space.sample(np.random.default_rng(0)))
    assert graph.params == 9 * 4 + 4 + 4 * 3 + 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{file}", "a baseline is FILE.py:CLASS, got"),
        ("{file}:", "a baseline is FILE.py:CLASS, got"),
        ("nothing.py:Own", "a baseline's file must exist, got 'nothing.py'"),
        ("{file}:Owm", "a baseline is a class of its file, got 'Owm'; did you mean 'Own'"),
        ("{file}:Image", r"a baseline gives 3 outputs an example, got shape \(7,\)"),
        ("{file}:Wrong", "every choice must fit, got .*Wrong"),
        ("{broken}:Own", "a baseline's file must run, got ZeroDivisionError"),
    ],
)
def test_what_does_not_fit_is_one_line(task, file, tmp_path, name, message):
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(UsageError, match=message):
        baseline_space(name.format(file=file, broken=tmp_path / "broken.py"), task)


def test_it_is_trained_by_the_final_recipe_on_no_more_compute_than_the_search(task, file, tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    study = nas.search(
        task, trials=3, baseline=f"{file}:Own", out=tmp_path / "out", storage=url, name="s", **SMALL
    )  # fmt: skip
    note = next(e.data for e in study.journal.log.events() if isinstance(e, Note) and e.kind == "baseline")
    final, child = (reopen_child(study, kind) for kind in ("final@3", one_of(study, "baseline@")))
    assert child.created["estimator"] | {"arguments": 0} == final.created["estimator"] | {"arguments": 0}
    assert note["epochs"] in (note["tried"] or [note["usual_epochs"]])
    assert child.created["task"]["content"] == task.content
    assert 1 <= len(note["test_errors"]) <= MOST_SEEDS
    assert len(set(note["test_errors"])) > 1 or len(note["test_errors"]) == 1 or note["test_errors"][0] in (0.0, 1.0)
    assert note["params"] == 9 * 4 + 4 + 4 * 3 + 3
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Own (55 parameters" in page
    assert "Own (55 parameters" in study.report(tmp_path / "again.html").read_text()
    front = json.loads((tmp_path / "out" / "front.json").read_text())
    assert all(entry["folder"].startswith("trial-") for entry in front)
    again = nas.search(task, trials=3, baseline=f"{file}:Own", storage=url, name="s", **SMALL)
    notes = [e for e in again.journal.log.events() if isinstance(e, Note) and e.kind == "baseline"]
    assert len(notes) == 1


def one_of(study, prefix):
    [name] = [n.removeprefix("s/") for n in study.storage.studies() if n.startswith(f"s/{prefix}")]
    return name


def reopen_child(study, kind):
    from nasturtium._stored import stored_study

    return stored_study(f"{study.name}/{kind}", study.storage)


def test_too_little_time_shortens_it(task, file, tmp_path):
    study = nas.search(task, trials=1, storage=f"sqlite:///{tmp_path}/s.db", name="s", **SMALL)
    train_baseline(study, f"{file}:Own", 1e-6, Means())
    result = results_of(study.notes)["baseline_result"]
    assert result["epochs"] == 1
    assert len(result["test_errors"]) == 1


def test_after_an_interruption_another_length_is_no_obstacle(task, file, tmp_path, monkeypatch):
    study = nas.search(task, trials=1, storage=f"sqlite:///{tmp_path}/s.db", name="s", **SMALL)
    monkeypatch.setattr(_baseline, "charged_seconds", lambda study: 1e6)
    monkeypatch.setattr(_baseline, "_usual_epochs", lambda study: 1)
    monkeypatch.setattr(_baseline, "_validated", lambda study, space, epochs, seconds, means: (1 / epochs, 0.01))
    train_baseline(study, f"{file}:Own", 1e-6, Means())
    train_baseline(study, f"{file}:Own", None, Means())  # as if its note had been lost, and more time were left
    lengths = [results_of([note])["baseline_result"]["epochs"] for note in study.notes if note.kind == "baseline"]
    assert lengths[0] == 1 < lengths[1]


@pytest.mark.parametrize(("workers", "charged", "seconds"), [(1, 1000.0, 40.0), (2, 1000.0, 40.0), (2, 40.0, None)])
def test_what_its_choice_takes_is_no_longer_there_for_its_training(
    task, file, tmp_path, monkeypatch, workers, charged, seconds
):
    study = nas.search(task, trials=1, storage=f"sqlite:///{tmp_path}/s.db", name="s", **SMALL)
    clock = [0.0]
    within = []

    def validated(study, space, epochs, seconds, means):
        clock[0] += epochs
        return 0.1, float(epochs)

    def again(study, space, strategy, name, epochs, seconds, means):
        within.append((strategy.n * epochs, seconds))
        return {"epochs": epochs, "test_errors": [], "seconds": 0.0}

    monkeypatch.setattr(_baseline, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(_baseline, "seconds_an_epoch", lambda study, space: 1.0)
    monkeypatch.setattr(_baseline, "charged_seconds", lambda study: charged)
    monkeypatch.setattr(_baseline, "_usual_epochs", lambda study: 4)
    monkeypatch.setattr(_baseline, "_validated", validated)
    monkeypatch.setattr(_baseline, "train_again", again)
    train_baseline(study, f"{file}:Own", seconds, Means("local", workers))
    [(planned, allowed)] = within
    assert clock[0] == 4 + 8  # 4 + 8 + 16 epochs would be more than half of the time
    assert allowed == (None if seconds is None else seconds - clock[0])
    assert 0 < planned <= (charged - clock[0] if allowed is None else workers * allowed)


def test_a_resumed_search_finds_the_file_again(task, file, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(file).parent)
    study = nas.search(task, trials=1, baseline="own.py:Own", storage=f"sqlite:///{tmp_path}/s.db", name="s", **SMALL)
    monkeypatch.chdir(tmp_path)
    stored = reopen("s", f"sqlite:///{tmp_path}/s.db", task).created["baseline"]
    assert baseline_class(stored).__name__ == "Own"
    assert study.created["baseline"] == stored
