"""Codes by e-mail: the second factor that comes with the core."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.second_factors import EMAIL
from chatnation.core.hookspecs.auth import CodeMessage, SecondFactor
from chatnation.core.mail import Mail, Mailer, masked


def email_codes(mailer: Callable[[], Mailer]) -> SecondFactor:
    """The factor; `mailer` is asked for each time, because the plugin that offers it may be switched."""

    async def send(connection: AsyncConnection, message: CodeMessage) -> None:
        values = {"name": message.name, "code": message.code, "minutes": message.minutes}
        await mailer().send(connection, Mail(message.email, "login_code", values, message.tenant_id))

    return SecondFactor(EMAIL, "Code by e-mail", send, mask_address=masked)
