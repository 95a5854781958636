"""The tables of the core, in schema public."""

from chatnation.core.storage.models.accounts import login_sessions, memberships, users
from chatnation.core.storage.models.base import metadata
from chatnation.core.storage.models.dead_letters import dead_letters
from chatnation.core.storage.models.events import (
    clients,
    event_keys,
    events,
    ingest_ledger,
    processed_deliveries,
    projection_failures,
)
from chatnation.core.storage.models.governance import erasures, plugin_switches, plugin_tenant_settings, suppressions
from chatnation.core.storage.models.identity import (
    identities,
    identity_issues,
    identity_links,
    identity_log,
    person_merges,
    person_traits,
)
from chatnation.core.storage.models.tenancy import api_keys, cache_versions, projects, tenants

__all__ = [
    "api_keys",
    "cache_versions",
    "clients",
    "dead_letters",
    "erasures",
    "event_keys",
    "events",
    "identities",
    "identity_issues",
    "identity_links",
    "identity_log",
    "ingest_ledger",
    "login_sessions",
    "memberships",
    "metadata",
    "person_merges",
    "person_traits",
    "plugin_switches",
    "plugin_tenant_settings",
    "processed_deliveries",
    "projection_failures",
    "projects",
    "suppressions",
    "tenants",
    "users",
]
