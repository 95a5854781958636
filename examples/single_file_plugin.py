"""A plugin in one file: the day on which returns are due.

    CHATNATION_PLUGIN_PATHS=examples/single_file_plugin.py chatnation serve

It reminds people on the overview page, answers `GET /api/deadline`, and notes on every filed return how many days were
left, so that reports can tell early returns from late ones. Set another day with CHATNATION_DEADLINE_DAY=15.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup
from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import AUTHENTICATED, App, EventBatch, Plugin, Route, Stage, hookimpl

ZONE = ZoneInfo("Africa/Nairobi")


class DeadlineSettings(BaseModel):
    """Read from CHATNATION_DEADLINE_DAY."""

    day: int = Field(20, ge=1, le=28, description="Day of the month on which returns are due.")


class Deadline(BaseModel):
    """When returns are due next."""

    due: date
    days_left: int


def next_deadline(today: date, day: int) -> Deadline:
    """The next due day from `today` on, which may be today."""
    due = today.replace(day=day)
    if due < today:
        due = date(today.year + today.month // 12, today.month % 12 + 1, day)
    return Deadline(due=due, days_left=(due - today).days)


class DeadlinePlugin(Plugin):
    """Filing deadline

    Reminds people of the day on which returns are due, and notes on each filed return how many days were left.
    """

    name = "deadline"
    version = "1.0"
    Settings = DeadlineSettings
    settings: DeadlineSettings

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Route("GET", "/", self.show, AUTHENTICATED, response=Deadline)]

    @hookimpl
    def register_stages(self) -> Iterable[Stage]:
        return [Stage("note_days_left", self.note_days_left)]

    @hookimpl
    async def render_slot(self, slot: str, request: Request) -> Markup | None:
        if slot != "overview.top":
            return None
        left = self._at(self._app.clock.now()).days_left
        return Markup('<div class="alert alert-info">Days until returns are due: <strong>{}</strong></div>').format(
            left
        )

    async def show(self, request: Request) -> Deadline:
        """The next day on which returns are due."""
        return self._at(self._app.clock.now())

    async def note_days_left(self, batch: EventBatch) -> None:
        """Set `days_left` on filed returns. Properties are JSON as bytes, so they are decoded only here."""
        for event in batch:
            if event.event_name == "return_filed":
                left = self._at(event.timestamp).days_left
                event.properties = msgspec.json.encode({**batch.properties(event), "days_left": left})

    def _at(self, moment: datetime) -> Deadline:
        return next_deadline(moment.astimezone(ZONE).date(), self.settings.day)
