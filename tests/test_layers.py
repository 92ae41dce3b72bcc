"""The arrows between the rooms: statically by import-linter, and by what an import loads."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITHOUT_TORCH = [
    "nasturtium",
    "nasturtium.graphs",
    "nasturtium.spaces",
    "nasturtium.trials",
    "nasturtium.policies",
    "nasturtium.strategies",
    "nasturtium.schedulers",
    "nasturtium.storage",
    "nasturtium.engine",
    "nasturtium.report",
    "nasturtium.benchmarking",
    "nasturtium.cli",
]


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_arrows_of_the_design():
    linter = Path(sys.executable).with_name("lint-imports")
    result = run(linter, "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_import_loads_no_torch(module):
    code = f"import sys, {module}; print('torch' in sys.modules)"
    result = run(sys.executable, "-c", code)
    assert result.stdout.strip() == "False", result.stdout + result.stderr
