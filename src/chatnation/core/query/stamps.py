"""Stamps of answers: what differs whenever the rows that an answer is made of may differ, found in one statement."""

from __future__ import annotations

from collections.abc import Hashable

from sqlalchemy import text

from chatnation.core.query.checks import question_of
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Query
from chatnation.core.query.reach import names_in, reach_of
from chatnation.core.query.segments.client_fields import CLIENT_FIELDS
from chatnation.core.query.segments.contents import FIRST, LAST
from chatnation.core.query.segments.spans import QUARTER, instant
from chatnation.core.storage.storage import Storage


async def stamp(storage: Storage, tenant_id: int, query: Query) -> Hashable:
    """The stamp of a question as of now."""
    source = question_of(query).source
    start, end = reach_of(query)
    names = names_in(query)
    low = FIRST if start is None else micros(start)
    about = {
        "tenant": tenant_id,
        "source": source,
        "start": instant(low),
        "quarter": instant(low // QUARTER * QUARTER),
        "end": instant(LAST if end is None else micros(end)),
        # Sessions may have begun long before their events.
        "clients": query.kind in ("events", "catalogue") or not names.isdisjoint(CLIENT_FIELDS),
        "traits": any(name.startswith("person.") for name in names),
        "sessions": source != "sessions" and any(name.startswith("session") for name in names),
    }
    async with storage.tenant(tenant_id) as connection:
        return tuple((await connection.execute(_STAMP, about)).one())


# Ids only grow, and what takes markers away makes a segment or a newer marker: so equal numbers are equal sets.
_STAMP = text(
    """
    WITH copied AS (
        SELECT count(*) AS segments, max(id) AS newest_segment, sum(id) AS all_segments FROM segments
         WHERE tenant_id = :tenant AND starts_at < :end
           AND (source = :source AND ends_at > :start OR :sessions AND source = 'sessions')
    ), marked AS (
        SELECT count(*) AS markers, max(id) AS newest_marker, sum(id) AS all_markers FROM segment_markers
         WHERE tenant_id = :tenant AND quarter < :end
           AND (source = :source AND quarter >= :quarter OR :sessions AND source = 'sessions')
    )
    SELECT copied.*, marked.*,
           (SELECT max(id) FROM identity_log WHERE tenant_id = :tenant) AS merges,
           (SELECT version FROM cache_versions WHERE name = 'identity') AS erasures,
           CASE WHEN :clients THEN (SELECT version FROM cache_versions WHERE name = 'clients') END AS clients,
           said.*
      FROM copied, marked, (
        SELECT count(*) AS said, max(id) AS newest_said FROM segment_markers
         WHERE :traits AND tenant_id = :tenant AND source = 'person_traits'
      ) AS said
    """
)
