"""Plugins made in a test, assembled without any server."""

from __future__ import annotations

from typing import Any

from chatnation import Plugin, Settings
from chatnation.core.compose import Assembly, assemble


def plugin(name: str, /, **body: Any) -> type[Plugin]:
    """A plugin class called `name` with `body` as its attributes and methods."""
    return type(f"{name.title()}Plugin", (Plugin,), {"__doc__": f"The {name} of this test.", "name": name, **body})


def assembled(*plugins: type[Plugin], **settings: Any) -> Assembly:
    """The assembly of just these plugins; `settings` are fields of `Settings`."""
    return assemble(Settings(**settings), plugins=plugins)


def states(assembly: Assembly) -> dict[str, str]:
    """Name to state of every plugin, in load order."""
    return {record.name: str(record.state) for record in assembly.inventory}
