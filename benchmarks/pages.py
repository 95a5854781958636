"""How long the pages of a busy tenant take, over HTTP: first asked, and asked again."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta

from sqlalchemy import text

from benchmarks.figures import Figure
from benchmarks.servers import own_servers, tidy
from benchmarks.signed_in import EMAIL, PASSWORD, signed_in, whole_page
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.tenancy import create_project, create_tenant
from chatnation.core.auth.users import create_user
from chatnation.core.compose import compose
from chatnation.core.context import Tenant
from chatnation.core.ids import uuid7
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.migrations import histories, upgrade
from chatnation.core.storage.partitions import Partitions
from chatnation.core.storage.storage import Storage

GOAL_MS = 200.0
DAYS = 30
DAYS_BEFORE = 150
PERSONS_PER_SESSION = 0.4
MERGED = 0.2
"""Share of the visitors who turned out to be somebody who was known already."""
TIMES = 7


PAGES = {
    "overview, 7 days": "/overview?period=7d",
    "overview, 30 days": "/overview?period=30d",
    "overview, 90 days": "/overview?period=90d",
    "trends, 30 days": "/trends?period=30d",
    "sessions, 30 days": "/sessions?period=30d",
    "persons": "/journey",
    "setup": "/setup",
}


async def run(quick: bool) -> list[Figure]:
    """Every page on a fresh app, then again, and again after a session came; milliseconds.

    "First" has nothing in the memory of the process; PostgreSQL has the tables in its cache, as it would on a machine
    that serves other pages too.
    """
    sessions = 30_000 if quick else 1_000_000
    with own_servers() as settings:
        seconds = await fill(settings, sessions)
        figures = [Figure("sessions in 30 days", sessions, ""), Figure("time to make them", seconds, "s")]
        for name, path in PAGES.items():
            figures += await _measure(settings, name, path)
        return figures


async def _measure(settings: Settings, name: str, path: str) -> list[Figure]:
    async with signed_in(settings) as client:
        await client.get("/settings/plugins")  # The frame of every page: templates, menu, the first connections.
        first = await whole_page(client, path)
        again = [await whole_page(client, path) for _ in range(TIMES)]
        figures = [
            Figure(f"{name}: first", first, "ms", goal=GOAL_MS, at_most=True),
            Figure(f"{name}: again", statistics.median(again), "ms", goal=GOAL_MS, at_most=True),
        ]
        if "overview" in name:
            after_news = []
            for _ in range(TIMES):
                await _one_more_session(settings)
                after_news.append(await whole_page(client, path))
            middle = statistics.median(after_news)
            figures.append(Figure(f"{name}: after a new session", middle, "ms", goal=GOAL_MS, at_most=True))
    return figures


async def fill(settings: Settings, sessions: int) -> float:
    """Make a tenant with so many sessions in 30 days; gives the seconds that took."""
    app = compose(settings, role=Role.PROCESS)
    classes = [record.plugin_class for record in app.inventory.active() if record.plugin_class]
    await upgrade(app.storage, histories(classes), Boundary())
    started = time.perf_counter()
    async with app.lifespan():
        async with app.storage.system("make a tenant for a benchmark") as connection:
            tenant = await create_tenant(connection, "Benchmark", timezone="Africa/Nairobi")
            project = await create_project(connection, tenant.id, "Site")
            password_hash = await hash_password(PASSWORD, rounds=4)
            await create_user(connection, tenant.id, EMAIL, "Somebody", RoleName.SUPER_ADMIN, password_hash)
        since = app.clock.now() - timedelta(days=DAYS + DAYS_BEFORE + 1)
        days = [since + timedelta(days=number) for number in range(DAYS + DAYS_BEFORE + 3)]
        await Partitions(app.storage, app.clock).ensure(days)
        await _make_sessions(app.storage, tenant, project.id, sessions)
        await SegmentBuilder.of(app).run()
        await tidy(app.storage)
    return time.perf_counter() - started


async def _make_sessions(storage: Storage, tenant: Tenant, project_id: int, sessions: int) -> None:
    about = {
        "tenant": tenant.id,
        "project": project_id,
        "persons": int(sessions * PERSONS_PER_SESSION),
        "merged": int(1 / MERGED),
    }
    async with storage.system("fill a benchmark") as connection:
        await connection.execute(text("SELECT setseed(0.5), set_config('maintenance_work_mem', '256MB', true)"))
        await connection.execute(_MERGES, about)
        await connection.execute(_IDENTITIES, about)
        indexes = list(await connection.scalars(_INDEXES))
        for index in indexes:
            await connection.execute(text(f"DROP INDEX sessions.{index.split()[2]}"))
        await connection.execute(text("ALTER TABLE sessions.sessions DISABLE TRIGGER USER"))
        for days, until, count in ((DAYS, 0, sessions), (DAYS_BEFORE, DAYS, sessions // 5)):
            await connection.execute(_SESSIONS, {**about, "days": days, "until": until, "count": count})
        await connection.execute(_EVENTS)
        await connection.execute(text("ALTER TABLE sessions.sessions ENABLE TRIGGER USER"))
        for index in indexes:
            await connection.execute(text(index))
        for mark in _MARKS:
            await connection.execute(text(mark))


async def _one_more_session(settings: Settings) -> None:
    storage = Storage(settings.database_url or "")
    try:
        async with storage.system("a visit in a benchmark") as connection:
            await connection.execute(_ONE_MORE, {"visitor": uuid7()})
    finally:
        await storage.dispose()


_INDEXES = text(
    """
    SELECT pg_get_indexdef(indexrelid)
      FROM pg_index WHERE indrelid = 'sessions.sessions'::regclass AND NOT indisprimary
    """
)
_MERGES = text(
    """
    INSERT INTO person_merges (tenant_id, leaf_id, person_id)
    SELECT :tenant, md5('leaf' || n)::uuid, md5('leaf' || n - 1)::uuid
      FROM generate_series(1, :persons - 1) AS n WHERE n % :merged = 0
    """
)
_IDENTITIES = text(
    """
    INSERT INTO identities (tenant_id, leaf_id, first_seen, last_seen, kind, value)
    SELECT :tenant, md5('leaf' || n)::uuid, now() - interval '90 days' * random(),
           date_trunc('minute', now() - interval '30 days' * random()),
           CASE WHEN n % 3 = 0 THEN 'user' ELSE 'anonymous' END,
           CASE WHEN n % 3 = 0 THEN 'A' || n ELSE md5('leaf' || n)::uuid::text END
      FROM generate_series(0, :persons - 1) AS n
    """
)
_SESSIONS = text(
    """
    INSERT INTO sessions.sessions
           (tenant_id, session_id, visitor, hint, person_id, started_at, ended_at, converted_at, journey_at,
            event_count, project_id, page_count, is_bot, channel_type, user_id, entry_page, exit_page, device_type,
            os_name, browser_name, country_code)
    SELECT :tenant, uuidv7(), leaf, uuidv7(), leaf, started, started + length,
           CASE WHEN chance < 0.2 THEN started END, CASE WHEN chance < 0.6 THEN started END, 5,
           :project, 3, chance > 0.98, 'web', CASE WHEN person % 3 = 0 THEN 'A' || person END,
           '/page/' || n % 40, '/page/' || n % 37, (ARRAY['mobile', 'desktop', 'tablet'])[1 + n % 3], 'Android',
           (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge', 'Opera'])[1 + n % 5],
           (ARRAY['KE', 'UG', 'TZ', 'DE', 'US', 'GB', 'IN'])[1 + n % 7]
      FROM (
            SELECT n, person, md5('leaf' || person)::uuid AS leaf, random() AS chance, interval '20 minutes' * random()
                   AS length, now() - make_interval(days => :until) - random() * make_interval(days => :days) AS started
              FROM (SELECT n, floor(:persons * random() ^ 2)::int AS person
                      FROM generate_series(1, CAST(:count AS int)) AS n) AS drawn
           ) AS visits
     ORDER BY started
    """
)
# A page view a session, so that pages and active persons have something to count.
_EVENTS = text(
    """
    INSERT INTO events (timestamp, received_at, tenant_id, project_id, message_id, anonymous_id, session_id, person_id,
                        is_bot, journey_start, journey_end, event_name, event_type, channel_type, page_path,
                        country_code, properties)
    SELECT started_at, started_at, tenant_id, project_id, uuidv7(), visitor, hint, person_id, is_bot, false, false,
           'page_view', 'page', channel_type, entry_page, country_code, '{}'
      FROM sessions.sessions ORDER BY started_at
    """
)
# What the processor and the triggers would have written.
_MARKS = (
    """
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT DISTINCT tenant_id, 'events', date_bin('15 minutes', timestamp, 'epoch') FROM events
    """,
    """
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT DISTINCT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch') FROM sessions.sessions
    """,
)
_ONE_MORE = text(
    """
    INSERT INTO sessions.sessions
           (tenant_id, session_id, visitor, person_id, started_at, ended_at, event_count, project_id, page_count,
            is_bot, channel_type)
    SELECT tenant_id, gen_random_uuid(), CAST(:visitor AS uuid), CAST(:visitor AS uuid), now(),
           now(), 1, id, 1, false, 'web'
      FROM projects ORDER BY id LIMIT 1
    """
)
