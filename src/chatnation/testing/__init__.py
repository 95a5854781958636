"""The kit for authors of plugins: fixtures (`make_app`), events, a clock, and the compliance suite.

The fixtures come with the pytest plugin of this package. Tests run on real servers, which start by themselves. Names
are imported when they are first used, because pytest imports this package in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatnation.testing import compliance
    from chatnation.testing.apps import MakeApp, Person, RunningApp, Source
    from chatnation.testing.clock import FakeClock
    from chatnation.testing.events import Wire, identify, page_view, track, whatsapp_message

__all__ = [
    "FakeClock",
    "MakeApp",
    "Person",
    "RunningApp",
    "Source",
    "Wire",
    "compliance",
    "identify",
    "page_view",
    "track",
    "whatsapp_message",
]

_HOMES = {
    "apps": ("MakeApp", "Person", "RunningApp", "Source"),
    "clock": ("FakeClock",),
    "events": ("Wire", "identify", "page_view", "track", "whatsapp_message"),
}
_HOME_OF = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "compliance":
        return import_module(f"{__name__}.compliance")
    if name not in _HOME_OF:
        raise AttributeError(f"{__name__} has no name {name}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value
