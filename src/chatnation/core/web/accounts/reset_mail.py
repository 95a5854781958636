"""The mail with a link to a new password, sent by a job.

Whoever asks for one is answered before anybody looks whether there is such a user, so the answer's words and its time
say nothing about that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chatnation.core.audit import AuditRecord, audit_of
from chatnation.core.auth.resets import VALID_FOR, make_reset
from chatnation.core.auth.users import find_user
from chatnation.core.mail import Mail, mailer_of
from chatnation.core.web.links import link

if TYPE_CHECKING:
    from chatnation.core.app import App

JOB = "core.send_reset_link"


async def send_reset_link(app: App, payload: dict[str, Any]) -> None:
    """Make the link and mail it, if the address is that of somebody who could log in."""
    async with app.storage.system("a reset link for a user of any tenant") as connection:
        made = await make_reset(connection, payload["email"], app.clock.now())
        if made is None:
            return
        values = {
            "name": made.name,
            "link": link(app.settings, "/reset-password", token=made.token),
            "hours": VALID_FOR // timedelta(hours=1),
        }
        await mailer_of(app).send(connection, Mail(made.email, "reset_password", values, None))
        for tenant_id in (await find_user(connection, made.user_id)).tenant_ids:
            record = AuditRecord(
                tenant_id,
                "auth.password.reset_requested",
                None,
                "user",
                str(made.user_id),
                {"email": made.email},
                payload.get("ip_address"),
                payload.get("user_agent"),
            )
            await audit_of(app).record(connection, record)
