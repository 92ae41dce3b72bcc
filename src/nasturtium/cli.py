"""The command line: ``nasturtium``, for short ``nas``.

Exit codes: 0 done; 1 failed; 2 wrong usage, with one line on standard error that says the rule,
what it got and the way out, and nothing written; 130 interrupted, with a line that says how to
resume.

What a command needs is imported when it runs, so that ``--help`` takes no time.
"""

import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
import typer.main

import nasturtium
from nasturtium import _options as options
from nasturtium._arguments import (
    check_budget,
    check_memory,
    check_new_name,
    default_workers,
    explain,
    file_name,
    fresh_name,
    parse_limits,
)
from nasturtium._commands import audit, bench, components, describe, doctor, latency
from nasturtium._interrupt import Interruptible
from nasturtium._options import DATABASE
from nasturtium._terminal import complain, console, error_console, say, say_json, waiting
from nasturtium.errors import MissingExtraError, NasturtiumError, StorageError, UsageError
from nasturtium.storage import open_storage

if TYPE_CHECKING:
    from nasturtium.storage import Storage

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")


@app.callback(invoke_without_command=True)
def root(context: typer.Context, version: options.Version = False) -> None:
    """Find neural network architectures: data and a budget in, trained networks out.

    For example:

        nasturtium search digits --minutes 2
        nasturtium search photos/ --minutes 30 --minimize valid_error
        nasturtium list
        nasturtium show digits-1

    `nasturtium COMMAND --help` explains a command, and
    `nasturtium components` lists what there is to choose from.
    """
    if version:
        say(f"nasturtium {nasturtium.__version__}")
    elif context.invoked_subcommand is None:
        say(context.get_help())


@app.command()
def search(
    task: options.Task,
    space: options.Space = None,
    strategy: options.Strategy = "regularized-evolution",
    estimator: options.Estimator = None,
    scheduler: options.Scheduler = "fixed",
    minimize: options.Minimize = [],  # noqa: B006 - Typer copies it
    limit: options.Limit = [],  # noqa: B006 - Typer copies it
    minutes: options.Minutes = None,
    trials: options.Trials = None,
    workers: options.Workers = None,
    memory: options.Memory = None,
    executor: options.ExecutorName = "local",
    seed: options.Seed = 0,
    name: options.NewName = None,
    storage: options.Storage = DATABASE,
    out: options.Out = None,
    target: options.Target = None,
    baseline: options.Baseline = None,
    latency_file: options.LatencyIn = None,
    log: options.Logs = [],  # noqa: B006 - Typer copies it
) -> None:
    """Search, train the best networks, test them once and export them.

    Every result is in the database before the next candidate begins:
    whatever happens, `nasturtium resume NAME` goes on.

    For example:

        nasturtium search digits --minutes 2
        nasturtium search photos/ --minutes 30 --limit params=100000
        nasturtium search patients.csv --target diagnosis --minutes 5
        nasturtium search x.npz --trials 40 --minimize valid_error --minimize flops
        nasturtium search digits --trials 20 --space "nasnet(cells=1)"
        nasturtium search double-pole --strategy neat --minutes 2

    Space, strategy, estimator and scheduler are a name, or a call with
    arguments, such as "regularized-evolution(population_size=10)";
    `nasturtium components` lists the names and their arguments.
    """
    from nasturtium._jobs import check_components, run_job
    from nasturtium._prepare import prepare
    from nasturtium._request import Request

    begun = time.monotonic()
    check_budget(minutes, trials, is_needed=True)
    limits = parse_limits(limit)
    check_components(space, strategy, scheduler, executor, log)
    check_memory(memory, executor)
    with closing(open_storage(storage)) as opened, Interruptible(error_console()) as interruptible:
        name = fresh_name(task, opened) if name is None else name
        check_new_name(name, opened)
        request = Request(
            task=task,
            target=target,
            space=space,
            strategy=strategy,
            estimator=estimator,
            scheduler=scheduler,
            objectives=list(dict.fromkeys(minimize)),
            limits=limits,
            minutes=minutes,
            trials=trials,
            workers=workers or default_workers(trials),
            memory_bytes=memory,
            seed=seed,
            name=name,
            storage=opened,
            out=Path("out") / file_name(name) if out is None else out,
            baseline=baseline,
            command=shlex.join(["nasturtium", *_ARGUMENTS]),
            latency_file=latency_file,
        )
        with waiting("reading the data, timing a few networks"):
            study = prepare(request)
        interruptible.way_on = _resume_line(name, storage)
        run_job(console(), study, storage, begun=begun, executor=executor, logs=log)


@app.command()
def resume(
    name: options.Name,
    storage: options.Storage = DATABASE,
    minutes: options.MoreMinutes = None,
    trials: options.MoreTrials = None,
    out: options.OtherOut = None,
    log: options.Logs = [],  # noqa: B006 - Typer copies it
) -> None:
    """Go on with a search that was interrupted, in whichever phase.

    Nothing that was measured is done again. With one worker, a search that
    was resumed is the same as one that never stopped.

    For example:

        nasturtium resume digits-1
        nasturtium resume digits-1 --trials 60
    """
    from nasturtium._files import writable_folder
    from nasturtium._jobs import is_delivered, print_delivered, run_job
    from nasturtium._search import reopen

    begun = time.monotonic()
    check_budget(minutes, trials, is_needed=False)
    if out is not None:
        writable_folder(out)
    with _looking(storage) as opened, Interruptible(error_console()) as interruptible:
        if minutes is None and trials is None and is_delivered(name, opened):
            print_delivered(console(), name, opened, storage, out)
            if out is None:
                return
        interruptible.way_on = _resume_line(name, storage)
        with waiting("reading the log and the data"):
            study = reopen(name, opened)
        run_job(console(), study, storage, begun=begun, minutes=minutes, trials=trials, out=out, logs=log)


@app.command("list")
def list_(storage: options.Storage = DATABASE, as_json: options.Json = False) -> None:
    """List the studies of a database.

    NAME/final@N is the final training of the search NAME after N candidates,
    NAME/seeds@K.E trains its winner K for E epochs with other seeds, and
    NAME/by-hand@K.E.HAND a network made by hand, HAND, beside it.
    """
    from nasturtium._listing import list_json, list_table
    from nasturtium._stored import stored_study

    with _looking(storage) as opened:
        studies = [stored_study(name, opened) for name in opened.studies()]
    if as_json:
        say_json(list_json(studies))
    else:
        console().print(list_table(studies))


@app.command()
def show(
    name: options.Name,
    storage: options.Storage = DATABASE,
    as_json: options.Json = False,
    trial: options.DrawnTrial = None,
    svg: options.SvgFile = None,
    table: options.TableFile = None,
) -> None:
    """Show a study: what it is, its front, its trials; or draw the network of one trial.

    The architecture key is that of the decisions, the graph key that of the
    network without its dead parts: architectures with one graph key are the
    same function. What is bold is on the front.

    For example:

        nasturtium show digits-1
        nasturtium show digits-1 --trial 3              (Mermaid text)
        nasturtium show digits-1 --trial 3 --svg a.svg
        nasturtium show digits-1 --table trials.parquet
    """
    from nasturtium._jobs import write_drawing, write_table
    from nasturtium._listing import drawn_graph, show_json, show_page
    from nasturtium._stored import stored_results, stored_study
    from nasturtium.graphs import mermaid

    with _looking(storage) as opened:
        study = stored_study(name, opened)
        children = list(study.children(opened))
    if trial is not None or svg is not None:
        graph = drawn_graph(study, trial)
        say(mermaid(graph) if svg is None else str(write_drawing(graph, svg)))
    elif table is not None:
        say(str(write_table(study.history, table)))
    elif as_json:
        say_json(show_json(study))
    else:
        console().print(show_page(study, children, stored_results(study, children)))


@app.command()
def report(name: options.Name, out: options.ReportFile, storage: options.Storage = DATABASE) -> None:
    """Write the report of a study, finished or not: one HTML file.

    For example:

        nasturtium report digits-1 --out report.html
    """
    from nasturtium._jobs import write_stored_report

    with _looking(storage) as opened:
        say(str(write_stored_report(name, opened, out)))


@app.command()
def export(
    name: options.Name,
    trial: options.TrialNumber,
    out: options.ExportFolder,
    storage: options.Storage = DATABASE,
) -> None:
    """Export the trained network of one trial.

    It has the weights of the final training if it took part in that, else
    those of the search.

    For example:

        nasturtium export digits-1 --trial 3 --out third
    """
    from nasturtium._jobs import export_job

    with _looking(storage) as opened, Interruptible(error_console()):
        export_job(console(), name, opened, trial, out)


for command in (bench, components, describe, audit, latency, doctor):
    app.command()(command)


def _looking(url: str) -> "closing[Storage]":
    """Return a storage that is only looked into, to be closed at the end of a block."""
    return closing(open_storage(url, create=False))


_ARGUMENTS: list[str] = []
"""The words of the command line that runs."""


def _resume_line(name: str, storage: str) -> str:
    return f"nasturtium resume {shlex.quote(name)} --storage {shlex.quote(storage)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: The words after ``nasturtium``; None takes those of this process.
    """
    _ARGUMENTS[:] = sys.argv[1:] if arguments is None else arguments
    command: Any = typer.main.get_command(app)
    try:
        code = command.main(args=list(_ARGUMENTS), prog_name="nasturtium", standalone_mode=False)
    except typer.TyperException as error:
        complain(explain(error, list(command.commands), _ARGUMENTS))
        return 2
    except (UsageError, StorageError, MissingExtraError) as error:
        complain(str(error))
        return 2
    except NasturtiumError as error:
        complain(str(error))
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
