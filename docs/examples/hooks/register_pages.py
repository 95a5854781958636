from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from chatnation import AUTHENTICATED, Page, Plugin, hookimpl


async def show(request: Request) -> Response:
    response: Response = request.state.render("greetings/show.html", name=request.state.actor.name)
    return response


class GreetingsPlugin(Plugin):
    """Greetings"""

    name = "greetings"

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return [Page("", show, AUTHENTICATED)]  # /greetings
