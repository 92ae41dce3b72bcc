"""The command line: ``nasturtium``, for short ``nas``.

Exit codes: 0 done; 1 failed; 2 wrong usage, with one line on standard error that says the rule,
what it got and the way out, and nothing written; 130 interrupted, with a line that says how to
resume.

What a command needs is imported when it runs, so that ``--help`` takes no time.
"""

import json
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
import typer.main
from rich.console import Console

import nasturtium
from nasturtium import _options as options
from nasturtium._arguments import (
    check_budget,
    check_new_name,
    default_workers,
    explain,
    file_name,
    fresh_name,
    parse_limits,
)
from nasturtium._interrupt import Interruptible
from nasturtium._options import DATABASE
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
        _say(f"nasturtium {nasturtium.__version__}")
    elif context.invoked_subcommand is None:
        _say(context.get_help())


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
    from nasturtium._search import prepare

    begun = time.monotonic()
    check_budget(minutes, trials, is_needed=True)
    limits = parse_limits(limit)
    check_components(space, strategy, scheduler, executor, log)
    with closing(open_storage(storage)) as opened, Interruptible(_error_console()) as interruptible:
        name = fresh_name(task, opened) if name is None else name
        check_new_name(name, opened)
        with _waiting("reading the data, timing a few networks"):
            study = prepare(
                task,
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
                seed=seed,
                name=name,
                storage=opened,
                out=Path("out") / file_name(name) if out is None else out,
                baseline=baseline,
                command=shlex.join(["nasturtium", *_ARGUMENTS]),
                latency_file=latency_file,
            )
        interruptible.way_on = _resume_line(name, storage)
        run_job(_console(), study, storage, begun=begun, executor=executor, logs=log)


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
    from nasturtium._jobs import is_delivered, print_delivered, run_job
    from nasturtium._search import reopen, writable_folder

    begun = time.monotonic()
    check_budget(minutes, trials, is_needed=False)
    if out is not None:
        writable_folder(out)
    with _looking(storage) as opened, Interruptible(_error_console()) as interruptible:
        if minutes is None and trials is None and is_delivered(name, opened):
            print_delivered(_console(), name, opened, storage, out)
            if out is None:
                return
        interruptible.way_on = _resume_line(name, storage)
        with _waiting("reading the log and the data"):
            study = reopen(name, opened)
        run_job(_console(), study, storage, begun=begun, minutes=minutes, trials=trials, out=out, logs=log)


@app.command("list")
def list_(storage: options.Storage = DATABASE, as_json: options.Json = False) -> None:
    """List the studies of a database.

    NAME/final@N is the final training of the search NAME after N candidates.
    """
    from nasturtium._listing import list_json, list_table
    from nasturtium._stored import stored_study

    with _looking(storage) as opened:
        studies = [stored_study(name, opened) for name in opened.studies()]
    if as_json:
        _say_json(list_json(studies))
    else:
        _console().print(list_table(studies))


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
        _say(mermaid(graph) if svg is None else str(write_drawing(graph, svg)))
    elif table is not None:
        _say(str(write_table(study.history, table)))
    elif as_json:
        _say_json(show_json(study))
    else:
        _console().print(show_page(study, children, stored_results(study, children)))


@app.command()
def report(name: options.Name, out: options.ReportFile, storage: options.Storage = DATABASE) -> None:
    """Write the report of a study, finished or not: one HTML file.

    For example:

        nasturtium report digits-1 --out report.html
    """
    from nasturtium._jobs import write_stored_report

    with _looking(storage) as opened:
        _say(str(write_stored_report(name, opened, out)))


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

    with _looking(storage) as opened, Interruptible(_error_console()):
        export_job(_console(), name, opened, trial, out)


@app.command()
def bench(
    benchmark: options.Benchmark,
    strategy: options.Strategies = [],  # noqa: B006 - Typer copies it
    grid: options.GridFile = None,
    space: options.TableSpace = None,
    minimize: options.Columns = [],  # noqa: B006
    maximize: options.MaximizedColumns = [],  # noqa: B006
    report: options.ReportColumn = None,
    trials: options.BenchTrials = 100,
    seeds: options.Seeds = 20,
    workers: options.VirtualWorkers = 1,
    scheduler: options.Scheduler = "fixed",
    jobs: options.Jobs = None,
    out: options.BenchOut = None,
) -> None:
    """Compare strategies on a tabular benchmark, over many seeds.

    Nothing is trained: measurements are looked up, and a simulated clock
    passes as if they had been made. Random search is always in the grid.

    For example:

        nasturtium bench nasbench201-cifar10-e12 --strategy regularized-evolution
        nasturtium bench my.csv --space nasbench201 --maximize val_acc --report test_acc
        nasturtium bench nasbench201-cifar10-e12 --grid settings.toml --seeds 100

    `nasturtium components benchmarks` lists what there is. With --out, a
    grid that was interrupted goes on where it stopped.
    """
    from nasturtium._bench import chosen_benchmark, chosen_strategies, compare, comparison_page, progress
    from nasturtium.benchmarking import Grid, Protocol

    chosen = chosen_benchmark(benchmark, space, minimize, maximize, report)
    protocol = Protocol(trials, workers, scheduler=scheduler)
    comparison = Grid(chosen, chosen_strategies(strategy, grid), seeds, protocol)
    with progress(_error_console(), chosen.name) as watch:
        results = compare(comparison, jobs, out, watch)
    _console().print(comparison_page(results))
    if out is not None:
        _say(f"files: {out}: results.csv, summary.json, statistics.json, report.html")


@app.command()
def components(kind: options.Kind = None, as_json: options.Json = False) -> None:
    """List what a search is made of: names, arguments, publications.

    What is listed is used by its name, or as a call:
    --space "nasnet(cells=2)".
    """
    from nasturtium._components import components as found
    from nasturtium._components import components_page

    entries = found(kind)
    if as_json:
        _say_json(entries)
    else:
        _console().print(components_page(entries))


@app.command()
def describe(
    space: options.DescribedSpace,
    task: options.TaskOption = None,
    limit: options.Limit = [],  # noqa: B006 - Typer copies it
    seed: options.Seed = 0,
    svg: options.ExampleFile = None,
    as_json: options.Json = False,
) -> None:
    """Say what a space holds before anything is trained: size, costs, what limits leave.

    For example:

        nasturtium describe nasnet --task fashion-mnist
        nasturtium describe "chain(depth=8)" --task digits --limit params=20000
        nasturtium describe nasbench201 --svg random.svg

    The drawing is of a random network within the limits: Mermaid text, or
    a picture with --svg.
    """
    from nasturtium._describe import describe_job, description_page

    limits = parse_limits(limit)
    with _waiting("sampling networks"):
        found, graph = describe_job(space, task, limits, seed)
    if as_json:
        _say_json(found.to_json())
    else:
        _console().print(description_page(found))
    if graph is not None and not as_json:
        from nasturtium._jobs import write_drawing
        from nasturtium.graphs import mermaid

        _say(f"\n{mermaid(graph)}" if svg is None else f"\ndrawing: {write_drawing(graph, svg)}")


@app.command()
def audit(
    task: options.Task,
    space: options.AuditSpace,
    minutes: options.AuditMinutes,
    target: options.Target = None,
    workers: options.Workers = None,
    seed: options.Seed = 0,
    storage: options.Storage = DATABASE,
) -> None:
    """Measure what a cheap estimate is worth, and say which fidelity to use.

    A sample of networks is trained at several fidelities, and fully with
    two seeds; the table says how well each ranks them, at which cost.
    `nasturtium search --estimator auto` takes the recommendation.

    For example:

        nasturtium audit fashion-mnist --space "nasbench201(cells=1, filters=8)" --minutes 20
    """
    from nasturtium._audit import run_audit
    from nasturtium._audit_page import audit_page
    from nasturtium._search import loaded_task

    loaded = loaded_task(task, target)
    with closing(open_storage(storage)) as opened, Interruptible(_error_console()):
        name = fresh_name(f"audit-{file_name(task)}", opened)
        with _waiting(f"training for {minutes:g} minutes"):
            found = run_audit(
                loaded,
                space,
                minutes=minutes,
                workers=workers or default_workers(None),
                seed=seed,
                name=name,
                storage=opened,
            )
    _console().print(audit_page(found))


@app.command()
def latency(folder: options.NetworksFolder, out: options.LatencyOut = None) -> None:
    """Measure how long exported networks take on this machine, whole and by operation.

    It needs nasturtium, onnxruntime and the folder; no data, no training.
    The file it writes makes another machine search for this one.

    For example:

        nasturtium latency out/digits-1
        nasturtium latency out/digits-1 --out board.json
        nasturtium search digits --minutes 5 --minimize valid_error --minimize latency_ms --latency-file board.json
    """
    from nasturtium._jobs import writable_file
    from nasturtium.latency import latency_page, measure_folder, networks_in, write_file

    path = None if out is None else writable_file(out, ".json")
    networks = networks_in(folder)
    with _waiting(f"measuring {len(networks)} networks"):
        found = measure_folder(networks)
    _console().print(latency_page(found))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, found)
        _say(f"file: {out}")


@app.command()
def doctor() -> None:
    """Say what works on this machine, and how to get the rest."""
    from nasturtium._doctor import diagnose

    if not diagnose(_console()):
        raise typer.Exit(1)


# --- what it works with --------------------------------------------------------------------------


def _looking(url: str) -> "closing[Storage]":
    """Return a storage that is only looked into, to be closed at the end of a block."""
    return closing(open_storage(url, create=False))


_ARGUMENTS: list[str] = []
"""The words of the command line that runs."""


def _console() -> Console:
    """Return where results go; a pipe gets wide lines, so that no table is cut."""
    console = Console(highlight=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, width=max(console.width, 160))


def _error_console() -> Console:
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def _waiting(text: str) -> AbstractContextManager[object]:
    """Return what shows, on a terminal, that something takes its time."""
    console = _console()
    return console.status(f"{text} ...") if console.is_terminal else nullcontext()


def _say(text: str) -> None:
    Console(highlight=False, markup=False, soft_wrap=True).print(text)


def _say_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=2, allow_nan=False) + "\n")


def _complain(text: str) -> None:
    """Write one line on standard error."""
    _error_console().print(" ".join(f"error: {text}".split()))


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
        _complain(explain(error, list(command.commands), _ARGUMENTS))
        return 2
    except (UsageError, StorageError, MissingExtraError) as error:
        _complain(str(error))
        return 2
    except NasturtiumError as error:
        _complain(str(error))
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
