"""Of the actors who did one thing in a period, how many did another in it and in later ones."""

from __future__ import annotations

from datetime import datetime

from chatnation.core.query.answers import Cohort, RetentionAnswer, RetentionCell
from chatnation.core.query.evaluate.cohorts import Cohorts, cohorts_of
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Retention


async def answer(query: Retention, loader: Loader, now: datetime) -> RetentionAnswer:
    """The cohorts of the range, with a cell for each column."""
    found = await cohorts_of(query, loader, now)
    told = tuple(
        Cohort(bucket, size, _cells(found, place, counts, size, now))
        for place, (bucket, size, counts) in enumerate(
            zip(found.buckets, found.sizes.tolist(), found.counts.tolist(), strict=True)
        )
    )
    names = tuple(column.name for column in found.columns)
    return RetentionAnswer(names, told, tuple(_average(told, place) for place in range(len(names))))


def _cells(found: Cohorts, cohort: int, counts: list[int], size: int, now: datetime) -> tuple[RetentionCell, ...]:
    """The cells of a cohort."""
    cells = []
    for column, actors in enumerate(counts):
        share = actors / size if size and found.has_begun(cohort, column, now) else None
        cells.append(RetentionCell(actors, share, found.is_open(cohort, column)))
    return tuple(cells)


def _average(cohorts: tuple[Cohort, ...], column: int) -> float | None:
    """The share of all cohorts whose cell in a column is complete."""
    complete = [(cohort.cells[column].actors, cohort.size) for cohort in cohorts if not cohort.cells[column].open]
    size = sum(size for _, size in complete)
    return sum(actors for actors, _ in complete) / size if size else None
