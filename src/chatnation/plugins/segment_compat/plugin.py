"""The manifest of the segment_compat plugin."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation import App, IngestRoute, Intake, Plugin, hookimpl
from chatnation.plugins.segment_compat.routes import SegmentRoutes
from chatnation.plugins.segment_compat.settings import SegmentSettings


class SegmentCompatPlugin(Plugin):
    """Segment and RudderStack SDKs

    Takes events from unmodified SDKs of Segment and RudderStack, and batches of PostHog's: give them this server's
    address and a write key of a project.
    """

    name = "segment_compat"
    Settings = SegmentSettings
    settings: SegmentSettings
    _app: App | None = None

    @hookimpl
    def register_ingest_routes(self) -> Iterable[IngestRoute]:
        return list(SegmentRoutes(self.settings, self._served, self._enabled, version("chatnation")).routes())

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def _served(self, handle: Any) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            await self.services.get(Intake).serve(scope, receive, send, handle)

        return serve

    def _enabled(self, tenant_id: int) -> bool:
        return self._app is None or self.name in self._app.enabled(tenant_id)
