"""The tables of the sessions plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    event,
    text,
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

session_counts = Table(
    "session_counts",
    metadata,
    Column("bucket", DateTime(timezone=True), nullable=False, comment="quarter hour or UTC day of the beginning"),
    Column("sessions", BigInteger, nullable=False),
    Column("converted", BigInteger, nullable=False),
    Column("journeys", BigInteger, nullable=False),
    Column("page_views", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("changes", BigInteger, nullable=False, comment="only ever grows: tells whether anything changed"),
    Column("tenant_id", Integer, nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("whole_day", Boolean, nullable=False, comment="true: a UTC day; each thing counts in both"),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Column("dimension", Text, nullable=False, comment="column that is broken down; empty for the totals"),
    Column("value", Text, nullable=False, comment="of that column; empty where it is null"),
    Index("session_counts_by_bucket", "tenant_id", "dimension", "whole_day", "bucket"),
    Index(
        "session_counts_settled_key",
        "tenant_id",
        "dimension",
        "whole_day",
        "bucket",
        "value",
        "project_id",
        unique=True,
        postgresql_where=text("settled"),
    ),
    Index("session_counts_unsettled", "tenant_id", postgresql_where=text("NOT settled")),
)
"""Sums over `sessions` without bots, kept by a trigger. Read the sum of all rows of a bucket.

Each statement that changes sessions adds rows of its own, positive and negative, so that workers never wait for each
other's counts; a job adds them up into one `settled` row.
"""

people_kept = Table(
    "people_kept",
    metadata,
    Column("merges", BigInteger, nullable=False, comment="last entry of the merge log that is counted in"),
    Column("tenant_id", Integer, primary_key=True),
    Column("zone", Text, nullable=False, comment="time zone whose days are counted"),
)
"""Tenants for which `person_days` and `day_people` are kept. See `people.py`."""

person_days = Table(
    "person_days",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("tenant_id", Integer, primary_key=True),
    Column("days", ARRAY(Date), nullable=False, comment="on which a session of theirs began, in order"),
    Column("identified_days", ARRAY(Date), nullable=False, comment="of these, with a user id"),
)

person_news = Table(
    "person_news",
    metadata,
    Column("leaf_id", Uuid, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Index("person_news_by_tenant", "tenant_id"),
)
"""Whose days may have changed since they were counted; the same id may be there many times."""

day_people = Table(
    "day_people",
    metadata,
    Column("persons", BigInteger, nullable=False),
    Column("tenant_id", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("last_day", Date, primary_key=True, comment="their day before that one; -infinity: none"),
    Column("identified", Boolean, primary_key=True, comment="true: only days with a user id count"),
)
"""Persons by day and the day before on which they came."""
