from collections.abc import Iterable

from chatnation import Plugin, hookimpl
from chatnation.query import FactSource

VISITS = FactSource(
    "sessions",
    table="visits.visits v",
    tenant="v.tenant_id",
    order="v.id",
    columns={
        "time": "v.arrived_at",
        "ended_at": "v.left_at",
        "session_id": "v.id",
        "leaf": "v.leaf_id",
        "visitor": "v.leaf_id",
        "hint": "NULL::uuid",
        "project_id": "v.project_id",
        "channel_type": "v.channel_type",
        "entry_page": "v.entry_page",
        "is_bot": "v.is_bot",
    },
)


class VisitsPlugin(Plugin):
    """Visits by another rule"""

    name = "visits"

    @hookimpl
    def register_fact_sources(self) -> Iterable[FactSource]:
        return [VISITS]
