from markupsafe import Markup
from starlette.requests import Request

from chatnation import Plugin, hookimpl


class MotdPlugin(Plugin):
    """Message of the day"""

    name = "motd"

    @hookimpl
    async def render_slot(self, slot: str, request: Request) -> Markup | None:
        if slot != "overview.top":
            return None
        return Markup("<p>Returns are due on the 20th, {}.</p>").format(request.state.actor.name)
