"""The command line. A module in here holds the command of the same name; plugins add theirs through a hook."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import version
from typing import Any

import click

from chatnation.core.errors import ChatnationError


class Commands(click.Group):
    """Finds a command when it is called for, so that each imports only what it needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*_core_names(), *self._of_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _core_names():
            command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
            return command if isinstance(command, click.Command) else None
        return self._of_plugins().get(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChatnationError as error:
            raise click.ClickException(str(error)) from error

    def _of_plugins(self) -> dict[str, click.Command]:
        from chatnation.core.compose import assemble
        from chatnation.core.hookspecs import composition
        from chatnation.core.settings import Settings

        outcomes = assemble(Settings()).hooks.collect(composition.register_commands)
        return {command.name: command for outcome in outcomes for command in outcome.value or () if command.name}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("chatnation"), message="%(version)s")
def main() -> None:
    """Chatnation: one timeline per person across website, app, WhatsApp and AI agent."""


def _core_names() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
