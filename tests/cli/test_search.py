"""A search from the command line, from the data to the exported networks."""

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nasturtium._complete as job
from nasturtium._stored import stored_study
from nasturtium.storage import new_owner, open_storage

FILES = {"architecture.json", "model.onnx", "model.pt2", "model.py", "weights.safetensors"}


def test_a_search_prints_what_it_did_in_a_handful_of_lines(done):
    lines = done.result.out.splitlines()
    assert lines[0] == "first: digits, chain, regularized-evolution, seed 0"
    assert lines[1] == "plan: 3 trials with 1 worker"
    phases = [re.fullmatch(r" *[\d.]+ (s|min .*)  (.+)", line) for line in lines[2:6]]
    assert [phase[2] for phase in phases] == [
        "search", "final training", "other seeds, a network made by hand", "test and export",
    ]  # fmt: skip
    assert "Pareto front" in done.result.out
    assert f"files: {done.out}" in done.result.out
    assert f"study: first, seed 0, in {done.url}" in done.result.out
    assert re.search(
        r"^winner: The winner, trial \d, trained with 3 seeds, has a test error of ", done.result.out, re.M
    )
    assert re.search(r"^by hand: A network made by hand, residual \(", done.result.out, re.M)
    assert "\x1b" not in done.result.out
    assert done.result.err == ""


def test_the_summary_says_how_the_time_was_spent(done):
    line = next(line for line in done.result.out.splitlines() if line.startswith("time: "))
    assert re.search(r"\(search .+, final training .+, test and export .+\)", line)


def test_a_search_leaves_report_front_and_networks(done):
    front = json.loads((done.out / "front.json").read_text())
    assert (done.out / "report.html").stat().st_size > 10_000
    assert front
    for entry in front:
        assert {path.name for path in (done.out / entry["folder"]).iterdir()} == FILES
        assert 0 <= entry["test_error"] <= 1
        assert entry["params"] > 0


def test_the_report_names_the_command(done):
    assert "nasturtium search digits --trials 3 --name first" in (done.out / "report.html").read_text()


def test_without_names_study_database_and_folder_are_called_after_the_task(run, short):
    result = run("search", "digits", "--trials", 2, "--limit", "params=9000", *short)
    assert result.code == 0, result.err
    assert result.out.startswith("digits-1: digits")
    found = {path.name for path in Path.cwd().iterdir()}
    assert found == {"nasturtium.db", "nasturtium.db.checkpoints", "out"}
    assert (Path("out") / "digits-1" / "report.html").exists()
    trials = json.loads(run("show", "digits-1", "--json").out)["trials"]
    assert all(trial["metrics"]["params"] <= 9000 for trial in trials)
    assert "limits      params <= 9,000" in run("show", "digits-1").out


def test_a_folder_of_images_is_searched(run, short, tmp_path):
    rng = np.random.default_rng(0)
    for shade, name in ((0, "dark"), (128, "bright")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(shade, shade + 100, (10, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    result = run("search", tmp_path / "photos", "--trials", 1, *short)
    assert result.code == 0, result.err
    assert result.out.startswith("photos-1: photos")


def trials_of(name, url):
    history = stored_study(name, open_storage(url)).history
    return [(t.number, t.architecture, t.metrics) for t in history.trials()]


@pytest.fixture
def stopping(monkeypatch):
    """Return what makes the next job stop, as by Ctrl-C, when a phase has gone on for a while."""

    def stop_at(phase, calls=0):
        complete = job.complete
        seen = []

        def stopped(study, *, watch, **options):
            def counting(now, owner, history):
                watch(now, owner, history)
                seen.append(now)
                if seen.count(phase) > calls:
                    raise KeyboardInterrupt

            return complete(study, watch=counting, **options)

        monkeypatch.setattr("nasturtium._jobs.complete", stopped)

    yield stop_at
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("phase", "calls"),
    [("search", 5), ("final", 2), pytest.param("export", 0, marks=pytest.mark.slow)],
)
def test_an_interrupted_search_is_resumed_to_the_same_end(run, short, done, stopping, phase, calls):
    line = ("search", "digits", "--trials", 3, "--name", "again", "--minimize", "valid_error")
    stopping(phase, calls)
    with pytest.MonkeyPatch.context() as inline:
        inline.setattr("nasturtium._jobs.LOCAL", "inline")
        result = run(*line, "--minimize", "params", *short)
        assert result.code == 130
        assert result.err == (
            "interrupted; everything measured is kept: nasturtium resume again --storage sqlite:///nasturtium.db\n"
        )
        inline.setattr("nasturtium._jobs.complete", job.complete)
        resumed = run("resume", "again")
    assert resumed.code == 0, resumed.err
    assert "Pareto front" in resumed.out
    url = "sqlite:///nasturtium.db"
    assert trials_of("again", url) == trials_of("first", done.url)
    assert trials_of("again/final@3", url) == trials_of("first/final@3", done.url)


def test_an_interruption_before_the_beginning_leaves_nothing(run, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nasturtium._prepare.prepare", interrupted)
    result = run("search", "digits", "--trials", 2)
    assert result.code == 130
    assert result.err == "interrupted before there was anything to keep; nothing was written.\n"
    assert list(Path.cwd().iterdir()) == []


def test_a_complete_search_says_so_on_resume(run, done):
    before = sorted(done.out.rglob("*"))
    result = run("resume", "first", "--storage", done.url)
    assert result.code == 0
    assert "first is complete" in result.out
    assert "Pareto front" in result.out
    assert f"files: {done.out}" in result.out
    assert sorted(done.out.rglob("*")) == before


def test_a_complete_search_is_delivered_again_to_another_folder(run, done, tmp_path, monkeypatch):
    monkeypatch.setattr("nasturtium._jobs.LOCAL", "inline")
    n_events = len(open_storage(done.url).read("first/final@3"))
    result = run("resume", "first", "--storage", done.url, "--out", tmp_path / "again")
    assert result.code == 0, result.err
    assert "first is complete" in result.out
    front = json.loads((tmp_path / "again" / "front.json").read_text())
    assert front == json.loads((done.out / "front.json").read_text())
    assert len(open_storage(done.url).read("first/final@3")) == n_events  # no test data read again


def test_a_complete_search_goes_on_with_more_trials(run, short, monkeypatch):
    monkeypatch.setattr("nasturtium._jobs.LOCAL", "inline")
    assert run("search", "digits", "--trials", 1, "--name", "more", *short).code == 0
    result = run("resume", "more", "--trials", 2)
    assert result.code == 0, result.err
    states = [t["state"] for t in json.loads(run("show", "more", "--json").out)["trials"]]
    assert states == ["finished"] * 2


def test_minutes_are_divided_and_kept(run):
    begun = time.monotonic()
    result = run("search", "digits", "--minutes", "0.05", "--executor", "inline", "--workers", 1)
    assert result.code == 0, result.err
    assert "55% of the time" in result.out
    assert time.monotonic() - begun < 40  # most of it is the export, which no budget shortens


def test_several_workers_are_said_to_be_too_many_for_the_inline_executor(run, short):
    result = run("search", "digits", "--trials", 2, "--workers", 2, *short)
    assert result.code == 2
    assert "inline executor has one worker" in result.err


def test_a_search_in_which_nothing_finishes_has_failed(run):
    estimator = "training(epochs=1, batch_size=64, learning_rate=1e30)"
    line = ("search", "digits", "--trials", 2, "--executor", "inline", "--estimator", estimator)
    result = run(*line)
    assert result.code == 1
    assert result.err.startswith("error: at least one candidate must finish, got 2 failures")
    assert result.err.count("\n") == 1
    assert "2 failed" in result.out


def test_a_search_that_another_process_runs_is_left_alone(run, done):
    storage = open_storage(done.url)
    owner = new_owner()
    storage.acquire("first", owner)
    try:
        result = run("resume", "first", "--trials", 9, "--storage", done.url)
    finally:
        storage.release("first", owner)
        storage.close()
    assert result.code == 2
    assert "one engine runs a study at a time" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")
def test_a_limit_of_memory_that_leaves_nothing_to_the_workers_is_refused_at_once(run):
    result = run("search", "digits", "--trials", 1, "--memory", "1MB", "--estimator", "training(epochs=1)")
    assert result.code == 2
    assert re.search(r"--memory\) is for a whole worker, which holds \d+ MB .*got 1 MB; raise it", result.err)
    assert "digits-1" not in run("list").out  # it comes before anything is stored


@pytest.mark.skipif(sys.platform != "linux", reason="needs the limits of Linux")
def test_a_limit_of_memory_reaches_the_workers_of_a_resumed_search_too(run, monkeypatch):
    monkeypatch.setattr("nasturtium._prepare.check_memory_leaves_room", lambda workload, memory_bytes: None)
    result = run("search", "digits", "--trials", 1, "--memory", "1MB", "--estimator", "training(epochs=1)")
    resumed = run("resume", "digits-1")
    for said in (result, resumed):
        assert said.code == 2
        assert "got 1 MB; raise it" in said.err
