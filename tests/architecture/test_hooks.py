"""Rule 12: a hook without a text, an example, somebody who asks it and a test fails the build."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatnation.core import hookspecs
from tests.architecture.imports import PACKAGE

TESTS = Path(__file__).parents[1]
SPECS: dict[str, Callable[..., Any]] = {
    name: function
    for module in hookspecs.MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if hasattr(function, "chatnation_spec")
}
VERBS = {
    "register_": False,
    "startup": True,
    "shutdown": True,
    "check_": True,
    "render_": True,
    "resolve_": True,
    "handle_": True,
    "filter_": True,
    "erase_": True,
    "export_": True,
    "summarize_": True,
}
"""How names of hooks begin, and whether such hooks are coroutines."""


@pytest.mark.parametrize("name", SPECS)
def test_a_hook_keeps_to_the_grammar(name: str) -> None:
    (asynchronous,) = [asynchronous for start, asynchronous in VERBS.items() if name.startswith(start)]
    assert inspect.iscoroutinefunction(SPECS[name]) is asynchronous
    options = vars(SPECS[name])["chatnation_spec"]
    assert not any(options.values()), "options of pluggy break with coroutines"


@pytest.mark.parametrize("name", SPECS)
def test_a_hook_is_annotated_and_says_when_what_and_what_failure_does(name: str) -> None:
    signature = inspect.signature(SPECS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in signature.parameters.values())
    text = inspect.getdoc(SPECS[name]) or ""
    assert re.search(r"^When: .+^Return: .+^Failure: .+", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", SPECS)
def test_a_hook_is_asked_by_the_core(name: str) -> None:
    asked = [
        path
        for path in (PACKAGE / "core").rglob("*.py")
        if "hookspecs" not in path.parts and re.search(rf"\b{name}\b", _code(path))
    ]
    assert asked, f"nobody asks {name}"


@pytest.mark.parametrize("name", SPECS)
def test_a_hook_has_a_test_that_bears_its_name(name: str) -> None:
    tests = [
        node.name
        for path in (TESTS / "hooks").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [test for test in tests if test.startswith(f"test_{name}_")], (
        f"no test in tests/hooks is called test_{name}_…"
    )


def _code(path: Path) -> str:
    """The source of a file without the hooks that it implements and without docstrings: what it asks."""
    tree = ast.parse(path.read_bytes())
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    attributes = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return " ".join([*names, *attributes])
