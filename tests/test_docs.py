"""What is not documented is red: names, components and commands; and the README tells the truth."""

import ast
import importlib.util
import inspect
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

import nasturtium

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
WRITTEN = sorted(ROOT.glob("docs/**/*.md"))


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = load(ROOT / "scripts" / "docs_pages.py")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def console_lines(text):
    """Return the commands of the text's console blocks, without prompts and comments."""
    lines = [line for block in blocks(text, "console") for line in block.splitlines()]
    return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


# --- the site ------------------------------------------------------------------------------------


def test_the_site_builds_and_documents_everything(tmp_path):
    build = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "--fail-on-warning"]
    result = subprocess.run(
        [*build, "--keep-going", "-d", tmp_path / "doctrees", ROOT / "docs", tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert undocumented_names(tmp_path / "site") == []
    assert undocumented_components(tmp_path / "site") == []
    assert undocumented_commands(tmp_path / "site") == []


def undocumented_names(site):
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    documented = {name for names in inventory.values() for name in names}
    owner = PAGES.owners()
    missing = []
    for name in nasturtium.__all__:
        value = getattr(nasturtium, name)
        path = value.__name__ if inspect.ismodule(value) else owner.get(id(value))
        if (path or f"nasturtium.{name}") not in documented:
            missing.append(name)
    return missing


def undocumented_components(site):
    page = (site / "reference/generated/1-components.html").read_text()
    text = re.sub(r"<[^>]+>", "", page)
    names = [name for registry in PAGES.registries().values() for name in registry.names()]
    assert names
    return [name for name in names if f"{name}(" not in text]


def undocumented_commands(site):
    page = (site / "reference/generated/0-commands.html").read_text()
    missing = [name for name in PAGES.commands() if f'id="{name}"' not in page]
    for command in PAGES.commands().values():
        options = [o for p in command.params if p.name != "help" for o in p.opts if o[0] == "-"]
        missing += [option for option in options if option not in page]
    return missing


# --- commands and code in the texts --------------------------------------------------------------

TEXTS = [ROOT / "README.md", *WRITTEN]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_in_texts_parse(path):
    commands = PAGES.commands()
    for program, *arguments in console_lines(path.read_text()):
        if program in ("nasturtium", "nas"):
            name, *rest = arguments
            commands[name].make_context(name, rest)  # raises on an unknown option
        elif program == "make":
            assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_python_in_texts_calls_what_exists(path):
    for code in blocks(path.read_text(), "python"):
        for call in ast.walk(ast.parse(code)):
            if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("nas."):
                target = nasturtium
                for part in ast.unparse(call.func).split(".")[1:]:
                    target = getattr(target, part)
                keywords = {k.arg: None for k in call.keywords if k.arg}
                inspect.signature(target).bind_partial(*call.args, **keywords)


def test_researchers_example_in_the_readme_runs(capsys):
    code = next(code for code in blocks(README, "python") if "def measure" in code)
    exec(compile(code, "README.md", "exec"), {})
    assert 0 <= float(capsys.readouterr().out) < 0.5


OWN_SPACE = blocks((ROOT / "docs/how-to/own-space.md").read_text(), "python")


def run_page(tmp_path, code):
    (tmp_path / "page.py").write_text(code)
    return subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)


def test_a_users_space_takes_less_than_twenty_lines():
    lines = [line for line in OWN_SPACE[0].splitlines() if line.strip()]
    assert len(lines) < 20
    assert all(word in OWN_SPACE[0] for word in ("nn.Module", "choice(op(", "nas.search(", "out="))


def test_the_page_on_own_spaces_says_what_is_so(tmp_path):
    code = "\n".join(line for block in OWN_SPACE for line in block.splitlines() if not line.startswith("nas.search("))
    result = run_page(tmp_path, code)
    assert result.returncode == 0, result.stderr
    refused, share, around, transfer = result.stdout.splitlines()
    assert refused.startswith("every choice must fit, got 'max_pool'")
    assert 0.1 < float(share.split("%")[0]) / 100 < 0.9
    assert float(around.split()[0]) > 1e6
    small, large = map(int, transfer.split())
    assert large > 10 * small


@pytest.mark.slow
def test_the_page_on_own_data_says_what_is_so(tmp_path):
    result = run_page(tmp_path, "\n".join(blocks((ROOT / "docs/how-to/own-data.md").read_text(), "python")))
    assert result.returncode == 0, result.stderr
    two, one, table, score, found = result.stdout.splitlines()
    assert two.startswith("Task(datasets: (1, 12, 12) -> 3 classes; ")
    assert one.startswith("Task(datasets: (1, 12, 12) -> 3 classes; ")
    assert two.endswith("60 test)")
    assert table.startswith("Task(table: (4,) -> 2 classes; ")
    assert float(score) > 0.9
    assert found.endswith("(2, 2) report.html")


@pytest.mark.slow
def test_the_searches_of_the_page_on_own_spaces_export_networks(tmp_path):
    result = run_page(tmp_path, "\n".join(OWN_SPACE))
    assert result.returncode == 0, result.stderr
    for folder in ("own", "around"):
        networks = json.loads((tmp_path / folder / "front.json").read_text())
        assert networks
        for network in networks:
            files = {path.name for path in (tmp_path / folder / network["folder"]).iterdir()}
            assert {"model.py", "model.onnx", "model.pt2", "weights.safetensors"} <= files
    assert any("class Gated(nn.Module)" in path.read_text() for path in tmp_path.glob("own/*/model.py"))


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_of_the_readme(target):
    assert f"$ make {target} " in README
    result = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "-c constraints.txt" in result.stdout or (ROOT / ".venv").exists()


def test_links_between_texts_lead_somewhere():
    for path in TEXTS:
        for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_paths_in_readme_and_contributing_exist():
    for name in ("README.md", "CONTRIBUTING.md"):
        for path in re.findall(r"`((?:docs|src|tests|scripts)/[\w./-]+)`", (ROOT / name).read_text()):
            assert (ROOT / path).exists(), f"{name}: {path}"


# --- make new ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["strategy", "space", "operation", "estimator", "scheduler"])
def test_make_new_writes_python(kind, tmp_path, monkeypatch, capsys):
    new = load(ROOT / "scripts" / "new.py")
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    monkeypatch.setattr(new, "ROOT", tmp_path)
    assert new.main([kind, "tabu-search"]) == 0
    source, test = sorted(tmp_path.rglob("*tabu_search.py"), key=lambda p: p.name)
    assert source.name == "_tabu_search.py"
    ast.parse(test.read_text())
    assert "TabuSearch" in capsys.readouterr().out
    assert new.main([kind, "tabu-search"]) == 2  # nothing is overwritten


@pytest.mark.parametrize("arguments", [[], ["", ""], ["strategy", "Tabu"], ["planner", "tabu"]])
def test_make_new_refuses(arguments, capsys):
    assert load(ROOT / "scripts" / "new.py").main(arguments) == 2
    assert "KIND is one of" in capsys.readouterr().out
