"""How long finding persons takes while somebody types: by a part of an id, a name, a number; over HTTP."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text

from benchmarks.figures import Figure
from benchmarks.signed_in import EMAIL, PASSWORD, signed_in
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.tenancy import create_tenant
from chatnation.core.auth.users import create_user
from chatnation.core.compose import compose
from chatnation.core.embedded import EmbeddedServers
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.migrations import histories, upgrade

GOAL_MS = 100.0
TIMES = 15
SEARCHES = {
    "an id": "A000012345Z",
    "a part of an id": "0012345",
    "what every id has": "A000",
    "two letters": "wa",
    "a first name": "wanjiru",
    "a whole name": "Wanjiru Kamau3",
    "a mail address": "person12345@",
    "a number as one writes it": "0700 012 345",
    "the beginning of a visitor id": "abcd",
    "nobody": "zzzzqq",
}


async def run(quick: bool) -> list[Figure]:
    """Every search on persons who each have a user id, a visitor id and traits; every other one a number; ms."""
    persons = 50_000 if quick else 400_000
    with (
        tempfile.TemporaryDirectory(prefix="chatnation-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedServers(Path(folder) / "data") as urls,
    ):
        settings = Settings(
            database_url=urls.database_url, redis_url=urls.redis_url, secret_key=SecretStr("0123456789abcdef" * 3)
        )
        figures = [Figure("persons", persons, ""), Figure("time to make them", await _fill(settings, persons), "s")]
        async with signed_in(settings) as client:
            for name, wanted in SEARCHES.items():
                taken = []
                for _ in range(TIMES):
                    started = time.perf_counter()
                    answer = await client.get("/api/sessions/search", params={"q": wanted, "limit": 20})
                    taken.append((time.perf_counter() - started) * 1000)
                    answer.raise_for_status()
                figures.append(Figure(f"{name}: {wanted}", statistics.median(taken), "ms", goal=GOAL_MS, at_most=True))
    return figures


async def _fill(settings: Settings, persons: int) -> float:
    app = compose(settings, role=Role.PROCESS)
    classes = [record.plugin_class for record in app.inventory.active() if record.plugin_class]
    await upgrade(app.storage, histories(classes), Boundary())
    started = time.perf_counter()
    async with app.lifespan():
        async with app.storage.system("persons for a benchmark") as connection:
            tenant = await create_tenant(connection, "Benchmark", timezone="Africa/Nairobi")
            password_hash = await hash_password(PASSWORD, rounds=4)
            await create_user(connection, tenant.id, EMAIL, "Somebody", RoleName.SUPER_ADMIN, password_hash)
            await connection.execute(text("SELECT setseed(0.5)"))
            for statement in (_IDENTITIES, _MERGES, _TRAITS):
                await connection.execute(statement, {"tenant": tenant.id, "persons": persons})
        async with app.storage.engine.connect() as plain:
            outside = await plain.execution_options(isolation_level="AUTOCOMMIT")
            await outside.execute(text("VACUUM ANALYZE"))
    return time.perf_counter() - started


_IDENTITIES = text(
    """
    INSERT INTO identities (tenant_id, leaf_id, first_seen, last_seen, kind, value)
    SELECT :tenant, md5(kind || n)::uuid, now() - interval '90 days',
           date_trunc('minute', now() - interval '30 days' * random()), kind, value
      FROM generate_series(1, :persons) AS n
     CROSS JOIN LATERAL (VALUES
            ('user', 'A' || lpad(n::text, 9, '0') || 'Z'),
            ('anonymous', md5('visitor' || n)::uuid::text),
            ('phone', '2547' || lpad(n::text, 8, '0'))
          ) AS ids (kind, value)
     WHERE kind <> 'phone' OR n % 2 = 1
    """
)
_MERGES = text(
    """
    INSERT INTO person_merges (tenant_id, leaf_id, person_id)
    SELECT :tenant, md5(kind || n)::uuid, md5('user' || n)::uuid
      FROM generate_series(1, :persons) AS n CROSS JOIN (VALUES ('anonymous'), ('phone')) AS ids (kind)
     WHERE kind <> 'phone' OR n % 2 = 1
    """
)
_TRAITS = text(
    """
    WITH known AS (
        SELECT ARRAY['Wanjiru', 'Achieng', 'Otieno', 'Njeri', 'Kiptoo', 'Mutua', 'Amina', 'Barasa'] AS first,
               ARRAY['Kamau', 'Odhiambo', 'Mwangi', 'Chebet', 'Hassan', 'Wafula', 'Kariuki'] AS last
    )
    INSERT INTO person_traits (tenant_id, leaf_id, key, set_at, value)
    SELECT :tenant, md5('user' || n)::uuid, key, now() - interval '30 days' * random(), to_jsonb(value)
      FROM known, generate_series(1, :persons) AS n
     CROSS JOIN LATERAL (VALUES
            ('name', first[1 + n % 8] || ' ' || last[1 + n / 8 % 7] || n / 56),
            ('email', 'person' || n || '@example.org'),
            ('county', 'Nakuru')
          ) AS told (key, value)
    """
)
