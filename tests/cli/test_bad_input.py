"""Wrong usage: exit code 2, one line that says rule, value and way out, and nothing written."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SEARCH = ("search", "digits", "--trials", "2")


def assert_refused(result, *words):
    assert result.code == 2, result.out + result.err
    assert result.err.count("\n") == 1, result.err
    assert result.err.endswith("\n")
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("search", "digitz", "--trials", "2"), ["unknown task 'digitz'", "did you mean 'digits'"]),
        ((*SEARCH, "--space", "nasnett"), ["unknown space 'nasnett'", "did you mean 'nasnet'"]),
        ((*SEARCH, "--strategy", "random-serch"), ["did you mean 'random-search'"]),
        ((*SEARCH, "--estimator", "trainin"), ["did you mean 'training'"]),
        ((*SEARCH, "--scheduler", "fixd"), ["did you mean 'fixed'"]),
        ((*SEARCH, "--executor", "locl"), ["did you mean 'local'"]),
        ((*SEARCH, "--executor", "ray"), ["Ray", "use --executor local"]),
        (("components", "strategis"), ["did you mean 'strategies'"]),
        (("serch", "digits"), ["No such command 'serch'".lower(), "did you mean 'search'"]),
        (("search", "digits", "--minuts", "2"), ["--minuts", "--minutes", "search --help"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_mistyped_name_is_refused_with_a_near_match(run, line, words):
    result = run(*line)
    assert_refused(result)
    for word in words:
        assert word.lower() in result.err.lower()


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("regularized-evolution(population=10)", ["'population'", "did you mean 'population_size'"]),
        ("regularized-evolution(population_size=0)", ["at least 1", "got 0"]),
        ("regularized-evolution(population_size='x')", ["regularized-evolution"]),
        ("regularized-evolution(10)", ["arguments have names"]),
        ("regularized-evolution(population_size=10", ["NAME(argument=value"]),
        ("random-search(repeats=avoid)", ["quote strings"]),
    ],
)
def test_a_mistyped_argument_of_a_component_is_refused(run, strategy, words):
    assert_refused(run(*SEARCH, "--strategy", strategy), *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--minutes", "-1"), ["above 0", "got '-1'", "--minutes 10"]),
        (("--minutes", "0"), ["above 0"]),
        (("--minutes", "nan"), ["got 'nan'"]),
        (("--minutes", "inf"), ["got 'inf'"]),
        (("--minutes", "soon"), ["got 'soon'"]),
        (("--trials", "0"), ["from 1 on", "got '0'", "--trials 30"]),
        (("--trials", "2.5"), ["got '2.5'"]),
        (("--trials", "2", "--workers", "0"), ["from 1 on", "--workers 2"]),
        (("--trials", "2", "--memory", "2"), ["a size in MB or GB", "got '2'", "--memory 2GB"]),
        (("--trials", "2", "--memory", "2GB", "--executor", "inline"), ["worker processes", "--executor local"]),
        (("--trials", "2", "--seed", "-3"), ["from 0 on", "got '-3'"]),
        (("--trials", "2", "--minutes", "1"), ["--minutes 1 and --trials 2", "drop one"]),
        ((), ["needs a budget", "--minutes 5"]),
        (("--trials",), ["requires an argument"]),
        (("digits", "--trials", "2"), ["unexpected"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_wrong_budget_is_refused(run, options, words):
    assert_refused(run("search", "digits", *options), *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--limit", "params=abc"), ["METRIC=VALUE", "'params=abc'", "--limit params=100000"]),
        (("--limit", "params"), ["METRIC=VALUE"]),
        (("--limit", "=3"), ["METRIC=VALUE"]),
        (("--limit", "params=1", "--limit", "params=2"), ["one limit", "drop one"]),
        (("--limit", "parms=100000"), ["unknown metric 'parms'", "did you mean 'params'"]),
        (("--limit", "params=-5"), ["positive", "-5"]),
        (("--limit", "params=3"), ["leave some networks", "params=3", "loosen"]),
        (("--minimize", "valid_eror"), ["'valid_eror'", "did you mean 'valid_error'"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_wrong_objective_or_limit_is_refused(run, options, words):
    assert_refused(run(*SEARCH, *options), *words)


def test_a_strategy_for_one_objective_says_so_before_anything_is_written(run, monkeypatch):
    from nasturtium.strategies import RegularizedEvolution

    monkeypatch.setattr(RegularizedEvolution, "multi_objective", False)
    line = (*SEARCH, "--minimize", "valid_error", "--minimize", "params")
    assert_refused(run(*line), "handles one objective", "valid_error")


# --- data ----------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    """Return a folder beside the working folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def images(folder, *classes):
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir()
        for i in range(10):
            pixels = rng.integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")


def arrays(folder, **content):
    rng = np.random.default_rng(0)
    whole = {"x": rng.random((40, 8, 8), np.float32), "y": np.arange(40) % 2, **content}
    np.savez(folder / "data.npz", **whole)
    return folder / "data.npz"


def test_an_empty_image_folder_is_refused(run, data):
    assert_refused(run("search", data, "--trials", 2), str(data), "one folder of images per class")


def test_a_corrupt_image_is_named(run, data):
    images(data, "cat", "dog")
    (data / "cat" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert_refused(run("search", data, "--trials", 2), str(data / "cat" / "3.png"))


def test_x_and_y_of_different_length_are_refused(run, data):
    path = arrays(data, y=np.arange(39) % 2)
    assert_refused(run("search", path, "--trials", 2), "same length", "40", "39", str(path))


def test_pixels_that_are_no_number_are_refused(run, data):
    x = np.ones((40, 8, 8), np.float32)
    x[7, 1, 2] = np.nan
    assert_refused(run("search", arrays(data, x=x), "--trials", 2), "finite", "x[7, 1, 2]")


def test_one_class_only_is_refused(run, data):
    path = arrays(data, y=np.zeros(40, int))
    assert_refused(run("search", path, "--trials", 2), "at least 2 classes")


def test_images_of_one_class_only_are_refused(run, data):
    images(data, "cat")
    assert_refused(run("search", data, "--trials", 2), "at least 2 classes", "'cat'")


def test_pickled_objects_are_refused_and_not_loaded(run, data):
    x = np.array([{"secret": 1}] * 40, dtype=object)
    assert_refused(run("search", arrays(data, x=x), "--trials", 2), "data.npz", "object")


@pytest.mark.parametrize("path", ["./missing", "missing.npz", "/no/such/folder"])
def test_a_missing_path_is_refused(run, path):
    assert_refused(run("search", path, "--trials", 2), "must exist", path)


# --- where results go ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["studies.db/out", "studies.db"])
def test_an_out_folder_that_cannot_be_written_is_refused(run, data, name):
    (data / "studies.db").write_bytes(b"")
    assert_refused(run(*SEARCH, "--out", data / name), "folder that can be written", str(data))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that root can't write")
def test_an_out_folder_that_not_even_root_can_write_is_refused(run):
    assert_refused(run(*SEARCH, "--out", "/proc/out"), "'/proc/out'", "choose another")


def text_file(folder):
    path = folder / "notes.txt"
    path.write_text("these are no studies, but notes")
    return path


def other_database(folder):
    path = folder / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    return path


def newer_database(folder):
    path = folder / "newer.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE nasturtium_migrations (number INTEGER, name TEXT)")
        connection.execute("INSERT INTO nasturtium_migrations VALUES (99, 'from the future')")
    connection.close()
    return path


DATABASES = {
    text_file: ["SQLite database", "name another"],
    other_database: ["'songs'", "name another"],
    newer_database: ["newer nasturtium", "schema 99", "upgrade"],
    lambda folder: folder: ["is a file", "folder"],
    lambda folder: folder / "no" / "studies.db": ["folder of a database"],
}
LOOKS = [("list",), ("show", "a"), ("resume", "a"), ("export", "a", "--trial", "0", "--out", "o")]


@pytest.mark.parametrize("make", DATABASES, ids=["text", "other", "newer", "folder", "missing"])
def test_a_database_that_cannot_be_used_is_refused(run, data, make):
    url = f"sqlite:///{make(data)}"
    before = sorted(data.iterdir())
    assert_refused(run(*SEARCH, "--storage", url), *DATABASES[make])
    for line in LOOKS:
        result = run(*line, "--storage", url)
        assert_refused(result)
        assert str(data) in result.err
    assert sorted(data.iterdir()) == before


@pytest.mark.parametrize("line", [*LOOKS, ("report", "a", "--out", "a.html")])
def test_a_command_that_looks_makes_no_database(run, line):
    assert_refused(run(*line), "no database at", "nasturtium search")


@pytest.mark.parametrize("url", ["nasturtium.db", "mysql://host/db", "sqlite://", ""])
def test_a_storage_that_is_no_url_is_refused(run, url):
    assert_refused(run(*SEARCH, "--storage", url), "sqlite:///studies.db")


# --- stored studies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        ("show", "frist"),
        ("show", "frist", "--json"),
        ("resume", "frist"),
        ("report", "frist", "--out", "a.html"),
        ("export", "frist", "--trial", "0", "--out", "o"),
    ],
    ids=lambda line: line[0],
)
def test_an_unknown_study_is_refused_with_a_near_match(run, done, line):
    assert_refused(run(*line, "--storage", done.url), "no study 'frist'", "did you mean 'first'")


def test_a_name_that_is_taken_is_refused(run, done):
    result = run(*SEARCH, "--name", "first", "--storage", done.url)
    assert_refused(result, "'first'", "another --name", "nasturtium resume first")


@pytest.mark.parametrize("name", ["a/b", "", "a\nb"])
def test_a_name_of_a_wrong_form_is_refused(run, name):
    assert_refused(run(*SEARCH, "--name", name), "name", "choose another")


@pytest.mark.parametrize("trial", ["3", "x", "-1"])
def test_a_trial_that_does_not_exist_is_refused(run, done, trial):
    line = ("export", "first", "--trial", trial, "--out", "o", "--storage", done.url)
    assert_refused(run(*line), f"got {trial}" if trial == "3" else f"got '{trial}'")


@pytest.mark.parametrize("line", [("resume",), ("export", "--trial", "0", "--out", "o")])
def test_a_final_training_is_not_the_search(run, done, line):
    command, *rest = line
    result = run(command, "first/final@3", *rest, "--storage", done.url)
    assert_refused(result, "final training", "'first'")


@pytest.mark.parametrize("out", ["page.txt", "page"])
def test_a_report_that_is_no_html_file_is_refused(run, done, out):
    assert_refused(run("report", "first", "--out", out, "--storage", done.url), ".html", out)


def test_a_report_in_place_of_a_folder_is_refused(run, done, data):
    (data / "a.html").mkdir()
    line = ("report", "first", "--out", data / "a.html", "--storage", done.url)
    assert_refused(run(*line), "is a file", str(data))


def test_data_that_has_changed_is_refused_on_resume(run, data, short):
    path = arrays(data)
    url = f"sqlite:///{data}/studies.db"
    where = ("--storage", url, "--out", data / "out")
    assert run("search", path, "--trials", 1, "--name", "a", *where, *short).code == 0
    arrays(data, x=np.random.default_rng(1).random((40, 8, 8), np.float32))
    result = run("resume", "a", "--trials", 2, "--storage", url)
    assert_refused(result, "'a'", "task")


def test_a_study_of_a_script_is_refused_on_resume(run, data):
    import nasturtium as nas

    url = f"sqlite:///{data}/studies.db"
    space = nas.spaces.decisions(a=nas.spaces.choice(1, 2, 3))
    function = nas.estimators.Function(lambda architecture: {"valid_error": architecture["a"]})
    study = nas.Study(space=space, estimator=function, storage=url, name="mine")
    study.run("random-search", trials=2)
    assert_refused(run("resume", "mine", "--storage", url), "script", "nas.Study")
    assert run("show", "mine", "--storage", url).code == 0
    shown = json.loads(run("show", "mine", "--storage", url, "--json").out)
    assert [trial["state"] for trial in shown["trials"]] == ["finished", "finished"]


@pytest.mark.parametrize(
    "line",
    [
        ["search", "digits", "--trials", "2", "--strategy", "x(y=1)"],
        ["search", "digitz", "--minutes", "1"],
        ["show", "nothing"],
    ],
    ids=" ".join,
)
def test_a_real_process_leaves_one_line_and_exit_code_2(tmp_path, line):
    command = [sys.executable, "-m", "nasturtium.cli", *line]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_both_names_of_the_program_are_installed():
    for program in ("nasturtium", "nas"):
        path = shutil.which(program, path=str(Path(sys.executable).parent))
        if path is not None:
            version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            assert version.stdout.startswith("nasturtium ")


# --- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [("missing.txt", ["must exist", "text:tinyshakespeare"]), ("empty.txt", ["1,000 characters", "got 0"])],
)
def test_a_missing_or_empty_text_is_refused(run, text, words):
    folder = Path.cwd().parent
    (folder / "empty.txt").touch()
    assert_refused(run("search", f"text:{folder / text}", "--space", "recurrent", "--trials", "1"), *words)


def test_a_text_wants_networks_that_remember_and_these_want_a_text(run):
    play = Path.cwd().parent / "play.txt"
    play.write_text("to be or not to be\n" * 100)
    line = ("search", f"text:{play}", "--space", "chain", "--trials", "1")
    assert_refused(run(*line), "networks that remember", "recurrent")
    assert_refused(run("search", "digits", "--space", "recurrent", "--trials", "1"), "none; take a text")
