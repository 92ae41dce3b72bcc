"""The jobs behind the commands: run a search with its display, look at what is done, export."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from nasturtium._complete import complete
from nasturtium._delivery import export_trial
from nasturtium._display import Display, print_outcome, print_problems
from nasturtium._evidence import results_of
from nasturtium._files import writable_file, writable_folder
from nasturtium._search import reopen
from nasturtium._stored import cpu_seconds, stored_results, stored_study
from nasturtium._study import made
from nasturtium.errors import NasturtiumError, UsageError, near_matches
from nasturtium.loggers import LOGGERS, JsonLines, Logger, follow
from nasturtium.report import counted, front_table, svg_of, write_report
from nasturtium.schedulers import SCHEDULERS
from nasturtium.spaces import SPACES
from nasturtium.strategies import STRATEGIES
from nasturtium.trials import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from nasturtium._study import Study
    from nasturtium.graphs import Graph
    from nasturtium.storage import Storage
    from nasturtium.trials import History

EXECUTORS = ("local", "inline", "ray")

LOCAL = "local"
"""Where a search that is resumed evaluates its candidates."""


def check_components(space: str | None, strategy: str, scheduler: str, executor: str, logs: Sequence[str] = ()) -> None:
    """Check the components that need no torch, before anything that takes time.

    Raises:
        UsageError: One is unknown, or has a wrong argument.
    """
    if space is not None:
        made(SPACES, space)
    made(STRATEGIES, strategy)
    made(SCHEDULERS, scheduler)
    for call in logs:
        made(LOGGERS, call)
    if executor not in EXECUTORS:
        raise UsageError(f"unknown executor {executor!r}; {near_matches(executor, EXECUTORS)}")
    if executor == "ray":
        raise UsageError("this release has no executor for Ray yet, got --executor ray; use --executor local.")


def run_job(
    console: Console,
    study: Study,
    storage: str,
    *,
    begun: float,
    executor: str | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    out: Path | None = None,
    logs: Sequence[str] = (),
) -> None:
    """Run a prepared or reopened search to its end, with its display, and print what came of it.

    Args:
        console: Where to.
        study: The search.
        storage: URL of the database.
        begun: When the command began, by ``time.monotonic``.
        executor: Where candidates are evaluated.
        minutes: Another time, of a resume.
        trials: Another number of candidates, of a resume.
        out: Another folder, of a resume.
        logs: More loggers, as the command line names them.

    Raises:
        UsageError: A script runs this study.
        NasturtiumError: No candidate has finished.
    """
    if "plan" not in study.created:
        raise UsageError(
            f"only a search is resumed, got study {study.name!r} of a script; run that script "
            f"again with nas.Study(..., name={study.name!r})."
        )
    plan = study.created["plan"]
    is_resumed = study.history.n_trials > 0
    whole = minutes if minutes is not None or is_resumed else plan["minutes"]
    display = Display(
        console,
        study,
        begun=begun,
        seconds=None if whole is None else 60 * whole,
        trials=trials or plan["trials"],
    )
    with display, follow(chosen_loggers(logs, out or study.created.get("out"))) as log:

        def watch(phase: str, shown: Study, history: History) -> None:
            display.watch(phase, shown, history)
            if phase == "search":
                log(history)

        outcome = complete(
            study,
            executor=executor or LOCAL,
            begun=begun,
            minutes=minutes,
            trials=trials,
            out=out,
            watch=watch,
        )
    print_outcome(console, outcome, storage)
    if not study.history.finished():
        raise NasturtiumError(nothing_finished(study.history))


def chosen_loggers(calls: Sequence[str], out: Path | str | None) -> list[Logger]:
    """Return the loggers of the command line, and the log as lines of JSON if there is a folder.

    Raises:
        UsageError: A name or an argument is unknown.
    """
    always = [] if out is None else [JsonLines(str(Path(out).resolve() / "log.jsonl"))]
    return [*always, *(made(LOGGERS, call) for call in calls)]


def nothing_finished(history: History) -> str:
    """Return one line on a search that has nothing to show."""
    reasons = Counter(trial.reason for trial in history.trials(State.FAILED)).most_common(1)
    if not reasons:
        return "at least one candidate must finish, got none in the time; raise --minutes."
    (reason, n), *_ = reasons
    return f"at least one candidate must finish, got {counted(n, 'failure')} with {reason!r}; mend what causes it."


def is_delivered(name: str, storage: Storage) -> bool:
    """Return whether a stored search has ended, its last phase included."""
    study = stored_study(name, storage)
    last = [note.data for note in study.notes if note.kind == "delivered"][-1:]
    return bool(last) and last[0]["n_trials"] == study.history.n_trials


def print_delivered(console: Console, name: str, storage: Storage, url: str, out: Path | None) -> None:
    """Say that a search has ended, and what came of it unless that will be said anew."""
    study = stored_study(name, storage)
    console.print(Text(f"{name} is complete; --minutes or --trials make it go on."), soft_wrap=True)
    if out is not None:
        return
    console.print()
    results = stored_results(study, list(study.children(storage)))
    console.print(front_table(study.history, final=results or None))
    console.print()
    files = [note.data["out"] for note in study.notes if note.kind == "delivered"][-1]
    console.print(Text(f"files: {files or 'none; --out DIR writes them'}"), soft_wrap=True)
    console.print(Text(f"study: {name}, seed {study.history.study.seed}, in {url}"), soft_wrap=True)


def export_job(console: Console, name: str, storage: Storage, trial: int, out: Path) -> None:
    """Export one trial's network and say what was written."""
    writable_folder(out)
    study = reopen(name, storage)
    exported = export_trial(study, study.history.trial(trial), out)
    console.print(Text(f"{out}: {', '.join(exported.files)}"), soft_wrap=True)
    print_problems(console, exported.problems)


def write_stored_report(name: str, storage: Storage, out: Path) -> Path:
    """Write the report of a stored study and return its path."""
    study = stored_study(name, storage)
    path = writable_file(out, ".html")
    delivered = [note.data for note in study.notes if note.kind == "delivered"][-1:]
    spent = {"spent": delivered[0]["seconds"]} if delivered else {}
    results = stored_results(study, list(study.children(storage)))
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {**study.created, **spent, **results_of(study.notes), "cpu_seconds": cpu_seconds(name, storage)}
    return write_report(study.history, known, path, final=results)


def write_drawing(graph: Graph, out: Path) -> Path:
    """Write a network as an SVG file and return its path."""
    path = writable_file(out, ".svg", option="--svg")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg_of(graph), encoding="utf-8")
    return path


def write_table(history: History, out: Path) -> Path:
    """Write a table with a row a trial as Parquet or CSV and return its path.

    Raises:
        UsageError: The file can't be written, or has another suffix.
        MissingExtraError: pandas is not installed.
    """
    path = writable_file(out, ".csv" if out.suffix == ".csv" else ".parquet", option="--table")
    frame = history.to_frame()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        # A decision may have values of several types, for which a column has no type but text.
        mixed = [name for name in frame.columns if frame[name].map(type).nunique() > 1 and frame[name].dtype == object]
        frame.astype(dict.fromkeys(mixed, "string")).to_parquet(path, index=False)
    return path
