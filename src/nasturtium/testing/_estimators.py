"""The laws of estimators; third parties run them over their own.

@pytest.mark.parametrize(("name", "check"), estimator_checks())
def test_law(name, check):
    check(Bench(MyEstimator(), space.on(task), task))
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import cloudpickle
import numpy as np

from nasturtium._registry import parameters
from nasturtium.estimators import ESTIMATORS, Assignment, Context, Estimator
from nasturtium.testing._running import Shelf, untouched_generators

if TYPE_CHECKING:
    from nasturtium.spaces import Architecture, Space
    from nasturtium.trials import Fidelity, Measurement


@final
@dataclass(frozen=True)
class Bench:
    """An estimator with what it needs to evaluate something small.

    Args:
        estimator: With settings under which an evaluation takes well under a second.
        space: A bound space that it accepts.
        task: The data without its test split, or None.
        seed: Of the evaluations, and of the architecture that is drawn.
        shelf: Where checkpoints are kept.
    """

    estimator: Estimator
    space: Space
    task: Any = None
    seed: int = 0
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def architecture(self) -> Architecture:
        """What is evaluated: always the same random member."""
        return self.space.sample(np.random.default_rng(self.seed))

    def stream(
        self,
        fidelity: Fidelity | None = None,
        start: int = 0,
        checkpoint: str | None = None,
        seed: int | None = None,
    ) -> Iterator[Measurement]:
        """Return the measurements of one leg.

        Args:
            fidelity: Where it ends; None means the highest rung.
            start: Where it begins.
            checkpoint: What the leg before left.
            seed: The evaluation's; None means the bench's.
        """
        chosen = fidelity or self.estimator.ladder()[-1].fidelity
        references = {} if checkpoint is None else {0: checkpoint}
        context = Context(self.space, self.task, self.seed if seed is None else seed, self.shelf(references))
        return self.estimator.evaluate(Assignment(0, self.architecture, chosen, start), context)


EstimatorCheck = Callable[[Bench], None]
"""A law: raises AssertionError if the estimator on the bench breaks it."""


def estimator_checks() -> Iterator[tuple[str, EstimatorCheck]]:
    """Yield every law with its name."""
    for check in CHECKS:
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def check_estimator(estimator: Estimator, space: Space, task: Any = None) -> None:
    """Check every law on a bound space.

    Raises:
        AssertionError: The first law that is broken.
    """
    for check in CHECKS:
        check(Bench(estimator, space, task))


def check_arguments_stored_unchanged(bench: Bench) -> None:
    """The constructor keeps every argument under its own name, and does nothing else to it."""
    estimator = bench.estimator
    arguments = {name: getattr(estimator, name) for name in parameters(type(estimator))}
    again = type(estimator)(**arguments)
    for name, value in arguments.items():
        assert getattr(again, name) is value, f"{name}={value!r} became {getattr(again, name)!r}"
    described = ESTIMATORS.describe(estimator)
    if "opaque" not in described:
        restored = ESTIMATORS.restore(json.loads(json.dumps(described)))
        assert restored == estimator, f"not the same again: {described}"


def check_requirements_hold(bench: Bench) -> None:
    """The bench's space has what the estimator requires; a law could say nothing otherwise."""
    for capability in bench.estimator.requires:
        assert bench.space.supports(capability), f"the space lacks {capability.__name__}"


def check_ladder_rises(bench: Bench) -> None:
    """Rungs go from the cheapest to the fullest, whose relative cost is 1."""
    ladder = bench.estimator.ladder()
    assert ladder, "a ladder has at least one rung"
    rungs = [rung.fidelity for rung in ladder]
    costs = [rung.cost for rung in ladder]
    assert all(b.covers(a) and b != a for a, b in itertools.pairwise(rungs)), f"{ladder} does not rise"
    assert all(0 < cost <= 1 for cost in costs), f"costs are in (0, 1], got {costs}"
    assert costs == sorted(costs), f"costs rise, got {costs}"
    assert costs[-1] == 1, f"the last rung costs 1, got {costs[-1]}"


def check_stream_in_order(bench: Bench) -> None:
    """The first measurement is at step 0, steps rise, the last is at the fidelity's epochs."""
    for rung in bench.estimator.ladder():
        steps = [m.step for m in bench.stream(rung.fidelity)]
        assert steps, "an evaluation measures something"
        assert steps[0] == 0, f"the first measurement is at step 0, got {steps}"
        assert steps == sorted(set(steps)), f"steps rise, got {steps}"
        assert steps[-1] == rung.fidelity.epochs, f"{rung.fidelity} ends at {steps[-1]}"


def check_measurements_are_plain(bench: Bench) -> None:
    """Metrics are numbers by name that JSON keeps, seconds are not negative, errors in [0, 1]."""
    for m in bench.stream():
        assert json.loads(json.dumps(dict(m.metrics))) == dict(m.metrics), f"no JSON: {m.metrics}"
        for name, value in {**m.metrics, **m.report}.items():
            assert type(value) in (int, float), f"{name} is a number, got {value!r}"
            is_share = 0 <= value <= 1 or not name.endswith("_error")
            assert is_share, f"an error is a share in [0, 1], got {name}={value}"
        assert m.seconds >= 0, f"seconds are not negative, got {m.seconds}"


def check_metrics_are_declared(bench: Bench) -> None:
    """If ``metrics`` names any, exactly these are reported, and the task's own."""
    declared = set(bench.estimator.metrics())
    reported = {name for m in bench.stream() for name in m.metrics}
    own = set() if bench.task is None else {f"valid_{name}" for name in bench.task.metrics}
    assert not declared or declared == reported - (own - declared), f"declared {declared}, reported {reported}"


def check_deterministic(bench: Bench) -> None:
    """The same seed gives the same metrics, to the last digit, and no test metrics ever."""
    first, second = _metrics(bench.stream()), _metrics(bench.stream())
    assert first == second, f"two evaluations differ: {first} and {second}"


def check_what_is_not_random_has_no_seed(bench: Bench) -> None:
    """An estimator that says that it is not random measures the same whatever the seed."""
    first, second = _metrics(bench.stream(seed=0)), _metrics(bench.stream(seed=1))
    assert bench.estimator.is_random or first == second, f"seeds 0 and 1 differ: {first} and {second}"


def check_global_generators_are_untouched(bench: Bench) -> None:
    """Randomness comes from the seed of the evaluation."""
    with untouched_generators():
        list(bench.stream())


def check_legs_continue_exactly(bench: Bench) -> None:
    """A training in legs ends where one in a single leg does, to the last digit."""
    ladder = bench.estimator.ladder()
    whole = _metrics(bench.stream(ladder[-1].fidelity))
    parts: dict[int, dict[str, float]] = {}
    start, checkpoint = 0, None
    for rung in ladder:
        if not rung.continues:
            start, checkpoint, parts = 0, None, {}
        measurements = list(bench.stream(rung.fidelity, start, checkpoint))
        late = [m.step for m in measurements if start and m.step <= start]
        assert not late, f"a leg that continues begins after step {start}, got {late}"
        parts |= _metrics(measurements)
        start, checkpoint = rung.fidelity.epochs, measurements[-1].checkpoint
        is_kept = checkpoint is not None or rung is ladder[-1] or not rung.fidelity.epochs
        assert is_kept, f"the leg to {rung.fidelity} leaves no checkpoint"
    assert parts == whole, f"in legs {parts}, in one {whole}"


def check_lost_checkpoints_are_survived(bench: Bench) -> None:
    """Without its checkpoint a leg starts with fresh weights and says so."""
    ladder = bench.estimator.ladder()
    for below, rung in itertools.pairwise(ladder):
        if rung.continues:
            fresh = replace(bench, shelf=Shelf())
            lost = list(fresh.stream(rung.fidelity, below.fidelity.epochs, "lost"))
            assert lost[-1].step == rung.fidelity.epochs, f"it must go on, got {lost}"
            assert any(m.note for m in lost), "a missing checkpoint must be noted"


def check_close_stops(bench: Bench) -> None:
    """Closing the stream ends it at once, and leaves the estimator as it was."""
    stream = bench.stream()
    next(stream)
    if isinstance(stream, Generator):
        stream.close()
        assert list(stream) == [], "a closed stream gives nothing more"
    first = _metrics(bench.stream())
    assert first == _metrics(bench.stream()), "a closed stream must leave nothing behind"


def check_pickles(bench: Bench) -> None:
    """An estimator that was sent to another process evaluates the same."""
    again = replace(bench, estimator=cloudpickle.loads(cloudpickle.dumps(bench.estimator)))
    assert _metrics(again.stream()) == _metrics(bench.stream()), "a pickle evaluates otherwise"


CHECKS: tuple[EstimatorCheck, ...] = (
    check_arguments_stored_unchanged,
    check_requirements_hold,
    check_ladder_rises,
    check_stream_in_order,
    check_measurements_are_plain,
    check_metrics_are_declared,
    check_deterministic,
    check_what_is_not_random_has_no_seed,
    check_global_generators_are_untouched,
    check_legs_continue_exactly,
    check_lost_checkpoints_are_survived,
    check_close_stops,
    check_pickles,
)


def _metrics(stream: Iterator[Measurement] | list[Measurement]) -> dict[int, dict[str, float]]:
    """Return the metrics by step; NaN as text, so that it equals itself."""
    return {m.step: {k: v if v == v else "nan" for k, v in m.metrics.items()} for m in stream}  # type: ignore[misc]
