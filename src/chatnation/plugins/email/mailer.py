"""Takes mails into the outbox, in the transaction that makes them necessary."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import ChatnationError, Jobs, Mail, MailTemplate, Services, Vault, uuid7
from chatnation.plugins.email.models import outbox

SEND = "email.send_mail"


def sealed_for(mail_id: object) -> str:
    """The context that the values of a mail are sealed for."""
    return f"email.outbox:{mail_id}"


class OutboxMailer:
    """The service `Mailer`. What a mail says is sealed until it has left."""

    def __init__(self, services: Callable[[], Services], templates: Mapping[str, MailTemplate]) -> None:
        self._services = services
        self._templates = templates

    async def send(self, connection: AsyncConnection, mail: Mail) -> None:
        self._check(mail)
        mail_id = uuid7()
        sealed = self._services().get(Vault).seal(msgspec.json.encode(dict(mail.values)), sealed_for(mail_id))
        kept = await connection.execute(
            insert(outbox)
            .values(
                id=mail_id,
                tenant_id=mail.tenant_id,
                template=mail.template,
                recipient=mail.to,
                reply_to=mail.reply_to,
                dedupe_key=mail.dedupe_key,
                sealed_values=sealed,
            )
            .on_conflict_do_nothing()
        )
        jobs = self._services().find(Jobs)
        if kept.rowcount and jobs is not None:  # Without jobs, as in a command, the schedule finds it.
            await jobs.enqueue(connection, SEND, {"mail": str(mail_id)})

    def _check(self, mail: Mail) -> None:
        template = self._templates.get(mail.template)
        if template is None:
            raise ChatnationError(f"There is no mail called {mail.template}.")
        missing = sorted(set(template.values) - set(mail.values))
        if missing:
            raise ChatnationError(f"The mail {mail.template} lacks {', '.join(missing)}.")
