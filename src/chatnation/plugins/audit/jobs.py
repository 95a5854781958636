"""Work of the audit plugin that is done in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from chatnation import App, AuditLog
from chatnation.plugins.audit import actions
from chatnation.plugins.audit.sealing import seal_everything
from chatnation.plugins.audit.settings import AuditTenantSettings

logger = logging.getLogger(__name__)

SEAL = "audit.seal_records"
CUT = "audit.cut_logs"


class SealRecords:
    """Seals what was written since the last time."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    async def __call__(self, payload: dict[str, Any]) -> None:
        await seal_everything(self._app().storage)


class CutLogs:
    """Removes what tenants do not want to keep any longer."""

    def __init__(self, app: Callable[[], App], log: AuditLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, payload: dict[str, Any]) -> None:
        app = self._app()
        await seal_everything(app.storage)
        async with app.storage.system("every tenant with an audit log") as connection:
            tenants = list(await connection.scalars(text("SELECT id FROM tenants ORDER BY id")))
        for tenant_id in tenants:
            settings = await app.tenant_settings.get(tenant_id, "audit", AuditTenantSettings)
            if settings.retention_days is None:
                continue
            before = app.clock.now() - timedelta(days=settings.retention_days)
            async with app.storage.system("cut the audit log of a tenant") as connection:
                removed = await actions.cut(connection, self._log, tenant_id, before)
            if removed:
                logger.info("removed %d audit records older than %d days", removed, settings.retention_days)
