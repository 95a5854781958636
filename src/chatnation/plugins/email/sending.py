"""Sends what is in the outbox, and gives up what cannot be sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import ActorRef, ActorType, App, AuditRecord, CannotOpen, Outgoing, audit_of
from chatnation.plugins.email.composing import Composed, compose
from chatnation.plugins.email.drivers import Letter, NotNow, Refused, driver_of, envelope_address, with_name
from chatnation.plugins.email.mailer import SEND, sealed_for
from chatnation.plugins.email.models import outbox
from chatnation.plugins.email.settings import EmailSettings, EmailTenantSettings

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = timedelta(hours=6)
_AT_ONCE = 200
_SYSTEM_MESSAGES = {
    "invite": ("inviteEmailSubject", "inviteEmailBody"),
    "takeover": ("loginVerifySubject", "loginVerifyBody"),
}
"""Which of a tenant's system messages are the subject and the text of a mail."""


class Postman:
    """Carries one mail at a time; two never carry the same one."""

    def __init__(self, app: Callable[[], App], settings: EmailSettings) -> None:
        self._app = app
        self._settings = settings

    async def send_one(self, payload: dict[str, Any]) -> None:
        """The job of one mail."""
        await self._carry(UUID(payload["mail"]))

    async def send_due(self, payload: dict[str, Any]) -> None:
        """The job that looks for mails whose own job was lost, or never made."""
        async with self._app().storage.system("mails that are due") as connection:
            due = list(await connection.scalars(_DUE, {"now": self._app().clock.now(), "limit": _AT_ONCE}))
        for mail_id in due:
            await self._carry(mail_id)

    async def _carry(self, mail_id: UUID) -> None:
        app = self._app()
        async with app.storage.system("send a mail") as connection:
            row = (await connection.execute(_TAKE, {"id": mail_id})).one_or_none()
            if row is None:
                return  # Sent, given up, erased, or in the hands of another worker.
            try:
                reference = await self._deliver(connection, row)
            except Refused as error:
                await self._give_up(connection, row, str(error))
            except NotNow as error:
                await self._put_off(connection, row, str(error))
            else:
                await self._end(connection, row, "sent", reference=reference, error=None)

    async def _deliver(self, connection: AsyncConnection, row: Row[Any]) -> str:
        app = self._app()
        driver = driver_of(self._settings, app.services.get(Outgoing))
        if driver is None:
            raise NotNow("CHATNATION_EMAIL_DRIVER is console, which sends nothing.")
        to = envelope_address(row.recipient)
        try:
            values = msgspec.json.decode(app.vault.open(row.sealed_values, sealed_for(row.id)))
        except CannotOpen as error:
            raise Refused(str(error)) from None
        sender, content = await self._compose(connection, row, values)
        reply_to = envelope_address(row.reply_to) if row.reply_to else None
        return await driver.deliver(Letter(str(row.id), sender, to, content, reply_to))

    async def _compose(
        self, connection: AsyncConnection, row: Row[Any], values: dict[str, Any]
    ) -> tuple[str, Composed]:
        sender = self._settings.sender
        if row.tenant_id is None:
            return sender, compose(row.template, values, brand="Chatnation")
        tenant = (await connection.execute(_TENANT, {"tenant": row.tenant_id})).one()
        words = await self._app().tenant_settings.get(row.tenant_id, "email", EmailTenantSettings)
        own = tenant.messages or {}
        subject, body = (
            str(own.get(key) or word)
            for key, word in zip(_SYSTEM_MESSAGES.get(row.template, ("", "")), words.words(row.template), strict=True)
        )
        name = words.sender_name or tenant.name
        brand = self._app().brand(row.tenant_id)
        content = compose(
            row.template,
            values,
            brand=brand.own_name or tenant.name,
            subject=subject,
            body=body,
            colour=brand.dark_enough or "",
        )
        return with_name(sender, name), content

    async def _put_off(self, connection: AsyncConnection, row: Row[Any], reason: str) -> None:
        attempts = row.attempts + 1
        if attempts >= self._settings.attempts:
            await self._give_up(connection, row, reason)
            return
        pause = min(timedelta(seconds=self._settings.first_pause_seconds * 2**row.attempts), _LONGEST_PAUSE)
        due_at: datetime = self._app().clock.now() + pause
        changes = {"attempts": attempts, "due_at": due_at, "error": reason}
        await connection.execute(update(outbox).where(outbox.c.id == row.id).values(**changes))
        await self._app().jobs.enqueue(connection, SEND, {"mail": str(row.id)}, run_at=due_at)
        logger.warning("a mail (%s) is tried again later: %s", row.template, reason)

    async def _give_up(self, connection: AsyncConnection, row: Row[Any], reason: str) -> None:
        await self._end(connection, row, "given_up", reference=None, error=reason)
        logger.error("a mail (%s) was given up: %s", row.template, reason)
        record = AuditRecord(
            tenant_id=row.tenant_id,
            action="email.mail.given_up",
            actor=ActorRef(ActorType.SYSTEM, name="Chatnation"),
            resource_type="mail",
            resource_id=str(row.id),
            details={"template": row.template, "reason": reason},
        )
        await audit_of(self._app()).record(connection, record)

    async def _end(
        self, connection: AsyncConnection, row: Row[Any], state: str, *, reference: str | None, error: str | None
    ) -> None:
        changes = {
            "state": state,
            "attempts": row.attempts + 1,
            "ended_at": self._app().clock.now(),
            "reference": reference,
            "error": error,
            "sealed_values": None,
        }
        await connection.execute(update(outbox).where(outbox.c.id == row.id).values(**changes))


_TAKE = text("SELECT * FROM email.outbox WHERE id = :id AND state = 'waiting' FOR UPDATE SKIP LOCKED")
_DUE = text("SELECT id FROM email.outbox WHERE state = 'waiting' AND due_at <= :now ORDER BY due_at LIMIT :limit")
_TENANT = text("SELECT name, settings -> 'systemMessages' AS messages FROM tenants WHERE id = :tenant")
