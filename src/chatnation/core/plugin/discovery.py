"""Finds plugins without importing them."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from types import ModuleType

from chatnation.core.errors import ConfigurationError
from chatnation.core.plugin.base import Plugin

GROUP = "chatnation.plugins"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that was found. `origin` is its distribution, file or class; `load` imports it, and may raise."""

    name: str
    origin: str
    load: Callable[[], object]
    version: str = ""


def find(paths: Iterable[Path] = ()) -> list[Candidate]:
    """Every plugin that is installed, then one for each file of `paths`. Nothing of theirs is imported."""
    return [*_installed(), *(_in_file(path) for path in paths)]


def given(classes: Iterable[type[Plugin]]) -> list[Candidate]:
    """Candidates for classes that a caller, such as a test, has already imported."""
    return [
        Candidate(getattr(plugin, "name", plugin.__name__), f"class {plugin.__qualname__}", partial(_same, plugin))
        for plugin in classes
    ]


def _same(plugin: type[Plugin]) -> type[Plugin]:
    return plugin


def _installed() -> list[Candidate]:
    """What is installed, our own plugins first, in the order of their names."""
    read = cache(_name_and_version)  # A distribution reads its file again at each question.
    found = [
        Candidate(point.name, origin, point.load, version)
        for point in entry_points(group=GROUP)
        for origin, version in [read(point.dist) if point.dist else (point.value, "")]
    ]
    return sorted(found, key=lambda candidate: (candidate.origin != "chatnation", candidate.name))


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    metadata = distribution.metadata
    return metadata["Name"], metadata["Version"]


def _in_file(path: Path) -> Candidate:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError(f"CHATNATION_PLUGIN_PATHS: {path} cannot be read: {error.strerror}") from error
    except (SyntaxError, ValueError):
        # Importing it fails with the same error, inside the boundary.
        return Candidate(path.stem, str(path), lambda: _import_file(path))
    class_name, name = next(_named_classes(tree), (None, path.stem))
    return Candidate(name, str(path), lambda: _class_in(_import_file(path), class_name))


def _named_classes(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(class name, value of its `name`) for each class that assigns a text to `name`."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        for statement in node.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id="name")], value=ast.Constant(value=str(name)))
                    | ast.AnnAssign(target=ast.Name(id="name"), value=ast.Constant(value=str(name)))
                ):
                    yield node.name, name


def _class_in(module: ModuleType, class_name: str | None) -> object:
    if class_name is None:
        raise ConfigurationError(f"{module.__file__} has no plugin class with a `name`")
    return getattr(module, class_name)


def _import_file(path: Path) -> ModuleType:
    """The module of a file, imported once a process, however many apps use it."""
    resolved = path.resolve()
    name = f"chatnation_file_{path.stem}_{blake2b(str(resolved).encode(), digest_size=4).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
