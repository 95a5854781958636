"""`/trends/lifecycle`: who is new, stays, or goes away; and how often people come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from chatnation import App, Page
from chatnation.plugins.dashboard.api import (
    PEOPLE,
    AnalyticsPage,
    Card,
    Chart,
    Kpi,
    Listed,
    Part,
    View,
    bucket_label,
    lifecycle_chart,
    nobody_asked_for,
    people_card,
    people_part,
    stickiness_chart,
)
from chatnation.plugins.trends import choices, definitions, questions
from chatnation.plugins.trends.address import PATH, LifecycleQuery
from chatnation.plugins.trends.results import mean_of
from chatnation.query import LifecycleActors, LifecycleAnswer, LifecycleBucket, LifecycleState, StickinessActors

Look = View[LifecycleQuery]
SHOWN_DAYS = 7
"""Numbers of days that are shown even if nobody came so often."""
HOW = "A bar, or its number in the table, leads to the people that it counts."
ABOUT: Mapping[LifecycleState, str] = {
    "new": "Came for the first time ever in the {cut} {label}.",
    "returning": "Came in the {cut} {label} and in the one before.",
    "resurrecting": "Came in the {cut} {label} after a pause.",
    "dormant": "Came in the {cut} before {label}, and not in this one.",
}


class LifecyclePages:
    """New, returning, resurrecting and dormant people; and how often they come."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", self.figures, width=12),
            Card("lifecycle", "Lifecycle", self.lifecycle, definitions.LIFECYCLE, 12, metric="trends.lifecycle"),
            Card("stickiness", "Stickiness", self.stickiness, definitions.STICKINESS, 12, metric="trends.stickiness"),
            people_card(self.people, metric="trends.people"),
        ]
        return AnalyticsPage(
            self._app,
            "trends",
            f"{PATH}/lifecycle",
            "Lifecycle",
            cards,
            query=LifecycleQuery,
            comparable=False,
            template="trends/page.html",
            metrics=definitions.METRICS,
            values=self._values,
        ).pages()

    async def figures(self, view: Look) -> list[Kpi]:
        answer, active = await view.ask_all(questions.lifecycle(view), questions.active(view))
        complete: list[LifecycleBucket] = [point for point in answer.buckets if point.bucket.complete]
        last, before = (complete[-1], complete[-2]) if len(complete) > 1 else (None, None)
        when = f"in the last full {view.granularity}"

        def figure(state: LifecycleState, **more: Any) -> Kpi:
            return Kpi(
                state.capitalize(),
                getattr(last, state, None),
                definitions.LIFECYCLE,
                getattr(before, state, None),
                link=_state_url(view, last, state) if last else None,
                detail=when if last else "no full periods yet",
                trend=[getattr(point, state) for point in answer.buckets],
                metric="trends.lifecycle",
                **more,
            )

        return [
            figure("new"),
            figure("returning"),
            figure("resurrecting"),
            figure("dormant", better="down"),
            Kpi(
                "Daily share",
                _share(mean_of(active.line("persons")), active.line("persons").total),
                definitions.RATIO,
                _share(mean_of(active.before("persons")), active.before("persons").total),
                unit="percent",
                link=view.url("/events", event_name=view.query.event or None, granularity=None),
                metric="trends.ratio",
            ),
        ]

    async def lifecycle(self, view: Look) -> Chart:
        answer = await view.ask(questions.lifecycle(view))
        return lifecycle_chart(
            answer, view, granularity=view.granularity, link=lambda point, state: _state_url(view, point, state)
        )

    async def stickiness(self, view: Look) -> Chart:
        answer = await view.ask(questions.stickiness(view))
        longest = max((days for days, persons in enumerate(answer.actors, 1) if persons), default=0)
        shown = replace(answer, actors=answer.actors[: max(longest, SHOWN_DAYS)])
        chart = stickiness_chart(shown, link=lambda days: _url(view, days=days))
        return replace(chart, note=f"Of {answer.periods} days.")

    async def people(self, view: Look) -> Part:
        answer = await view.ask(questions.lifecycle(view))
        listed = _listed(view, answer)
        if listed is None:
            return nobody_asked_for(HOW, empty=not any(map(_anybody, answer.buckets)))
        return await people_part(view, listed)

    async def _values(self, view: Look) -> Mapping[str, Any]:
        return choices.values(view, await choices.events(view, "event", "People who did", "anything"))


def _listed(view: Look, answer: LifecycleAnswer) -> Listed | None:
    """The list of the address; None where it has none, or one of a period that is not shown."""
    query = view.query
    if query.days is not None:
        days = "1 day" if query.days == 1 else f"{query.days} days"
        question = StickinessActors(stickiness=questions.stickiness(view), periods=query.days)
        return Listed(question, f"Came on exactly {days}.", "Came last")
    point = next((point for point in answer.buckets if point.bucket.label == query.since), None)
    if query.state is None or point is None:
        return None
    label = bucket_label(point.bucket, view.granularity)
    return Listed(
        LifecycleActors(lifecycle=questions.lifecycle(view), bucket=point.bucket.label, state=query.state),
        ABOUT[query.state].format(cut=view.granularity, label=label),
        "Came last",
        beside=[
            (state.capitalize(), _state_url(view, point, state), state == query.state)
            for state in get_args(LifecycleState)
        ],
    )


def _anybody(point: LifecycleBucket) -> bool:
    return any(getattr(point, state) for state in get_args(LifecycleState))


def _state_url(view: Look, point: LifecycleBucket, state: LifecycleState) -> str:
    return _url(view, state=state, since=point.bucket.label)


def _url(view: Look, **which: object) -> str:
    """Where the list of those behind a number is."""
    return view.url(**{"state": None, "since": None, "days": None, "offset": None, **which}) + PEOPLE


def _share(part: float, total: float | None) -> float | None:
    return 100 * part / total if total else None
