from collections.abc import Iterable

import click

from chatnation import Plugin, hookimpl


@click.command("holidays")
@click.argument("year", type=int)
def holidays(year: int) -> None:
    """Print the holidays of YEAR."""
    click.echo(f"{year}-01-01")


class HolidaysPlugin(Plugin):
    """Holidays"""

    name = "holidays"

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        return [holidays]
