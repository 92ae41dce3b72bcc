"""NAS-Bench-201: all 15,625 cells, on CIFAR-10 and -100, with latencies on five devices.

Dong & Yang 2020, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR
(arXiv 2001.00326); Li et al. 2021, "HW-NAS-Bench: Hardware-Aware Neural Architecture Search Benchmark",
ICLR (arXiv 2103.10584).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nasturtium.benchmarking._base import Benchmark, Entry, benchmark
from nasturtium.benchmarking._data import table
from nasturtium.errors import UsageError
from nasturtium.estimators import ESTIMATORS, Schedule, Table, Tabular
from nasturtium.spaces import NASBench201, decisions, integer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nasturtium.spaces import Architecture

REFERENCE = "Dong & Yang 2020, arXiv 2001.00326"
HARDWARE = f"{REFERENCE}; Li et al. 2021, arXiv 2103.10584"
SECONDS = "published for the first 1,000 cells; a linear model of their operations (R^2 0.995) for the others"
SIGNALS = (("cifar10", 12), ("cifar10", 200), ("cifar100", 12))
"""(data set, epochs) that have a validation accuracy of every cell."""

DEVICES = ("edgegpu", "raspi4", "pixel3", "eyeriss", "fpga")
N_CURVES = 200
STOPS = (2, 7, 22, 66)


@final
@ESTIMATORS.register("nasbench201", is_listed=False)
@dataclass(frozen=True)
class NASBench201Table(Tabular):
    """Looks up NAS-Bench-201.

    Args:
        data: ``"cifar10"`` or ``"cifar100"``.
        epochs: The schedule whose validation error is the signal, 12 or 200 (CIFAR-10 only). With
            200, that of 12 is the cheaper fidelity.
        device: Whose latency is known besides, such as ``"raspi4"``.
    """

    data: str = "cifar10"
    epochs: int = 200
    device: str | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        if (self.data, self.epochs) not in SIGNALS:
            raise UsageError(f"data and epochs are one of {SIGNALS}, got {(self.data, self.epochs)}; choose one.")
        if self.device is not None and self.device not in DEVICES:
            raise UsageError(f"device is one of {', '.join(DEVICES)}, got {self.device!r}; choose one of them.")

    @property
    def table(self) -> Table:
        """Errors; parameters, multiply-accumulates and the latency in ms as costs."""
        return _table(self.data, self.epochs, self.device)

    def row(self, architecture: Architecture) -> int | None:
        """Return the cell's official index."""
        return _rows().get(architecture.text)


@final
@ESTIMATORS.register("nasbench201-curves", is_listed=False)
@dataclass(frozen=True)
class NASBench201Curves(Tabular):
    """Looks up the learning curves of the first 200 cells: CIFAR-10, 200 epochs."""

    @property
    def table(self) -> Table:
        """Validation errors after every epoch."""
        return _curves()

    def row(self, architecture: Architecture) -> int | None:
        """Return the cell's official index."""
        cell: int = architecture["cell"]
        return cell


def error(per_cent: NDArray[Any]) -> NDArray[np.float64]:
    """Return accuracies in per cent as errors in [0, 1]."""
    return 1 - per_cent.astype(np.float64) / 100


@lru_cache
def _table(data: str, epochs: int, device: str | None) -> Table:
    cells = table("nasbench201")
    short = {"cifar10": "c10", "cifar100": "c100"}[data]
    schedules = tuple(
        Schedule((e,), {"valid_error": error(cells[f"{short}_val_e{e}"])[:, None]}, training_seconds(short, e)[:, None])
        for e in (12, 200)
        if e <= epochs
    )
    costs = {name: cells[f"{short}_{name}"] for name in ("params", "flops")}
    if device is not None:
        costs["latency_ms"] = table("nasbench201-hardware")[f"{short}_{device}_latency_ms"]
    return Table(schedules, costs, {"test_error": error(cells[f"{short}_test_e200"])})


@lru_cache
def _curves() -> Table:
    cells, curves = table("nasbench201"), table("nasbench201-curves")
    n_epochs = curves["val_acc"].shape[1]
    seconds = np.repeat(training_seconds("c10", n_epochs)[:N_CURVES, None] / n_epochs, n_epochs, axis=1)
    return Table(
        (Schedule(tuple(range(1, n_epochs + 1)), {"valid_error": error(curves["val_acc"])}, seconds),),
        {name: cells[f"c10_{name}"][:N_CURVES] for name in ("params", "flops")},
        {"test_error": error(cells["c10_test_e200"][:N_CURVES])},
        stops=STOPS,
    )


@lru_cache
def training_seconds(short: str, epochs: int) -> NDArray[np.float64]:
    """Return the seconds of every cell's training, shape ``(15625,)``.

    Published for the first 1,000 cells; for the others least squares on how often each operation is
    on an edge. The published times are of all 50,000 images; the validation accuracies on CIFAR-10
    belong to trainings on half of them, which take half as long.

    Args:
        short: ``"c10"`` or ``"c100"``.
        epochs: 12 or 200.
    """
    known = table("nasbench201-times")[f"{short}_train_time_s_e{epochs}"].astype(np.float64)
    cells = table("nasbench201")["ops"]
    counts = np.stack([(cells == code).sum(axis=1) for code in np.unique(cells)], axis=1).astype(np.float64)
    weights = np.linalg.lstsq(counts[: len(known)], known, rcond=None)[0]
    seconds = counts @ weights
    seconds[: len(known)] = known
    return seconds / 2 if short == "c10" else seconds


@lru_cache
def _rows() -> dict[str, int]:
    """Return the official index of every cell by its text in this package."""
    space = NASBench201()
    return {space.at(row).text: row for row in range(len(table("nasbench201")["ops"]))}


def _make(name: str) -> Benchmark:
    _, data, signal, *device = name.split("-")
    estimator = NASBench201Table(data, int(signal[1:]), device[0] if device else None)
    objectives = ("valid_error", "latency_ms") if device else ("valid_error",)
    reference = HARDWARE if device else REFERENCE
    return benchmark(name, NASBench201(), estimator, objectives, reference=reference, seconds=SECONDS)


def _make_curves(name: str) -> Benchmark:
    space = decisions(cell=integer(0, N_CURVES - 1))
    return benchmark(name, space, NASBench201Curves(), reference=REFERENCE, seconds="published, spread over the epochs")


def _entries() -> dict[str, Entry]:
    entries = {}
    for data, epochs in SIGNALS:
        what = f"cells on {data}: {epochs}-epoch validation error as signal, 200-epoch test error reported"
        entries[f"nasbench201-{data}-e{epochs}"] = Entry(what, REFERENCE, _make)
        for device in DEVICES:
            against = f"{what}; with latency on {device} as second objective"
            entries[f"nasbench201-{data}-e{epochs}-{device}"] = Entry(against, HARDWARE, _make)
    curves = "200 cells on cifar10 by number, with full learning curves of 200 epochs"
    return {**entries, "nasbench201-cifar10-curves": Entry(curves, REFERENCE, _make_curves)}


ENTRIES = _entries()
