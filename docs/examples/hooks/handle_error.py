import httpx
from starlette.responses import PlainTextResponse, Response

from chatnation import Plugin, hookimpl


class WeatherPlugin(Plugin):
    """Weather"""

    name = "weather"

    @hookimpl
    async def handle_error(self, error: Exception) -> Response | None:
        if isinstance(error, httpx.TimeoutException):
            return PlainTextResponse("The weather service does not answer; try again later.", 504)
        return None
