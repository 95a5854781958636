"""Every action that the product records is in the list and in the documentation, and what the list promises exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import chatnation
from chatnation.plugins.audit.catalog import ACTIONS

ROOT = Path(__file__).parents[3]
SOURCE = Path(chatnation.__file__).parent
AREAS = {action.name.partition(".")[0] for action in ACTIONS}
_ACTION = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_RECORDERS = {"record_of", "AuditRecord", "record", "_record", "_note", "note", "_note_failure"}


def recorded() -> Iterator[str]:
    """The actions in calls that record something. One whose verb is chosen at run time ends with a dot."""
    for path in SOURCE.rglob("*.py"):
        if path.name == "catalog.py" or "demo" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if (isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _RECORDERS) or isinstance(
                node, ast.Assign | ast.IfExp | ast.Return
            ):
                yield from _actions(node)


def _actions(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        text = part.value if isinstance(part, ast.Constant) else None
        if isinstance(text, str) and text.partition(".")[0] in AREAS and _ACTION.fullmatch(text.rstrip(".")):
            yield text


def test_what_is_recorded_is_in_the_list() -> None:
    names = {action.name for action in ACTIONS}
    unknown = {
        found
        for found in recorded()
        if found not in names and not (found.endswith(".") and any(name.startswith(found) for name in names))
    }
    assert {found for found in unknown if not _is_something_else(found)} == set()


def test_what_the_list_promises_is_recorded() -> None:
    found = set(recorded())
    missing = {
        action.name
        for action in ACTIONS
        if not action.planned
        and action.name not in found
        and not any(prefix.endswith(".") and action.name.startswith(prefix) for prefix in found)
    }
    assert missing == set()


def test_the_documentation_has_the_same_list() -> None:
    text = (ROOT / "docs" / "explanation" / "audit.md").read_text("utf-8")
    assert re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE) == [action.name for action in ACTIONS]


def _is_something_else(name: str) -> bool:
    """Permissions, jobs, tables and events have names of the same form."""
    from chatnation.core.compose import assemble
    from chatnation.core.settings import Settings

    resources = assemble(Settings()).resources
    permissions = {entry.item.name for entry in resources.permissions}
    jobs = {entry.item.name for entry in resources.jobs}
    tables = {entry.item.table for entry in (*resources.retention, *resources.sealed_columns)}
    events = {entry.item.name for entry in resources.event_types}
    return name in permissions | jobs | tables | events
