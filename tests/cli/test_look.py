"""The commands that only look: list, show, report, export."""

import json
import math
import subprocess
import sys

import pytest

import nasturtium as nas
from nasturtium._listing import call_text, show_json, strict
from nasturtium._stored import stored_results, stored_study
from nasturtium.spaces import SPACES
from nasturtium.storage import open_storage

TRIAL = {
    "number",
    "state",
    "key",
    "architecture",
    "parents",
    "metrics",
    "reason",
    "seconds",
}


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def loads(text):
    return json.loads(text, parse_constant=no_constant)


def test_show_json_is_the_object_of_the_design(run, done):
    shown = loads(run("show", "first", "--storage", done.url, "--json").out)
    assert list(shown) == ["name", "seed", "space", "strategy", "objectives", "trials"]
    assert shown["name"] == "first"
    assert shown["seed"] == 0
    assert shown["objectives"] == ["valid_error", "params"]
    assert [trial["number"] for trial in shown["trials"]] == [0, 1, 2]
    for trial in shown["trials"]:
        assert set(trial) == TRIAL
        assert trial["state"] == "finished"
        assert trial["reason"] is None
        assert 0 <= trial["metrics"]["valid_error"] <= 1
        assert trial["seconds"] > 0


def test_the_components_that_show_prints_can_be_used_again(run, done):
    shown = loads(run("show", "first", "--storage", done.url, "--json").out)
    assert SPACES.create(shown["space"]) == SPACES.create("chain")
    strategy = nas.strategies.STRATEGIES.create(shown["strategy"])
    assert strategy == nas.strategies.RegularizedEvolution().scaled(3)


def test_an_architecture_that_show_prints_is_in_the_space(run, done):
    shown = loads(run("show", "first", "--storage", done.url, "--json").out)
    space = nas.spaces.load("chain")
    for trial in shown["trials"]:
        assert space.parse(json.dumps(trial["architecture"])).key == trial["key"]


def test_show_prints_both_keys_and_the_test_error(run, done):
    out = run("show", "first", "--storage", done.url).out
    study = stored_study("first", open_storage(done.url))
    for trial in study.history.trials():
        assert trial.architecture.key in out
        assert study.graph_key(trial) in out
    results = stored_results(study, list(study.children(open_storage(done.url))))
    assert len(results) == len(study.history.front())
    for result in results:
        assert f"{100 * result.test_error:.2f} %" in out
        assert result.n_test == 359
    assert "first/final@3: 3 finished" in out


def test_what_the_log_says_of_the_front_is_what_was_delivered(done):
    storage = open_storage(done.url)
    study = stored_study("first", storage)
    results = stored_results(study, list(study.children(storage)))
    front = json.loads((done.out / "front.json").read_text())
    for entry, result in zip(front, results, strict=True):
        for name in ("trial", "key", "params", "flops", "epochs", "valid_error", "test_error"):
            assert entry[name] == getattr(result, name), name


def test_a_final_training_is_shown_too(run, done):
    out = run("show", "first/final@3", "--storage", done.url).out
    assert "first/final@3 (final), seed 0" in out
    assert "training error" in out
    shown = loads(run("show", "first/final@3", "--storage", done.url, "--json").out)
    assert [trial["state"] for trial in shown["trials"]] == ["finished"] * 3


def test_list_names_every_study_with_its_states_and_best(run, done):
    out = run("list", "--storage", done.url).out
    first, final, seeds, by_hand = out.splitlines()[1:5]
    assert first.split()[:5] == ["first", "search", "digits", "3", "finished"]
    assert "validation error" in first
    assert final.split()[:3] == ["first/final@3", "final", "digits"]
    assert [line.split("@")[0].strip() for line in (by_hand, seeds)] == ["first/by-hand", "first/seeds"]
    search, *_ = loads(run("list", "--storage", done.url, "--json").out)
    assert search["states"] == {"finished": 3}
    assert set(search["best"]) == {"valid_error", "params"}


def test_looking_loads_no_torch(done):
    code = "import sys; from nasturtium.cli import main; code = main(sys.argv[1:]);"
    code += "sys.exit(code or 'torch' in sys.modules)"
    for line in (["list"], ["show", "first"], ["show", "first", "--json"]):
        command = [sys.executable, "-c", code, *line, "--storage", done.url]
        subprocess.run(command, check=True, capture_output=True)


def test_looking_writes_nothing(run, done, tmp_path):
    folder = done.out.parent
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    for line in (["list"], ["show", "first"]):
        assert run(*line, "--storage", done.url).code == 0
    after = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    assert {p: t for p, t in after.items() if not p.name.endswith("-shm")} == {
        p: t for p, t in before.items() if not p.name.endswith("-shm")
    }


def test_a_report_of_a_stored_study_is_written(run, done, tmp_path):
    result = run("report", "first", "--out", tmp_path / "new" / "a.html", "--storage", done.url)
    assert result.code == 0, result.err
    page = (tmp_path / "new" / "a.html").read_text()
    results = stored_results(
        stored_study("first", open_storage(done.url)),
        [stored_study("first/final@3", open_storage(done.url))],
    )
    assert f"{100 * results[0].test_error:.2f} %" in page


def test_any_trial_is_exported_as_the_front_was(run, done, tmp_path):
    line = ("export", "first", "--trial", 1, "--out", tmp_path / "one", "--storage", done.url)
    result = run(*line)
    assert result.code == 0, result.err
    written = {path.name for path in (tmp_path / "one").iterdir()}
    assert written == {path.name for path in (done.out / "trial-1").iterdir()}
    assert all(name in result.out for name in written)
    weights = "weights.safetensors"
    assert (tmp_path / "one" / weights).read_bytes() == (done.out / "trial-1" / weights).read_bytes()


# --- studies that a script ran -------------------------------------------------------------------


@pytest.fixture
def odd(tmp_path):
    """Return the URL of a study with failures, values that are no numbers, and many trials."""
    url = f"sqlite:///{tmp_path}/odd.db"

    def measure(architecture):
        a = architecture["a"]
        if a % 10 == 3:
            raise ValueError("kernel larger than image")
        return {"valid_error": math.nan if a == 5 else a / 100, "cost": math.inf}

    study = nas.Study(
        space=nas.spaces.decisions(a=nas.spaces.choice(*range(70))),
        estimator=nas.estimators.Function(measure),
        storage=url,
        name="odd",
    )
    study.run("random-search", trials=70, seed=0)
    return url


def test_values_that_are_no_json_numbers_become_null(run, odd):
    shown = loads(run("show", "odd", "--storage", odd, "--json").out)
    by_value = {trial["architecture"]["a"]: trial for trial in shown["trials"]}
    assert by_value[5]["metrics"] == {"valid_error": None, "cost": None}
    assert by_value[6]["metrics"] == {"valid_error": 0.06, "cost": None}
    assert by_value[3]["state"] == "failed"
    assert by_value[3]["reason"] == "ValueError: kernel larger than image"
    assert shown["space"].startswith("decisions(blocks=(('a', choice(values=(0, 1, 2,")


def test_of_many_trials_the_best_are_shown_and_failures_are_counted(run, odd):
    out = run("show", "odd", "--storage", odd).out
    assert "The best 50 of 70 trials" in out
    assert "7 trials failed: ValueError: kernel larger than image" in out
    assert "63 finished, 7 failed" in out


def test_a_trial_in_flight_is_listed_as_such(run, tmp_path):
    url = f"sqlite:///{tmp_path}/flight.db"
    study = nas.Study(space=nas.spaces.decisions(a=nas.spaces.choice(1, 2)), storage=url, name="f")
    study.ask("random-search", seed=0)
    (trial,) = loads(run("show", "f", "--storage", url, "--json").out)["trials"]
    assert trial["state"] == "pending"
    assert trial["metrics"] == {}
    assert "1 pending" in run("list", "--storage", url).out


# --- parts ---------------------------------------------------------------------------------------


def test_strict_json_has_no_constants():
    value = {"a": [math.nan, 1.5, (math.inf,)], "b": "text", "c": None}
    assert strict(value) == {"a": [None, 1.5, [None]], "b": "text", "c": None}


@pytest.mark.parametrize("text", ["chain", "nasnet(cells=2)", "chain(kernels=(3,))"])
def test_a_stored_component_reads_as_it_was_written(text):
    assert call_text(SPACES, SPACES.describe(SPACES.create(text))) == text


def test_show_json_of_a_study_is_what_the_command_prints(run, done):
    study = stored_study("first", open_storage(done.url))
    shown = loads(run("show", "first", "--storage", done.url, "--json").out)
    assert json.loads(json.dumps(show_json(study))) == shown


def test_show_draws_the_network_of_a_trial(run, done, tmp_path):
    text = run("show", "first", "--storage", done.url, "--trial", "1").out
    study = stored_study("first", open_storage(done.url))
    graph = study.history.study.space.graph(study.history.trial(1).architecture)
    assert text.startswith("flowchart TB")
    assert text.count("\n    g0_") >= len(graph.nodes)
    file = tmp_path / "drawings" / "one.svg"
    assert run("show", "first", "--storage", done.url, "--trial", "1", "--svg", str(file)).out.strip() == str(file)
    assert file.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--trial", "3"], "a trial has a number below 3, got 3"),
        (["--svg", "a.svg"], "--svg draws the network of one trial, got none"),
        (["--trial", "0", "--svg", "a.png"], "--svg is a file that ends in .svg"),
    ],
)
def test_what_can_not_be_drawn_is_refused_in_one_line(run, done, arguments, reason):
    result = run("show", "first", "--storage", done.url, *arguments)
    assert result.code == 2
    assert reason in " ".join(result.err.split())


@pytest.mark.parametrize(("file", "read"), [("a.parquet", "read_parquet"), ("a.csv", "read_csv")])
def test_the_trials_are_written_as_a_table(run, done, file, read):
    pandas = pytest.importorskip("pandas")
    result = run("show", "first", "--storage", done.url, "--table", file)
    assert result.code == 0, result.err
    frame = getattr(pandas, read)(file)
    shown = loads(run("show", "first", "--storage", done.url, "--json").out)["trials"]
    assert list(frame["number"]) == [trial["number"] for trial in shown]
    assert list(frame["valid_error"]) == pytest.approx([trial["metrics"]["valid_error"] for trial in shown])
    assert "0.out" in frame.columns


def test_a_table_of_another_kind_is_refused(run, done):
    result = run("show", "first", "--storage", done.url, "--table", "a.xlsx")
    assert result.code == 2
    assert "--table is a file that ends in .parquet" in result.err
