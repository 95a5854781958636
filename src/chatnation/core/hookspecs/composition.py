"""What a plugin offers to others."""

from __future__ import annotations

from collections.abc import Iterable

import click

from chatnation.core.plugin.base import hookspec
from chatnation.core.plugin.services import Service


@hookspec
def register_services() -> Iterable[Service]:  # type: ignore[empty-body]
    """Offer objects that other plugins may call.

    When: once, at composition.
    Return: a list of `Service`, each keyed by a Protocol from the plugin's `api.py`.
    Failure: the plugin is failed; two plugins that offer one interface conflict, and the later one is failed.
    """


@hookspec
def register_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Add commands to `chatnation`.

    When: once, when the command line is built.
    Return: a list of click commands or groups, named after the plugin.
    Failure: the plugin's commands are missing; the others work.
    """
