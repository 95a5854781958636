"""The partition for outliers, events as analysts read them, and versions that make processes forget their caches."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CACHES = {
    "ingestion": {
        "api_keys": ("project_id, type, allowed_origins, scopes, expires_at, revoked_at, hash"),
        "projects": "slug, allowed_origins, ip_mode, masking, settings",
        "tenants": "slug, name, timezone, settings",
    },
    "plugin_switches": {"plugin_switches": "plugin, enabled"},
}


def upgrade() -> None:
    op.execute("CREATE TABLE events_default PARTITION OF events DEFAULT")
    op.execute(
        """
        CREATE VIEW events_expanded WITH (security_invoker = true) AS
        SELECT e.tenant_id, e.project_id, coalesce(e.event_id, e.message_id) AS event_id, e.message_id, e.message_ref,
               e.event_name, e.event_type, e.timestamp, e.claimed_at, e.received_at, e.skew_ms, e.sequence,
               e.anonymous_id, e.session_id, e.user_id, e.external_id, e.handshake_token,
               coalesce(m.person_id, e.person_id) AS person_id, e.person_id AS leaf_id,
               e.channel_type, e.page_path, e.page_url, e.page_title, e.referrer, e.country_code, e.city, e.ip_address,
               c.user_agent, c.device_type, c.os_name, c.os_version, c.browser_name, c.browser_version, e.is_bot,
               c.sdk_name, c.sdk_version, e.journey_start, e.journey_end, e.properties
          FROM events e
          LEFT JOIN clients c ON c.id = e.client_id
          LEFT JOIN person_merges m ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id
        """
    )
    op.execute(
        """
        CREATE FUNCTION raise_cache_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO public.cache_versions AS v (name, version) VALUES (TG_ARGV[0], 1)
            ON CONFLICT (name) DO UPDATE SET version = v.version + 1;
            RETURN NULL;
        END $$
        """
    )
    for cache, tables in _CACHES.items():
        for table, columns in tables.items():
            op.execute(
                f"CREATE TRIGGER raise_cache_version AFTER INSERT OR DELETE OR UPDATE OF {columns} ON {table}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION raise_cache_version('{cache}')"
            )


def downgrade() -> None:
    for tables in _CACHES.values():
        for table in tables:
            op.execute(f"DROP TRIGGER raise_cache_version ON {table}")
    op.execute("DROP FUNCTION raise_cache_version")
    op.execute("DROP VIEW events_expanded")
    op.execute("DROP TABLE events_default")
