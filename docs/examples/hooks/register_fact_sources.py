from collections.abc import Iterable

from chatnation import Plugin, hookimpl
from chatnation.query import FactSource

VISITS = FactSource(
    "sessions",
    columns="""
        timestamptz_send(v.arrived_at) AS time, timestamptz_send(v.left_at) AS ended_at,
        uuid_send(v.id) AS session_id, uuid_send(v.leaf_id) AS leaf, uuid_send(v.leaf_id) AS visitor,
        NULL::bytea AS hint, v.project_id, v.channel_type, v.entry_page, v.is_bot
    """,
    table="visits.visits v",
    tenant="v.tenant_id",
    time="v.arrived_at",
    order="v.id",
    ended="v.left_at",
)


class VisitsPlugin(Plugin):
    """Visits by another rule"""

    name = "visits"

    @hookimpl
    def register_fact_sources(self) -> Iterable[FactSource]:
        return [VISITS]
