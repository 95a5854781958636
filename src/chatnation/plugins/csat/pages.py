"""The page about satisfaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import Field

from chatnation import App, Page
from chatnation.plugins.csat import definitions
from chatnation.plugins.csat.questions import AGENT, JOURNEY, RATING, SCORES, SENT, SUBMITTED, Show
from chatnation.plugins.csat.reports import Reports, Scores, answered_share, rating_of, text_of
from chatnation.plugins.csat.routes import PATH
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    AnalyticsQuery,
    Card,
    Cell,
    Chart,
    Column,
    DataTable,
    Kpi,
    Part,
    Series,
    View,
    bucket_labels,
    channel_name,
    percent,
    percent_of,
    trend_chart,
)
from chatnation.query import Bucket, EventRow, Line

PAGE_SIZE = 10
MOST_ROWS = 1_000
"""Ratings in a download of feedback."""
SHOWN: dict[Show, str] = {
    "latest": "All",
    "low": "Low scores",
    "comments": "With a comment",
    "revised": "Revised",
    "invalid": "Not valid",
}
UNKNOWN = "Unknown"
PERSONS = "persons.view"


class CsatQuery(AnalyticsQuery):
    """Which feedback is listed."""

    show: Show = Field("latest", description="Which ratings are listed.")
    after: str | None = Field(None, max_length=200, description="Cursor of the list.")


CsatView = View[CsatQuery]


class CsatPages:
    """`/csat-analytics`: how content people are, with what, and what they say."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", figures, width=12),
            Card("trend", "Score and responses over time", trend, width=8, metric="csat.average"),
            Card("scores", "Scores", scores, width=4, metric="csat.scores"),
            Card("response-rate", "Response rate", response_rate, metric="csat.response_rate"),
            Card("channels", "By channel", channels, metric="csat.channels"),
            Card("journeys", "By journey", journeys, width=12, metric="csat.journeys"),
            Card("agents", "By agent", agents, width=12, metric="csat.agents"),
            Card("feedback", "Feedback", feedback, width=12, metric="csat.feedback"),
        ]
        return AnalyticsPage(
            self._app,
            "csat",
            PATH,
            "Satisfaction",
            cards,
            query=CsatQuery,
            metrics=definitions.METRICS,
            filters=("country", "channel"),
            needs="Surveys and their answers are counted here: csat.sent and csat_submitted.",
        ).pages()


async def figures(view: CsatView) -> list[Kpi]:
    """The cards at the top."""
    found, surveys = await Reports(view).figures_and_surveys()

    def now(name: str) -> Line:
        return found.line(name)

    def before(name: str) -> float | None:
        return found.before(name).total

    left_out = [
        f"{int(now(name).total or 0):,} {words}"
        for name, words in (("revised", "revised later"), ("invalid", "not valid"))
        if now(name).total
    ]
    return [
        Kpi(
            "Surveys sent",
            now("sent").total,
            definitions.SENT,
            before("sent"),
            link=view.url("/events", event_name=SENT),
            trend=now("sent").values,
            better=None,
            metric="csat.sent",
        ),
        Kpi(
            "Responses",
            now("responses").total,
            definitions.RESPONSES,
            before("responses"),
            link=view.url("/events", event_name=SUBMITTED),
            trend=now("responses").values,
            detail=", ".join(left_out),
            metric="csat.responses",
        ),
        Kpi(
            "Response rate",
            answered_share(surveys.total),
            definitions.RESPONSE_RATE,
            answered_share(surveys.previous),
            unit="percent",
            detail=f"{surveys.total.open:,} may still answer" if surveys.total.open else "",
            link=view.url("/events", event_name=[SENT, SUBMITTED]),
            metric="csat.response_rate",
        ),
        Kpi(
            "Average score",
            now("average").total,
            definitions.AVERAGE,
            before("average"),
            unit="score",
            link=view.url("/events", event_name=SUBMITTED),
            detail="of 5" if now("average").total is not None else "",
            metric="csat.average",
        ),
        Kpi(
            "5-star",
            percent(now("five_star").total),
            definitions.FIVE_STAR,
            percent(before("five_star")),
            unit="percent",
            link=view.url("/events", event_name=SUBMITTED, **{RATING: 5}),
            metric="csat.five_star",
        ),
    ]


async def trend(view: CsatView) -> Chart:
    """Responses as bars, the average score as a line."""
    found = await Reports(view).figures()
    chart = trend_chart(
        found,
        view,
        kind="combined",
        names={"responses": "Responses", "average": "Average score"},
        only=("responses", "average"),
        lines=("average",),
        units={"average": "score"},
        link=_leads(view, SUBMITTED),
    )
    return replace(chart, empty_text="Nobody gave a score in this period.")


async def response_rate(view: CsatView) -> Chart:
    """Surveys as bars, the share of them that was answered as a line."""
    found = await Reports(view).surveys()
    points = [(point.bucket, point.counts) for point in found.trend]
    links = [view.url_of(bucket.start, bucket.end, "/events", event_name=SENT) for bucket, _ in points]
    return Chart(
        kind="combined",
        category=view.granularity.capitalize(),
        categories=bucket_labels([bucket for bucket, _ in points], view.granularity),
        keys=[bucket.label for bucket, _ in points],
        series=[
            Series("Surveys sent", [counts.attempts for _, counts in points], links),
            Series(
                "Response rate",
                [answered_share(counts) for _, counts in points],
                unit="percent",
                line=True,
                open=[counts.open > 0 for _, counts in points],
            ),
        ],
        empty_text="No survey was sent in this period.",
    )


async def scores(view: CsatView) -> Chart:
    """How many responses have which score, the best at the top."""
    found = await Reports(view).scores()
    best_first = list(reversed(SCORES))
    return Chart(
        kind="ranked",
        category="Score",
        categories=[f"{score} {'star' if score == 1 else 'stars'}" for score in best_first],
        keys=[str(score) for score in best_first],
        series=[
            Series(
                "Responses",
                list(reversed(found.counts)),
                [view.url("/events", event_name=SUBMITTED, **{RATING: score}) for score in best_first],
            ),
            Series("Share", [percent_of(count, found.total) for count in reversed(found.counts)], unit="percent"),
        ],
        empty_text="Nobody gave a score in this period.",
    )


async def journeys(view: CsatView) -> DataTable:
    """Scores by journey."""
    return await _broken_down(view, JOURNEY, "Journey")


async def channels(view: CsatView) -> DataTable:
    """Scores by channel."""
    return await _broken_down(view, "channel_type", "Channel", distributed=False, rename=channel_name)


async def _broken_down(
    view: CsatView, field: str, label: str, *, distributed: bool = True, rename: Callable[[str], str] = str
) -> DataTable:
    found = await Reports(view).breakdown(field)
    rows = []
    for row in found.rows:
        counts = Scores.of_row(row)
        if counts.total:
            link = view.url("/events", event_name=SUBMITTED, **{field: row.values[0] or "unknown"})
            name = rename(row.values[0]) if row.values[0] else UNKNOWN
            rows.append([Cell(name, link=link, key=row.values[0]), *_measures(counts, distributed=distributed)])
    return DataTable(
        columns=[Column(label.lower(), label), *_columns(distributed=distributed)],
        rows=rows,
        total=["All", *_measures(Scores.of_row(found.total), distributed=distributed)] if rows else None,
        sort="-responses",
        page_size=10,
        empty_text="Nobody gave a score in this period.",
    )


async def agents(view: CsatView) -> DataTable:
    """What became of the surveys about each agent's chats."""
    found, names = await Reports(view).surveys_with_names()
    rows = []
    for group in found.groups:
        agent = group.value
        counts, sent = Scores.of_outcomes(group.counts), group.counts.attempts
        link = view.url("/events", event_name=SENT, **{AGENT: agent or "unknown"})
        name = "Others" if group.other else names.get(agent or "", agent or UNKNOWN)
        rows.append(
            [Cell(name, link=None if group.other else link), sent, percent_of(counts.total, sent), *_measures(counts)]
        )
    total = Scores.of_outcomes(found.total)
    return DataTable(
        columns=[
            Column("agent", "Agent"),
            Column("sent", "Surveys", "number"),
            Column("rate", "Response rate", "percent"),
            *_columns(),
        ],
        rows=rows,
        total=["All", found.total.attempts, percent_of(total.total, found.total.attempts), *_measures(total)]
        if rows
        else None,
        sort="-responses",
        page_size=10,
        note=f"{found.total.open:,} surveys may still be answered." if found.total.open else "",
        empty_text="No survey was sent in this period.",
    )


async def feedback(view: CsatView) -> Part:
    """Ratings with what was written; the download has up to a thousand of them."""
    reports = Reports(view)
    query = view.query
    found = await reports.feedback(query.show, PAGE_SIZE, query.after)
    downloading = view.request.url.path.endswith(".csv")
    every = (await reports.feedback(query.show, MOST_ROWS)).events if downloading else found.events
    return Part(
        "csat/feedback.html",
        {
            "events": found.events,
            "rating_of": rating_of,
            "comment_of": lambda event: text_of(event, "feedback"),
            "journey_of": lambda event: text_of(event, "journey", "journeyStep", "issue"),
            "chat_url": lambda event: _chat_url(view, event),
            "next_cursor": found.next_cursor,
            "shown": SHOWN,
            "low": (await reports.settings()).low_score,
            "may_see_persons": view.actor.can(PERSONS),
        },
        table=_feedback_table(every),
        empty=not found.events and query.show == "latest" and query.after is None,
        empty_text="Nobody gave a score in this period.",
    )


def _feedback_table(events: tuple[EventRow, ...]) -> DataTable:
    return DataTable(
        columns=[
            Column("timestamp", "When"),
            Column("rating", "Score", "number"),
            Column("feedback", "Comment"),
            Column("journey", "Journey"),
            Column("chat", "Chat"),
            Column("person", "Person"),
        ],
        rows=[
            [
                event.timestamp.isoformat(),
                rating_of(event),
                text_of(event, "feedback"),
                text_of(event, "journey", "journeyStep", "issue"),
                text_of(event, "inboxSessionId"),
                str(event.person_id) if event.person_id else None,
            ]
            for event in events
        ],
    )


def _chat_url(view: CsatView, event: EventRow) -> str:
    """The events of the chat that was rated, where the rating names one."""
    chat = text_of(event, "inboxSessionId")
    if chat:
        return view.url("/events", **{"properties.inboxSessionId": chat})
    return f"/events/{event.message_id}?at={event.timestamp.isoformat().replace('+', '%2B')}"


def _columns(*, distributed: bool = True) -> list[Column]:
    scores = [Column(f"score-{score}", f"{score} ★", "number") for score in SCORES] if distributed else []
    return [
        Column("responses", "Responses", "number"),
        Column("average", "Average", "score"),
        Column("five", "5-star", "percent"),
        *scores,
    ]


def _measures(counts: Scores, *, distributed: bool = True) -> list[float | None]:
    return [counts.total, counts.average, counts.five_star, *(counts.counts if distributed else ())]


def _leads(view: CsatView, event: str) -> Callable[[Bucket, Line], str]:
    return lambda bucket, line: view.url_of(bucket.start, bucket.end, "/events", event_name=event)
