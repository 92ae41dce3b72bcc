"""Final training: the best of the front, trained on everything but the test data, then tested once.

It is a child study (``kind="final"``) in the same storage, so that it survives a kill like any
other. Which networks and how many epochs is fixed before it begins, and nothing is selected after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from nasturtium._study import Study
from nasturtium.errors import UsageError
from nasturtium.spaces import Genomes
from nasturtium.strategies import Strategy
from nasturtium.trials import History, Note, Proposal, State, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from nasturtium.estimators._checkpoint import Checkpoint
    from nasturtium.export import Exported
    from nasturtium.networks import Network
    from nasturtium.report import FinalResults
    from nasturtium.spaces import Architecture

PROBLEM_STEPS = 8
"""Length of the sequences for which a network of a problem that remembers is traced."""

MOST_EPOCHS = 200
"""The longest final training that is planned."""

LENGTHENING = 12
"""How many times longer than in the search a final training is at most.

It is as long as in the search where nothing is augmented: longer, it would fit the training
examples more closely than what was judged.
"""


@final
@dataclass(frozen=True)
class TheseOnly(Strategy):
    """Proposes a fixed list, in order.

    Args:
        architectures: The candidates.
        numbers: The trials of the parent study that they were.
    """

    architectures: tuple[Architecture, ...] = ()
    numbers: tuple[int, ...] = ()

    multi_objective: ClassVar[bool] = True
    is_baseline: ClassVar[bool] = True

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return the next ones of the list."""
        start = history.n_trials
        chosen = zip(self.architectures[start : start + n], self.numbers[start : start + n], strict=True)
        return [Proposal(architecture, attributes={"of": number}) for architecture, number in chosen]


@final
@dataclass(frozen=True)
class FinalPlan:
    """What is trained in the end.

    Args:
        numbers: Trials of the search, the best first.
        epochs: Length of each training.
    """

    numbers: tuple[int, ...]
    epochs: int


def plan_final(study: Study, seconds: float | None, workers: int) -> FinalPlan | None:
    """Return the plan for the time that is left; None if there is nothing to train.

    The length is such that the best network takes a half to three quarters of the time, at most
    ``LENGTHENING`` times that of the search; then as many networks as fit, at least one.

    Args:
        study: The search.
        seconds: Time for the final training; None means four times the search's epochs for at
            most five networks.
        workers: Trainings at a time.
    """
    assert study.estimator is not None
    done = {number for child in children_of(study) for number in _trained(child)}
    front = [t for t in study.front() if t.step > 0 and t.architecture is not None and t.number not in done]
    searched = study.estimator.ladder()[-1].fidelity.epochs
    if not front or study.estimator.final(max(searched, 1)) is None:
        return None
    lengthening = 1 if study.task.augment is None else LENGTHENING
    if seconds is None:
        return FinalPlan(tuple(t.number for t in front[:5]), min(min(4, lengthening) * searched, MOST_EPOCHS))
    costs = [_seconds_an_epoch(study, trial) for trial in front]
    longest = min(lengthening * searched, MOST_EPOCHS)
    # Alone, the best network leaves half the time to the next; side by side they share it anyhow.
    share = 0.5 if workers == 1 else 0.75
    epochs = int(min(max(share * seconds / costs[0], 1), longest))
    numbers: list[int] = []
    spent = 0.0
    for trial, cost in zip(front, costs, strict=True):
        spent += epochs * cost
        if numbers and (spent > 0.85 * seconds * workers or epochs * cost > 0.85 * seconds):
            break
        numbers.append(trial.number)
    return FinalPlan(tuple(numbers), epochs)


def _seconds_an_epoch(study: Study, trial: Trial) -> float:
    """Return what an epoch on all the data costs, judging by the search."""
    task = study.task.for_search()
    share = len(task.train) * trial.fidelity.fraction
    return trial.seconds / trial.step * (len(task.train) + len(task.valid)) / share


def child_name(study: Study) -> str:
    """Return the name of the final training of the search as far as it is."""
    return f"{study.name}/final@{study.history.n_trials}"


def children_of(study: Study) -> list[Study]:
    """Return the stored final trainings of a search, the newest first."""
    prefix = f"{study.name}/final@"
    names = [name for name in study.storage.studies() if name.startswith(prefix)]
    opened = [open_final(study, None, name) for name in sorted(names, key=lambda n: -int(n.removeprefix(prefix)))]
    return [found[0] for found in opened if found is not None]


def open_final(study: Study, plan: FinalPlan | None, name: str | None = None) -> tuple[Study, TheseOnly] | None:
    """Return the child study: the stored one as it was planned, else one of this plan.

    Args:
        study: The search.
        plan: What to train if nothing is stored; None means only look.
        name: The child's name; None means that of the search as far as it is.
    """
    name = name or child_name(study)
    stored = study.storage.read(name)
    if stored:
        created = stored[0].data  # type: ignore[union-attr]
        plan = FinalPlan(tuple(created["of"]), created["epochs"])
    if plan is None or study.estimator is None:
        return None
    estimator = study.estimator.final(plan.epochs)
    assert estimator is not None
    child = Study(
        space=study.space,
        estimator=estimator,
        objectives=["train_error"],
        task=study.task.for_final(),
        storage=study.storage,
        name=name,
        notes={"kind": "final", "parent": study.name, "of": list(plan.numbers), "epochs": plan.epochs},
    )
    child.store()
    architectures = [study.history.trial(number).architecture for number in plan.numbers]
    return child, TheseOnly(tuple(a for a in architectures if a is not None), plan.numbers)


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
    trained = [(child, _trained(child)) for child in children]
    chosen = []
    for trial in study.front():
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


def _trained(child: Study) -> dict[int, Trial]:
    """Return the finished final trainings by the search's trial number."""
    if not child.is_begun:
        return {}
    return {t.proposal.attributes["of"]: t for t in child.history.trials(State.FINISHED)}


def _tested(study: Study) -> dict[tuple[int, str, int], dict[str, float]]:
    """Return the test metrics that were read, by (search trial, weights, epochs)."""
    if not study.is_begun:
        return {}
    notes = [e.data for e in study.journal.log.events() if isinstance(e, Note) and e.kind == "tested"]
    return {(n["of"], n["weights"], n["epochs"]): dict(n["values"]) for n in notes}


def test_networks(study: Study, children: Sequence[Study]) -> list[Chosen]:
    """Read the test data for each network of the front that was not tested yet; each read is an event."""
    log = next((child for child in children if child.is_begun), study)
    n_test, counts_examples = test_size(study)
    if not n_test:
        return chosen_networks(study, children)
    for chosen in chosen_networks(study, children):
        if chosen.report:
            continue
        read = {
            "of": chosen.trial.number,
            "weights": chosen.weights,
            "epochs": chosen.epochs,
            "values": tested_values(study, chosen),
            "n": n_test,
            "counts_examples": counts_examples,
        }
        log.journal.add(Note("tested", read))
        log.journal.flush()
    return chosen_networks(study, children)


def test_size(study: Study) -> tuple[int, bool]:
    """Return the number of examples or episodes in the test, and whether its error is a share of them."""
    from nasturtium.tasks import Problem

    if isinstance(study.task, Problem):
        return study.task.n_test, True
    return len(study.task.test()), study.task.goal.counts_examples


def tested_values(study: Study, chosen: Chosen) -> dict[str, float]:
    """Return what the test says of a network."""
    from nasturtium.estimators._judging import judge
    from nasturtium.tasks import Problem

    if isinstance(study.task, Problem):
        assert isinstance(study.space, Genomes)
        return dict(study.task.test(study.space, chosen.checkpoint.architecture))
    return judge(built(study, chosen), study.task, study.task.test(), "test")


def built(study: Study, chosen: Chosen) -> Network:
    """Return the network with its weights."""
    from nasturtium.networks import build

    network = build(study.space.graph(chosen.checkpoint.architecture).simplified())
    network.load_state_dict(dict(chosen.checkpoint.network))
    return network


def export_chosen(study: Study, chosen: Chosen, folder: Path) -> Exported:
    """Write one network's folder."""
    from nasturtium.export import export_network
    from nasturtium.report import svg_of

    network = built(study, chosen)
    facts, files = told_of(study)
    metadata = {
        **facts,
        "task": study.task.name,
        "study": study.name,
        "trial": chosen.trial.number,
        "epochs": chosen.epochs,
        **chosen.report,
    }
    if isinstance(study.space, Genomes):
        files = {**files, "network.svg": svg_of(network.graph)}
    architecture = chosen.checkpoint.architecture.to_json()
    return export_network(
        network, folder, architecture=architecture, metadata=metadata, files=files, example=example_of(study, network)
    )


def told_of(study: Study) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Return what an export says of the data, and the text files that it puts beside the network."""
    from nasturtium.tasks import Problem

    if isinstance(study.task, Problem):
        return {}, {}
    normalization = study.task.normalization
    channels = {"mean": list(normalization.mean), "std": list(normalization.std)} if normalization.mean else {}
    return {**channels, **study.task.goal.facts}, study.task.files


def example_of(study: Study, network: Network) -> list[Tensor] | None:
    """Return the sequence that a network which runs over time is traced with; None for other networks."""
    import torch

    from nasturtium.tasks import Problem

    if not network.over_time:
        return None
    if isinstance(study.task, Problem):
        return [torch.zeros(2, PROBLEM_STEPS, *study.task.input_shape)]
    return [study.task.train.sample()]


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
    from nasturtium.report import FinalResults

    n_test, counts_examples = test_size(study)
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
                n_test=n_test,
                weights=entry.weights,
                objectives=objectives,
                counts_examples=counts_examples,
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
