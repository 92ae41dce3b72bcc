"""Run command lines in this process, in a folder of their own."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytest

from nasturtium.cli import main


@dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str


def run_line(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return the runner of command lines; the working folder is empty."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return run_line


SHORT = ("--estimator", "training(epochs=1)", "--executor", "inline")
"""What makes a search on digits take seconds."""


@pytest.fixture(scope="session")
def short():
    return SHORT


@dataclass(frozen=True)
class Done:
    """A finished search with two objectives, for all tests that only look."""

    url: str
    out: object
    result: Result


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("done")
    url = f"sqlite:///{folder}/studies.db"
    objectives = ("--minimize", "valid_error", "--minimize", "params")
    where = ("--storage", url, "--out", folder / "results")
    line = ("search", "digits", "--trials", 3, "--name", "first", *objectives, *where, *SHORT)
    result = run_line(*line)
    assert result.code == 0, result.err
    return Done(url, folder / "results", result)
