"""A search on a text, from the file to networks that run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("strategy", ["random-search", "regularized-evolution"])
def test_a_text_is_searched_trained_and_exported(run, short, strategy):
    Path("play.txt").write_text("to be or not to be that is the question\n" * 60)
    line = ("search", "text:play.txt", "--space", "recurrent(base=2, hidden=8)", "--strategy", strategy)
    result = run(*line, "--trials", 2, "--out", "results", *short)
    assert result.code == 0, result.err
    assert "perplexity" in result.out
    (entry,) = json.loads(Path("results/front.json").read_text())
    assert 1 < entry["test_perplexity"] < 20
    assert 0 < entry["test_error"] < 1
    folder = Path("results") / entry["folder"]
    assert {path.name for path in folder.iterdir()} >= {"model.py", "model.onnx", "model.pt2"}
    done = subprocess.run([sys.executable, folder / "model.py"], capture_output=True, text=True, check=True)
    assert "output for zeros: (1, 8, 15)" in done.stdout
    source = (folder / "model.py").read_text()
    assert "test_perplexity: " in source
    assert "TOKENS = (" in source
    assert "perplexity" in Path("results/report.html").read_text()
