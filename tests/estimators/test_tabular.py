"""The tabular estimator: fidelities, seconds, what is not in the table."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pytest

from nasturtium import Study
from nasturtium.engine import SimulatedExecutor
from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Context, Schedule, Table, Tabular
from nasturtium.spaces import choice, decisions
from nasturtium.testing._estimators import check_estimator
from nasturtium.testing._running import Shelf
from nasturtium.trials import Fidelity, Rung, State

SPACE = decisions(row=choice(0, 1, 2, 3))
LOSS = np.array([[0.5, 0.4, 0.3], [0.6, 0.2, 0.1], [0.5, np.nan, np.nan]])
TABLE = Table(
    (
        Schedule((2,), {"valid_error": np.array([[0.7], [0.8], [0.9]])}, np.full((3, 1), 3.0)),
        Schedule((1, 3, 9), {"valid_error": LOSS}, np.array([[1.0, 2.0, 6.0]] * 3)),
    ),
    costs={"params": np.array([10, 20, 30])},
    reports={"test_error": np.array([0.35, 0.15, 1.0])},
    stops=(3,),
)


@final
@dataclass(frozen=True)
class Rows(Tabular):
    """The table above, in which row 3 is missing."""

    @property
    def table(self):
        return TABLE

    def row(self, architecture):
        return architecture["row"] if architecture["row"] < 3 else None


def stream(row, fidelity, start=0):
    context = Context(SPACE, None, 0, Shelf()({}))
    return list(Rows().evaluate(Assignment(0, SPACE.parse(f'{{"row":{row}}}'), fidelity, start), context))


def test_laws():
    check_estimator(Rows(), decisions(row=choice(0, 1)))


def test_ladder_has_the_relative_costs():
    rungs = (Fidelity(2), 3 / 9, False), (Fidelity(3, schedule=9), 3 / 9, False), (Fidelity(9), 1.0, True)
    assert Rows().ladder() == tuple(Rung(*rung) for rung in rungs)


def test_every_measured_step_with_its_seconds():
    measured = stream(1, Fidelity(9))
    assert [(m.step, m.seconds) for m in measured] == [(0, 0.0), (1, 1.0), (3, 2.0), (9, 6.0)]
    assert measured[0].metrics == {"params": 20}
    assert [m.metrics for m in measured[1:]] == [{"valid_error": loss} for loss in (0.6, 0.2, 0.1)]
    assert [m.report for m in measured] == [{}, {}, {}, {"test_error": 0.15}]


def test_a_shorter_schedule_is_another_training():
    assert [m.metrics for m in stream(0, Fidelity(2))] == [{"params": 10}, {"valid_error": 0.7}]


def test_a_leg_goes_on_after_its_start():
    assert [m.step for m in stream(0, Fidelity(9), start=3)] == [9]


@pytest.mark.parametrize("fidelity", [Fidelity(3), Fidelity(2, schedule=9), Fidelity(9, fraction=0.5), Fidelity()])
def test_what_the_table_does_not_have(fidelity):
    with pytest.raises(UsageError, match="the table has the epochs 2, 3, 9, got"):
        stream(0, fidelity)


def test_what_diverged_and_what_is_missing_fails():
    study = Study(space=SPACE, estimator=Rows()).run("random-search", trials=4, seed=0, executor=SimulatedExecutor())
    reasons = {trial.architecture["row"]: (trial.state, trial.reason) for trial in study.history.trials()}
    assert [reasons[row][0] for row in range(4)] == [State.FINISHED] * 2 + [State.FAILED] * 2
    assert reasons[2][1] == "diverged: the table says that it diverged by epoch 3"
    assert "the architecture must be in the table" in reasons[3][1]


def test_the_whole_space_is_refused():
    context = Context(SPACE, None, 0, Shelf()({}))
    with pytest.raises(UsageError, match="single architectures"):
        next(iter(Rows().evaluate(Assignment(0, None, Fidelity(9)), context)))


def test_columns_by_name():
    for name, column in {"params": [10, 20, 30], "test_error": [0.35, 0.15, 1.0]}.items():
        assert TABLE.column(name).tolist() == column
    assert TABLE.column("valid_error")[:2].tolist() == [0.3, 0.1]
    with pytest.raises(UsageError, match="params, test_error, valid_error, got 'loss'"):
        TABLE.column("loss")
