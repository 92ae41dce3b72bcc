"""SMAC's facades as a strategy, to compare with what people use today.

Lindauer et al. 2022, "SMAC3: A Versatile Bayesian Optimization Package for Hyperparameter
Optimization", JMLR (arXiv 2109.09831).
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, final

from nasturtium.errors import MissingExtraError, UsageError, near_matches
from nasturtium.spaces import DecisionSpace, from_configuration, to_configspace, to_configuration
from nasturtium.strategies._ask_and_tell import proposals
from nasturtium.strategies._base import STRATEGIES, Strategy
from nasturtium.strategies._operators import generator

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture
    from nasturtium.trials import History, Proposal

FACADES = {
    "hyperparameter-optimization": "HyperparameterOptimizationFacade",
    "black-box": "BlackBoxFacade",
    "algorithm-configuration": "AlgorithmConfigurationFacade",
    "random": "RandomFacade",
}
"""SMAC's facades that look at one fidelity."""


@final
@STRATEGIES.register("smac3")
@dataclass(frozen=True)
class SMAC3(Strategy):
    """Asks a facade of SMAC3; needs the extra ``peers``.

    The space is written as ConfigSpace, see ``to_configspace``. The facade has its default
    settings, is seeded by the study, expects as many trials as the horizon (else SMAC's 100), and
    lives through the log again where it has not yet, so that proposals depend on the history alone.
    Of trials without losses it is told nothing. SMAC itself depends on the order of Python's sets:
    proposals are the same in another process only if both have the same ``PYTHONHASHSEED``. SMAC
    proposes no configuration twice, but knows no equal networks.

    Args:
        facade: ``"hyperparameter-optimization"`` (a random forest), ``"black-box"`` (a Gaussian
            process), ``"algorithm-configuration"`` or ``"random"``.

    References:
        Lindauer et al. 2022, "SMAC3" (arXiv 2109.09831).
    """

    facade: str = "hyperparameter-optimization"

    requires: ClassVar[tuple[type, ...]] = (DecisionSpace,)
    multi_objective: ClassVar[bool] = True
    reference: ClassVar[str] = "Lindauer et al. 2022, arXiv 2109.09831"

    def __post_init__(self) -> None:
        """Check the name."""
        if self.facade not in FACADES:
            raise UsageError(f"unknown facade of SMAC {self.facade!r}; {near_matches(self.facade, FACADES)}")

    def ask(self, history: History, n: int) -> list[Proposal]:
        """Return n proposals of the facade; fewer at the end of a finite space."""
        return proposals(history, n, self, partial(_Optimizer, FACADES[self.facade], history))


class _Optimizer:
    """A facade for a study, at its beginning."""

    def __init__(self, facade: str, history: History) -> None:
        smac = self._smac = _imported()
        setting = history.study
        assert isinstance(setting.space, DecisionSpace)
        self._space = setting.space
        self._configspace = to_configspace(setting.space)
        self._asked: dict[int, Any] = {}
        with TemporaryDirectory() as folder:  # SMAC writes at its beginning, and later only if told to
            scenario = smac.Scenario(
                self._configspace,
                objectives=[objective.metric for objective in setting.objectives],
                n_trials=setting.horizon or 100,
                deterministic=True,
                seed=int(generator(history, 0).integers(2**31)),
                output_directory=Path(folder),
            )
            self._facade = getattr(smac, facade)(scenario, None, logging_level=False)

    def ask(self, number: int) -> Architecture | None:
        """Return the architecture of the facade's next configuration; None if there is no other."""
        from joblib import parallel_config
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        try:
            # Ten small trees: threads would wait for each other. A local search without a step, as in a
            # space of a few configurations, makes SMAC take the mean of no times.
            with parallel_config("sequential"), warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Mean of empty slice|invalid value", RuntimeWarning)
                asked = self._facade.ask()
        except (StopIteration, ConfigurationSpaceExhaustedException):
            return None
        architecture = from_configuration(self._space, asked.config)
        self._asked[number] = (architecture, asked)
        return architecture

    def tell(self, number: int, architecture: Architecture, losses: tuple[float, ...]) -> None:
        """Take losses, also those of what it was not asked for."""
        info = self._smac.runhistory.TrialInfo(to_configuration(self._space, architecture, self._configspace), seed=0)
        asked = self._asked.get(number)
        if asked is not None and asked[0] == architecture:  # else another hash seed asked for something else
            info = asked[1]
        cost = list(losses) if losses[1:] else losses[0]
        self._facade.tell(info, self._smac.runhistory.TrialValue(cost), save=False)


def _imported() -> Any:
    """Return SMAC, silenced."""
    try:
        import smac
        import smac.runhistory
    except ImportError as error:
        raise MissingExtraError("strategy smac3 needs SMAC, got none; pip install 'nasturtium[peers]'.") from error
    logging.getLogger("smac").setLevel(logging.ERROR)
    return smac
