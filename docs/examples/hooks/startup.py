import httpx

from chatnation import App, Plugin, hookimpl


class WeatherPlugin(Plugin):
    """Weather"""

    name = "weather"

    @hookimpl
    async def startup(self, app: App) -> None:
        self.client = httpx.AsyncClient(timeout=5)
