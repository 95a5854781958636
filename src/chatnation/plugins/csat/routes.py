"""The API about satisfaction, under `/api/csat-analytics`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.csat import answers
from chatnation.plugins.csat.questions import JOURNEY, SCORES, Show
from chatnation.plugins.csat.reports import Reports, Scores, answered_share, rating_of, rounded, text_of
from chatnation.plugins.dashboard.api import AnalyticsQuery, PeriodAnswer, View, percent_change, percent_of
from chatnation.query import Bucket, EventRow, Granularity

VIEW = "analytics.view"
PATH = "/csat-analytics"
RECENT = 20
UNKNOWN = "Unknown"


class FeedbackQuery(AnalyticsQuery):
    """Which ratings are listed."""

    show: Show = Field("latest", description="All that count, low scores, with a comment, revisions, or invalid ones.")
    limit: int = Field(RECENT, ge=1, le=200, description="Ratings on a page.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")


class CsatRoutes:
    """Key figures, breakdowns, trend and feedback."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: type[BaseModel], query: type[BaseModel] = AnalyticsQuery) -> Route:
            return Route("GET", path, handler, VIEW, query=query, response=response)

        return [
            get("/dashboard", self.dashboard, answers.Dashboard),
            get("/by-journey", self.by_journey, answers.ByJourney),
            get("/by-channel", self.by_channel, answers.ByChannel),
            get("/by-agent", self.by_agent, answers.ByAgent),
            get("/trend", self.trend, answers.Trend),
            get("/feedback", self.feedback, answers.FeedbackList, FeedbackQuery),
        ]

    def _reports(self, request: Request, query: AnalyticsQuery) -> Reports:
        return Reports(View.of(self._app(), request, PATH, query))

    async def dashboard(self, request: Request, query: AnalyticsQuery) -> answers.Dashboard:
        """Average, responses, scores and the latest feedback."""
        reports = self._reports(request, query)
        found, scores, surveys, latest = await reports.summary(RECENT)
        average, before = found.line("average").total, found.before("average").total
        return answers.Dashboard(
            period=PeriodAnswer.of(reports.view.period),
            summary=answers.Summary(
                average_score=rounded(average),
                total_responses=int(found.line("responses").total or 0),
                distribution=distribution(scores),
                five_star_percent=scores.five_star,
                total_sent=int(found.line("sent").total or 0),
                response_rate=answered_share(surveys.total),
                percent_change=percent_change(average or 0, before or 0),
                revisions=int(found.line("revised").total or 0),
                invalid_ratings=int(found.line("invalid").total or 0),
            ),
            recent_feedback=[told(event) for event in latest.events],
        )

    async def by_journey(self, request: Request, query: AnalyticsQuery) -> answers.ByJourney:
        """Scores by journey."""
        reports = self._reports(request, query)
        rows = [(row.values[0], Scores.of_row(row)) for row in (await reports.breakdown(JOURNEY)).rows]
        data = [answers.Journey(journey=name or UNKNOWN, **_scores(scores)) for name, scores in rows if scores.total]
        return answers.ByJourney(period=PeriodAnswer.of(reports.view.period), data=data)

    async def by_channel(self, request: Request, query: AnalyticsQuery) -> answers.ByChannel:
        """Scores by channel."""
        reports = self._reports(request, query)
        rows = [(row.values[0], Scores.of_row(row)) for row in (await reports.breakdown("channel_type")).rows]
        data = [answers.Channel(channel=name or UNKNOWN, **_scores(scores)) for name, scores in rows if scores.total]
        return answers.ByChannel(period=PeriodAnswer.of(reports.view.period), data=data)

    async def by_agent(self, request: Request, query: AnalyticsQuery) -> answers.ByAgent:
        """Scores by the agent whose chat was rated."""
        reports = self._reports(request, query)
        found, names = await reports.surveys_with_names()
        data = []
        for group in found.groups:
            if group.other:
                continue
            scores = Scores.of_outcomes(group.counts)
            data.append(
                answers.Agent(
                    agent_id=group.value or UNKNOWN,
                    name=names.get(group.value or ""),
                    sent=group.counts.attempts,
                    open=group.counts.open,
                    response_rate=answered_share(group.counts),
                    **_scores(scores),
                )
            )
        return answers.ByAgent(period=PeriodAnswer.of(reports.view.period), data=data)

    async def trend(self, request: Request, query: AnalyticsQuery) -> answers.Trend:
        """Average score and responses over time."""
        reports = self._reports(request, query)
        found, surveys = await reports.figures_and_surveys()
        cut = reports.view.granularity
        lines = (found.line(name).values for name in ("average", "responses", "sent"))
        data = [
            answers.TrendPoint(
                period=period_text(bucket, cut),
                average_score=rounded(average),
                response_count=int(responses or 0),
                sent=int(sent or 0),
                response_rate=answered_share(answered.counts),
            )
            for bucket, average, responses, sent, answered in zip(found.buckets, *lines, surveys.trend, strict=True)
        ]
        return answers.Trend(period=PeriodAnswer.of(reports.view.period), granularity=cut, data=data)

    async def feedback(self, request: Request, query: FeedbackQuery) -> answers.FeedbackList:
        """Ratings with what was written, newest first."""
        reports = self._reports(request, query)
        found = await reports.feedback(query.show, query.limit, query.after)
        return answers.FeedbackList(
            period=PeriodAnswer.of(reports.view.period),
            items=[told(event) for event in found.events],
            next_cursor=found.next_cursor,
        )


def distribution(scores: Scores) -> list[answers.ScoreCount]:
    """All five scores."""
    return [
        answers.ScoreCount(score=score, count=count, percentage=percent_of(count, scores.total))
        for score, count in zip(SCORES, scores.counts, strict=True)
    ]


def told(event: EventRow) -> answers.Feedback:
    """A rating as it is told."""
    return answers.Feedback(
        timestamp=event.timestamp,
        rating=rating_of(event),
        feedback=text_of(event, "feedback"),
        journey=text_of(event, "journey", "journeyStep", "issue"),
        chat=text_of(event, "inboxSessionId"),
        person_id=event.person_id,
    )


def period_text(bucket: Bucket, granularity: Granularity) -> str:
    """The name of a bucket: 2025-03-09, 2025-W10, 2025-03, or with the hour."""
    if granularity == "week":
        year, week, _ = bucket.start.isocalendar()
        return f"{year}-W{week:02}"
    return f"{bucket.start:%Y-%m}" if granularity == "month" else bucket.label


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        "total_responses": scores.total,
        "average_score": rounded(scores.average),
        "distribution": distribution(scores),
        "five_star_percent": scores.five_star,
    }
