"""The commands that search nothing: comparing, listing, describing, measuring.

``cli.py`` registers them. What a command needs is imported when it runs, so that ``--help`` takes no time.
"""

from contextlib import closing

import typer

from nasturtium import _options as options
from nasturtium._arguments import default_workers, file_name, fresh_name, parse_limits
from nasturtium._interrupt import Interruptible
from nasturtium._options import DATABASE
from nasturtium._terminal import console, error_console, progress, say, say_json, waiting
from nasturtium.storage import open_storage


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
    from nasturtium._bench import chosen_benchmark, chosen_strategies, compare, comparison_page
    from nasturtium.benchmarking import Grid, Protocol

    chosen = chosen_benchmark(benchmark, space, minimize, maximize, report)
    protocol = Protocol(trials, workers, scheduler=scheduler)
    comparison = Grid(chosen, chosen_strategies(strategy, grid), seeds, protocol)
    with progress(f"{chosen.name}: runs") as watch:
        results = compare(comparison, jobs, out, watch)
    console().print(comparison_page(results))
    if out is not None:
        say(f"files: {out}: results.csv, summary.json, statistics.json, report.html")


def components(kind: options.Kind = None, as_json: options.Json = False) -> None:
    """List what a search is made of: names, arguments, publications.

    What is listed is used by its name, or as a call:
    --space "nasnet(cells=2)".
    """
    from nasturtium._components import components as found
    from nasturtium._components import components_page

    entries = found(kind)
    if as_json:
        say_json(entries)
    else:
        console().print(components_page(entries))


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
    with waiting("sampling networks"):
        found, graph = describe_job(space, task, limits, seed)
    if as_json:
        say_json(found.to_json())
    else:
        console().print(description_page(found))
    if graph is not None and not as_json:
        from nasturtium._jobs import write_drawing
        from nasturtium.graphs import mermaid

        say(f"\n{mermaid(graph)}" if svg is None else f"\ndrawing: {write_drawing(graph, svg)}")


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
    What a full training is follows from the minutes: all the data, a part
    of it, or smaller networks of the same cells; the title says which.
    `nasturtium search --estimator auto` takes the recommendation.

    For example:

        nasturtium audit fashion-mnist --space nasbench201 --minutes 20
    """
    from nasturtium._audit import run_audit
    from nasturtium._audit_page import audit_page
    from nasturtium._prepare import loaded_task

    loaded = loaded_task(task, target)
    with closing(open_storage(storage)) as opened, Interruptible(error_console()):
        name = fresh_name(f"audit-{file_name(task)}", opened)
        with progress(f"training, up to {minutes:g} minutes") as watch:
            found = run_audit(
                loaded,
                space,
                minutes=minutes,
                workers=workers or default_workers(None),
                seed=seed,
                name=name,
                storage=opened,
                watch=watch,
            )
    console().print(audit_page(found))


def latency(folder: options.NetworksFolder, out: options.LatencyOut = None) -> None:
    """Measure how long exported networks take on this machine, whole and by operation.

    It needs nasturtium, onnxruntime and the folder; no data, no training.
    The file it writes makes another machine search for this one.

    For example:

        nasturtium latency out/digits-1
        nasturtium latency out/digits-1 --out board.json
        nasturtium search digits --minutes 5 --minimize valid_error --minimize latency_ms --latency-file board.json
    """
    from nasturtium._files import writable_file
    from nasturtium.latency import latency_page, measure_folder, networks_in, write_file

    path = None if out is None else writable_file(out, ".json")
    networks = networks_in(folder)
    with waiting(f"measuring {len(networks)} networks"):
        found = measure_folder(networks)
    console().print(latency_page(found))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, found)
        say(f"file: {out}")


def doctor() -> None:
    """Say what works on this machine, and how to get the rest."""
    from nasturtium._doctor import diagnose

    if not diagnose(console()):
        raise typer.Exit(1)
