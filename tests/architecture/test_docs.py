"""Documentation and code cannot drift: what exists is described, what is described works."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pluggy
import pytest
from pydantic import BaseModel

import chatnation
from chatnation import Plugin
from chatnation.core import hookspecs
from chatnation.core.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def load(path: Path) -> ModuleType:
    name = f"docs_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = load(DOCS / "_build" / "reference.py")
HOOKS: dict[str, Any] = {hook.__name__: hook for _, hook in reference.hooks()}
EXAMPLES = {path.stem: path for path in sorted((DOCS / "examples" / "hooks").glob("*.py"))}


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_when_what_and_what_happens_on_failure(name: str) -> None:
    text = inspect.getdoc(HOOKS[name]) or ""
    assert re.search(r"^When: .+^Return: .+^Failure: .+", text, re.MULTILINE | re.DOTALL)
    assert f"### {name}\n" in reference.hooks_page()


def test_every_hook_has_an_example_and_every_example_a_hook() -> None:
    assert set(EXAMPLES) == set(HOOKS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_hook_is_a_plugin_that_implements_it(name: str) -> None:
    module = load(EXAMPLES[name])
    (plugin_class,) = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Plugin) and value.__module__ == module.__name__
    ]
    manager = pluggy.PluginManager("chatnation")
    for specs in hookspecs.MODULES:
        manager.add_hookspecs(specs)
    manager.register(plugin_class(), name=plugin_class.name)
    manager.check_pending()
    assert [implementation.plugin_name for implementation in getattr(manager.hook, name).get_hookimpls()]


@pytest.mark.parametrize("name", [name for name in HOOKS if name.startswith("register_")])
def test_the_example_of_a_registration_returns_what_its_hook_wants(name: str) -> None:
    module = load(EXAMPLES[name])
    plugin_class = next(
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Plugin) and value.__module__ == module.__name__
    )
    registered = getattr(plugin_class(), name)()
    wanted = re.sub(r".*\[(?:click\.)?(\w+)\]$", r"\1", str(inspect.signature(HOOKS[name]).return_annotation))
    assert registered
    for item in registered:
        assert wanted in {base.__name__ for base in type(item).__mro__}


def test_examples_import_only_what_plugins_may() -> None:
    for path in EXAMPLES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chatnation"):
                assert node.module in {"chatnation", "chatnation.query"}, path
                public = importlib.import_module(node.module).__all__
                assert {alias.name for alias in node.names} <= set(public), path


def models() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "core", Settings
    for plugin in reference.plugins():
        yield plugin.name, plugin.Settings
        if plugin.TenantSettings is not None:
            yield f"{plugin.name}, of tenants", plugin.TenantSettings


def test_every_setting_is_described_and_in_the_reference() -> None:
    page = reference.settings_page()
    for owner, model in models():
        for name, field in model.model_fields.items():
            assert field.description, f"{owner}: {name} has no description"
            assert re.search(rf"`(?:CHATNATION_\w*)?{name}`", page, re.IGNORECASE), f"{owner}: {name}"


def test_every_command_and_option_is_described_and_in_the_reference() -> None:
    page = reference.commands_page()
    for context, command in reference.commands():
        assert command.help, f"{context.command_path} has no text"
        assert context.command_path in page
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"{context.command_path} {parameter.opts}"


def test_every_public_name_has_a_text_and_is_in_the_reference() -> None:
    page = reference.api_page()
    for name in chatnation.__all__:
        value = getattr(chatnation, name)
        if inspect.isclass(value) or (inspect.isfunction(value) and not name.startswith("hook")):
            assert inspect.getdoc(value), name
        assert re.search(rf"(\.|## ){name}$", page, re.MULTILINE), name


def test_every_known_event_is_in_the_reference() -> None:
    page = reference.events_page()
    for owner, event in reference.event_types():
        assert event.description, f"{owner}: {event.name}"
        assert f"`{event.name}`" in page


def test_every_metric_that_a_page_names_is_defined_and_in_the_reference() -> None:
    defined = {metric.name for _, metrics in reference.metrics() for metric in metrics}
    page = reference.metrics_page()
    assert all(f'<a id="{name}"></a>`{name}`' in page for name in defined)
    for path in (ROOT / "src" / "chatnation" / "plugins").rglob("*.*"):
        if path.suffix in {".py", ".html"}:
            named = re.findall(r"\bmetric=\"([\w.]+)\"", path.read_text(encoding="utf-8"))
            assert set(named) <= defined, path


def test_a_metric_has_a_label_and_a_sentence_and_a_known_unit() -> None:
    for _, metrics in reference.metrics():
        for metric in metrics:
            assert re.fullmatch(r"[a-z_]+\.[a-z0-9_.]+", metric.name)
            assert metric.label, metric.name
            assert metric.definition.endswith("."), metric.name
            assert re.fullmatch(r"number|percent|seconds|score|[A-Z]{3}", metric.unit), metric.name


def test_every_column_of_events_is_described() -> None:
    from chatnation.core.storage import models

    assert not [column.name for column in models.events.columns if not reference.meaning(column)]
    assert set(reference.COLUMNS) <= set(models.events.columns.keys())


def test_decisions_are_numbered_without_gaps_and_have_their_three_parts() -> None:
    pages = sorted(path for path in (DOCS / "decisions").glob("*.md") if path.name != "index.md")
    assert [int(path.name[:4]) for path in pages] == list(range(1, len(pages) + 1))
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        parts = re.findall(r"^## (\w+)", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], path.name


def commands_in(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_has_one_command_to_start_and_one_to_test() -> None:
    start, test = commands_in("README.md")
    assert start.count("\n") == test.count("\n") == 0
    assert start.endswith("chatnation serve --demo")
    assert test.endswith("pytest")


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    _, test = commands_in("README.md")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for step in test.removeprefix("python3 ").split(" && "):
        wanted = step.replace(".venv/bin/pip install", ".venv/bin/pip install --quiet --disable-pip-version-check")
        assert wanted in script, step


def test_sessions_that_the_documents_name_exist() -> None:
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for session in re.findall(r"nox -s (\w+)", page.read_text(encoding="utf-8")):
            assert f"\ndef {session}(" in noxfile, f"{page.name}: {session}"


def written_command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every call of `chatnation` in a shell block of a page, and in the compose file: where, and the words after it."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]:
        for block in re.findall(r"```sh\n(.*?)\n```", page.read_text(encoding="utf-8"), re.DOTALL):
            for call in re.findall(r"(?:^|[ /])chatnation ([^#\n&|]+)", block, re.MULTILINE):
                yield page.name, shlex.split(call)
    compose = (ROOT / "examples" / "compose.yaml").read_text(encoding="utf-8")
    for call in re.findall(r"command: \[chatnation, ([^\]]+)\]", compose):
        yield "compose.yaml", [word.strip(' "') for word in call.split(",")]


def test_every_command_line_in_the_documents_exists() -> None:
    known = {
        context.command_path.removeprefix("chatnation").strip(): command for context, command in reference.commands()
    }
    for page, words in written_command_lines():
        path = next(" ".join(words[:n]) for n in (2, 1, 0) if " ".join(words[:n]) in known)
        assert path or words[0].startswith("-"), f"{page}: chatnation {' '.join(words)}"
        options = {name for parameter in known[path].params for name in (*parameter.opts, *parameter.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options | {"--help"}, f"{page}: chatnation {' '.join(words)}"


def test_every_snippet_that_a_page_includes_is_marked_so_that_it_is_found() -> None:
    included = 0
    for page in DOCS.rglob("*.md"):
        for line in re.findall(r"^.*\b8\s*<.*$", page.read_text(encoding="utf-8"), re.MULTILINE):
            mark = re.fullmatch(r'\s*--8<--\s*"([^"]+)"', line)
            assert mark, f"{page.name}: {line}"
            assert (ROOT / mark[1]).is_file(), f"{page.name}: {line}"
            included += 1
    assert included


def pages_in(navigation: object) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    elif isinstance(navigation, (list, dict)):
        for part in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from pages_in(part)


def test_every_page_is_in_the_navigation() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    written = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    made = {f"reference/{name}.md" for name in reference.PAGES}
    assert set(pages_in(site["nav"])) == written | made


def test_no_page_loads_anything_from_elsewhere() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert site["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript"} & set(site)
    for page in DOCS.rglob("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"<(img|script|link|iframe)[^>]+https?://|!\[[^\]]*\]\(https?://", text), page.name
