"""Loggers: what they write is a function of the log, whenever they begin to follow it."""

import json
import sys
from pathlib import Path

import pytest

import nasturtium as nas
from nasturtium.cli import main
from nasturtium.errors import MissingExtraError
from nasturtium.loggers import LOGGERS, JsonLines, Logger, TensorBoard, follow
from nasturtium.spaces import choice, decisions
from nasturtium.trials import event_from_json


def error(architecture):
    if architecture["a"] == 3:
        raise ValueError("three")
    return {"valid_error": architecture["a"] / 10, "params": 10.0 * architecture["a"]}


def study():
    return nas.Study(
        space=decisions(a=choice(*range(1, 6))),
        estimator=nas.estimators.Function(error),
        objectives=["valid_error"],
    )


def run(logger, *lengths):
    """Run a study in legs, each with a new watch, as after a resume."""
    searched = study()
    for n in lengths:
        with follow([logger]) as watch:
            searched.run("random-search", trials=n, seed=0, watch=watch)
    return searched


def test_every_line_is_an_event_of_the_log(tmp_path):
    searched = run(JsonLines(str(tmp_path / "a" / "log.jsonl")), 5)
    lines = [json.loads(line) for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    events = [event_from_json(line.pop("event"), line) for line in lines]
    assert events == searched.history.events()


def test_a_study_that_goes_on_is_written_as_if_it_had_never_stopped(tmp_path):
    run(JsonLines(str(tmp_path / "once.jsonl")), 5)
    run(JsonLines(str(tmp_path / "twice.jsonl")), 2, 5)
    once, twice = ((tmp_path / name).read_text().splitlines() for name in ("once.jsonl", "twice.jsonl"))
    volatile = {"when", "name", "t", "e", "d"}
    kept = [[{k: v for k, v in json.loads(x).items() if k not in volatile} for x in lines] for lines in (once, twice)]
    for number, line in enumerate(kept[0][1:], start=1):
        assert line == kept[1][number]
    assert len(once) == len(twice)


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for path in sorted(folder.iterdir()):
        read = EventAccumulator(str(path))
        read.Reload()
        for tag in read.Tags()["scalars"]:
            found[path.name, tag] = [(s.step, pytest.approx(s.value)) for s in read.Scalars(tag)]
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("lengths", [(5,), (2, 5)])
def test_tensorboard_has_every_metric_and_the_best_so_far(tmp_path, lengths):
    searched = run(TensorBoard(str(tmp_path)), *lengths)
    expected, best = {}, []
    for n, number in enumerate(searched.history.completed, start=1):
        trial = searched.history.trial(number)
        for measurement in trial.measurements:
            for name, value in measurement.metrics.items():
                expected.setdefault((f"trial-{number}", name), []).append((measurement.step, value))
        values = [searched.history.trial(k).metrics.get("valid_error") for k in searched.history.completed[:n]]
        if any(v is not None for v in values):
            best.append((n, min(v for v in values if v is not None)))
    assert len(expected) > 2
    found = scalars(tmp_path)
    assert found.pop(("study", "best valid_error")) == best
    assert found == expected


@pytest.mark.parametrize("text", ["tensorboard(folder='runs')", "mlflow"])
def test_a_missing_package_is_named_with_its_extra_before_anything_is_written(text, tmp_path, monkeypatch, capsys):
    extra = text.partition("(")[0]
    monkeypatch.setitem(sys.modules, extra, None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingExtraError, match=rf"nasturtium\[{extra}\]"):
        LOGGERS.create(text)
    assert main(["search", "digits", "--trials", "1", "--log", text]) == 2
    assert f"nasturtium[{extra}]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_search_writes_its_log_beside_its_report(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = ["--trials", "1", "--estimator", "training(epochs=1, fraction=0.1)", "--executor", "inline"]
    assert main(["search", "digits", *short, "--name", "a", "--out", "out", "--log", "json-lines(path='b.jsonl')"]) == 0
    kinds = [json.loads(line)["event"] for line in Path("out/log.jsonl").read_text().splitlines()]
    assert kinds[0] == "created"
    assert kinds[-1] == "ended"
    assert Path("b.jsonl").read_text() == Path("out/log.jsonl").read_text()


def test_an_unknown_logger_is_refused_before_anything_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["search", "digits", "--trials", "1", "--log", "tensorbord(folder='x')"]) == 2
    assert "did you mean 'tensorboard'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_one_can_be_added_in_one_class(tmp_path):
    class Count(Logger):
        def open(self, history):
            self.n = 0

        def write(self, history, events):
            self.n += len(events)

        def close(self):
            self.is_closed = True

    counter = Count()
    searched = run(counter, 3)
    assert counter.n == len(searched.history.events())
    assert counter.is_closed
    assert set(LOGGERS.names()) >= {"json-lines", "mlflow", "tensorboard"}
