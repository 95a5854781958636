"""`/events/catalogue` and `/events/explore`: which events there are, and what is in their properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import Field

from chatnation import App, EventType, Page, quantity
from chatnation.plugins.dashboard.api import (
    UNKNOWN,
    AnalyticsPage,
    AnalyticsQuery,
    Card,
    Cell,
    Chart,
    Column,
    DataTable,
    Part,
    View,
    conditions_of,
    distribution_chart,
    percent_of,
    ranked_chart,
    share_chart,
    trend_chart,
)
from chatnation.plugins.explorer import definitions
from chatnation.plugins.explorer.catalogue import (
    CatalogueEntry,
    catalogue_question,
    described,
    entries,
    names_question,
    trends_question,
)
from chatnation.plugins.explorer.edges import round_edges
from chatnation.plugins.explorer.sparkline import sparkline
from chatnation.query import (
    Breakdown,
    Bucket,
    CataloguedEvent,
    Distribution,
    DistributionAnswer,
    Line,
    Measure,
    NumberBucket,
    Selection,
    Series,
    Timeseries,
)

CATALOGUE, EXPLORE = "/events/catalogue", "/events/explore"
MOST_VALUES = 20
MOST_LINES = 6


class ExploreQuery(AnalyticsQuery):
    """Which event, and which of its properties."""

    event_name: str | None = Field(None, max_length=200)
    property: Annotated[str, Field(max_length=180)] | None = None


class CataloguePages:
    """The catalogue: one line a name."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        card: Card[AnalyticsQuery] = Card("catalogue", "Every event", self.names, width=12, metric="explorer.catalogue")
        page = AnalyticsPage(
            self._app,
            "explorer",
            CATALOGUE,
            "Event catalogue",
            [card],
            query=AnalyticsQuery,
            metrics=definitions.METRICS,
            granular=False,
            comparable=False,
            template="explorer/catalogue.html",
        )
        return page.pages()

    async def names(self, view: View[AnalyticsQuery]) -> Part:
        conditions = view.conditions()
        seen, trends = await view.ask_all(
            catalogue_question(view.range, conditions), trends_question(view.range, conditions)
        )
        found = entries(seen.events, described(entry.item for entry in view.app.resources.event_types), trends)
        return Part(
            "explorer/catalogue_table.html",
            {
                "seen": [each for each in found if each.seen],
                "unseen": [each for each in found if not each.seen],
                "explore_url": lambda name: explore_url(view, name),
                "sparkline": sparkline,
            },
            table=catalogue_table(found),
            empty=not found,
        )


def catalogue_table(found: Sequence[CatalogueEntry]) -> DataTable:
    """The catalogue as it is downloaded."""
    return DataTable(
        columns=[
            Column("event_name", "Event"),
            Column("count", "Events", "number"),
            Column("persons", "Persons", "number"),
            Column("senders", "Senders"),
            Column("first_seen", "First"),
            Column("last_seen", "Last"),
            Column("properties", "Properties"),
            Column("description", "Description"),
        ],
        rows=[
            [
                each.name,
                each.count,
                each.persons,
                ", ".join(each.senders),
                each.first_seen.isoformat() if each.first_seen else None,
                each.last_seen.isoformat() if each.last_seen else None,
                ", ".join(found.name for found in each.seen.properties) if each.seen else "",
                each.known.description if each.known else "",
            ]
            for each in found
        ],
    )


class ExplorePages:
    """One event in detail, and one of its properties."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app
        self._page = AnalyticsPage(
            app,
            "explorer",
            EXPLORE,
            "Explore events",
            [
                Card("trend", "Over time", self.trend, width=8, metric="explorer.trend"),
                Card("senders", "Senders", self.senders, width=4, metric="explorer.senders"),
                Card("values", "Values", self.values, metric="explorer.values"),
                Card("numbers", "Numbers", self.numbers, metric="explorer.numbers"),
                Card("properties", "Properties", self.properties, width=12, metric="explorer.properties"),
            ],
            query=ExploreQuery,
            metrics=definitions.METRICS,
            comparable=False,
            template="explorer/explore.html",
            values=self.choices,
        )

    def pages(self) -> list[Page]:
        return self._page.pages()

    async def choices(self, view: View[ExploreQuery]) -> dict[str, Any]:
        """What can be chosen, what is said of the event, and links."""
        offered = await view.ask(names_question(view.range))
        names = [row.values[0] for row in offered.rows if row.values[0]]
        chosen = view.query.event_name
        seen = await self._seen(view)
        return {
            "names": sorted({*names, *([chosen] if chosen else [])}),
            "seen": seen,
            "known": self._types(view).get(chosen or ""),
            "events_url": view.url("/events", event_name=chosen),
        }

    async def trend(self, view: View[ExploreQuery]) -> Chart:
        """By time, split by the property where one is chosen."""
        name, property_ = view.query.event_name, view.query.property
        answer = await view.ask(
            Timeseries(
                range=view.range,
                filters=view.conditions(),
                series=(Series("events", selection(name)),),
                granularity=view.granularity,
                by=f"properties.{property_}" if property_ else None,
                limit=MOST_LINES,
            )
        )

        def leads(bucket: Bucket, line: Line) -> str:
            narrowed = {"event_name": name} if name else {}
            if property_ and not line.other:
                narrowed[f"properties.{property_}"] = line.value or UNKNOWN
            return view.url_of(bucket.start, bucket.end, "/events", **narrowed)

        return trend_chart(
            answer,
            view,
            kind="stacked" if property_ else "bars",
            names={"events": name or "Events"},
            link=leads,
        )

    async def senders(self, view: View[ExploreQuery]) -> Chart:
        """By library."""
        return share_chart(await view.ask(breakdown(view, "sdk_name", 6)), "Sender")

    async def values(self, view: View[ExploreQuery]) -> Chart | Part:
        """The values of the property, or without one the channels."""
        name, property_ = view.query.event_name, view.query.property
        field = f"properties.{property_}" if property_ else "channel_type"
        narrowed = {"event_name": name} if name else {}
        answer = await view.ask(breakdown(view, field, MOST_VALUES))
        return ranked_chart(
            answer,
            property_ or "Channel",
            link=lambda value: view.url("/events", **narrowed, **{field: "unknown" if value is None else value}),
        )

    async def numbers(self, view: View[ExploreQuery]) -> Chart | Part:
        """How the numbers of the property are spread."""
        if view.query.property is None:
            return Part("", empty=True, empty_text="Choose a property to see how its numbers are spread.")
        field = f"properties.{view.query.property}"
        question = Distribution(
            range=view.range, filters=view.conditions(), select=selection(view.query.event_name), field=field
        )
        spread = (await view.ask(question)).spread
        if spread.min is None or spread.max is None:
            return Part("", empty=True, empty_text="None of its values is a number.")
        whole = all(number is not None and number.is_integer() for number in (spread.min, spread.p50, spread.max))
        answer = await view.ask(replace(question, edges=round_edges(spread.min, spread.max, whole=whole)))
        narrowed = {"event_name": view.query.event_name} if view.query.event_name else {}

        def link(bucket: NumberBucket) -> str | None:
            where = conditions_of(field, bucket)
            return None if where is None else view.url("/events", **narrowed, where=where)

        return distribution_chart(answer, view.query.property, link=link, note=numbers_note(answer))

    async def properties(self, view: View[ExploreQuery]) -> DataTable:
        """What is in the properties of the newest events."""
        seen = await self._seen(view)
        known = self._types(view).get(view.query.event_name or "")
        text = "Choose an event to see its properties." if view.query.event_name is None else "Its events have none."
        return DataTable(
            columns=[
                Column("property", "Property"),
                Column("share", "Present", "percent", "Share of the newest events that have it."),
                Column("types", "Types"),
                Column("examples", "Examples"),
                Column("description", "Description"),
            ],
            rows=property_rows(view, seen, known.properties if known else {}) if seen else [],
            page_size=50,
            note=f"From the newest {seen.sampled:,} events." if seen else "",
            empty_text=text,
        )

    async def _seen(self, view: View[ExploreQuery]) -> CataloguedEvent | None:
        if view.query.event_name is None:
            return None
        answer = await view.ask(catalogue_question(view.range, view.conditions(), view.query.event_name))
        return answer.events[0] if answer.events else None

    def _types(self, view: View[Any]) -> dict[str, EventType]:
        return described(entry.item for entry in view.app.resources.event_types)


def explore_url(view: View[Any], name: str, property_: str | None = None) -> str:
    """Where an event, or one of its properties, is explored with the same period and filters."""
    chosen = {"event_name": name, **({"property": property_} if property_ else {})}
    kept = f"{view.kept}&" if view.kept else ""
    return f"{EXPLORE}?{kept}{urlencode(chosen)}"


def selection(name: str | None) -> Selection:
    """The events with a name, or all."""
    return Selection((name,) if name else ())


def breakdown(view: View[ExploreQuery], field: str, limit: int) -> Breakdown:
    """The chosen events by a field."""
    select = selection(view.query.event_name)
    return Breakdown(
        range=view.range,
        filters=view.conditions(),
        series=(Series("Events", select), Series("Persons", select, Measure("persons"))),
        by=(field,),
        limit=limit,
    )


def property_rows(view: View[ExploreQuery], seen: CataloguedEvent, said: Mapping[str, str]) -> list[list[Any]]:
    """A row a property: as seen, with what is said of it; and what is described but was not seen."""
    rows: list[list[Any]] = [
        [
            Cell(each.name, link=explore_url(view, seen.event_name, each.name)),
            percent_of(each.count, seen.sampled),
            ", ".join(f"{kind} {share(count, each.count)}" for kind, count in each.types.items()),
            ", ".join(each.examples[:4]),
            said.get(each.name, ""),
        ]
        for each in seen.properties
    ]
    names = {each.name for each in seen.properties}
    return rows + [[name, 0.0, "", "", text] for name, text in said.items() if name not in names]


def share(count: int, total: int) -> str:
    """Nothing where it is all of them, else the share of values."""
    return "" if count == total else f"{count / total:.0%}"


def numbers_note(answer: DistributionAnswer) -> str:
    """The main figures of a spread in a line, and how many values were no numbers."""
    spread = answer.spread
    said = f"{quantity(spread.count)} numbers, mean {quantity(spread.mean)}, median {quantity(spread.p50)}"
    said += f", 95% are at most {quantity(spread.p95)}."
    unusable = sum(answer.unusable.values())
    return f"{said} {quantity(unusable)} other values are left out." if unusable else said
