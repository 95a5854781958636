"""Who may import whom: the core knows no feature, plugins are outsiders, and the core's layers look downwards."""

from __future__ import annotations

from pathlib import Path

import pytest

import chatnation
from tests.architecture.imports import PACKAGE, imports, module_name

CORE = PACKAGE / "core"
PLUGINS = sorted(path.parent for path in (PACKAGE / "plugins").glob("*/plugin.py"))

LAYERS = (
    # What plugins register and hand around: names without behaviour, so that hooks can speak of them.
    {"settings", "ids", "errors", "clock", "context", "garbage", "tasks", "sealed_columns", "archivables"}
    | {"web.routing", "jobs.definitions", "processing.stage", "processing.projection", "queue.base", "ingestion.event"}
    | {"query.store", "query.model", "query.answers", "query.metrics", "query.segments.sources"},
    {"plugin", "hookspecs", "audit"},
    {"storage", "queue", "identity", "embedded", "jobs.schema", "vault", "outgoing"},
    {"auth", "ingestion", "processing", "jobs", "query", "live", "logs", "metrics", "signals", "switches", "mail"}
    | {"queue.deadletters"},
    {"web"},
    {"app", "builtin", "compose", "lifecycle"},
    {"cli", "demo", "diagnosis", "instance", "scaffold", "supervisor"},
)
"""Parts of the core from the bottom up: folders, and modules that stand lower or higher than the rest of theirs."""


def layer(module: str) -> int:
    """The place of a module of the core, named without `chatnation.core`."""
    names = [module, module.partition(".")[0]]
    return next(place for name in names for place, members in enumerate(LAYERS) if name in members)


def test_every_part_of_the_core_has_a_layer() -> None:
    parts = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert parts - {"__init__"} <= {member.partition(".")[0] for members in LAYERS for member in members}


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=module_name)
def test_a_module_of_the_core_imports_only_from_its_layer_or_below(path: Path) -> None:
    name = module_name(path).removeprefix("chatnation.core").removeprefix(".")
    if not name:
        return
    upwards = [
        f"{entry.place} → {target}"
        for entry in imports(path)
        for target in entry.targets()
        if target.startswith("chatnation.core.") and layer(target.removeprefix("chatnation.core.")) > layer(name)
    ]
    assert upwards == []


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=module_name)
def test_the_core_imports_no_plugin_and_no_test_kit(path: Path) -> None:
    targets = {target for entry in imports(path, types=True) for target in entry.targets()}
    assert not {target for target in targets if target.startswith(("chatnation.plugins", "chatnation.testing"))}


def test_the_core_names_no_bundled_plugin_s_package_in_any_other_way() -> None:
    naming = [module_name(path) for path in CORE.rglob("*.py") if "chatnation.plugins." in path.read_text("utf-8")]
    assert naming == []


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_bundled_plugin_imports_only_public_names_and_the_apis_of_others(folder: Path) -> None:
    own = module_name(folder / "plugin.py").removesuffix(".plugin")
    for path in folder.rglob("*.py"):
        for entry in imports(path, types=True):
            if entry.module == "chatnation":
                assert set(entry.names) <= set(chatnation.__all__), entry.place
            for target in entry.targets() - {"chatnation", "chatnation.query"}:
                other_api = target.startswith("chatnation.plugins.") and target.endswith(".api")
                assert other_api or target == own or target.startswith(f"{own}."), f"{entry.place} → {target}"


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_the_api_of_another_plugin_is_used_only_where_that_plugin_is_required_or_optional(folder: Path) -> None:
    from chatnation.core.plugin import discovery

    (candidate,) = [candidate for candidate in discovery.find() if candidate.name == folder.name]
    plugin = candidate.load()
    assert isinstance(plugin, type)
    assert issubclass(plugin, chatnation.Plugin)
    used = {
        target.split(".")[2]
        for path in folder.rglob("*.py")
        for entry in imports(path)
        for target in entry.targets()
        if target.startswith("chatnation.plugins.")
    }
    assert used - {folder.name} <= {*plugin.requires, *plugin.after}
