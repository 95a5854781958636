"""The manifest of the s3 plugin."""

from __future__ import annotations

from collections.abc import Iterable

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel

from chatnation import App, Health, Plugin, hookimpl
from chatnation.plugins.media.api import StoreDriver
from chatnation_s3.settings import S3Settings
from chatnation_s3.store import S3Store


class S3Plugin(Plugin):
    """Files in S3

    Brings the media plugin the store `s3`: a bucket of Amazon's, or of anything that speaks like it.
    """

    name = "s3"
    requires = ("media",)
    Settings = S3Settings
    settings: S3Settings

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._store: S3Store | None = None

    @hookimpl
    def media_register_stores(self) -> Iterable[StoreDriver]:
        return [StoreDriver("s3", self._opened)]

    @hookimpl
    async def check_health(self, app: App) -> Health:
        if not self.settings.bucket:
            return Health(ok=True, detail="no bucket is set, so no files are kept here")
        try:
            await self._opened().check()
        except (BotoCoreError, ClientError) as error:
            return Health(ok=False, detail=f"the bucket {self.settings.bucket} cannot be reached: {error}")
        return Health(ok=True, detail=f"files are kept in the bucket {self.settings.bucket}")

    @hookimpl
    async def shutdown(self, app: App) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _opened(self) -> S3Store:
        if self._store is None:
            self._store = S3Store(self.settings)
        return self._store
