import httpx

from chatnation import Plugin, hookimpl


class WeatherPlugin(Plugin):
    """Weather"""

    name = "weather"
    client: httpx.AsyncClient

    @hookimpl
    async def shutdown(self) -> None:
        await self.client.aclose()
