"""The command line's arguments and options: types, how they are read, what ``--help`` says."""

from pathlib import Path
from typing import Annotated

import typer

from nasturtium._arguments import memory, positive, whole

DATABASE = "sqlite:///nasturtium.db"
"""Where studies are kept unless ``--storage`` says otherwise."""

Task = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        help="The data: a built-in name (`nasturtium components tasks`), a folder with one folder "
        "of images per class, a .npz file with x and y, or a .csv or .parquet table with --target.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Of a table, the column that the networks are to tell."),
]
Space = Annotated[
    str | None,
    typer.Option(
        metavar="S",
        help="Which networks are allowed, see `nasturtium components spaces`; by default chain for images, "
        "recurrent for texts, neurons for problems and mlp for the rest.",
    ),
]
Strategy = Annotated[
    str,
    typer.Option(metavar="S", help="How to search, see `nasturtium components strategies`."),
]
Estimator = Annotated[
    str | None,
    typer.Option(
        metavar="E",
        show_default=False,
        help="How candidates are judged, see `nasturtium components estimators`; by default training, "
        "and simulation for problems such as double-pole. With --minutes, the plain name training lets "
        "the time decide how long each is trained; auto takes what an audit recommends.",
    ),
]
Scheduler = Annotated[
    str,
    typer.Option(
        metavar="S",
        help="How far each candidate is trained, see `nasturtium components schedulers`.",
    ),
]
Minimize = Annotated[
    list[str],
    typer.Option(
        metavar="METRIC",
        show_default="valid_error; of a text, valid_perplexity",
        help="What to make small; repeat it for a trade-off. Such as valid_error, params, flops.",
    ),
]
Limit = Annotated[
    list[str],
    typer.Option(
        metavar="METRIC=VALUE",
        help="A greatest value, such as params=100000; repeat it for more.",
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        metavar="M",
        parser=positive("--minutes 10"),
        help="Time for the whole job: search, final training and export.",
    ),
]
AuditMinutes = Annotated[
    float,
    typer.Option("--minutes", metavar="M", parser=positive("--minutes 20"), help="Time for the whole audit."),
]
AuditSpace = Annotated[
    str,
    typer.Option("--space", metavar="S", help="Which networks are sampled, see `nasturtium components spaces`."),
]
Trials = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=whole("--trials 30", 1),
        help="Number of candidates, instead of --minutes.",
    ),
]
Memory = Annotated[
    int | None,
    typer.Option(
        metavar="SIZE",
        parser=memory,
        show_default=False,
        help="Most memory of a worker process, such as 2GB or 800MB (Linux): a candidate that wants more fails.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="W",
        parser=whole("--workers 2", 1),
        show_default=False,
        help="Candidates at a time, each in a process of its own. By default all cores with "
        "--minutes, and 1 with --trials, so that the same seed gives the same search.",
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        metavar="X",
        help="Where they run: local (worker processes), inline (this process) or ray.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(metavar="K", parser=whole("--seed 0", 0), help="For everything that is random."),
]
NewName = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What to call the study; by default the task and a number."),
]
Storage = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="Database of the studies, such as sqlite:///FILE or postgresql://USER@HOST/NAME.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder for report.html, front.json and a folder per network; by default out/NAME.",
    ),
]
LatencyIn = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.json",
        help="Another device's measurements, by `nasturtium latency` there; latency_ms is then that device's.",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.py:CLASS",
        help="A network of your own, an nn.Module class, that is trained by the same recipe for comparison.",
    ),
]
Logs = Annotated[
    list[str],
    typer.Option(
        metavar="L",
        help="Where else to log: tensorboard(folder='runs'), mlflow(uri='...'); --out has log.jsonl always.",
    ),
]

Name = Annotated[str, typer.Argument(metavar="NAME", help="The study, as `nasturtium list` shows it.")]
MoreMinutes = Annotated[
    float | None,
    typer.Option(
        metavar="M",
        parser=positive("--minutes 10"),
        help="Another time for what is left; a complete search goes on.",
    ),
]
MoreTrials = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=whole("--trials 60", 1),
        help="Another number of candidates, those that there are included.",
    ),
]
OtherOut = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Another folder for the results than the search was given."),
]
ReportFile = Annotated[Path, typer.Option(metavar="FILE.html", help="The file to write.")]
TrialNumber = Annotated[
    int,
    typer.Option(
        metavar="K",
        parser=whole("--trial 3", 0),
        help="Number of the trial, see `nasturtium show`.",
    ),
]
DrawnTrial = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        parser=whole("--trial 3", 0),
        help="Print the network of this trial as Mermaid text instead.",
    ),
]
SvgFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE.svg", help="Write the network of --trial to this file instead."),
]
TableFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a row a trial to this .parquet or .csv file instead."),
]
ExportFolder = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; one of that name is replaced.")]
DescribedSpace = Annotated[
    str,
    typer.Argument(metavar="SPACE", help="A name or a call with arguments, see `nasturtium components spaces`."),
]
TaskOption = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="The data whose shapes the networks get; by default 3x32x32 images."),
]
ExampleFile = Annotated[
    Path | None,
    typer.Option("--svg", metavar="FILE.svg", help="Draw the random network to this file instead of printing it."),
]
NetworksFolder = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", help="What `search --out` wrote, a network's folder in it, or a .onnx file."),
]
LatencyOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE.json", help="Write the measurements, for `search --latency-file`."),
]
Kind = Annotated[
    str | None,
    typer.Argument(
        metavar="KIND",
        help="One of: spaces, strategies, estimators, schedulers, tasks, benchmarks. Of one kind, the arguments are "
        "explained.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Version = Annotated[bool, typer.Option("--version", help="Print the version and exit.")]

Benchmark = Annotated[
    str,
    typer.Argument(
        metavar="BENCHMARK",
        help="A benchmark (`nasturtium components benchmarks`), or a .csv or .parquet table with a column arch.",
    ),
]
Strategies = Annotated[
    list[str],
    typer.Option("--strategy", metavar="S", help="A strategy to compare, see `nasturtium components strategies`."),
]
GridFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.toml",
        help="More strategies: \\[[strategy]] tables with a name and arguments; a list stands for each of its values.",
    ),
]
TableSpace = Annotated[
    str | None,
    typer.Option(metavar="S", help="The space that a table's column arch is of."),
]
Columns = Annotated[
    list[str],
    typer.Option("--minimize", metavar="COLUMN", help="A column of the table to be made small; repeat it for more."),
]
MaximizedColumns = Annotated[
    list[str],
    typer.Option("--maximize", metavar="COLUMN", help="A column of the table to be made large; repeat it for more."),
]
ReportColumn = Annotated[
    str | None,
    typer.Option("--report", metavar="COLUMN", help="A column that no strategy sees, and that judges the best."),
]
BenchTrials = Annotated[
    int,
    typer.Option("--trials", metavar="N", parser=whole("--trials 100", 1), help="Evaluations of a run."),
]
Seeds = Annotated[int, typer.Option(metavar="K", parser=whole("--seeds 20", 1), help="Runs of each strategy.")]
VirtualWorkers = Annotated[
    int,
    typer.Option("--workers", metavar="W", parser=whole("--workers 4", 1), help="Simulated workers of a run."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        metavar="P",
        parser=whole("--jobs 2", 1),
        show_default=False,
        help="Runs at a time, each in a process of its own. By default one a core.",
    ),
]
BenchOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder for results.csv, summary.json and report.html."),
]
