"""What became of the events that were received: nothing may vanish without a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, IngestLedger, Page, Problem, Projects, csv_response
from chatnation.plugins.dashboard.charts import Chart, Series

PERMISSION = "settings.manage"
PATH = "/settings/ingestion"

SPANS = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
}
"""Label and length of what can be looked at. An hour is shown by the minute, more by the hour."""

OUTCOMES = ("received", "stored", "duplicate", "rejected", "dead", "queued")
SETTLED = timedelta(minutes=2)
"""Counts of Redis reach the table within seconds; a difference that is older than this is a real one."""

DEFINITION = (
    "Every event that was received is in one of the other columns: stored, a duplicate of one that was stored before, "
    "rejected for a reason, set aside as a dead letter, or still queued. The difference is what is left over; while "
    "events flow it may show a few for a moment, and returns to 0."
)


class IngestionQuery(BaseModel):
    """What to look at."""

    span: str = Field("24h", pattern="^(1h|24h|7d)$")
    project: str = Field("", max_length=50)


@dataclass(frozen=True, slots=True)
class Line:
    """The balance of one stretch of time or one project."""

    label: str
    counts: Counter[str]
    settled: bool = True

    @property
    def difference(self) -> int:
        return self.counts["received"] - sum(self.counts[outcome] for outcome in OUTCOMES[1:])


class IngestionPages:
    """`/settings/ingestion`."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [
            Page(f"/{PATH}", self.show, PERMISSION),
            Page(f"/{PATH}.csv", self.download, PERMISSION),
        ]

    async def show(self, request: Request) -> Response:
        query = _query(request)
        tenant = request.state.actor.tenant
        until = self._app().clock.now() + timedelta(minutes=1)
        since = until - SPANS[query.span][1]
        projects = await self._app().services.get(Projects).list(tenant.id)
        names = {project.id: project.name for project in projects}
        chosen = {project.id for project in projects if not query.project or project.slug == query.project}
        ledger = self._app().services.get(IngestLedger)
        tallies = [tally for tally in await ledger.minutes(tenant.id, since, until) if tally.project_id in chosen]
        settled_before = until - SETTLED
        step = _step(query.span)
        lines = time_lines(tallies, since, until, step, ZoneInfo(tenant.timezone), settled_before)
        response: Response = request.state.render(
            "dashboard/ingestion.html",
            query=query,
            spans=SPANS,
            path=PATH,
            projects=projects,
            outcomes=OUTCOMES,
            definition=DEFINITION,
            totals=project_lines(tallies, names),
            lines=[line for line in reversed(lines) if any(line.counts.values())],
            chart=_chart(lines, query),
            rejections=[
                entry for entry in await ledger.rejections(tenant.id, since, until) if entry.project_id in chosen
            ],
            names=names,
        )
        return response

    async def download(self, request: Request) -> Response:
        query = _query(request)
        tenant = request.state.actor.tenant
        until = self._app().clock.now() + timedelta(minutes=1)
        since = until - SPANS[query.span][1]
        projects = await self._app().services.get(Projects).list(tenant.id)
        chosen = {project.id for project in projects if not query.project or project.slug == query.project}
        tallies = await self._app().services.get(IngestLedger).minutes(tenant.id, since, until)
        lines = time_lines(
            [tally for tally in tallies if tally.project_id in chosen],
            since,
            until,
            _step(query.span),
            ZoneInfo(tenant.timezone),
            until,
        )
        rows = [[line.label, *(line.counts[outcome] for outcome in OUTCOMES), line.difference] for line in lines]
        return csv_response(f"incoming-events-{query.span}.csv", ["time", *OUTCOMES, "difference"], rows)


def time_lines(
    tallies: Iterable[Any], since: datetime, until: datetime, step: timedelta, zone: ZoneInfo, settled_before: datetime
) -> list[Line]:
    """One line for each `step` from `since` to `until`, without gaps, oldest first."""
    counts: dict[datetime, Counter[str]] = {}
    for tally in tallies:
        counts.setdefault(_floor(tally.minute, step), Counter())[tally.outcome] += tally.count
    lines = []
    moment = _floor(since, step)
    while moment < until:
        local = moment.astimezone(zone)
        label = f"{local:%H:%M}" if step < timedelta(hours=1) else f"{local:%-d %b, %H:%M}"
        lines.append(Line(label, counts.get(moment, Counter()), moment + step <= settled_before))
        moment += step
    return lines


def project_lines(tallies: Iterable[Any], names: dict[int, str]) -> list[Line]:
    """One line for each project that had traffic, by name."""
    counts: dict[int, Counter[str]] = {}
    for tally in tallies:
        counts.setdefault(tally.project_id, Counter())[tally.outcome] += tally.count
    return sorted((Line(names[project], count) for project, count in counts.items()), key=lambda line: line.label)


def _chart(lines: Sequence[Line], query: IngestionQuery) -> Chart:
    shown = [outcome for outcome in OUTCOMES[1:] if outcome == "stored" or any(line.counts[outcome] for line in lines)]
    return Chart(
        id="ingestion",
        title="Incoming events",
        kind="stacked",
        category="Time",
        categories=[line.label for line in lines],
        series=[Series(outcome.capitalize(), [line.counts[outcome] for line in lines]) for outcome in shown],
        definition=DEFINITION,
        csv=f"{PATH}.csv?span={query.span}&project={query.project}",
    )


def _step(span: str) -> timedelta:
    return timedelta(minutes=1) if span == "1h" else timedelta(hours=1)


def _floor(moment: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, moment.tzinfo)


def _query(request: Request) -> IngestionQuery:
    try:
        return IngestionQuery.model_validate(dict(request.query_params))
    except ValidationError:
        raise Problem(422, "invalid_request", "Choose 1h, 24h or 7d.") from None
