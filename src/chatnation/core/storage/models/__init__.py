"""The tables of the core, in schema public."""

from chatnation.core.storage.models.accounts import memberships, users
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
from chatnation.core.storage.models.logins import (
    login_challenges,
    login_sessions,
    personal_tokens,
    recovery_codes,
    remembered_devices,
    second_factors,
    spent_refresh_tokens,
)
from chatnation.core.storage.models.people import invitations, old_passwords, password_resets, roles
from chatnation.core.storage.models.segments import segment_columns, segment_markers, segments
from chatnation.core.storage.models.sso import sso_identities, sso_providers
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
    "invitations",
    "login_challenges",
    "login_sessions",
    "memberships",
    "metadata",
    "old_passwords",
    "password_resets",
    "person_merges",
    "person_traits",
    "personal_tokens",
    "plugin_switches",
    "plugin_tenant_settings",
    "processed_deliveries",
    "projection_failures",
    "projects",
    "recovery_codes",
    "remembered_devices",
    "roles",
    "second_factors",
    "segment_columns",
    "segment_markers",
    "segments",
    "spent_refresh_tokens",
    "sso_identities",
    "sso_providers",
    "suppressions",
    "tenants",
    "users",
]
