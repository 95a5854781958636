"""Three months of a made-up tax authority, written into the tables by the database itself, as fast as it can.

What the product would have stored: events with their persons, merged and not, the visits that they belong to, clients,
identities. Everything follows from the number of a story, so the same size gives the same rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.partitions import Partitions
from chatnation.core.storage.storage import Storage

DAYS = 90
EVENTS_PER_STORY = 8.4
"""The mean of the three kinds of stories, with those who give up."""
PERSONS_PER_EVENT = 0.04
WRITERS = 2


Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What to make: about `events` events of `persons` persons in the days before `until`."""

    tenant_id: int
    project_id: int
    events: int
    until: datetime

    @property
    def persons(self) -> int:
        return max(100, int(self.events * PERSONS_PER_EVENT))

    @property
    def stories_a_day(self) -> int:
        return max(1, int(self.events / EVENTS_PER_STORY / DAYS))

    def parameters(self) -> dict[str, int]:
        """What every statement needs."""
        return {"tenant": self.tenant_id, "project": self.project_id, "persons": self.persons}


async def generate(storage: Storage, traffic: Traffic, clock: object, progress: Progress | None = None) -> int:
    """Write the traffic; gives the number of events."""
    first = (
        (traffic.until - timedelta(days=DAYS - 1)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    )
    days = [first + timedelta(days=number) for number in range(DAYS)]
    await Partitions(storage, clock).ensure([*days, traffic.until])  # type: ignore[arg-type]
    async with storage.system("prepare a benchmark") as connection:
        for statement in _TRIGGERS_OFF:
            await connection.execute(text(statement))
        for statement in (_CLIENTS, _IDENTITIES, _MERGES, _LOG, _TRAITS):
            await connection.execute(text(statement), traffic.parameters())
    waiting, done = list(enumerate(days)), 0

    async def write() -> None:
        nonlocal done
        while waiting:
            number, day = waiting.pop(0)
            async with storage.system("fill a benchmark") as connection:
                await _write_day(connection, traffic, number, day)
            done += 1
            if progress is not None:
                progress(done, DAYS)

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    async with storage.system("finish a benchmark") as connection:
        for statement in (*_TRIGGERS_ON, *_MARKS):
            await connection.execute(text(statement), {"tenant": traffic.tenant_id} if ":tenant" in statement else {})
        return (await connection.scalar(text("SELECT count(*) FROM events"))) or 0


async def _write_day(connection: AsyncConnection, traffic: Traffic, number: int, day: datetime) -> None:
    about = {
        **traffic.parameters(),
        "day": day,
        "until": traffic.until,
        "first": number * traffic.stories_a_day,
        "last": (number + 1) * traffic.stories_a_day - 1,
    }
    await connection.execute(text("CREATE TEMP TABLE told ON COMMIT DROP AS " + _STORIES), about)
    await connection.execute(text(_EVENTS), about)
    await connection.execute(text(_SESSIONS), about)


_TRIGGERS_OFF = ("ALTER TABLE sessions.sessions DISABLE TRIGGER USER",)
_TRIGGERS_ON = ("ALTER TABLE sessions.sessions ENABLE TRIGGER USER",)
_MARKS = (
    """
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT DISTINCT tenant_id, 'events', date_bin('15 minutes', timestamp, 'epoch')
      FROM events WHERE tenant_id = CAST(:tenant AS int)
    """,
    """
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT DISTINCT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch')
      FROM sessions.sessions WHERE tenant_id = CAST(:tenant AS int)
    """,
)
# A number from 0 to 1 that looks random and follows from a story and a purpose.
_CHANCE = "(hashint8extended({0}, {1}) & 1048575)::float8 / 1048576"


def _chance(key: str, purpose: int) -> str:
    return "(" + _CHANCE.format(key, purpose) + ")"


def _leaf(kind: str, person: str) -> str:
    return f"md5('{kind}' || {person})::uuid"


_CLIENTS = """
INSERT INTO clients (digest, sdk_name, sdk_version, user_agent, device_type, os_name, browser_name)
SELECT decode(md5('client' || n), 'hex'), 'chatnation-web', '1.0.0', 'benchmark ' || n,
       (ARRAY['mobile', 'mobile', 'mobile', 'desktop', 'tablet'])[1 + n % 5],
       (ARRAY['Android', 'iOS', 'Windows', 'macOS'])[1 + n % 4],
       (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge', 'Opera', 'Samsung Internet'])[1 + n % 6]
  FROM generate_series(0, 59) AS n
ON CONFLICT DO NOTHING
"""
_IDENTITIES = f"""
INSERT INTO identities (tenant_id, leaf_id, first_seen, last_seen, kind, value)
SELECT CAST(:tenant AS int), {_leaf("browser", "p")}, now() - interval '90 days', now(), 'anonymous',
       md5('browser' || p)
  FROM generate_series(0, CAST(:persons AS int) - 1) AS p
 UNION ALL
SELECT CAST(:tenant AS int), {_leaf("user", "p")}, now() - interval '90 days', now(), 'user', 'A' || p
  FROM generate_series(0, CAST(:persons AS int) - 1, 2) AS p
 UNION ALL
SELECT CAST(:tenant AS int), {_leaf("phone", "p")}, now() - interval '90 days', now(), 'phone', (254700000000 + p)::text
  FROM generate_series(0, CAST(:persons AS int) - 1, 3) AS p
"""
# Every second person signs in; every sixth has a phone that is known to be theirs.
_MERGES = f"""
INSERT INTO person_merges (tenant_id, leaf_id, person_id)
SELECT CAST(:tenant AS int), {_leaf("browser", "p")}, {_leaf("user", "p")}
  FROM generate_series(0, CAST(:persons AS int) - 1, 2) AS p
 UNION ALL
SELECT CAST(:tenant AS int), {_leaf("phone", "p")}, {_leaf("user", "p")}
  FROM generate_series(0, CAST(:persons AS int) - 1, 6) AS p
"""
_LOG = """
INSERT INTO identity_log (tenant_id, action, person_id, leaf_ids)
SELECT tenant_id, 'merge', person_id, jsonb_agg(leaf_id)
  FROM person_merges WHERE tenant_id = CAST(:tenant AS int) GROUP BY tenant_id, person_id
"""
_TRAITS = f"""
INSERT INTO person_traits (tenant_id, leaf_id, key, set_at, value)
SELECT CAST(:tenant AS int), {_leaf("user", "p")}, 'county', now(),
       to_jsonb((ARRAY['Nairobi', 'Mombasa', 'Kisumu', 'Nakuru', 'Uasin Gishu'])[1 + p / 2 % 5])
  FROM generate_series(0, CAST(:persons AS int) - 1, 2) AS p
"""
# A story is a visit or a chat. `kind`: 0 a filing in eight steps, 1 looking around, 2 a chat with the bot. Some persons
# come far more often than others. Steps are 5 to 65 seconds apart.
_STORIES = f"""
SELECT s.*, CASE kind WHEN 0 THEN least(8, 1 + floor(11 * sqrt({_chance("s.story", 5)}))::int)
                      WHEN 1 THEN 2 + floor(9 * {_chance("s.story", 6)} ^ 2)::int
                      ELSE 12 + floor(9 * {_chance("s.story", 7)})::int END AS steps,
       CASE WHEN kind = 2 THEN {_leaf("phone", "3 * (person / 3)")} ELSE {_leaf("browser", "person")} END AS leaf,
       md5('visit' || s.story)::uuid AS visit,
       interval '1 second' * (5 + 60 * {_chance("s.story", 8)}) AS pace,
       (ARRAY['mri', 'tot', 'nil'])[1 + person % 3] AS obligation
  FROM (
        SELECT story, floor(CAST(:persons AS int) * {_chance("story", 1)} ^ 1.5)::int AS person,
               width_bucket({_chance("story", 2)}, ARRAY[0.62, 0.84]::float8[]) AS kind,
               CAST(:day AS timestamptz) + interval '1 day' * (({_chance("story", 3)} + {_chance("story", 4)}) / 2)
               AS started
          FROM generate_series(CAST(:first AS int8), CAST(:last AS int8)) AS story
       ) AS s
"""
_EVENTS = f"""
INSERT INTO events (timestamp, received_at, tenant_id, project_id, sequence, client_id, message_id, anonymous_id,
                    session_id, person_id, is_bot, journey_start, journey_end, event_name, event_type, channel_type,
                    user_id, external_id, page_path, page_url, page_title, country_code, properties)
SELECT at, at + interval '120 milliseconds', CAST(:tenant AS int), CAST(:project AS int),
       CASE WHEN kind < 2 THEN step END,
       CASE WHEN kind < 2 THEN (SELECT min(id) FROM clients) + person % 60 END,
       md5(story || '/' || step)::uuid,
       CASE WHEN kind < 2 THEN md5('browser' || person)::uuid END, CASE WHEN kind < 2 THEN visit END,
       CASE WHEN kind = 0 AND person % 2 = 0 AND step > 4 THEN {_leaf("user", "person")} ELSE leaf END,
       story % 50 = 7, kind = 0 AND step = 2, kind = 0 AND step = 8, name,
       CASE WHEN name = 'page_view' THEN 'page' ELSE 'track' END, CASE WHEN kind < 2 THEN 'web' ELSE 'whatsapp' END,
       CASE WHEN kind = 2 THEN (254700000000 + 3 * (person / 3))::text
            WHEN kind = 0 AND person % 2 = 0 AND step > 4 THEN 'A' || person END,
       CASE WHEN kind = 2 THEN (254700000000 + 3 * (person / 3))::text END,
       path, 'https://tax.example' || path, CASE WHEN path IS NOT NULL THEN 'Tax ' || path END,
       CASE WHEN kind = 2 THEN 'KE' ELSE (ARRAY['KE', 'KE', 'KE', 'KE', 'UG', 'TZ', 'GB', 'US'])[1 + person % 8] END,
       CASE WHEN kind = 0 THEN jsonb_build_object('obligation_type', obligation, 'journey', upper(obligation),
                                                  'step', name,
                                                  'amount', 100 + story % 9000)
            WHEN kind = 1 THEN '{{}}'::jsonb
            WHEN name = 'ai.classification' THEN jsonb_build_object(
                 'detected_intent', (ARRAY['nil_filing', 'payment_status', 'pin_registration', 'etims', 'unknown'])
                                    [1 + (story + step) % 5],
                 'confidence', round((0.4 + 0.6 * {_chance("story", 9)})::numeric, 3),
                 'latency_ms', 80 + (story * 7 + step) % 1500, 'model', 'intent-small-2',
                 'prompt_tokens', 200, 'completion_tokens', 14)
            WHEN name = 'ai.error' THEN jsonb_build_object('error_type', 'timeout', 'recovered', story % 2 = 0)
            WHEN name = 'agent.handoff' THEN jsonb_build_object('agentId', 'agent-' || story % 40,
                 'inboxSessionId', visit, 'chatId', visit, 'handoffReason',
                 (ARRAY['user_request', 'escalation'])[1 + story % 2], 'journeyStep',
                 'otp')
            WHEN name = 'chat.resolved' THEN jsonb_build_object('agentId', 'agent-' || story % 40,
                 'inboxSessionId', visit, 'chatId', visit, 'category', 'Filing',
                 'resolution_time_seconds', 60 + story % 1800)
            WHEN name = 'csat.sent' THEN jsonb_build_object('agentId', 'agent-' || story % 40, 'inboxSessionId', visit)
            WHEN name = 'csat_submitted' THEN jsonb_build_object('rating', 1 + story % 5, 'inboxSessionId', visit,
                 'journey', 'Filing')
            ELSE jsonb_build_object('messageId', 'wamid.' || md5(visit || '/' || step / 4), 'chatId', visit, 'text',
                                    'Habari ' || step, 'type', 'text') END
  FROM (
        SELECT told.*, step, started + pace * (step - 1) AS at,
               CASE kind WHEN 0 THEN (ARRAY['page_view', 'filing_started', 'validation_success', 'otp_success',
                                            'form_opened', 'return_filed', 'payment_initiated',
                                            'payment_success'])[step]
                         WHEN 1 THEN 'page_view'
                         WHEN 2 THEN CASE WHEN step > 8 AND story % 6 = 0 THEN
                              (ARRAY['agent.handoff', 'message.sent', 'message.received', 'message.sent',
                                     'chat.resolved', 'csat.sent', 'csat_submitted'])[least(step - 8, 7)]
                              WHEN step = 9 AND story % 30 = 1 THEN 'ai.error'
                              ELSE (ARRAY['message.received', 'ai.classification', 'message.sent', 'message.read'])
                                   [1 + (step - 1) % 4] END END AS name,
               CASE kind WHEN 0 THEN '/' || obligation || '/' || step
                         WHEN 1 THEN '/page/' || (story + step) % 40 END AS path
          FROM told CROSS JOIN LATERAL generate_series(1, steps) AS step
       ) AS told
 WHERE at < :until
 ORDER BY at, 7
"""
_SESSIONS = f"""
INSERT INTO sessions.sessions
       (tenant_id, session_id, visitor, hint, person_id, started_at, ended_at, converted_at, journey_at, event_count,
        project_id, page_count, is_bot, channel_type, user_id, entry_page, exit_page, utm_source, device_type, os_name,
        browser_name, country_code, conversion_event)
SELECT CAST(:tenant AS int), md5('session' || story)::uuid,
       CASE WHEN kind < 2 THEN md5('browser' || person)::uuid ELSE leaf END,
       CASE WHEN kind < 2 THEN visit END,
       CASE WHEN kind = 0 AND person % 2 = 0 AND steps > 4 THEN {_leaf("user", "person")} ELSE leaf END,
       started, started + pace * (steps - 1), CASE WHEN kind = 0 AND steps > 5 THEN started + pace * 5 END,
       CASE WHEN kind = 0 AND steps > 1 THEN started + pace WHEN kind = 2 AND story % 6 = 0 AND steps > 8
            THEN started + pace * 8 END,
       CASE WHEN kind = 2 THEN steps - steps / 4 ELSE steps END, CAST(:project AS int),
       CASE kind WHEN 0 THEN 1 WHEN 1 THEN steps ELSE 0 END,
       story % 50 = 7, CASE WHEN kind < 2 THEN 'web' ELSE 'whatsapp' END,
       CASE WHEN kind = 2 THEN (254700000000 + 3 * (person / 3))::text
            WHEN kind = 0 AND person % 2 = 0 AND steps > 4 THEN 'A' || person END,
       CASE kind WHEN 0 THEN '/' || obligation || '/1' WHEN 1 THEN '/page/' || (story + 1) % 40 END,
       CASE kind WHEN 0 THEN '/' || obligation || '/' || steps WHEN 1 THEN '/page/' || (story + steps) % 40 END,
       (ARRAY['google', 'sms', NULL, NULL])[1 + story % 4], c.device_type, c.os_name, c.browser_name,
       CASE WHEN kind = 2 THEN 'KE' ELSE (ARRAY['KE', 'KE', 'KE', 'KE', 'UG', 'TZ', 'GB', 'US'])[1 + person % 8] END,
       CASE WHEN kind = 0 AND steps > 5 THEN 'return_filed' END
  FROM told LEFT JOIN clients c ON told.kind < 2 AND c.id = (SELECT min(id) FROM clients) + told.person % 60
 WHERE started + pace * (steps - 1) < :until
"""
