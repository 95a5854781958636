"""The page about WhatsApp."""

from __future__ import annotations

from collections.abc import Callable

from chatnation import App, Page
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    AnalyticsQuery,
    Card,
    Cell,
    Chart,
    Column,
    DataTable,
    Kpi,
    Series,
    Target,
    agent_names,
    bucket_labels,
    country_name,
    intervals_trend_chart,
    percent_of,
    ranked_chart,
    trend_chart,
    week_heatmap,
)
from chatnation.plugins.whatsapp_analytics import definitions
from chatnation.plugins.whatsapp_analytics.questions import (
    AGENT,
    BOT,
    TEMPLATE,
)
from chatnation.plugins.whatsapp_analytics.reports import Reports, WhatsappView
from chatnation.plugins.whatsapp_analytics.routes import PATH, TARGET_MINUTES
from chatnation.query import Bucket, IntervalsAnswer, IntervalsGroup, Line

RECEIVED, SENT, READ, RESOLVED = "message.received", "message.sent", "message.read", "chat.resolved"
UNKNOWN = "Unknown"
RESOLUTION_LABELS = (
    "under 5m",
    "5–10m",  # noqa: RUF001
    "10–15m",  # noqa: RUF001
    "15–30m",  # noqa: RUF001
    "30–60m",  # noqa: RUF001
    "1–2h",  # noqa: RUF001
    "2–4h",  # noqa: RUF001
    "4–8h",  # noqa: RUF001
    "8–24h",  # noqa: RUF001
    "a day or more",
)
"""Of the buckets of `RESOLUTION_EDGES`."""


class WhatsappAnalyticsPages:
    """`/whatsapp-analytics`: how much is written, what becomes of it, how fast contacts are answered."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", figures, width=12),
            Card("volume", "Messages over time", volume, width=8, metric="whatsapp_analytics.received"),
            Card("funnel", "Delivery", funnel, width=4, metric="whatsapp_analytics.delivery"),
            Card("read-rate", "Read rate", read_rate, metric="whatsapp_analytics.read_rate"),
            Card("new-contacts", "New contacts", new_contacts, metric="whatsapp_analytics.new_contacts"),
            Card(
                "response-trend",
                "Response time",
                response_trend,
                section="How fast contacts are answered",
                metric="whatsapp_analytics.response_time",
            ),
            Card(
                "response-times", "Spread of response times", response_times, metric="whatsapp_analytics.response_time"
            ),
            Card("responders", "Who answers", responders, width=12, metric="whatsapp_analytics.responders"),
            Card(
                "hours",
                "Messages received by hour",
                hours,
                section="When and from where",
                metric="whatsapp_analytics.hours",
            ),
            Card("countries", "Countries", countries, metric="whatsapp_analytics.countries"),
            Card("week", "Hours of the week", week, width=12, metric="whatsapp_analytics.week"),
            Card(
                "resolution",
                "Time to resolve a chat",
                resolution,
                section="Chats and agents",
                metric="whatsapp_analytics.resolution",
            ),
            Card("lengths", "Length of conversations", lengths, metric="whatsapp_analytics.length"),
            Card("agents", "Agents", agents, metric="whatsapp_analytics.agents"),
            Card(
                "agent-delivery",
                "What becomes of agents' messages",
                agent_delivery,
                metric="whatsapp_analytics.by_agent",
            ),
            Card("templates", "Templates", templates, width=12, metric="whatsapp_analytics.templates"),
        ]
        return AnalyticsPage(
            self._app,
            "whatsapp_analytics",
            PATH,
            "WhatsApp",
            cards,
            query=AnalyticsQuery,
            metrics=definitions.METRICS,
            filters=("country", "channel"),
            needs="Messages of a WhatsApp number are counted here: message.received, message.sent, and their receipts.",
        ).pages()


async def figures(view: WhatsappView) -> list[Kpi]:
    """The cards at the top."""
    told = await Reports(view).key_figures()
    found, (delivery, delivery_before), (replies, replies_before) = told.counts, told.delivery, told.replies
    responses, responses_before = told.responses

    def counted(label: str, line: str, definition: str, event: str) -> Kpi:
        now = found.line(line)
        return Kpi(
            label,
            now.total,
            definition,
            found.before(line).total,
            link=view.url("/events", event_name=event),
            trend=now.values,
            metric=f"whatsapp_analytics.{line}",
        )

    return [
        counted("Messages received", "received", definitions.RECEIVED, RECEIVED),
        counted("Messages sent", "sent", definitions.SENT, SENT),
        Kpi(
            "Read rate",
            delivery.read_share,
            definitions.READ_RATE,
            delivery_before.read_share,
            unit="percent",
            link=view.url("/events", event_name=READ),
            detail=f"{delivery.read:,} of {delivery.sent:,}" if delivery.sent else "",
            metric="whatsapp_analytics.read_rate",
        ),
        counted("Unique contacts", "contacts", definitions.CONTACTS, RECEIVED),
        counted("New contacts", "new_contacts", definitions.NEW_CONTACTS, RECEIVED),
        Kpi(
            "Median response time",
            responses.spread.p50,
            definitions.RESPONSE_TIME,
            responses_before.spread.p50,
            unit="seconds",
            better="down",
            link=view.url("/events", event_name=[RECEIVED, SENT]),
            detail=_waiting(responses),
            metric="whatsapp_analytics.response_time",
        ),
        Kpi(
            "Reply rate",
            replies.share,
            definitions.REPLY_RATE,
            replies_before.share,
            unit="percent",
            link=view.url("/events", event_name=[SENT, RECEIVED]),
            detail=f"{replies.replied:,} of {replies.contacts:,} contacts" if replies.contacts else "",
            metric="whatsapp_analytics.reply_rate",
        ),
        counted("Chats resolved", "resolved", definitions.AGENTS, RESOLVED),
    ]


async def volume(view: WhatsappView) -> Chart:
    """Messages received and sent."""
    events = {"received": RECEIVED, "sent": SENT}

    def leads(bucket: Bucket, line: Line) -> str:
        return view.url_of(bucket.start, bucket.end, "/events", event_name=events[line.series])

    return trend_chart(
        await Reports(view).figures(),
        view,
        names={"received": "Received", "sent": "Sent"},
        only=("received", "sent"),
        link=leads,
    )


async def funnel(view: WhatsappView) -> Chart:
    """Sent, delivered, read; and how many contacts replied, in words."""
    delivery, replies = await Reports(view).delivery_and_replies()
    replied = f"{replies.share:.0f}% of the contacts replied." if replies.share is not None else ""
    names = ["message.sent", "message.delivered", "message.read"]
    return Chart(
        kind="funnel",
        category="Step",
        categories=["Sent", "Delivered", "Read"],
        keys=["sent", "delivered", "read"],
        series=[
            Series(
                "Messages",
                [delivery.sent, delivery.delivered, delivery.read],
                [view.url("/events", event_name=name) for name in names],
            )
        ],
        note=replied,
    )


async def read_rate(view: WhatsappView) -> Chart:
    """The read rate by when messages were sent, with how many were."""
    found = await Reports(view).reads()
    buckets = [point.bucket for point in found.trend]
    open_ = [not point.mature for point in found.trend]
    links = [view.url_of(bucket.start, bucket.end, "/events", event_name=SENT) for bucket in buckets]
    rates = [percent_of(point.converted, point.entered) for point in found.trend]
    return Chart(
        kind="combined",
        category=view.granularity.capitalize(),
        categories=bucket_labels(buckets, view.granularity),
        keys=[bucket.label for bucket in buckets],
        series=[
            Series("Messages sent", [point.entered for point in found.trend], links),
            Series("Read rate", rates, unit="percent", line=True, open=open_),
        ],
        empty_text="No message was sent in this period.",
    )


async def new_contacts(view: WhatsappView) -> Chart:
    """Persons who wrote for the first time."""
    return trend_chart(
        await Reports(view).figures(),
        view,
        kind="bars",
        names={"new_contacts": "New contacts"},
        only=("new_contacts",),
        link=lambda bucket, line: view.url_of(bucket.start, bucket.end, "/events", event_name=RECEIVED),
    )


async def response_trend(view: WhatsappView) -> Chart:
    """Median and 95th percentile against the target."""
    found = await Reports(view).responses()
    target = Target("Target", 60 * TARGET_MINUTES)
    return intervals_trend_chart(found, view, figures=("p50", "p95"), targets=[target])


async def response_times(view: WhatsappView) -> Chart:
    """How many contacts waited how long."""
    found = await Reports(view).responses()
    labels = [*(f"{low}–{low + 1}" for low in range(9)), "9 or more"]  # noqa: RUF001 - ranges take en dashes
    median = f"Half within {_duration(found.spread.p50)}. " if found.spread.p50 is not None else ""
    return Chart(
        kind="histogram",
        category="Minutes until the answer",
        categories=labels,
        keys=[f"{low}-{low + 1}" for low in range(9)] + ["9+"],
        series=[
            Series(
                "Messages",
                [bucket.count for bucket in found.buckets],
                [view.url("/events", event_name=[RECEIVED, SENT])] * len(labels),
            )
        ],
        note=median + _waiting(found),
        empty_text="No message was answered in this period.",
    )


async def responders(view: WhatsappView) -> DataTable:
    """Response times of the bot and of each agent."""
    found, names = await Reports(view).responders()

    def named(group: IntervalsGroup) -> Cell:
        if group.other:
            return Cell("Others")
        if group.value == BOT:
            return Cell("Bot", link=view.url("/events", event_name=SENT, **{"properties.isAutomated": "true"}))
        if group.value in (None, "false"):
            return Cell(UNKNOWN)
        return Cell(names.get(group.value or "", group.value), link=_of_agent(view, group.value or "", SENT))

    return DataTable(
        columns=[
            Column("sender", "Sender"),
            Column("answers", "Answers", "number"),
            Column("median", "Median", "seconds"),
            Column("p95", "95th percentile", "seconds"),
            Column("mean", "Mean", "seconds"),
        ],
        rows=[
            [named(group), group.spread.count, group.spread.p50, group.spread.p95, group.spread.mean]
            for group in found.groups
        ],
        total=["All", found.spread.count, found.spread.p50, found.spread.p95, found.spread.mean]
        if found.groups
        else None,
        sort="-answers",
        note=_waiting(found),
        empty_text="No message was answered in this period.",
    )


async def hours(view: WhatsappView) -> Chart:
    """Messages received by hour of the day."""
    reports = Reports(view)
    found = await reports.breakdown(reports.questions.hours())
    counts = {row.values[0]: row.measures[0] or 0 for row in found.rows}
    links = [view.url("/events", event_name=RECEIVED, **{"time.hour": hour}) for hour in range(24)]
    return Chart(
        kind="bars",
        category="Hour",
        categories=[f"{hour:02}:00" for hour in range(24)],
        series=[Series("Messages received", [counts.get(str(hour), 0) for hour in range(24)], links)],
        note=f"Hours of {view.period.timezone}",
    )


async def countries(view: WhatsappView) -> Chart:
    """Messages received by country of the number."""
    reports = Reports(view)
    found = await reports.breakdown(reports.questions.countries(10))
    return ranked_chart(
        found,
        "Country",
        names={"received": "Messages received", "contacts": "Contacts"},
        rename=country_name,
        link=lambda code: view.url("/events", event_name=RECEIVED, country=[code or "unknown"]),
    )


async def week(view: WhatsappView) -> Chart:
    """Messages received by weekday and hour."""
    reports = Reports(view)
    found = await reports.breakdown(reports.questions.week())

    def leads(weekday: int, hour: int) -> str:
        return view.url("/events", event_name=RECEIVED, **{"time.weekday": weekday, "time.hour": hour})

    return week_heatmap(found, timezone=view.period.timezone, link=leads)


async def resolution(view: WhatsappView) -> Chart:
    """From taking a chat to resolving it."""
    found = await Reports(view).resolutions()
    parts = []
    if found.spread.p50 is not None:
        parts.append(f"Half within {_duration(found.spread.p50)}.")
    if found.open:
        parts.append(f"{found.open:,} not resolved yet.")
    if found.unanswered:
        parts.append(f"{found.unanswered:,} not resolved in 30 days.")
    return Chart(
        kind="histogram",
        category="Time from taking to resolving",
        categories=RESOLUTION_LABELS,
        series=[
            Series(
                "Chats",
                [bucket.count for bucket in found.buckets],
                [view.url("/events", event_name=RESOLVED)] * len(RESOLUTION_LABELS),
            )
        ],
        note=" ".join(parts),
        empty_text="No chat that was taken in this period was resolved.",
    )


async def lengths(view: WhatsappView) -> Chart:
    """Conversations by their messages."""
    found = await Reports(view).lengths()
    names = ("1–3", "4–6", "7–10", "11–20", "more than 20")  # noqa: RUF001 - ranges take en dashes
    median = f"Half of them have {found.spread.p50:.0f} messages or fewer." if found.spread.p50 else ""
    link = view.url("/events", event_name=[RECEIVED, SENT])
    return Chart(
        kind="histogram",
        category="Messages",
        categories=names,
        series=[Series("Conversations", [bucket.count for bucket in found.buckets], [link] * len(names))],
        note=median,
    )


async def agents(view: WhatsappView) -> DataTable:
    """What agents did."""
    found, names = await Reports(view).agents(500)
    rows = []
    for row in found.rows:
        agent = row.values[0] or ""
        resolved, sent, contacts = row.measures
        rows.append(
            [
                Cell(names.get(agent, agent), link=_of_agent(view, agent)),
                Cell(resolved, link=_of_agent(view, agent, RESOLVED)),
                Cell(sent, link=_of_agent(view, agent, SENT)),
                Cell(contacts),
            ]
        )
    return DataTable(
        columns=[
            Column("agent", "Agent"),
            Column("resolved", "Chats resolved", "number"),
            Column("sent", "Messages sent", "number"),
            Column("contacts", "Contacts", "number"),
        ],
        rows=rows,
        total=["All", *found.total.measures] if rows else None,
        sort="-resolved",
        page_size=10,
        empty_text="No agent wrote or resolved a chat in this period.",
    )


async def agent_delivery(view: WhatsappView) -> DataTable:
    """What becomes of the messages of each agent."""
    reports = Reports(view)
    names = await agent_names(view)

    def named(agent: str | None) -> Cell:
        if agent is None:
            return Cell("Bot or unknown")
        return Cell(names.get(agent, agent), link=_of_agent(view, agent, SENT))

    return await _delivery_table(reports, AGENT, Column("agent", "Agent"), named)


async def templates(view: WhatsappView) -> DataTable:
    """What becomes of the messages made from each template."""

    def named(template: str | None) -> Cell:
        filters = {TEMPLATE: template if template is not None else "unknown"}
        return Cell(template or "No template", link=view.url("/events", event_name=SENT, **filters))

    return await _delivery_table(Reports(view), TEMPLATE, Column("template", "Template"), named)


async def _delivery_table(
    reports: Reports, field: str, column: Column, named: Callable[[str | None], Cell]
) -> DataTable:
    found = await reports.delivery_by(field)
    return DataTable(
        columns=[
            column,
            Column("sent", "Sent", "number"),
            Column("delivered", "Delivered", "percent"),
            Column("read", "Read", "percent"),
        ],
        rows=[[named(value), each.sent, each.delivered_share, each.read_share] for value, each in found],
        sort="-sent",
        page_size=10,
        empty_text="No message with an id was sent in this period.",
    )


def _of_agent(view: WhatsappView, agent: str, event: str | None = None) -> str:
    return view.url("/events", event_name=event, **{AGENT: agent})


def _waiting(found: IntervalsAnswer) -> str:
    """How many messages were not answered, in words."""
    parts = []
    if found.unanswered:
        parts.append(f"{found.unanswered:,} unanswered")
    if found.open:
        parts.append(f"{found.open:,} may still be answered")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7_200 else f"{seconds / 3_600:.1f} hours"
