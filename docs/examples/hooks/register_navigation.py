from collections.abc import Iterable

from chatnation import AUTHENTICATED, NavigationEntry, Plugin, hookimpl


class GreetingsPlugin(Plugin):
    """Greetings"""

    name = "greetings"

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Greetings", "/greetings", AUTHENTICATED, group="analytics", icon="hand-stop")]
