"""What authors of plugins may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_origin

import pytest

import chatnation
import chatnation.query
import chatnation.testing

INIT = Path(chatnation.__file__)
PACKAGES = (chatnation, chatnation.testing)


def constants_classes_functions(name: str) -> tuple[int, str]:
    """Sorts as the linter does: `CONSTANTS`, then `Classes`, then `functions`."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_the_public_names_are_sorted_and_not_too_many() -> None:
    assert sorted(chatnation.__all__, key=constants_classes_functions) == chatnation.__all__
    assert 40 <= len(chatnation.__all__) <= 110


@pytest.mark.parametrize("package", [*PACKAGES, chatnation.query], ids=lambda package: package.__name__)
def test_every_public_name_can_be_imported_and_has_a_docstring(package: object) -> None:
    for name in package.__all__:  # type: ignore[attr-defined]
        value = getattr(package, name)
        plain = isinstance(value, str | int | dict) or get_origin(value) is Literal
        assert plain or getattr(value, "__doc__", None), name


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_type_checkers_see_the_same_names_as_the_interpreter(package: object) -> None:
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))  # type: ignore[attr-defined]
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen.keys() == set(package.__all__)  # type: ignore[attr-defined]
    homes = package._HOME_OF  # type: ignore[attr-defined]
    assert {name: seen[name] for name in homes} == homes


def test_an_unknown_name_is_an_attribute_error_that_says_so() -> None:
    with pytest.raises(AttributeError, match="chatnation has no public name Plugni"):
        chatnation.Plugni  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("module", ["chatnation", "chatnation.testing.pytest_plugin"])
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"sqlalchemy", "starlette", "redis", "pydantic", "asyncpg", "jinja2", "pgqueuer"}
