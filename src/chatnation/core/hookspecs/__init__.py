"""Every hook that the core asks. One module an area; each docstring says when, what to return, what failure does."""

from chatnation.core.hookspecs import auth, composition, data, events, lifecycle, web, work

MODULES = (lifecycle, composition, events, work, web, auth, data)

__all__ = ["MODULES", "auth", "composition", "data", "events", "lifecycle", "web", "work"]
