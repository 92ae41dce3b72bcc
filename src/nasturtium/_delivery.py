"""Delivery: the front tested, a folder per network, ``front.json``, the report."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nasturtium._chosen import Chosen, chosen_networks, state_of, test_networks
from nasturtium._evidence import results_of
from nasturtium._files import replace_file
from nasturtium._final import children_of
from nasturtium._stored import cpu_seconds
from nasturtium.errors import UsageError
from nasturtium.spaces import Genomes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nasturtium._complete import Watch
    from nasturtium._study import Study
    from nasturtium.export import Exported
    from nasturtium.report import FinalResults
    from nasturtium.trials import Trial


def deliver(
    study: Study, folder: Path | None, spent: Mapping[str, float], watch: Watch | None, until: float | None = None
) -> tuple[list[FinalResults], dict[str, str]]:
    """Test the front, and write networks, ``front.json`` and report if there is a folder.

    The best network is written in any case, the others while there is time.

    Args:
        study: The search.
        folder: Where to, or None.
        spent: Seconds by phase.
        watch: For displays.
        until: When the time is over, by ``time.monotonic``, or None.

    Returns:
        The tested front, and for each file that could not be written the reason.
    """
    if watch is not None:
        watch("export", study, study.history)
    chosen: list[Chosen] = test_networks(study, children_of(study))
    rows = results(study, chosen)
    problems: dict[str, str] = {}
    if folder is None:
        return rows, problems
    folder.mkdir(parents=True, exist_ok=True)
    late = []
    for position, entry in enumerate(chosen):
        if position and until is not None and time.monotonic() > until:
            late.append(entry.trial.number)
            continue
        exported = export_chosen(study, entry, folder / f"trial-{entry.trial.number}")
        problems |= {str(exported.folder / file): reason for file, reason in exported.problems.items()}
    if late:
        numbers = ", ".join(str(number) for number in late)
        how = f"nasturtium export {study.name} --trial K --out DIR writes one"
        problems[str(folder)] = f"no time was left for {len(late)} of {len(chosen)} networks (trials {numbers}); {how}"
    rows = [replace(row, folder="") if row.trial in late else row for row in rows]
    replace_file(folder / "front.json", json.dumps(front_json(study, rows), indent=2))
    from nasturtium.report import write_report

    known = {
        **study.created,
        "spent": dict(spent),
        **results_of(study.notes),
        "cpu_seconds": cpu_seconds(study.name, study.storage),
    }
    write_report(study.history, known, folder / "report.html", final=rows)
    return rows, problems


def export_chosen(study: Study, chosen: Chosen, folder: Path) -> Exported:
    """Write one network's folder."""
    from nasturtium._subject import restored, subject_of
    from nasturtium.export import export_network
    from nasturtium.report import svg_of

    network = restored(study.space, chosen.checkpoint)
    subject = subject_of(study.task)
    files = subject.files
    metadata = {
        **subject.facts,
        "task": study.task.name,
        "study": study.name,
        "trial": chosen.trial.number,
        "epochs": chosen.epochs,
        **chosen.report,
    }
    if isinstance(study.space, Genomes):
        files = {**files, "network.svg": svg_of(network.graph)}
    return export_network(
        network,
        folder,
        architecture=chosen.checkpoint.architecture.to_json(),
        metadata=metadata,
        files=files,
        example=[subject.sequence()] if network.over_time else None,
    )


def export_trial(study: Study, trial: Trial, folder: Path) -> Exported:
    """Write a trial's network with its final weights, or else those of the search.

    Raises:
        UsageError: The trial has no checkpoint (any more).
    """
    for chosen in chosen_networks(study, children_of(study)):
        if chosen.trial.number == trial.number:
            return export_chosen(study, chosen, folder)
    state = state_of(study, trial)
    if state is None or not trial.fidelity.is_whole:
        raise UsageError(
            "only a trial with a checkpoint of the whole network is exported, "
            f"got trial {trial.number} ({trial.state}); see the front."
        )
    return export_chosen(study, Chosen(trial, "search", trial.step, state, {}), folder)


def results(study: Study, chosen: list[Chosen]) -> list[FinalResults]:
    """Return what the report and ``front.json`` say of each network."""
    from nasturtium._subject import subject_of
    from nasturtium.report import FinalResults

    subject = subject_of(study.task)
    rows = []
    for entry in chosen:
        metrics = entry.trial.metrics
        graph = study.space.graph(entry.checkpoint.architecture).simplified()
        objectives = {o.metric: metrics.get(o.metric, float("nan")) for o in study.objectives}
        rows.append(
            FinalResults(
                trial=entry.trial.number,
                key=graph.key,
                folder=f"trial-{entry.trial.number}",
                params=graph.params,
                flops=graph.flops,
                epochs=entry.epochs,
                valid_error=metrics.get("valid_error", float("nan")),
                test_error=entry.report.get("test_error", float("nan")),
                n_test=subject.n_test,
                weights=entry.weights,
                objectives=objectives,
                counts_examples=subject.counts_examples,
                tested=dict(entry.report),
            )
        )
    return rows


def front_json(study: Study, rows: list[FinalResults]) -> list[dict[str, Any]]:
    """Return the content of ``front.json``."""
    entries = []
    for row in rows:
        architecture = study.history.trial(row.trial).architecture
        assert architecture is not None
        entries.append(
            {
                "trial": row.trial,
                "key": row.key,
                "architecture": architecture.to_json(),
                "folder": row.folder,
                "params": row.params,
                "flops": row.flops,
                "valid_error": row.valid_error,
                "test_error": row.test_error,
                **row.tested,
                "weights": row.weights,
                "epochs": row.epochs,
                **row.objectives,
            }
        )
    return entries
