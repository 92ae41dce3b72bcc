"""MLflow: a run for the study, and one inside it for each trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import MissingExtraError
from nasturtium.loggers._base import LOGGERS, Logger
from nasturtium.trials import Ended, Measured, Note, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasturtium.trials import Event, History

_STATUS = {State.FINISHED: "FINISHED", State.STOPPED: "KILLED", State.FAILED: "FAILED"}


@final
@LOGGERS.register("mlflow")
@dataclass(frozen=True)
class MLflow(Logger):
    """Writes runs to an MLflow tracking server or folder.

    A resumed study is a new run, written from its first event: MLflow has no way to write one anew.

    Args:
        experiment: Name of the MLflow experiment.
        uri: The tracking server; empty means what ``MLFLOW_TRACKING_URI`` says, else MLflow's default.

    Raises:
        MissingExtraError: The extra ``mlflow`` is not installed.
    """

    experiment: str = "nasturtium"
    uri: str = ""
    _runs: dict[int, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    _open: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that the package is there, before a search begins."""
        if find_spec("mlflow") is None:
            raise MissingExtraError("logger mlflow needs mlflow; install it with pip install 'nasturtium[mlflow]'.")

    def open(self, history: History) -> None:
        """Begin the study's run."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(self.uri or None)
        found = client.get_experiment_by_name(self.experiment)
        experiment = client.create_experiment(self.experiment) if found is None else found.experiment_id
        created = next((e.data for e in history.events() if isinstance(e, Note) and e.kind == "created"), {})
        name = str(created.get("name", "study"))
        run = client.create_run(experiment, tags={"mlflow.runName": name, "nasturtium.seed": str(history.study.seed)})
        self._open.update(client=client, experiment=experiment, run=run.info.run_id)

    def write(self, history: History, events: Sequence[Event]) -> None:
        """Write the metrics of each measurement; a trial's run ends as the trial does."""
        client = self._open["client"]
        for event in events:
            if isinstance(event, Measured):
                run = self._run(history, event.number)
                for name, value in {**event.measurement.metrics, **event.measurement.report}.items():
                    client.log_metric(run, name, value, step=event.measurement.step)
            elif isinstance(event, Ended) and event.state in _STATUS:
                client.set_terminated(self._run(history, event.number), _STATUS[event.state])

    def _run(self, history: History, number: int) -> str:
        """Return the run of a trial, begun with its decisions as parameters."""
        if number not in self._runs:
            client = self._open["client"]
            tags = {"mlflow.parentRunId": self._open["run"], "mlflow.runName": f"trial-{number}"}
            run = client.create_run(self._open["experiment"], tags=tags).info.run_id
            architecture = history.trial(number).architecture
            for name, value in ({} if architecture is None else architecture.to_json()).items():
                client.log_param(run, name, str(value)[:500])
            self._runs[number] = run
        return self._runs[number]

    def close(self) -> None:
        """End the study's run."""
        if "run" in self._open:
            self._open["client"].set_terminated(self._open["run"])
        self._open.clear()
        self._runs.clear()
