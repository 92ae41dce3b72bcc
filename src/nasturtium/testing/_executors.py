"""The laws of executors; third parties run them over their own.

@pytest.mark.parametrize(("name", "check"), executor_checks())
def test_law(name, check):
    check(MyExecutor)
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from nasturtium.engine._base import Died, Done, Executor, Failed, Job, Reported
from nasturtium.errors import UsageError
from nasturtium.estimators import Assignment, Context, Diverged, Function
from nasturtium.testing._executor_cases import (
    ARCHITECTURE,
    Script,
    counting,
    heard,
    job_of,
    run,
    workload_of,
)
from nasturtium.trials import Decision, Fidelity, Measurement

Make = Callable[[], Executor]
"""Makes an executor that is not started yet."""

ExecutorCheck = Callable[[Make], None]
"""A law: raises AssertionError if the executors that it is given break it."""


def executor_checks() -> Iterator[tuple[str, ExecutorCheck]]:
    """Yield every law with its name."""
    for check in CHECKS:
        yield check.__name__.removeprefix("check_").replace("_", "-"), check


def failure_of(make: Make, script: Script) -> Failed:
    """Return the failure that a script's candidate ends with; another candidate works after it.

    Raises:
        AssertionError: It ends otherwise.
    """

    def sometimes(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        chosen = counting if assignment.number else script
        return chosen(assignment, context)

    with closing(make()) as executor:
        executor.start(workload_of(sometimes))
        last = run(executor, job_of(0))[0][-1]
        assert isinstance(last, Failed), f"a candidate's fault must be Failed, got {last}"
        assert "\n" not in last.reason, f"a reason is one line, got {last.reason!r}"
        after = run(executor, job_of(1))[1]
        assert isinstance(after[-1], Done), f"the executor must work on, got {after[-1]}"
        return last


def check_messages_in_order(make: Make) -> None:
    """A job's measurements arrive one by one, then its end."""
    with closing(make()) as executor:
        executor.start(workload_of(counting))
        said = run(executor, job_of(7))[7]
    steps = [m.measurement.step for m in said if isinstance(m, Reported)]
    assert steps == [0, 1, 2, 3], f"expected steps 0 to 3, got {said}"
    assert said[-1] == Done(7), f"expected Done(7) at the end, got {said}"


def check_waits_for_the_answer(make: Make) -> None:
    """No message comes between a measurement and its answer, and ``receive`` says so at once."""
    with closing(make()) as executor:
        executor.start(workload_of(counting))
        executor.submit(job_of())
        first = heard(executor)
        assert len(first) == 1, f"expected one measurement, got {first}"
        assert not executor.receive(), "a job that waits for its answer must not go on"
        executor.answer(0, Decision.CONTINUE)
        second = heard(executor)
        assert [m.measurement.step for m in second if isinstance(m, Reported)] == [1], f"{second}"


def check_nothing_under_way(make: Make) -> None:
    """Without a job ``receive`` returns at once, with nothing."""
    with closing(make()) as executor:
        executor.start(workload_of(counting))
        assert not executor.receive(), "no job, no message"
        assert not executor.receive(0), "no job, no message"
        run(executor, job_of())
        assert not executor.receive(), "no job, no message"


def check_stop_closes_the_stream(make: Make) -> None:
    """After STOP the candidate's ``finally`` has run and its next step has not."""
    with tempfile.TemporaryDirectory() as folder:

        def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
            try:
                for measurement in counting(assignment, context):
                    yield measurement
                    (Path(folder) / f"went on after {measurement.step}").touch()
            finally:
                (Path(folder) / "closed").touch()

        with closing(make()) as executor:
            executor.start(workload_of(script))
            said = run(executor, job_of(), stop_at=1)[0]
        found = sorted(path.name for path in Path(folder).iterdir())
    assert found == ["closed", "went on after 0"], f"after STOP at step 1: {found}"
    assert [type(message) for message in said] == [Reported, Reported, Done], f"got {said}"


def check_plain_iterators(make: Make) -> None:
    """A stream need not be a generator."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        return iter(list(counting(assignment, context)))

    with closing(make()) as executor:
        executor.start(workload_of(script))
        n_to_the_end = len(run(executor, job_of(0))[0])
        n_stopped = len(run(executor, job_of(1), stop_at=1)[1])
    assert (n_to_the_end, n_stopped) == (5, 3), f"got {(n_to_the_end, n_stopped)} messages"


def check_lambda(make: Make) -> None:
    """A lambda is an estimator's function."""
    with closing(make()) as executor:
        executor.start(workload_of(Function(lambda a: {"loss": a["layers"] / 4, "seconds": 5.0})))
        said = run(executor, job_of(epochs=0))[0]
    assert said == [Reported(0, Measurement(0, {"loss": 0.5}, 5.0)), Done(0)], f"got {said}"


def check_failure_before_a_measurement(make: Make) -> None:
    """What a candidate raises at once is its failure, with the reason in one line."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        raise ValueError(f"trial {assignment.number}:\n kernel larger than image")

    failed = failure_of(make, script)
    assert failed.reason == "ValueError: trial 0: kernel larger than image", f"got {failed}"
    assert "in script" in failed.details, f"details hold the traceback, got {failed.details!r}"


def check_failure_after_a_measurement(make: Make) -> None:
    """What a candidate raises later is its failure just as well."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        yield from counting(assignment, context)
        raise KeyError("layers")

    failed = failure_of(make, script)
    assert failed.reason == "KeyError: 'layers'", f"got {failed}"


def check_failure_while_stopping(make: Make) -> None:
    """What a candidate raises while its stream is closed is a failure."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        try:
            yield from counting(assignment, context)
        finally:
            raise OSError("disk full")

    with closing(make()) as executor:
        executor.start(workload_of(script))
        last = run(executor, job_of(), stop_at=0)[0][-1]
    assert isinstance(last, Failed), f"expected Failed, got {last}"
    assert last.reason == "OSError: disk full", f"got {last}"


def check_diverged(make: Make) -> None:
    """A training that diverged says so."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        raise Diverged("the loss was nan in epoch 3")

    failed = failure_of(make, script)
    assert failed.reason == "diverged: the loss was nan in epoch 3", f"got {failed}"


def check_out_of_memory(make: Make) -> None:
    """Every way in which memory runs out reads the same."""
    errors = (
        MemoryError("unable to allocate 7 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
    )
    for error in errors:

        def script(assignment: Assignment, context: Context, error: Exception = error) -> Iterator[Measurement]:
            raise error

        failed = failure_of(make, script)
        assert failed.reason == f"out of memory: {error}", f"got {failed}"


def check_not_a_measurement(make: Make) -> None:
    """An estimator that yields something else has failed."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        yield {"loss": 0.5}  # type: ignore[misc]

    failed = failure_of(make, script)
    assert failed.reason.startswith("TypeError: an estimator yields Measurement, got dict"), f"got {failed}"


def check_interrupt_is_not_swallowed(make: Make) -> None:
    """KeyboardInterrupt in a candidate ends the search, or at least is no success."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        raise KeyboardInterrupt

    with closing(make()) as executor:
        executor.start(workload_of(script))
        try:
            last = run(executor, job_of())[0][-1]
        except KeyboardInterrupt:
            return
    assert isinstance(last, Failed | Died), f"expected no success, got {last}"


def check_as_many_jobs_as_workers(make: Make) -> None:
    """``n_workers`` jobs are under way at once and keep apart; one more is refused."""
    with closing(make()) as executor:
        executor.start(workload_of(counting))
        jobs = [job_of(number, epochs=number) for number in range(executor.n_workers)]
        said = run(executor, *jobs)
        for job in jobs:
            executor.submit(job)
        try:
            executor.submit(job_of(executor.n_workers))
        except UsageError:
            pass
        else:
            raise AssertionError(f"more than {executor.n_workers} jobs must be refused")
    lengths = [len(messages) for messages in said.values()]
    assert lengths == [job.assignment.fidelity.epochs + 2 for job in jobs], f"got {said}"


def check_job_arrives_whole(make: Make) -> None:
    """A candidate is given its number, architecture, leg, parents, seed and deadline."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        assert assignment.architecture is not None
        metrics = {
            "number": assignment.number,
            "layers": assignment.architecture["layers"],
            "start": assignment.start,
            "parents": sum(assignment.parents),
            "seed": context.seed,
            "deadline": context.deadline or 0.0,
            "is_known": float(assignment.architecture in context.space),
        }
        yield Measurement(assignment.fidelity.epochs, metrics)

    assignment = Assignment(5, ARCHITECTURE, Fidelity(4, schedule=8), 2, parents=(1, 3))
    with closing(make()) as executor:
        executor.start(workload_of(script))
        said = run(executor, Job(assignment, seed=2**55 + 1, deadline=100.0))[5][0]
    assert isinstance(said, Reported), f"expected a measurement, got {said}"
    assert said.measurement.metrics == {
        "number": 5,
        "layers": 2,
        "start": 2,
        "parents": 4,
        "seed": 2**55 + 1,
        "deadline": 100.0,
        "is_known": 1.0,
    }, f"got {said.measurement.metrics}"


def check_checkpoints(make: Make) -> None:
    """What one job saves, another loads by the reference in its measurement."""

    def script(assignment: Assignment, context: Context) -> Iterator[Measurement]:
        found = {f"from {n}": float(context.checkpoints.load(n) or 0) for n in (0, 1, 2)}
        reference = context.checkpoints.save(b"%d" % (10 + assignment.number))
        yield Measurement(0, found, checkpoint=reference)

    with tempfile.TemporaryDirectory() as folder, closing(make()) as executor:
        executor.start(workload_of(script, folder))
        first = run(executor, job_of(0))[0][0]
        assert isinstance(first, Reported), f"expected a measurement, got {first}"
        reference = first.measurement.checkpoint
        assert reference is not None, "the reference got lost"
        second = run(executor, job_of(1, references={0: reference}))[1][0]
    assert isinstance(second, Reported), f"expected a measurement, got {second}"
    assert second.measurement.metrics == {"from 0": 10, "from 1": 0, "from 2": 0}, f"{second}"


def check_clock(make: Make) -> None:
    """The clock never goes back and moves while candidates work."""
    with closing(make()) as executor:
        times = [executor.now()]
        executor.start(workload_of(counting))
        times.append(executor.now())
        executor.submit(job_of(epochs=20))
        while not isinstance(heard(executor)[0], Done):
            times.append(executor.now())
            executor.answer(0, Decision.CONTINUE)
    assert times == sorted(times), f"the clock went back: {times}"
    assert times[-1] > times[0], "the clock stood still"


def check_close(make: Make) -> None:
    """``close`` works before ``start``, twice, and while jobs run or wait; then ``start`` again."""
    executor = make()
    executor.close()
    executor.start(workload_of(counting))
    executor.close()
    executor.close()
    for is_waiting in (False, True):
        executor.start(workload_of(counting))
        executor.submit(job_of())
        if is_waiting:
            heard(executor)
        executor.close()
        executor.close()
    with closing(executor):
        executor.start(workload_of(counting))
        said = run(executor, job_of())[0]
    assert said[-1] == Done(0), f"expected Done(0) at the end, got {said}"


def check_late_answers(make: Make) -> None:
    """An answer to a job that is no more changes nothing."""
    with closing(make()) as executor:
        executor.start(workload_of(counting))
        run(executor, job_of(0))
        executor.answer(0, Decision.STOP)
        said = run(executor, job_of(1))[1]
    assert len(said) == 5, f"expected the whole stream, got {said}"


CHECKS: tuple[ExecutorCheck, ...] = (
    check_messages_in_order,
    check_waits_for_the_answer,
    check_nothing_under_way,
    check_stop_closes_the_stream,
    check_plain_iterators,
    check_lambda,
    check_failure_before_a_measurement,
    check_failure_after_a_measurement,
    check_failure_while_stopping,
    check_diverged,
    check_out_of_memory,
    check_not_a_measurement,
    check_interrupt_is_not_swallowed,
    check_as_many_jobs_as_workers,
    check_job_arrives_whole,
    check_checkpoints,
    check_clock,
    check_close,
    check_late_answers,
)
