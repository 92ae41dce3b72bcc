"""What a user with files gets: tables, arrays and images, beside what scikit-learn and a small CNN give.

Run ``python benchmarks/own_data.py``. scikit-learn's data sets are written to files as a user has
them, and searched from the command line, ``--trials`` candidates each; the images with ``SmallCNN``
as the baseline. The tables and arrays are also divided at random ``--splits`` times: a quarter is the test
part, and each method is fitted on the rest. The arguments of every peer are its defaults, but that
the perceptron may take 1,000 iterations.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import mean, stdev
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from rich.console import Console
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import nasturtium as nas

if TYPE_CHECKING:
    from torch import Tensor

CONSOLE = Console(width=400)

LOADERS = {"breast cancer": load_breast_cancer, "diabetes": load_diabetes, "wine": load_wine, "digits": load_digits}


class SmallCNN(nn.Module):
    """The network that a person might write first: two convolutions, a pooling, one linear layer."""

    def __init__(self, in_channels: int, n_outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, n_outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of images, shape ``(n, n_outputs)``."""
        logits: Tensor = self.layers(x)
        return logits


def files(folder: Path) -> dict[str, list[str]]:
    """Write the data as a user has them; return the task's words of the command line by name."""
    for name in ("breast cancer", "diabetes"):
        data = LOADERS[name]()
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*data.feature_names, "target"])
            writer.writerows(
                [*row, target] for row, target in zip(data.data.tolist(), data.target.tolist(), strict=True)
            )
    wine = load_wine()
    np.savez(folder / "wine.npz", x=wine.data, y=wine.target)
    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        (folder / "digits" / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15).astype(np.uint8)).save(folder / "digits" / str(label) / f"{number}.png")
    return {
        "breast cancer": [str(folder / "breast cancer.csv"), "--target", "target"],
        "diabetes": [str(folder / "diabetes.csv"), "--target", "target"],
        "wine": [str(folder / "wine.npz")],
        "digits": [str(folder / "digits"), "--baseline", f"{__file__}:SmallCNN"],
    }


def searched(words: list[str], out: Path, trials: int, seed: int) -> str:
    """Run a search from the command line and return what it says in the end."""
    command = [sys.executable, "-m", "nasturtium.cli", "search", *words, "--trials", str(trials), "--seed", str(seed)]
    before = getrusage(RUSAGE_CHILDREN)
    run = subprocess.run(
        [*command, "--executor", "inline", "--out", str(out), "--storage", f"sqlite:///{out}.db"],
        capture_output=True,
        text=True,
        check=True,
    )
    after = getrusage(RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    best = json.loads((out / "front.json").read_text())[0]
    names = sorted(path.name for path in (out / best["folder"]).iterdir())
    said = [line for line in run.stdout.splitlines() if line.startswith(("winner:", "by hand:", "your network:"))]
    error = f"{100 * best['test_error']:.2f} % test error with {best['params']:,} parameters, {seconds:.0f} CPU s"
    return "\n  ".join([f"seed {seed}: {error}: {', '.join(names)}", *said])


def methods(name: str, seed: int, trials: int) -> dict[str, Any]:
    """Return the estimators that are compared on a table."""
    if name == "diabetes":
        return {
            f"nasturtium, {trials} trials": nas.NASRegressor(trials=trials, seed=seed),
            "gradient boosting": HistGradientBoostingRegressor(random_state=seed),
            "perceptron": make_pipeline(StandardScaler(), MLPRegressor(max_iter=1000, random_state=seed)),
        }
    return {
        f"nasturtium, {trials} trials": nas.NASClassifier(trials=trials, seed=seed),
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed),
        "perceptron": make_pipeline(StandardScaler(), MLPClassifier(max_iter=1000, random_state=seed)),
    }


def compared(name: str, splits: int, trials: int) -> list[str]:
    """Return a line per method: 1 - score on the test part, mean and deviation over the splits."""
    x, y = LOADERS[name](return_X_y=True)
    errors: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for seed in range(splits):
        x_train, x_test, y_train, y_test = train_test_split(
            x, y, random_state=seed, stratify=None if name == "diabetes" else y
        )
        for method, model in methods(name, seed, trials).items():
            begun = process_time()
            error = 1 - model.fit(x_train, y_train).score(x_test, y_test)
            seconds[method] = seconds.get(method, 0.0) + (process_time() - begun) / splits
            errors.setdefault(method, []).append(error)
    return [
        f"| {name} | {method} | {100 * mean(found):.1f} ± {100 * stdev(found):.1f} % | {seconds[method]:.2g} s |"
        for method, found in errors.items()
    ]


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20, help="candidates of every search")
    parser.add_argument("--seeds", type=int, default=3, help="searches from the command line")
    parser.add_argument("--splits", type=int, default=5, help="random divisions of each table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, words in files(Path(folder)).items():
            CONSOLE.print(f"{name}, {arguments.trials} trials:", highlight=False)
            for seed in range(arguments.seeds):
                out = Path(folder) / f"{name} {seed}"
                CONSOLE.print(f"  {searched(words, out, arguments.trials, seed)}", highlight=False)
    CONSOLE.print(f"1 - accuracy, or 1 - R² for diabetes; mean and deviation over {arguments.splits} random splits")
    CONSOLE.print("| data | method | test error | CPU time of a fit |\n|---|---|---|---|")
    for name in LOADERS:
        CONSOLE.print("\n".join(compared(name, arguments.splits, arguments.trials)), highlight=False)


if __name__ == "__main__":
    main()
