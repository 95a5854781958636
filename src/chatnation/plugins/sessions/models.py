"""The tables of the sessions plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    event,
)

metadata = MetaData(schema="sessions")
event.listen(
    metadata,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
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
    ),
)
"""How the projection hands clusters over: a list of rows, where a list for each column would take twice as long."""

sessions = Table(
    "sessions",
    metadata,
    Column("tenant_id", Integer, primary_key=True),
    Column("session_id", Uuid, primary_key=True),
    Column("visitor", Uuid, nullable=False, comment="anonymous id on web and mobile, else the person's leaf id"),
    Column("hint", Uuid, comment="session id that the client sent"),
    Column("person_id", Uuid, nullable=False, comment="leaf id; resolve it through person_merges"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True), nullable=False),
    Column("converted_at", DateTime(timezone=True), comment="time of the first conversion event"),
    Column("journey_at", DateTime(timezone=True), comment="time of the first journey start or hand-over to an agent"),
    Column("event_count", BigInteger, nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("page_count", Integer, nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("channel_type", Text, nullable=False),
    Column("user_id", Text),
    Column("entry_page", Text),
    Column("exit_page", Text),
    Column("referrer", Text),
    Column("utm_source", Text),
    Column("utm_medium", Text),
    Column("utm_campaign", Text),
    Column("utm_term", Text),
    Column("utm_content", Text),
    Column("click_id", Text, comment="name=value of the first advertising click id in the landing address"),
    Column("device_type", Text),
    Column("os_name", Text),
    Column("browser_name", Text),
    Column("country_code", Text),
    Column("city", Text),
    Column("conversion_event", Text),
    Column("user_key", LargeBinary, comment="place of the event that gave user and person"),
    Column("landing_key", LargeBinary, comment="place of the event that gave entry page, referrer and campaign"),
    Column("exit_key", LargeBinary, comment="place of the event that gave the exit page"),
    Column("device_key", LargeBinary, comment="place of the event that gave device, system and browser"),
    Column("place_key", LargeBinary, comment="place of the event that gave country and city"),
    Column("conversion_key", LargeBinary, comment="place of the event that converted"),
    Index("sessions_by_start", "tenant_id", "started_at"),
    Index("sessions_by_visitor", "tenant_id", "visitor", "started_at"),
    Index("sessions_by_person", "tenant_id", "person_id"),
    postgresql_with={"fillfactor": "85"},
)
