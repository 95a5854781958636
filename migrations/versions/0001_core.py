"""The tables of the core."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cache_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("cache_versions_pkey")),
        comment="Raised in the transaction that changes what processes keep in memory, so that they notice.",
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("tenant_slug", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="person or tenant."),
        sa.Column("person_id", sa.UUID(), nullable=True),
        sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("erased_by", sa.Text(), nullable=False),
        sa.Column(
            "counts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Rows deleted, by kind.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("erasures_pkey")),
        comment="Receipts: what was erased, when and by whom, and how much of it; never what it said.",
    )
    op.create_table(
        "event_keys",
        sa.Column(
            "claimed_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The client's time; null where it gave none.",
        ),
        sa.Column(
            "timestamp",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            comment="The time under which the event is stored.",
        ),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "message_id", name=op.f("event_keys_pkey")),
        comment="Message ids of events that are stored under another time than the one a retry would repeat.",
    )
    op.create_index(op.f("event_keys_timestamp_idx"), "event_keys", ["timestamp"], unique=False)
    op.execute(
        """
        CREATE FUNCTION event_name_hash(name text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (hashtext(name) & 32767)::smallint
        $$
        """
    )
    op.create_table(
        "events",
        sa.Column("timestamp", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "claimed_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The client's time, where the stored one differs from it.",
        ),
        sa.Column(
            "skew_ms",
            sa.Integer(),
            nullable=True,
            comment="Server's clock minus client's, in milliseconds; at most 24 days either way.",
        ),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column(
            "name_hash",
            sa.SmallInteger(),
            sa.Computed("event_name_hash(event_name)", persisted=True),
            nullable=False,
            comment="What the index by name holds; made by the database.",
        ),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=True, comment="Null: the same as message_id."),
        sa.Column("anonymous_id", sa.UUID(), nullable=True),
        sa.Column(
            "session_id", sa.UUID(), nullable=True, comment="The client's hint; the server's sessions are elsewhere."
        ),
        sa.Column(
            "person_id",
            sa.UUID(),
            nullable=True,
            comment="Leaf id of the strongest id on the event; see person_merges.",
        ),
        sa.Column("is_bot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("journey_start", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("journey_end", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("event_name", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("channel_type", sa.Text(), nullable=False),
        sa.Column("message_ref", sa.Text(), nullable=True, comment="The message id as sent, where it is not a UUID."),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("handshake_token", sa.Text(), nullable=True),
        sa.Column("page_path", sa.Text(), nullable=True),
        sa.Column("page_url", sa.Text(), nullable=True),
        sa.Column("page_title", sa.Text(), nullable=True),
        sa.Column("referrer", sa.Text(), nullable=True),
        sa.Column("country_code", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column(
            "properties", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "timestamp", "message_id", name=op.f("events_pkey")),
        postgresql_partition_by="RANGE (timestamp)",
    )
    op.create_index(
        "events_tenant_id_name_hash_timestamp_idx",
        "events",
        ["tenant_id", "name_hash", "timestamp"],
        unique=False,
    )
    op.create_index("events_tenant_id_person_id_idx", "events", ["tenant_id", "person_id"], unique=False)
    op.create_index("events_tenant_id_session_id_idx", "events", ["tenant_id", "session_id"], unique=False)
    op.create_table(
        "ingest_ledger",
        sa.Column("minute", postgresql.TIMESTAMP(timezone=True), nullable=False, comment="Of the time of receipt."),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("sample", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint(
            "tenant_id", "project_id", "minute", "outcome", "reason", name=op.f("ingest_ledger_pkey")
        ),
        comment="What became of the events received: stored, duplicate, dead, or rejected for a reason.",
    )
    op.create_table(
        "processed_deliveries",
        sa.Column("processed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivery_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("processed_deliveries_pkey")),
        comment="Deliveries whose events are stored; written in the transaction that stored them.",
    )
    op.create_index(
        "processed_deliveries_processed_at_idx",
        "processed_deliveries",
        ["processed_at"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_table(
        "projection_failures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("failed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "next_attempt_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column(
            "event_keys",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[[timestamp, message id], …] of the batch's events.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("projection_failures_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("projection_failures_tenant_id_id_key")),
        comment="Batches that a projection could not take; their events are stored, the projection is tried again.",
    )
    op.create_index(
        op.f("projection_failures_next_attempt_at_idx"), "projection_failures", ["next_attempt_at"], unique=False
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tenants_pkey")),
        sa.UniqueConstraint("slug", name=op.f("tenants_slug_key")),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("is_bot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="16 bytes of SHA-256 of SDK and user agent."),
        sa.Column("sdk_name", sa.Text(), nullable=True),
        sa.Column("sdk_version", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("device_type", sa.Text(), nullable=True),
        sa.Column("os_name", sa.Text(), nullable=True),
        sa.Column("os_version", sa.Text(), nullable=True),
        sa.Column("browser_name", sa.Text(), nullable=True),
        sa.Column("browser_version", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("clients_pkey")),
        sa.UniqueConstraint("digest", name=op.f("clients_digest_key")),
        comment="What sends events: SDK and user agent string, with what was read from it; each pair once.",
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True, comment="Null: cannot log in with a password."),
        sa.Column("password_changed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_login_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("disabled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
    )
    op.create_index("users_email_key", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_table(
        "identities",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf_id", sa.UUID(), nullable=False, comment="Hash of tenant, kind and value."),
        sa.Column("first_seen", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("last_seen", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="user, phone, anonymous or handshake."),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("identities_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "leaf_id", name=op.f("identities_pkey")),
    )
    op.create_index(
        op.f("identities_tenant_id_kind_value_idx"), "identities", ["tenant_id", "kind", "value"], unique=False
    )
    op.create_table(
        "identity_issues",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="What it is about; one open row a subject."),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("identity_issues_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_issues_pkey")),
        sa.UniqueConstraint("tenant_id", "kind", "subject", name=op.f("identity_issues_tenant_id_kind_subject_key")),
        comment="Merges that were refused, ids that look shared or meaningless.",
    )
    op.create_table(
        "identity_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("a", sa.UUID(), nullable=False, comment="Leaf id; the smaller of the two."),
        sa.Column("b", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="identify, login, alias, external_id or handshake."),
        sa.Column("first_seen", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "removed_at", postgresql.TIMESTAMP(timezone=True), nullable=True, comment="Split by an operator; stays out."
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("identity_links_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_links_pkey")),
        sa.UniqueConstraint("tenant_id", "a", "b", "source", name=op.f("identity_links_tenant_id_a_b_source_key")),
    )
    op.create_index(op.f("identity_links_tenant_id_b_idx"), "identity_links", ["tenant_id", "b"], unique=False)
    op.create_table(
        "identity_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("leaf_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("identity_log_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_log_pkey")),
        comment="Merges and splits, in the order in which they were decided.",
    )
    op.create_index(
        op.f("identity_log_tenant_id_person_id_idx"), "identity_log", ["tenant_id", "person_id"], unique=False
    )
    op.create_table(
        "login_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the cookie."),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("login_sessions_tenant_id_fkey")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("login_sessions_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("login_sessions_pkey")),
    )
    op.create_index(op.f("login_sessions_expires_at_idx"), "login_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("login_sessions_user_id_idx"), "login_sessions", ["user_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("memberships_tenant_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("memberships_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("memberships_pkey")),
    )
    op.create_index(op.f("memberships_user_id_idx"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "person_merges",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf_id", sa.UUID(), nullable=False),
        sa.Column(
            "person_id",
            sa.UUID(),
            nullable=False,
            comment="The canonical leaf; rows exist only where it is another one.",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("person_merges_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "leaf_id", name=op.f("person_merges_pkey")),
    )
    op.create_index(
        op.f("person_merges_tenant_id_person_id_idx"), "person_merges", ["tenant_id", "person_id"], unique=False
    )
    op.create_table(
        "person_traits",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("set_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("person_traits_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "leaf_id", "key", name=op.f("person_traits_pkey")),
    )
    op.create_table(
        "plugin_switches",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("plugin_switches_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "plugin", name=op.f("plugin_switches_pkey")),
        comment="Plugins that a tenant switched; without a row a plugin is on.",
    )
    op.create_table(
        "plugin_tenant_settings",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("plugin_tenant_settings_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "plugin", name=op.f("plugin_tenant_settings_pkey")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "allowed_origins",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{*}'"),
            nullable=False,
            comment="Exact origins, https://*.example.org for every subdomain, or * for all.",
        ),
        sa.Column("ip_mode", sa.Text(), server_default=sa.text("'mask'"), nullable=False),
        sa.Column(
            "masking",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="What happens to a property on intake, by its name: drop, mask or hash.",
        ),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "ip_mode IN ('off', 'mask', 'drop_after_geo', 'never')", name=op.f("projects_ip_mode_check")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("projects_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("projects_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("projects_tenant_id_id_key")),
        sa.UniqueConstraint("tenant_id", "slug", name=op.f("projects_tenant_id_slug_key")),
    )
    op.create_table(
        "suppressions",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf_id", sa.UUID(), nullable=False, comment="A hash of the id, so that the list names nobody."),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("suppressions_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "leaf_id", name=op.f("suppressions_pkey")),
        comment="Ids of erased persons; their events are not stored again.",
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False, comment="The first characters of the key, to recognise it by."),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the key."),
        sa.Column(
            "allowed_origins",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Instead of the project's; null: the project's.",
        ),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("type IN ('write', 'read', 'server', 'handover')", name=op.f("api_keys_type_check")),
        sa.CheckConstraint(
            "project_id IS NOT NULL OR type IN ('read', 'handover')", name=op.f("api_keys_project_id_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("api_keys_tenant_id_project_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("api_keys_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("hash", name=op.f("api_keys_hash_key")),
    )


def downgrade() -> None:
    op.drop_table("api_keys")
    op.drop_table("suppressions")
    op.drop_table("projects")
    op.drop_table("plugin_tenant_settings")
    op.drop_table("plugin_switches")
    op.drop_table("person_traits")
    op.drop_index(op.f("person_merges_tenant_id_person_id_idx"), table_name="person_merges")
    op.drop_table("person_merges")
    op.drop_index(op.f("memberships_user_id_idx"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(op.f("login_sessions_user_id_idx"), table_name="login_sessions")
    op.drop_index(op.f("login_sessions_expires_at_idx"), table_name="login_sessions")
    op.drop_table("login_sessions")
    op.drop_index(op.f("identity_log_tenant_id_person_id_idx"), table_name="identity_log")
    op.drop_table("identity_log")
    op.drop_index(op.f("identity_links_tenant_id_b_idx"), table_name="identity_links")
    op.drop_table("identity_links")
    op.drop_table("identity_issues")
    op.drop_index(op.f("identities_tenant_id_kind_value_idx"), table_name="identities")
    op.drop_table("identities")
    op.drop_index("users_email_key", table_name="users")
    op.drop_table("users")
    op.drop_table("clients")
    op.drop_table("tenants")
    op.drop_index(op.f("projection_failures_next_attempt_at_idx"), table_name="projection_failures")
    op.drop_table("projection_failures")
    op.drop_index("processed_deliveries_processed_at_idx", table_name="processed_deliveries", postgresql_using="brin")
    op.drop_table("processed_deliveries")
    op.drop_table("ingest_ledger")
    op.drop_index("events_tenant_id_session_id_idx", table_name="events")
    op.drop_index("events_tenant_id_person_id_idx", table_name="events")
    op.drop_index("events_tenant_id_name_hash_timestamp_idx", table_name="events")
    op.drop_table("events")
    op.execute("DROP FUNCTION event_name_hash")
    op.drop_index(op.f("event_keys_timestamp_idx"), table_name="event_keys")
    op.drop_table("event_keys")
    op.drop_table("erasures")
    op.drop_table("cache_versions")
