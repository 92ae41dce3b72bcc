"""Problems from the command line: nothing is trained, the networks are delivered as they are."""

import json
from pathlib import Path

import pytest

FILES = {"architecture.json", "model.onnx", "model.pt2", "model.py", "network.svg", "weights.safetensors"}


@pytest.mark.parametrize(
    ("problem", "strategy"),
    [("pendulum(episodes=1)", "neat(population_size=10)"), ("double-pole-no-velocities", "gnarl(population_size=10)")],
)
def test_a_network_is_found_tested_and_delivered_with_its_picture(run, problem, strategy):
    result = run("search", problem, "--strategy", strategy, "--trials", 30, "--executor", "inline", "--out", "o")
    assert result.code == 0, result.err
    (entry,) = json.loads(Path("o/front.json").read_text())[:1]
    folder = Path("o") / entry["folder"]
    assert {path.name for path in folder.iterdir()} == FILES, result.err
    assert (folder / "network.svg").read_text().startswith("<svg")
    assert 0 <= entry["test_error"] <= 1
    assert entry["weights"] == "search"
    assert json.loads((folder / "architecture.json").read_text()) == entry["architecture"]


def test_what_does_not_fit_a_problem_is_refused(run):
    for arguments, rule in (
        (("xor", "--estimator", "training"), "problem"),
        (("digits", "--estimator", "simulation", "--space", "neurons"), "problem"),
        (("xor", "--space", "mlp"), "Genomes"),
    ):
        result = run("search", *arguments, "--trials", 2, "--executor", "inline")
        assert result.code != 0
        assert rule in result.err, result.err
