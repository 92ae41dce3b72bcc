"""A strategy, a space and an operation in a package of their own, as the how-to page says."""

import os
import subprocess
import sys
from pathlib import Path
from string import Template

import pytest

ROOT = Path(__file__).parents[1]
KINDS = {"strategy": "strategies", "space": "spaces", "operation": "operations"}

USE = """
import numpy as np
import nasturtium as nas
from nasturtium.graphs import OPERATIONS
from nasturtium.spaces import SPACES, chain, choice, decisions, op
from nasturtium.strategies import STRATEGIES
from nasturtium.testing import check_space, check_strategy

space = decisions(x=choice(0, 1, 2), y=choice(0, 1, 2))
estimator = nas.estimators.Function(lambda a: {"valid_error": (a["x"] + a["y"]) / 4})
study = nas.Study(space=space, estimator=estimator, objectives=["valid_error"], storage=None)
study.run("plugin-strategy", trials=9, seed=0)
assert study.front()[0].metrics["valid_error"] == 0
check_strategy(STRATEGIES.get("plugin-strategy"))

check_space(nas.spaces.load("plugin-space", depth=2, input_shape=(1, 8, 8), n_outputs=10))

shaped = chain(op("conv", out=8), op("plugin_operation"), op("global_pool"), op("linear"))
assert shaped.sample(np.random.default_rng(0)) in shaped
assert OPERATIONS.get("plugin_operation")().shape((3, 8, 8)) == (3, 8, 8)
"""


@pytest.fixture
def plugin(tmp_path):
    """Return a folder that looks like site-packages with the plug-in installed."""
    package, info = tmp_path / "plugin", tmp_path / "plugin-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text("")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    entries = ""
    for kind, plural in KINDS.items():
        name = f"plugin_{kind}" if kind == "operation" else f"plugin-{kind}"
        words = {"name": name, "snake": f"plugin_{kind}", "Class": f"Plugin{kind.title()}"}
        template = Template((ROOT / "scripts" / "templates" / f"{kind}.py.txt").read_text())
        (package / f"{kind}.py").write_text(template.substitute(words))
        entries += f"[nasturtium.{plural}]\n{name} = plugin.{kind}\n"
    (info / "entry_points.txt").write_text(entries)
    return tmp_path


def run(folder, *command):
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)


def test_components_of_a_plugin_pass_the_laws_and_work(plugin):
    result = run(plugin, "-c", USE)
    assert result.returncode == 0, result.stderr


def test_the_command_line_knows_a_plugin(plugin):
    code = "import sys; from nasturtium.cli import main; sys.argv[1:] = ['components', '--json']; main()"
    result = run(plugin, "-c", code)
    assert '"plugin-strategy"' in result.stdout, result.stderr
    assert '"plugin-space"' in result.stdout
