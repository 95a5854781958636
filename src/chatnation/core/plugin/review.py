"""Rules that a plugin can break and still run. `chatnation plugins check` and the compliance suite apply them."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path

from chatnation.core.plugin.base import PROJECT, Plugin

PUBLIC_MODULES = (PROJECT, f"{PROJECT}.query")
"""What plugins import from, besides what other plugins offer: the names in `__all__`."""
_FRAMES = {("layout.html",), ("error.html",), ("login.html",)}
"""Templates of the core that a plugin may replace."""
_TEMPLATE_SUFFIXES = frozenset({".html", ".txt", ".xml"})


def review(plugin: type[Plugin]) -> list[str]:
    """What the author of `plugin` should mend, a sentence each."""
    return [fault for rule in RULES for fault in rule(plugin)]


def home(plugin: type[Plugin]) -> Path | None:
    """The folder of the plugin's package; None for a single file."""
    module = sys.modules.get(plugin.__module__)
    if module is None or not module.__package__ or not module.__file__:
        return None
    return Path(module.__file__).parent


def sources(plugin: type[Plugin]) -> list[Path]:
    """The Python files of the plugin, its migrations aside."""
    folder = home(plugin)
    if folder is None:
        return [Path(inspect.getfile(plugin))]
    return sorted(path for path in folder.rglob("*.py") if "migrations" not in path.relative_to(folder).parts)


def says_what_it_is(plugin: type[Plugin]) -> Iterator[str]:
    """Title and description are shown to operators."""
    if not plugin.description():
        yield "the docstring has a title, but no text below it that says what the plugin does"


def describes_its_settings(plugin: type[Plugin]) -> Iterator[str]:
    """Settings become a reference table and a form."""
    for model in (plugin.Settings, plugin.TenantSettings):
        for name, field in model.model_fields.items() if model else ():
            if not field.description:
                yield f"the setting {model.__name__ if model else ''}.{name} has no description"


def types_its_hooks(plugin: type[Plugin]) -> Iterator[str]:
    """An annotated hook is one that a type checker can hold against its spec."""
    for name in dir(plugin):
        function = inspect.getattr_static(plugin, name)
        if not hasattr(function, f"{PROJECT}_impl") or not inspect.isfunction(function):
            continue
        needed = {*inspect.signature(function).parameters, "return"} - {"self"}
        if not needed <= function.__annotations__.keys():
            yield f"the hook {name} lacks annotations"


def keeps_its_files_together(plugin: type[Plugin]) -> Iterator[str]:
    """Templates of all plugins share one name space, so each keeps to the folder that bears its name."""
    folder = home(plugin)
    if folder is None:
        return
    for path in (folder / "templates").rglob("*"):
        parts = path.relative_to(folder / "templates").parts
        if path.suffix in _TEMPLATE_SUFFIXES and parts[0] != plugin.name and parts not in _FRAMES:
            yield f"the template {'/'.join(parts)} is not below templates/{plugin.name}/"


def keeps_its_tables_together(plugin: type[Plugin]) -> Iterator[str]:
    """A plugin's tables are in the schema that bears its name."""
    metadata = getattr(sys.modules.get(f"{sys.modules[plugin.__module__].__package__}.models"), "metadata", None)
    for table in metadata.tables.values() if metadata is not None else ():
        if table.schema != plugin.name:
            yield f"the table {table.fullname} is not in the schema {plugin.name}"


def imports_public_names_only(plugin: type[Plugin]) -> Iterator[str]:
    """What is not public may change without notice."""
    package = sys.modules[plugin.__module__].__package__ or plugin.__module__
    for path in sources(plugin):
        for line, module, names in imported(path):
            fault = _private(module, names, package)
            if fault:
                yield f"{path.name}:{line} imports {fault}"


def imported(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    """(line, module, names) of every absolute import in a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module, [alias.name for alias in node.names]


def _private(module: str, names: Iterable[str], package: str) -> str | None:
    """The first thing of the product that a plugin in `package` must not import, else None."""
    if module.partition(".")[0] != PROJECT or module == package or module.startswith(f"{package}."):
        return None
    if module in PUBLIC_MODULES:
        public = import_module(module).__all__
        return next((f"{module}.{name}" for name in names if name not in public), None)
    parts = module.split(".")
    if parts[1] == "testing" and not package.startswith(f"{PROJECT}.plugins"):
        return None
    if parts[1] == "plugins" and (parts[3:] == ["api"] or (len(parts) == 3 and list(names) == ["api"])):
        return None
    return module


RULES: tuple[Callable[[type[Plugin]], Iterator[str]], ...] = (
    says_what_it_is,
    describes_its_settings,
    types_its_hooks,
    keeps_its_files_together,
    keeps_its_tables_together,
    imports_public_names_only,
)
