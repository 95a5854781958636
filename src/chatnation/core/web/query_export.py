"""Answers as downloads. What comes in pages is asked for page after page while it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from chatnation.core.query.answers import ActorsAnswer, EventsAnswer, FunnelActorsAnswer
from chatnation.core.query.model import Events, Listing, Query
from chatnation.core.query.store import QueryRefused
from chatnation.core.query.tables import Row, Table, tables_of
from chatnation.core.web.spreadsheet import csv_stream

PAGE_ROWS = 5_000
TRUNCATED = "X-Truncated"
"""Header of a download of which is known before it is sent that rows are missing."""

Ask = Callable[[Query], Awaitable[Any]]
Ended = Callable[[int, bool], Awaitable[None]]
"""Is told how many rows were sent, and whether there would have been more."""
Chunks = AsyncIterator[Sequence[Row]]


class Export:
    """Makes downloads of at most `most` rows from answers that `ask` gives."""

    def __init__(self, ask: Ask, most: int) -> None:
        self._ask = ask
        self._most = most

    async def begin(self, query: Query, table: str | None) -> Downloading:
        """Ask for the first page, so that whatever is wrong with the question is told before anything is sent."""
        if isinstance(query, Events | Listing):
            query = replace(query, limit=min(PAGE_ROWS, self._most))
        answer = await self._ask(query)
        tables = {found.name: found for found in tables_of(query, answer)}
        chosen = next(iter(tables.values())) if table is None else tables.get(table)
        if chosen is None:
            raise QueryRefused(f"The answer has no such table; it has {', '.join(tables)}.")
        return Downloading(
            query.kind, chosen, self._pages(query, answer, chosen), self._most, _known_rows(query, answer, chosen)
        )

    async def _pages(self, query: Query, answer: Any, first: Table) -> Chunks:
        yield first.rows
        while (following := _next(query, answer)) is not None:
            query = following
            answer = await self._ask(query)
            yield tables_of(query, answer)[0].rows


@dataclass(frozen=True, slots=True)
class Downloading:
    """A download that has begun. `known_rows`: how many there are to send, where that is known already."""

    kind: str
    table: Table
    pages: Chunks
    most: int
    known_rows: int | None

    @property
    def rows(self) -> int | None:
        """How many rows will be in it; None: only known at its end."""
        return None if self.known_rows is None else min(self.known_rows, self.most)

    @property
    def certainly_cut(self) -> bool:
        """Whether it is known that not all rows will be in it."""
        return self.known_rows is not None and self.known_rows > self.most

    def response(self, kind: Literal["csv", "json"], ended: Ended | None = None) -> Response:
        """The download; the last thing in it is whether it was cut. `ended` is called once all was sent."""
        filename = f"{self.kind}-{self.table.name}.{kind}"
        if kind == "csv":
            response = csv_stream(filename, self.table.columns, self._csv(ended))
        else:
            disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
            response = StreamingResponse(self._json(ended), media_type="application/json", headers=disposition)
        if self.certainly_cut:
            response.headers[TRUNCATED] = "true"
        return response

    async def _csv(self, ended: Ended | None) -> Chunks:
        async for rows, cut in self._within_limit(ended):
            yield rows
            if cut:
                yield [[f"Cut after {self.most} rows. Ask for less time, or with more conditions, to see the rest."]]

    async def _json(self, ended: Ended | None) -> AsyncIterator[bytes]:
        head = to_json({"table": self.table.name, "columns": self.table.columns})
        yield head[:-1] + b',"rows":['
        separator, truncated = b"", False
        async for rows, cut in self._within_limit(ended):
            truncated = cut
            if rows:
                yield separator + to_json(rows, inf_nan_mode="null")[1:-1]
                separator = b","
        yield b'],"truncated":%b}' % (b"true" if truncated else b"false")

    async def _within_limit(self, ended: Ended | None) -> AsyncIterator[tuple[Sequence[Row], bool]]:
        """Some rows at a time, and whether there would be more after them that are left out."""
        left, cut = self.most, False
        async for rows in self.pages:
            cut = len(rows) > left
            sent = rows[:left]
            left -= len(sent)
            yield sent, cut
            if cut:
                break
        if ended is not None:
            await ended(self.most - left, cut)


def _known_rows(query: Query, answer: object, table: Table) -> int | None:
    """How many rows there are in all, as far as the first answer says so."""
    if isinstance(query, Listing) and isinstance(answer, FunnelActorsAnswer | ActorsAnswer):
        return max(0, answer.total - query.offset)
    return len(table.rows) if _next(query, answer) is None else None


def _next(query: Query, answer: object) -> Query | None:
    """The question for the next page, if there is one."""
    if isinstance(query, Events) and isinstance(answer, EventsAnswer):
        return replace(query, after=answer.next_cursor) if answer.next_cursor else None
    if isinstance(query, Listing) and isinstance(answer, FunnelActorsAnswer | ActorsAnswer):
        reached = query.offset + len(answer.actors)
        return replace(query, offset=reached) if answer.actors and reached < answer.total else None
    return None
