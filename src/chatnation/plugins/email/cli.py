"""`chatnation email`."""

from __future__ import annotations

import click

from chatnation import ChatnationError, Instance, Outgoing, on_instance, uuid7
from chatnation.plugins.email.composing import compose
from chatnation.plugins.email.drivers import Letter, driver_of, envelope_address
from chatnation.plugins.email.settings import EmailSettings


def email_commands(settings: EmailSettings) -> click.Group:
    """The commands, for these settings."""

    @click.group()
    def email() -> None:
        """See whether mails arrive."""

    @email.command("test")
    @click.argument("address")
    def test(address: str) -> None:
        """Send a mail to ADDRESS now, and say what the carrier answers."""

        async def work(instance: Instance) -> str:
            driver = driver_of(settings, Outgoing(instance.settings.outgoing_allowed))
            if driver is None:
                raise ChatnationError(
                    "CHATNATION_EMAIL_DRIVER is console, which sends nothing. Set it to smtp or resend."
                )
            content = compose("test", {}, brand="Chatnation")
            return await driver.deliver(Letter(str(uuid7()), settings.sender, envelope_address(address), content))

        reference = on_instance(work)
        click.echo(f"Handed over by {settings.driver}" + (f" as {reference}." if reference else "."))

    return email
