"""What is special about InlineExecutor: it is this process, its memory and its interrupts."""

import pytest

from nasturtium.engine._base import Done, Reported
from nasturtium.engine._inline import InlineExecutor, MemoryCheckpoints
from nasturtium.errors import UsageError
from nasturtium.testing._executor_cases import counting, job_of, run, workload_of
from nasturtium.trials import Decision, Measurement


@pytest.fixture
def executor():
    executor = InlineExecutor()
    yield executor
    executor.close()


def test_one_worker(executor):
    assert executor.n_workers == 1


def test_a_job_needs_start(executor):
    with pytest.raises(UsageError, match="one job at a time after start, got none"):
        executor.submit(job_of())


def test_a_second_job_is_refused(executor):
    executor.start(workload_of(counting))
    executor.submit(job_of(4))
    with pytest.raises(UsageError, match="got trial 4 under way; receive its end first"):
        executor.submit(job_of(5))


def test_runs_in_this_process(executor):
    seen = []

    def script(assignment, context):
        seen.append(context.task)
        yield Measurement(0, {})

    executor.start(workload_of(script))
    run(executor, job_of())
    assert seen == [None]


def test_nothing_runs_before_receive(executor):
    seen = []

    def script(assignment, context):
        seen.append(assignment.number)
        yield Measurement(0, {})

    executor.start(workload_of(script))
    executor.submit(job_of(3))
    assert seen == []
    executor.receive()
    assert seen == [3]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("after", [0, 1])
def test_interrupts_pass_through_and_close_the_stream(executor, interrupt, after):
    closed = []

    def script(assignment, context):
        try:
            yield from [Measurement(0, {})] * after
            raise interrupt
        finally:
            closed.append(assignment.number)

    executor.start(workload_of(script))
    executor.submit(job_of(6))
    for _ in range(after):
        executor.receive()
        executor.answer(6, Decision.CONTINUE)
    with pytest.raises(interrupt):
        executor.receive()
    assert closed == [6]
    assert executor.receive() == ()


def test_close_closes_a_waiting_stream_whatever_that_raises(executor):
    closed = []

    def script(assignment, context):
        try:
            yield Measurement(0, {})
        finally:
            closed.append(assignment.number)
            raise OSError("disk full")

    executor.start(workload_of(script))
    executor.submit(job_of(2))
    executor.receive()
    executor.close()
    assert closed == [2]


def saving(assignment, context):
    found = {f"from {n}": float(context.checkpoints.load(n) or -1) for n in (0, 1)}
    reference = context.checkpoints.save(b"%d" % (10 + assignment.number))
    yield Measurement(0, found, checkpoint=reference)


def test_checkpoints_in_memory_outlive_close(executor):
    executor.start(workload_of(saving))
    reference = run(executor, job_of(0))[0][0].measurement.checkpoint
    executor.close()
    executor.start(workload_of(saving))
    said = run(executor, job_of(1, references={0: reference}))[1]
    assert said[0].measurement.metrics == {"from 0": 10.0, "from 1": -1.0}


def test_only_a_trials_latest_checkpoint_is_kept():
    memory = {}
    view = MemoryCheckpoints(memory, 3, {})
    first = view.save(b"first")
    second = view.save(b"second")
    assert len(memory) == 1
    assert MemoryCheckpoints(memory, 4, {3: second}).load(3) == b"second"
    assert MemoryCheckpoints(memory, 4, {3: first}).load(3) is None
    assert MemoryCheckpoints(memory, 4, {}).load(3) is None


def test_references_of_two_executors_differ(executor):
    other = InlineExecutor()
    references = set()
    for one in (executor, other):
        one.start(workload_of(saving))
        references.add(run(one, job_of(0))[0][0].measurement.checkpoint)
    assert len(references) == 2


def test_a_stopped_job_ends_with_done(executor):
    executor.start(workload_of(counting))
    said = run(executor, job_of(1), stop_at=0)[1]
    assert [type(message) for message in said] == [Reported, Done]
