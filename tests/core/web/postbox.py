"""A plugin that keeps the mails and audit records of the core, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.audit import AuditLog, AuditRecord
from chatnation.core.mail import Mail, Mailer
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.services import Service
from chatnation.core.storage.storage import after_commit
from chatnation.testing.apps import RunningApp


class Kept:
    """What was sent and recorded in transactions that committed, in order."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.records: list[AuditRecord] = []

    async def send(self, connection: AsyncConnection, mail: Mail) -> None:
        async def keep() -> None:
            self.mails.append(mail)

        after_commit(connection, keep)

    async def record(self, connection: AsyncConnection, record: AuditRecord) -> None:
        async def keep() -> None:
            self.records.append(record)

        after_commit(connection, keep)

    def token(self) -> str:
        """The token in the link of the newest mail."""
        return parse_qs(urlsplit(self.mails[-1].values["link"]).query)["token"][0]

    def actions(self) -> list[str]:
        return [record.action for record in self.records]


class Postbox(Plugin):
    """Postbox

    Keeps what others would send.
    """

    name = "postbox"

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        kept = Kept()
        return [Service(Mailer, kept), Service(AuditLog, kept)]


def kept_by(app: RunningApp) -> Kept:
    """What the postbox of `app` has kept."""
    kept = app.app.services.get(Mailer)
    assert isinstance(kept, Kept)
    return kept
