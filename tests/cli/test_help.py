"""What the command line says of itself."""

import json
import subprocess
import sys

import pytest
import typer.main

import nasturtium
from nasturtium.cli import app

COMMANDS = [
    "search",
    "resume",
    "list",
    "show",
    "report",
    "export",
    "bench",
    "components",
    "describe",
    "audit",
    "latency",
    "doctor",
]


def test_the_commands_are_those_of_the_design():
    assert list(typer.main.get_command(app).commands) == COMMANDS


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "search",
            "--space --strategy --estimator --scheduler --minimize --limit --minutes --trials "
            "--workers --memory --executor --seed --name --storage --out --target --baseline --latency-file --log",
        ),
        ("resume", "--storage --minutes --trials --out --log"),
        ("list", "--storage --json"),
        ("show", "--storage --json --trial --svg --table"),
        ("report", "--out --storage"),
        ("export", "--trial --out --storage"),
        (
            "bench",
            "--strategy --grid --space --minimize --maximize --report --trials --seeds --workers "
            "--scheduler --jobs --out",
        ),
        ("components", "--json"),
        ("audit", "--space --minutes --target --workers --seed --storage"),
        ("latency", "--out"),
        ("describe", "--task --limit --seed --svg --json"),
        ("doctor", ""),
    ],
)
def test_every_command_has_its_options_and_says_what_they_mean(command, options):
    parameters = typer.main.get_command(app).commands[command].params
    shown = [p for p in parameters if p.param_type_name == "option" and p.name != "help"]
    assert [p.opts[0] for p in shown] == options.split()
    assert all(p.help for p in parameters if p.name != "help")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_explains_and_gives_examples(run, command):
    result = run(*command.split(), "--help")
    assert result.code == 0
    assert result.err == ""
    assert "Usage: nasturtium" in result.out
    if command in ("", "search", "resume", "report", "export"):
        assert f"nasturtium {command or 'search'} " in result.out.partition("For example:")[2]


def test_help_says_where_names_come_from(run):
    out = " ".join(run("search", "--help").out.replace("│", " ").split())
    for kind in ("spaces", "strategies", "estimators", "schedulers", "tasks"):
        assert f"nasturtium components {kind}" in out


def test_without_a_command_the_help_is_shown(run):
    result = run()
    assert result.code == 0
    assert "search" in result.out


def test_version(run):
    assert run("--version").out == f"nasturtium {nasturtium.__version__}\n"


def test_help_loads_no_torch_and_no_database_driver():
    code = (
        "import sys; from nasturtium.cli import main; main(['search', '--help']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sqlalchemy', 'sklearn')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# --- components ----------------------------------------------------------------------------------


def test_components_lists_every_registered_name(run):
    out = run("components").out
    entries = json.loads(run("components", "--json").out)
    kinds = ["spaces", "strategies", "estimators", "schedulers", "tasks", "benchmarks"]
    assert list(dict.fromkeys(entry["kind"] for entry in entries)) == kinds
    for entry in entries:
        assert entry["name"] in out
        assert entry["description"], entry["name"]
    names = {(entry["kind"], entry["name"]) for entry in entries}
    assert ("spaces", "nasnet") in names
    assert ("strategies", "regularized-evolution") in names
    assert ("estimators", "training") in names
    assert ("schedulers", "successive-halving") in names
    assert ("tasks", "digits") in names
    assert ("benchmarks", "nasbench201-cifar10-e12") in names


def test_of_one_kind_the_arguments_are_explained(run):
    out = " ".join(run("components", "strategies").out.split())
    assert "population_size=100 P; as many candidates are drawn at random first." in out
    assert "Real et al. 2019" in out


def test_components_json_says_what_a_program_needs(run):
    entries = json.loads(run("components", "estimators", "--json").out)
    training = next(entry for entry in entries if entry["name"] == "training")
    assert training["requires"] == ["Networks"]
    assert training["reference"]
    epochs = next(a for a in training["arguments"] if a["name"] == "epochs")
    assert epochs["default"] == "5"
    spaces = json.loads(run("components", "spaces", "--json").out)
    nasnet = next(entry for entry in spaces if entry["name"] == "nasnet")
    assert {"Networks", "Open", "Decisions"} <= set(nasnet["capabilities"])
    assert not {"limits", "input_shape"} & {a["name"] for a in nasnet["arguments"]}
