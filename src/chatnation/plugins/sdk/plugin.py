"""The manifest of the sdk plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Health, IngestRoute, Plugin, hookimpl
from chatnation.plugins.sdk.assets import CONTENT_TYPES, AssetApp, AssetMissing, assets


class SdkPlugin(Plugin):
    """Browser tracker

    Serves the script that websites load to send events, its types and its module form. The files come from where
    events go, so that a site needs to allow one origin only.
    """

    name = "sdk"

    @hookimpl
    def register_ingest_routes(self) -> Iterable[IngestRoute]:
        return [IngestRoute(f"/{name}", AssetApp(name), methods=("GET", "HEAD", "OPTIONS")) for name in CONTENT_TYPES]

    @hookimpl
    async def check_health(self, app: App) -> Health:
        try:
            size = len(assets()["sdk.js"].gzipped)
        except AssetMissing as error:
            return Health(False, str(error))
        return Health(True, f"sdk.js is {size} bytes gzipped")
