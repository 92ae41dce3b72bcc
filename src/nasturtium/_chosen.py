"""The networks of the front with the weights they are delivered with, each tested once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nasturtium._final import distinct_front, trained_in
from nasturtium.spaces import Genomes
from nasturtium.trials import Note, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nasturtium._study import Study
    from nasturtium.estimators._checkpoint import Checkpoint


@final
@dataclass(frozen=True)
class Chosen:
    """A network of the front with the weights it is delivered with.

    Args:
        trial: The search's trial.
        weights: ``"final"`` or ``"search"``.
        epochs: Epochs that the weights were trained for.
        checkpoint: The state.
        report: Test metrics, once they were read.
    """

    trial: Trial
    weights: str
    epochs: int
    checkpoint: Checkpoint
    report: Mapping[str, float]


def chosen_networks(study: Study, children: Sequence[Study]) -> list[Chosen]:
    """Return the front's networks with the weights they are delivered with.

    Weights that were tested already come first, so that the test data is read once a network; then
    those of the newest final training, then the search's, unless a smaller network stood in for it. A
    network without a checkpoint is left out.
    """
    tested = {key: values for owner in (study, *children) for key, values in _tested(owner).items()}
    trained = [(child, trained_in(child)) for child in children]
    chosen = []
    for trial in distinct_front(study):
        sources = [(child, finals[trial.number], "final") for child, finals in trained if trial.number in finals]
        if trial.fidelity.is_whole:
            sources.append((study, trial, "search"))
        sources.sort(key=lambda source: (trial.number, source[2], source[1].step) not in tested)
        for owner, source, weights in sources:
            state = state_of(owner, source)
            if state is not None:
                report = tested.get((trial.number, weights, source.step), {})
                chosen.append(Chosen(trial, weights, source.step, state, report))
                break
    return chosen


def state_of(study: Study, trial: Trial) -> Checkpoint | None:
    """Return a trial's latest checkpoint; None if it is gone.

    A network whose weights are part of the architecture needs none.
    """
    from nasturtium.estimators._checkpoint import Checkpoint

    if isinstance(study.space, Genomes) and trial.architecture is not None:
        return Checkpoint(trial.architecture, 0, {})
    data = study.store().get(trial.checkpoint) if trial.checkpoint is not None else None
    return None if data is None else Checkpoint.from_bytes(data)


def _tested(study: Study) -> dict[tuple[int, str, int], dict[str, float]]:
    """Return the test metrics that were read, by (search trial, weights, epochs)."""
    if not study.is_begun:
        return {}
    notes = [note.data for note in study.notes if note.kind == "tested"]
    return {(n["of"], n["weights"], n["epochs"]): dict(n["values"]) for n in notes}


def test_networks(study: Study, children: Sequence[Study]) -> list[Chosen]:
    """Read the test data for each network of the front that was not tested yet; each read is an event."""
    log = next((child for child in children if child.is_begun), study)
    from nasturtium._subject import subject_of

    subject = subject_of(study.task)
    if not subject.n_test:
        return chosen_networks(study, children)
    for chosen in chosen_networks(study, children):
        if chosen.report:
            continue
        read = {
            "of": chosen.trial.number,
            "weights": chosen.weights,
            "epochs": chosen.epochs,
            "values": dict(subject.tested(study.space, chosen.checkpoint)),
            "n": subject.n_test,
            "counts_examples": subject.counts_examples,
        }
        log.journal.add(Note("tested", read))
        log.journal.flush()
    return chosen_networks(study, children)
