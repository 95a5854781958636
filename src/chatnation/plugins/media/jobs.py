"""Work of the media plugin that is done in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from chatnation import App
from chatnation.plugins.media import actions
from chatnation.plugins.media.keeping import REMOVE, Stores
from chatnation.plugins.media.settings import MediaTenantSettings

logger = logging.getLogger(__name__)

EXPIRE = "media.delete_old"
_AT_ONCE = 100
_AGAIN_AFTER = timedelta(minutes=15)


class RemoveDoomed:
    """Removes from stores what was deleted from the table. What a store cannot remove now is tried again later."""

    def __init__(self, app: Callable[[], App], stores: Callable[[], Stores]) -> None:
        self._app = app
        self._stores = stores

    async def __call__(self, payload: dict[str, Any]) -> None:
        while await self._some():
            pass

    async def _some(self) -> bool:
        app, stores = self._app(), self._stores()
        now = app.clock.now()
        async with app.storage.system("files that nobody names any more") as connection:
            places = await actions.doomed_places(connection, now, _AT_ONCE)
            failed = []
            for store, key in places:
                try:
                    await stores[store].delete(key)
                except Exception as error:
                    logger.warning("the store %s could not remove a file, it is tried again: %r", store, error)
                    failed.append((store, key))
                else:
                    await actions.spare(connection, (store, key))
            if failed:
                await actions.put_off(connection, failed, now + _AGAIN_AFTER)
        return len(places) == _AT_ONCE


class DeleteOld:
    """Deletes files whose time is over, and those that are older than their tenant wants."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    async def __call__(self, payload: dict[str, Any]) -> None:
        app = self._app()
        now = app.clock.now()
        async with app.storage.system("files whose time is over") as connection:
            deleted = await actions.delete_expired(connection, now)
            tenants = list(await connection.scalars(text("SELECT DISTINCT tenant_id FROM media.files")))
        for tenant_id in tenants:
            settings = await app.tenant_settings.get(tenant_id, "media", MediaTenantSettings)
            if settings.retention_days is not None:
                async with app.storage.tenant(tenant_id) as connection:
                    before = now - timedelta(days=settings.retention_days)
                    deleted += await actions.delete_older(connection, tenant_id, before)
        if deleted:
            logger.info("deleted %d old files", deleted)
        async with app.storage.system("files that nobody names any more") as connection:
            await app.jobs.enqueue(connection, REMOVE, {}, dedupe_key="now")
