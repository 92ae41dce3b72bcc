"""Architecture search as scikit-learn estimators: ``NASClassifier`` and ``NASRegressor``.

They search, train the best network on all rows that ``fit`` gets, and predict with it. They can be
put into a ``Pipeline``, cloned, cross-validated and pickled; what is found can be looked at
(``front_``, ``report_html``) and exported (``export``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from nasturtium._chosen import chosen_networks
from nasturtium._delivery import results
from nasturtium._final import children_of
from nasturtium._search import search
from nasturtium.errors import NasturtiumError, UsageError
from nasturtium.networks import build
from nasturtium.report import write_report
from nasturtium.tasks import Task, WeightedCrossEntropy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from nasturtium._study import Study
    from nasturtium.trials import Trial

TRIALS = 20
"""Candidates of a search that is given neither a time nor a number."""


class _Search(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """What both estimators do: search, keep the best network, hold what was found."""

    _predicts_numbers: ClassVar[bool] = False

    def __init__(
        self,
        *,
        minutes: float | None = None,
        trials: int | None = None,
        space: Any = None,
        strategy: Any = "regularized-evolution",
        estimator: Any = "training",
        scheduler: Any = "fixed",
        objectives: Sequence[str] = ("valid_error",),
        limits: Mapping[str, float] | None = None,
        workers: int = 1,
        seed: int = 0,
    ) -> None:
        self.minutes = minutes
        self.trials = trials
        self.space = space
        self.strategy = strategy
        self.estimator = estimator
        self.scheduler = scheduler
        self.objectives = objectives
        self.limits = limits
        self.workers = workers
        self.seed = seed

    @abstractmethod
    def _task(self, x: NDArray[Any], y: NDArray[Any]) -> Task:
        """Return the task of checked arrays, and keep what predictions need."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Search and train the best network on all rows.

        Args:
            X: Numbers, shape ``(n, features)``.
            y: Classes or numbers, shape ``(n,)``.

        Raises:
            UsageError: An argument is wrong.
            NasturtiumError: No candidate could be trained.
        """
        rows, targets = validate_data(self, X, y, ensure_min_samples=2, y_numeric=self._predicts_numbers)
        task = self._task(rows, targets)
        is_free = self.minutes is None and self.trials is None
        study = search(
            task,
            minutes=self.minutes,
            trials=TRIALS if is_free else self.trials,
            space=self.space,
            strategy=self.strategy,
            estimator=self.estimator,
            scheduler=self.scheduler,
            objectives=tuple(self.objectives),
            limits=self.limits,
            workers=self.workers,
            executor="inline" if self.workers == 1 else "local",
            seed=self.seed,
        )
        self._keep(study, task)
        return self

    def _keep(self, study: Study, task: Task) -> None:
        """Keep the best network and the log; of the data, nothing."""
        chosen = chosen_networks(study, children_of(study))
        if not chosen:
            reasons = {trial.reason for trial in study.history.trials() if trial.reason}
            raise NasturtiumError(
                f"one candidate must finish, got none ({'; '.join(sorted(reasons))}); give more time."
            )
        best = chosen[0].checkpoint
        network = build(study.space.graph(best.architecture).simplified())
        network.load_state_dict(dict(best.network))
        # In float64 a row's prediction does not depend on the others in its batch.
        self.network_ = network.eval().double()
        self.normalization_ = task.normalization
        self.history_ = study.history
        self.front_: list[Trial] = study.front()
        self._created = study.created
        self._results = results(study, chosen)
        self._best = (best.architecture.to_json(), {"task": task.name, **task.goal.facts, "epochs": chosen[0].epochs})

    def _outputs(self, X: ArrayLike) -> torch.Tensor:  # noqa: N803
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False)
        mean, std = (torch.tensor(each, dtype=torch.float64) for each in self._numbers())
        with torch.no_grad():
            outputs: torch.Tensor = self.network_((torch.tensor(rows, dtype=torch.float64) - mean) / std)
        return outputs

    def _numbers(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self.normalization_.mean, self.normalization_.std

    def report_html(self, path: str | Path) -> Path:
        """Write the report of the search, one HTML file, and return its path."""
        check_is_fitted(self)
        return write_report(self.history_, self._created, Path(path), final=self._results)

    def export(self, folder: str | Path) -> Path:
        """Write the network as ONNX, torch.export, plain source and weights; return the folder."""
        from nasturtium.export import export_network

        check_is_fitted(self)
        architecture, facts = self._best
        single = build(self.network_.graph)
        single.load_state_dict({name: tensor.float() for name, tensor in self.network_.state_dict().items()})
        mean, std = self._numbers()
        metadata = {"mean": list(mean), "std": list(std), **facts}
        return export_network(single, folder, architecture=architecture, metadata=metadata).folder


@final
class NASClassifier(ClassifierMixin, _Search):  # type: ignore[misc]
    """A classifier whose network is searched for.

    Args:
        minutes: Time for the whole fit; by default ``trials`` decides.
        trials: Number of candidates; 20 if neither is given.
        space: Which networks are allowed; ``"mlp"`` by default.
        strategy: How to search.
        estimator: How to judge a candidate.
        scheduler: How far each candidate is trained.
        objectives: What to make small; predictions are made by the best in the first one.
        limits: Greatest values by metric, such as ``{"params": 5000}``.
        workers: Candidates at a time; more than 1 takes processes.
        seed: For everything random; equal seeds give equal results with one worker and ``trials``.
        class_weight: ``"balanced"``, weights by class, or None for equal ones.

    Attributes:
        classes_: The classes, in the order of ``predict_proba``.
        front_: The trials that none dominates, the best first objective first.
        history_: Every trial.
        network_: The trained network, in float64.

    Example:
        >>> from sklearn.datasets import make_blobs
        >>> x, y = make_blobs(90, centers=3, random_state=0, cluster_std=0.5)
        >>> NASClassifier(trials=2).fit(x, y).score(x, y) > 0.9
        True
    """

    def __init__(
        self,
        *,
        minutes: float | None = None,
        trials: int | None = None,
        space: Any = None,
        strategy: Any = "regularized-evolution",
        estimator: Any = "training",
        scheduler: Any = "fixed",
        objectives: Sequence[str] = ("valid_error",),
        limits: Mapping[str, float] | None = None,
        workers: int = 1,
        seed: int = 0,
        class_weight: Mapping[Any, float] | str | None = None,
    ) -> None:
        super().__init__(
            minutes=minutes,
            trials=trials,
            space=space,
            strategy=strategy,
            estimator=estimator,
            scheduler=scheduler,
            objectives=objectives,
            limits=limits,
            workers=workers,
            seed=seed,
        )
        self.class_weight = class_weight

    def _task(self, x: NDArray[Any], y: NDArray[Any]) -> Task:
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return Task.from_tensors(
            x,
            codes,
            classes=[f"{i}: {label}" for i, label in enumerate(self.classes_)],
            kind="classification",
            balanced=self.class_weight == "balanced",
            has_test=False,
            loss=self._loss(),
            name="rows",
        )

    def _loss(self) -> WeightedCrossEntropy | None:
        if self.class_weight is None or self.class_weight == "balanced":
            return None
        if not isinstance(self.class_weight, Mapping):
            raise UsageError(f"class_weight is 'balanced', weights by class or None, got {self.class_weight!r}.")
        return WeightedCrossEntropy(tuple(float(self.class_weight.get(label, 1.0)) for label in self.classes_))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the probability of each class, shape ``(n, classes)``.

        Args:
            X: Numbers, shape ``(n, features)``.
        """
        shares: NDArray[np.float64] = self._outputs(X).softmax(1).numpy()
        return shares

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the most probable class of each row.

        Args:
            X: Numbers, shape ``(n, features)``.
        """
        best = self.predict_proba(X).argmax(1)
        found: NDArray[Any] = self.classes_[best]
        return found


@final
class NASRegressor(RegressorMixin, _Search):  # type: ignore[misc]
    """A regressor whose network is searched for; the arguments are those of ``NASClassifier``.

    The error that candidates are judged by is the unexplained share of the variance, 1 - R².

    Args:
        minutes: Time for the whole fit; by default ``trials`` decides.
        trials: Number of candidates; 20 if neither is given.
        space: Which networks are allowed; ``"mlp"`` by default.
        strategy: How to search.
        estimator: How to judge a candidate.
        scheduler: How far each candidate is trained.
        objectives: What to make small; predictions are made by the best in the first one.
        limits: Greatest values by metric, such as ``{"params": 5000}``.
        workers: Candidates at a time; more than 1 takes processes.
        seed: For everything random.

    Attributes:
        front_: The trials that none dominates, the best first objective first.
        history_: Every trial.
        network_: The trained network, in float64; its outputs are standardized.

    Example:
        >>> x = np.linspace(-1, 1, 100)[:, None]
        >>> NASRegressor(trials=2).fit(x, 3 * x[:, 0] + 1).score(x, 3 * x[:, 0] + 1) > 0.9
        True
    """

    _predicts_numbers: ClassVar[bool] = True

    def _task(self, x: NDArray[Any], y: NDArray[Any]) -> Task:
        task = Task.from_tensors(x, y, kind="regression", has_test=False, name="rows")
        facts = task.goal.facts
        self._target = (float(facts["target_mean"][0]), float(facts["target_std"][0]))
        return task

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return the predicted number of each row.

        Args:
            X: Numbers, shape ``(n, features)``.
        """
        outputs = self._outputs(X)
        mean, std = self._target
        values: NDArray[np.float64] = outputs[:, 0].numpy() * std + mean
        return values
