"""Which module imports which, read from the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = SOURCE / "chatnation"


@dataclass(frozen=True, slots=True)
class Import:
    """`names` of `module`, imported at `place` (file:line)."""

    module: str
    names: tuple[str, ...]
    place: str

    def targets(self) -> set[str]:
        """The modules of ours that it leads to; of `from package import module`, the module."""
        found = {f"{self.module}.{name}" for name in self.names if is_module(f"{self.module}.{name}")}
        return found or {self.module}


def is_module(name: str) -> bool:
    path = SOURCE.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def module_name(path: Path) -> str:
    """The dotted name of a file below `src`."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, *, types: bool = False) -> Iterator[Import]:
    """Every import of ours in a file, wherever it stands; those for type checkers only with `types`."""
    tree = ast.parse(path.read_bytes(), str(path))
    for node in _nodes(tree, types):
        place = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
            yield Import(node.module, tuple(alias.name for alias in node.names), place)
        elif isinstance(node, ast.Import):
            yield from (Import(alias.name, (), place) for alias in node.names if _ours(alias.name))


def _nodes(tree: ast.AST, types: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if not types and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _nodes(child, types)


def _ours(module: str) -> bool:
    return module.partition(".")[0] == "chatnation"
