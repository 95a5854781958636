"""Mails that the product sends: what they are called, what they need, and who sends them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.storage import after_commit
from chatnation.core.vault import SECRET_FILE

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailTemplate:
    """A kind of mail. `values` are the names that its text uses, each with a word on what it holds."""

    name: str
    description: str
    values: Mapping[str, str]


CORE_MAILS = (
    MailTemplate(
        "invite",
        "Invites somebody to a tenant.",
        {
            "workspace": "name of the tenant",
            "inviter": "name of whoever invites",
            "role": "what they will be, as shown",
            "link": "address that accepts the invitation",
            "days": "how many days the link is good for",
        },
    ),
    MailTemplate(
        "reset_password",
        "Lets a user choose a new password.",
        {"name": "of the user", "link": "address of the form", "hours": "how many hours the link is good for"},
    ),
    MailTemplate(
        "login_code",
        "Brings a one-time code, as a second factor.",
        {"name": "of the user", "code": "the digits", "minutes": "how many minutes the code is good for"},
    ),
    MailTemplate(
        "login_alert",
        "Tells a user of a login from a device that was not seen before.",
        {
            "name": "of the user",
            "time": "when, as text with its timezone",
            "ip_address": "from where",
            "device": "browser and system, as shown",
        },
    ),
    MailTemplate(
        "password_changed",
        "Tells a user that their password was changed.",
        {"name": "of the user", "time": "when, as text with its timezone", "ip_address": "from where"},
    ),
    MailTemplate(
        "takeover",
        "Lets a user end their other login and go on with this one.",
        {
            "name": "of the user",
            "link": "address that ends the other login",
            "code": "digits that do the same, typed where the new login waits",
            "minutes": "how many minutes the link is good for",
            "ip_address": "from where the new login comes",
            "device": "browser and system, as shown",
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. `values` are those that its template names, text or numbers.

    `tenant_id` is the tenant in whose name it goes, so that its words and sender are used; None where a user is meant
    whatever they belong to. Of several mails with one `dedupe_key` only the first is sent.
    """

    to: str
    template: str
    values: Mapping[str, Any] = field(repr=False)
    tenant_id: int | None
    reply_to: str | None = None
    dedupe_key: str | None = None


class Mailer(Protocol):
    """Sends mails. The plugin `email` offers one; core code gets it through `mailer_of`."""

    async def send(self, connection: AsyncConnection, mail: Mail) -> None:
        """Have `mail` sent once the transaction of `connection` has committed; never, if it rolls back.

        Raises ChatnationError when nobody knows the template or a value is missing.
        """


class ConsoleMailer:
    """Stands in while nothing sends mails: logs that one was not sent, and how to have it sent.

    The link or code is in the log only with `show_links`, which is for somebody who tries the product out.
    """

    def __init__(self, *, show_links: bool = False, write: Callable[[str], object] = sys.stderr.write) -> None:
        self._show_links = show_links
        self._write = write

    @classmethod
    def of(cls, app: App) -> ConsoleMailer:
        """The stand-in of an app; it shows links where an embedded instance is watched by its owner."""
        return cls(show_links=watched_by_its_owner(app.settings))

    async def send(self, connection: AsyncConnection, mail: Mail) -> None:
        async def tell() -> None:
            logger.warning(
                "No mail was sent to %s (%s). Switch the plugin email on and set CHATNATION_EMAIL_DRIVER.",
                masked(mail.to),
                mail.template,
            )
            secret = mail.values.get("link") or mail.values.get("code")
            if self._show_links and secret:
                self._write(f"\n  {mail.template} for {mail.to}: {secret}\n\n")

        after_commit(connection, tell)


def mailer_of(app: App) -> Mailer:
    """What sends the mails of `app`."""
    return app.services.find(Mailer) or ConsoleMailer.of(app)


def watched_by_its_owner(settings: Settings) -> bool:
    """Whether this is an embedded instance that somebody watches on a terminal, who may as well see its secrets."""
    path = settings.data_dir / SECRET_FILE
    if settings.secret_key is None or not sys.stderr.isatty() or not path.exists():
        return False
    return path.read_text("utf-8").strip() == settings.secret_key.get_secret_value()


def masked(address: str) -> str:
    """An address that can be logged: `w***@example.org`."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"
