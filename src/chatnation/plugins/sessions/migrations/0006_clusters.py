"""Make the type of what the projection hands over."""

from __future__ import annotations

from alembic import op

revision = "sessions_0006"
down_revision = "sessions_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TYPE sessions.cluster AS (
            project_id int4, channel_type text, visitor uuid, hint uuid,
            started_at timestamptz, ended_at timestamptz, event_count int8, page_count int4, is_bot bool,
            converted_at timestamptz, journey_at timestamptz,
            user_key bytea, user_id text, person_id uuid,
            landing_key bytea, entry_page text, referrer text, utm_source text, utm_medium text, utm_campaign text,
            utm_term text, utm_content text, click_id text,
            exit_key bytea, exit_page text,
            device_key bytea, device_type text, os_name text, browser_name text,
            place_key bytea, country_code text, city text,
            conversion_key bytea, conversion_event text
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TYPE sessions.cluster")
