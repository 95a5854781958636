"""What a tenant asks of logins and passwords, read and changed, for the page and the routes alike."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import select
from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.logins import close_tenant_logins
from chatnation.core.auth.password_policy import rules_of, store_rules
from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.auth.recognition import Recognition
from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.security_policy import SecurityPolicy, store_policy
from chatnation.core.context import Actor
from chatnation.core.storage.models import tenants
from chatnation.core.web.audited import record_of

if TYPE_CHECKING:
    from chatnation.core.app import App

PERMISSION = "settings.manage"
SECOND_FACTOR = "settings.two_factor"
PASSWORDS = "settings.password_complexity"


class Security:
    """The security settings of the tenant of whoever sends a request."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def read(self, request: Request) -> tuple[SecurityPolicy, PasswordRules]:
        """What holds now."""
        tenant_id = request.state.actor.tenant.id
        async with self._app.storage.tenant(tenant_id) as connection:
            settings = await connection.scalar(select(tenants.c.settings).where(tenants.c.id == tenant_id)) or {}
        return SecurityPolicy.of(settings), rules_of(settings)

    async def change(self, request: Request, policy: SecurityPolicy, rules: PasswordRules) -> None:
        """Replace it. Raises NotAllowed for what needs a permission of its own."""
        actor: Actor = request.state.actor
        before, rules_before = await self.read(request)
        if policy.second_factor_required != before.second_factor_required and not actor.can(SECOND_FACTOR):
            raise NotAllowed(f"To require or lift the second factor needs the permission {SECOND_FACTOR}.")
        expiry_changed = policy.password_days != before.password_days
        if (rules != rules_before or expiry_changed) and not actor.can(PASSWORDS):
            raise NotAllowed(f"To change the rules for passwords needs the permission {PASSWORDS}.")
        changed = _changes(before, policy) + _changes(rules_before, rules)
        if not changed:
            return
        async with self._app.storage.system("the settings of a tenant") as connection:
            await store_policy(connection, actor.tenant.id, policy)
            if rules != rules_before:
                await store_rules(connection, actor.tenant.id, rules)
            self._app.services.get(Standings).forget_after(connection)
            record = record_of(request, "config.security.updated", "tenant", actor.tenant.slug, fields=changed)
            await audit_of(self._app).record(connection, record)

    async def sign_everybody_out(self, request: Request) -> int:
        """Close every login at the tenant, one's own too; gives how many there were."""
        actor: Actor = request.state.actor
        async with self._app.storage.system("every login at a tenant") as connection:
            closed = await close_tenant_logins(connection, actor.tenant.id)
            self._app.services.get(Recognition).forget_after(connection)
            record = record_of(request, "config.sessions.revoked", "tenant", actor.tenant.slug, count=closed)
            await audit_of(self._app).record(connection, record)
        return closed


def _changes(before: SecurityPolicy | PasswordRules, after: SecurityPolicy | PasswordRules) -> list[str]:
    old, new = asdict(before), asdict(after)
    return [name for name in new if new[name] != old[name]]
