"""The API about WhatsApp, under `/api/whatsapp-analytics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import AnalyticsQuery, PeriodAnswer, View, percent_change, percent_of
from chatnation.plugins.whatsapp_analytics import answers
from chatnation.plugins.whatsapp_analytics.reports import Delivery, Reports, minutes
from chatnation.query import Line, NumberBucket

VIEW = "analytics.view"
PATH = "/whatsapp-analytics"
TARGET_MINUTES = 5
_LENGTHS = ("1-3", "4-6", "7-10", "11-20", "20+")


class WhatsappAnalyticsRoutes:
    """Key figures, breakdowns and trends."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: type[BaseModel]) -> Route:
            return Route("GET", path, handler, VIEW, query=AnalyticsQuery, response=response)

        return [
            get("/stats", self.stats, answers.Stats),
            get("/volume", self.volume, answers.Volume),
            get("/heatmap", self.heatmap, answers.Heatmap),
            get("/agents", self.agents, answers.Agents),
            get("/countries", self.countries, answers.Countries),
            get("/response-time", self.response_time, answers.ResponseTime),
            get("/funnel", self.funnel, answers.MessageFunnel),
            get("/resolution-stats", self.resolution_stats, answers.ResolutionStats),
            get("/conversation-length", self.conversation_length, answers.ConversationLength),
            get("/trends/volume", self.volume_trend, answers.VolumeTrend),
            get("/trends/response-time", self.response_trend, answers.ResponseTrend),
            get("/trends/read-rate", self.read_trend, answers.ReadTrend),
            get("/trends/new-contacts", self.new_contacts_trend, answers.NewContactsTrend),
        ]

    def _reports(self, request: Request, query: AnalyticsQuery) -> Reports:
        return Reports(View.of(self._app(), request, PATH, query))

    async def stats(self, request: Request, query: AnalyticsQuery) -> answers.Stats:
        """Messages, contacts and the read rate, against the period before."""
        reports = self._reports(request, query)
        found, (read, read_before) = await reports.figures_and_delivery()
        now, before = _figures(found.line, read), _figures(found.before, read_before)
        changes = {
            name: percent_change(getattr(now, name) or 0, getattr(before, name) or 0)
            for name in answers.Changes.model_fields
        }
        return answers.Stats(
            **now.model_dump(),
            period=PeriodAnswer.of(reports.view.period),
            previous=before,
            change=answers.Changes(**changes),
        )

    async def volume(self, request: Request, query: AnalyticsQuery) -> answers.Volume:
        """Messages received by hour of the day."""
        reports = self._reports(request, query)
        found = await reports.breakdown(reports.questions.hours())
        counts = {row.values[0]: int(row.measures[0] or 0) for row in found.rows}
        data = [answers.HourCount(hour=hour, count=counts.get(str(hour), 0)) for hour in range(24)]
        return answers.Volume(period=PeriodAnswer.of(reports.view.period), data=data)

    async def heatmap(self, request: Request, query: AnalyticsQuery) -> answers.Heatmap:
        """Messages received by weekday and hour."""
        reports = self._reports(request, query)
        found = await reports.breakdown(reports.questions.week())
        counts = {row.values: int(row.measures[0] or 0) for row in found.rows}
        data = [
            answers.HeatmapCell(day=day, hour=hour, count=counts.get((str(day), str(hour)), 0))
            for day in range(7)
            for hour in range(24)
        ]
        return answers.Heatmap(period=PeriodAnswer.of(reports.view.period), data=data)

    async def agents(self, request: Request, query: AnalyticsQuery) -> answers.Agents:
        """Agents by the chats that they resolved."""
        reports = self._reports(request, query)
        found, names = await reports.agents(10)
        data = [
            answers.Agent(
                agent_id=row.values[0],
                name=names.get(row.values[0]),
                chat_count=int(row.measures[0] or 0),
                messages_sent=int(row.measures[1] or 0),
                contacts=int(row.measures[2] or 0),
            )
            for row in found.rows
            if row.values[0]
        ]
        return answers.Agents(period=PeriodAnswer.of(reports.view.period), data=data)

    async def countries(self, request: Request, query: AnalyticsQuery) -> answers.Countries:
        """Messages received by the country of the phone number."""
        reports = self._reports(request, query)
        found = await reports.breakdown(reports.questions.countries(20))
        data = [
            answers.Country(
                country_code=row.values[0], count=int(row.measures[0] or 0), contacts=int(row.measures[1] or 0)
            )
            for row in found.rows
        ]
        other = int(found.other.measures[0] or 0) if found.other else 0
        return answers.Countries(period=PeriodAnswer.of(reports.view.period), data=data, other=other)

    async def response_time(self, request: Request, query: AnalyticsQuery) -> answers.ResponseTime:
        """How long contacts wait for the next message."""
        reports = self._reports(request, query)
        found = await reports.responses()
        return answers.ResponseTime(
            period=PeriodAnswer.of(reports.view.period),
            distribution=[
                answers.DurationBucket(bucket=_minutes_of(each), count=each.count, avg_minutes=minutes(each.mean))
                for each in found.buckets
            ],
            median_minutes=minutes(found.spread.p50),
            p95_minutes=minutes(found.spread.p95),
            answered=found.spread.count,
            unanswered=found.unanswered,
            open=found.open,
        )

    async def funnel(self, request: Request, query: AnalyticsQuery) -> answers.MessageFunnel:
        """What became of the messages that were sent."""
        reports = self._reports(request, query)
        delivery, replies = await reports.delivery_and_replies()
        steps = {"Sent": delivery.sent, "Delivered": delivery.delivered, "Read": delivery.read}
        return answers.MessageFunnel(
            period=PeriodAnswer.of(reports.view.period),
            funnel=[
                *(answers.FunnelStep(step=name, count=count, unit="messages") for name, count in steps.items()),
                answers.FunnelStep(step="Replied", count=replies.replied, unit="contacts"),
            ],
            contacts_written_to=replies.contacts,
            delivery_rate=delivery.delivered_share,
            read_rate=delivery.read_of_delivered,
            reply_rate=replies.share,
        )

    async def resolution_stats(self, request: Request, query: AnalyticsQuery) -> answers.ResolutionStats:
        """How long it takes from taking a chat to resolving it."""
        reports = self._reports(request, query)
        figures, found = await reports.figures_and_resolutions()
        return answers.ResolutionStats(
            period=PeriodAnswer.of(reports.view.period),
            avg_duration_minutes=minutes(found.spread.mean),
            min_duration_minutes=minutes(found.spread.min),
            max_duration_minutes=minutes(found.spread.max),
            median_duration_minutes=minutes(found.spread.p50),
            total_resolved=int(figures.line("resolved").total or 0),
            measured=found.spread.count,
            unresolved=found.unanswered,
            open=found.open,
        )

    async def conversation_length(self, request: Request, query: AnalyticsQuery) -> answers.ConversationLength:
        """Conversations by how many messages they have."""
        reports = self._reports(request, query)
        found = await reports.lengths()
        data = [
            answers.LengthBucket(bucket=name, count=each.count)
            for name, each in zip(_LENGTHS, found.buckets, strict=True)
        ]
        return answers.ConversationLength(
            period=PeriodAnswer.of(reports.view.period),
            data=data,
            conversations=found.spread.count,
            median=found.spread.p50,
        )

    async def volume_trend(self, request: Request, query: AnalyticsQuery) -> answers.VolumeTrend:
        """Messages received and sent over time."""
        reports = self._reports(request, query)
        found = await reports.figures()
        received, sent = found.line("received"), found.line("sent")
        data = [
            answers.VolumePoint(period=bucket.label, received=int(here or 0), sent=int(there or 0))
            for bucket, here, there in zip(found.buckets, received.values, sent.values, strict=True)
        ]
        return answers.VolumeTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            total_received=_count(received),
            total_sent=_count(sent),
        )

    async def response_trend(self, request: Request, query: AnalyticsQuery) -> answers.ResponseTrend:
        """Response times by when the contact wrote."""
        reports = self._reports(request, query)
        found = await reports.responses()
        data = [
            answers.ResponsePoint(
                period=point.bucket.label,
                median_minutes=minutes(point.spread.p50),
                p95_minutes=minutes(point.spread.p95),
                response_count=point.spread.count,
                unanswered=point.unanswered,
            )
            for point in found.trend
        ]
        return answers.ResponseTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            overall_median_minutes=minutes(found.spread.p50),
            total_responses=found.spread.count,
            target_minutes=TARGET_MINUTES,
        )

    async def read_trend(self, request: Request, query: AnalyticsQuery) -> answers.ReadTrend:
        """The read rate by when messages were sent."""
        reports = self._reports(request, query)
        found = await reports.reads()
        data = [
            answers.ReadPoint(
                period=point.bucket.label,
                sent=point.entered,
                read_count=point.converted,
                read_rate=percent_of(point.converted, point.entered),
                final=point.mature,
            )
            for point in found.trend
        ]
        sent, read = (step.reached for step in found.steps)
        return answers.ReadTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            total_sent=sent,
            total_read=read,
            overall_read_rate=percent_of(read, sent),
        )

    async def new_contacts_trend(self, request: Request, query: AnalyticsQuery) -> answers.NewContactsTrend:
        """Persons who wrote for the first time, over time."""
        reports = self._reports(request, query)
        found = await reports.figures()
        line, before = found.line("new_contacts"), found.before("new_contacts")
        data = [
            answers.NewContactsPoint(period=bucket.label, new_contacts=int(count or 0))
            for bucket, count in zip(found.buckets, line.values, strict=True)
        ]
        return answers.NewContactsTrend(
            period=PeriodAnswer.of(reports.view.period),
            granularity=reports.granularity,
            data=data,
            total_new_contacts=_count(line),
            previous_total=_count(before),
            percent_change=percent_change(_count(line), _count(before)),
        )


def _figures(line: Callable[[str], Line], delivery: Delivery) -> answers.Figures:
    return answers.Figures(
        messages_received=_count(line("received")),
        messages_sent=_count(line("sent")),
        messages_read=delivery.read,
        unique_contacts=_count(line("contacts")),
        new_contacts=_count(line("new_contacts")),
        read_rate=delivery.read_share,
    )


def _count(line: Line) -> int:
    return int(line.total or 0)


def _minutes_of(bucket: NumberBucket) -> str:
    low = int((bucket.low or 0) // 60)
    return f"{low}+" if bucket.high is None else f"{low}-{int(bucket.high // 60)}"
