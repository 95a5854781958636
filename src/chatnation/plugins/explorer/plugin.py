"""The manifest of the explorer plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class ExplorerPlugin(Plugin):
    """Explorer

    The events as they come in, which kinds there are, and everything that one person did.
    """

    name = "explorer"
    url_prefix = "events"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
