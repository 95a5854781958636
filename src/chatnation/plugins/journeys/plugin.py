"""The manifest of the journeys plugin."""

from __future__ import annotations

from chatnation import App, Plugin, hookimpl


class JourneysPlugin(Plugin):
    """Self-serve and assisted

    How many journeys people finish by themselves, give up, or finish with an agent, and where they ask for one.
    """

    name = "journeys"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app
