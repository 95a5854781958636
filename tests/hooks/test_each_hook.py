"""Each hook of the core, through a running app: a plugin implements it, and something comes of it.

`tests/architecture` fails when a hook has no test here that begins with its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from markupsafe import Markup
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation import (
    Actor,
    App,
    Archivable,
    ChatnationError,
    CodeMessage,
    ConfigurationError,
    Delivery,
    DomainEvent,
    EventBatch,
    EventType,
    Health,
    IngestRoute,
    Job,
    Listener,
    LoginProvider,
    Metric,
    Middleware,
    NavigationEntry,
    Page,
    Permission,
    Plugin,
    Projection,
    QueueDriver,
    Retention,
    Route,
    Schedule,
    SealedColumn,
    SecondFactor,
    Service,
    Stage,
    Tenant,
    hookimpl,
)
from chatnation.core.compose import assemble
from chatnation.core.hookspecs.data import export_person, summarize_tenant
from chatnation.core.hookspecs.web import render_slot
from chatnation.core.processing.stages import StageRefused, Stages
from chatnation.core.query.instants import micros
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.query.segments.spans import day_of
from chatnation.core.settings import Settings
from chatnation.core.storage.erasure import Eraser
from chatnation.core.storage.retention import Retainer
from chatnation.query import Analytics, Catalogue, CatalogueAnswer, EventStoreDriver, FactSource, Range
from chatnation.testing import MakeApp, RunningApp, identify, page_view, track
from tests.hooks.assembling import plugin

PERMISSION = Permission("things.view", "See things", frozenset({"super_admin"}))


def registering(hook: str, *items: object, **more: Any) -> type[Plugin]:
    """A plugin called `things` whose `hook` returns `items`."""
    return plugin("things", **{hook: hookimpl(lambda self: list(items)), **more})


def answering(hook: str, function: Any, **more: Any) -> type[Plugin]:
    """A plugin called `things` with `function` as its `hook`."""
    return plugin("things", **{hook: hookimpl(function), **more})


async def things(request: Request) -> dict[str, str]:
    """All the things."""
    return {"things": request.state.actor.tenant.slug if request.state.actor else "of strangers"}


async def breaking(request: Request) -> Response:
    raise OSError("a secret path")


def routes(*routes: Route) -> Any:
    return hookimpl(lambda self: list(routes))


async def test_startup_gets_the_app_before_anything_else_happens(make_app: MakeApp) -> None:
    seen: list[App] = []

    async def start(self: Plugin, app: App) -> None:
        seen.append(app)

    running = await make_app(answering("startup", start))
    assert seen == [running.app]


async def test_shutdown_comes_after_the_last_request(make_app: MakeApp) -> None:
    seen: list[str] = []

    async def stop(self: Plugin, app: App) -> None:
        seen.append("stopped")

    running = await make_app(answering("shutdown", stop))
    assert seen == []
    async with running.app.lifespan():
        pass
    assert seen == ["stopped"]


async def test_check_health_is_shown_and_a_check_that_raises_counts_as_not_healthy(make_app: MakeApp) -> None:
    async def unwell(self: Plugin, app: App) -> Health:
        return Health(False, "the licence has run out")

    async def failing(self: Plugin, app: App) -> Health:
        raise OSError("postgresql://user:password@host")

    running = await make_app(answering("check_health", unwell), plugin("broken", check_health=hookimpl(failing)))
    response = await (await running.client()).get("/-/health")
    report = response.json()
    assert (response.status_code, report["status"]) == (200, "degraded")
    assert report["plugins"]["things"] == {"ok": False, "detail": "the licence has run out"}
    assert report["plugins"]["broken"] == {"ok": False, "detail": "the check failed"}
    assert "password" not in response.text


async def test_register_services_gives_others_an_object_to_call(make_app: MakeApp) -> None:
    class Printer:
        """A service."""

    printer = Printer()
    app = (await make_app(registering("register_services", Service(Printer, printer)))).app
    assert app.services.get(Printer) is printer


def test_register_commands_adds_to_the_command_line(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatnation.core.cli import main

    path = tmp_path / "commanding.py"
    path.write_text(
        "import click\nfrom chatnation import Plugin, hookimpl\n\n\n"
        'class Commanding(Plugin):\n    """Commands."""\n\n    name = "commanding"\n\n'
        "    @hookimpl\n    def register_commands(self):\n"
        '        return [click.Command("commanding", callback=lambda: click.echo("at your command"))]\n'
    )
    monkeypatch.setenv("CHATNATION_PLUGIN_PATHS", str(path))
    assert CliRunner().invoke(main, ["commanding"]).output == "at your command\n"


def test_register_commands_of_a_broken_plugin_are_missing_and_others_work() -> None:
    from chatnation.core.hookspecs.composition import register_commands

    def fail(self: Plugin) -> list[click.Command]:
        raise RuntimeError("no commands")

    broken = plugin("broken", register_commands=hookimpl(fail))
    assembly = assemble(Settings(), plugins=[broken, registering("register_commands", click.Command("things"))])
    outcomes = assembly.hooks.collect(register_commands)
    assert [[command.name for command in outcome.value or ()] for outcome in outcomes] == [[], ["things"]]


async def test_register_event_types_adds_to_the_catalogue(make_app: MakeApp) -> None:
    kind = EventType("thing_bought", "Somebody bought a thing", {"price": "In shillings."})
    app = (await make_app(registering("register_event_types", kind))).app
    assert kind in [entry.item for entry in app.resources.event_types]


async def rename(batch: EventBatch) -> None:
    for event in batch:
        event.event_name = f"{event.event_name}_renamed"


def eraser(running: RunningApp) -> Eraser:
    return Eraser(running.app.storage, running.app.hooks, running.app.inventory)


async def stored_names(running: RunningApp) -> list[str]:
    async with running.app.storage.system("look at the events of a test") as connection:
        return list(await connection.scalars(text("SELECT event_name FROM events ORDER BY 1")))


async def test_register_stages_changes_events_before_they_are_stored(make_app: MakeApp) -> None:
    running = await make_app(registering("register_stages", Stage("rename_events", rename)))
    await running.ingest_and_drain([track("bought")])
    assert await stored_names(running) == ["bought_renamed"]


async def test_register_stages_that_raise_are_left_out_for_the_batch_and_counted(make_app: MakeApp) -> None:
    async def fail(batch: EventBatch) -> None:
        raise RuntimeError("no stage")

    running = await make_app(
        registering("register_stages", Stage("fail_always", fail)),
        plugin("zebra", register_stages=hookimpl(lambda self: [Stage("rename_events", rename)])),
    )
    await running.ingest_and_drain([track("bought")])
    assert await stored_names(running) == ["bought_renamed"]
    assert running.app.boundary.failures == {("things", "stage:fail_always"): 1}


async def test_register_stages_for_privacy_that_cannot_run_let_nothing_through(make_app: MakeApp) -> None:
    async def fail(self: Plugin, app: App) -> None:
        raise RuntimeError("no start")

    masking = [Stage("mask_names", rename, privacy=True)]
    running = await make_app(registering("register_stages", *masking, startup=hookimpl(fail)))
    source = await running.source()
    batch = EventBatch(source.tenant.id, [])
    stages = Stages(
        running.app.resources.stages, running.app.boundary, running.app.metrics, running.app.switches.wanted
    )
    with pytest.raises(StageRefused, match="mask_names"):
        await stages.apply(batch, running.app.enabled(source.tenant.id))
    await running.app.switches.switch(source.tenant.id, "things", enabled=False)
    await running.ingest_and_drain([track("bought")], source)
    assert await stored_names(running) == ["bought"]


async def test_register_projections_see_each_stored_event_once_in_its_transaction(make_app: MakeApp) -> None:
    seen: list[str] = []

    async def note(connection: AsyncConnection, batch: EventBatch) -> None:
        stored = await connection.scalar(
            text("SELECT count(*) FROM events WHERE tenant_id = :t"), {"t": batch.tenant_id}
        )
        seen.extend(f"{event.event_name} {stored}" for event in batch)

    running = await make_app(registering("register_projections", Projection("note_events", note)))
    event = track("bought")
    await running.ingest_and_drain([event, event])
    await running.ingest_and_drain([event])
    assert seen == ["bought 1"]


async def test_register_projections_that_raise_cost_nobody_else_anything_and_are_kept(make_app: MakeApp) -> None:
    seen: list[str] = []

    async def fail(connection: AsyncConnection, batch: EventBatch) -> None:
        await connection.execute(text("SELECT 1 / 0"))

    async def note(connection: AsyncConnection, batch: EventBatch) -> None:
        seen.extend(event.event_name for event in batch)

    running = await make_app(
        registering("register_projections", Projection("fail_always", fail)),
        plugin("zebra", register_projections=hookimpl(lambda self: [Projection("note_events", note)])),
    )
    await running.ingest_and_drain([track("bought")])
    assert seen == ["bought"]
    assert await stored_names(running) == ["bought"]
    async with running.app.storage.system("look at the failures of a test") as connection:
        kept = (await connection.execute(text("SELECT plugin, projection FROM projection_failures"))).all()
    assert [tuple(row) for row in kept] == [("things", "fail_always")]


async def test_register_queues_puts_another_log_between_collector_and_processor(make_app: MakeApp) -> None:
    from chatnation.core.queue.redis import RedisQueue

    published: list[int] = []

    class Counting(RedisQueue):
        async def publish(self, partition: int, deliveries: Sequence[Delivery]) -> None:
            published.append(sum(delivery.count for delivery in deliveries))
            await super().publish(partition, deliveries)

    running = await make_app(
        registering("register_queues", QueueDriver("counting", Counting.create)), settings={"queue_url": "counting://"}
    )
    await running.ingest_and_drain([track("bought"), track("sold")])
    assert published == [2]
    assert await stored_names(running) == ["bought", "sold"]


async def test_register_event_stores_puts_somebody_else_in_charge_of_answers(make_app: MakeApp) -> None:
    class Guessing:
        async def answer(self, tenant_id: int, query: object, now: datetime) -> CatalogueAnswer:
            return CatalogueAnswer(())

        async def stamp(self, tenant_id: int, query: object) -> int:
            return 1

    running = await make_app(
        registering("register_event_stores", EventStoreDriver("guessing", lambda app: Guessing())),
        settings={"event_store": "guessing"},
    )
    day = Range(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 6, 2, tzinfo=UTC))
    assert await running.app.services.get(Analytics).ask(1, Catalogue(range=day)) == CatalogueAnswer(())


async def test_register_event_stores_is_asked_in_vain_for_a_store_that_nobody_has(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match=r"'clickhouse'; known are postgresql\."):
        await make_app(plugin("plain"), settings={"event_store": "clickhouse"})


def test_register_event_stores_of_two_plugins_may_not_have_one_name() -> None:
    driver = EventStoreDriver("postgresql", lambda app: pytest.fail("never made"))
    assembly = assemble(Settings(), plugins=[registering("register_event_stores", driver)])
    assert assembly.inventory["things"].reason == "event store postgresql is taken by core"


async def test_register_fact_sources_makes_rows_of_a_plugin_open_to_questions(make_app: MakeApp) -> None:
    nobody = dict.fromkeys(("leaf", "visitor", "hint"), "NULL::uuid")
    visits = FactSource(
        "sessions",
        table="(SELECT id, timestamptz '2025-06-01' AS at, '/file' AS page FROM tenants) n",
        tenant="n.id",
        order="n.page",
        columns={"time": "n.at", **nobody, "project_id": "1", "channel_type": "'web'::text", "entry_page": "n.page"},
    )
    running = await make_app(registering("register_fact_sources", visits))
    tenant_id = (await running.source()).tenant.id
    builder = SegmentBuilder.of(running.app)
    assert [source.name for source in builder.sources] == ["events", "sessions"]
    day = day_of(micros(datetime(2025, 6, 1, tzinfo=UTC)))
    assert await builder.rebuild_day(tenant_id, visits, day) == 1
    async with running.app.storage.tenant(tenant_id) as connection:
        kept = await connection.scalar(text("SELECT data FROM segment_columns WHERE name = 'entry_page'"))
    assert kept.endswith(b"/file")


def test_register_fact_sources_of_two_plugins_may_not_have_one_name() -> None:
    source = FactSource("events", "", "", "", {})
    assembly = assemble(Settings(), plugins=[registering("register_fact_sources", source)])
    assert assembly.inventory["things"].reason == "source of facts events is taken by core"


async def test_register_metrics_says_what_numbers_mean_on_the_page_of_definitions(make_app: MakeApp) -> None:
    from chatnation.plugins.dashboard.plugin import DashboardPlugin

    metric = Metric("things.sold", "Things sold", "Things that left the house for money.")
    running = await make_app(registering("register_metrics", metric), DashboardPlugin)
    page = await (await running.client(await running.person((await running.source()).tenant))).get("/definitions")
    assert page.status_code == 200
    assert 'id="things.sold"' in page.text
    assert metric.definition in page.text


def test_register_metrics_takes_only_names_of_the_plugin_s_own() -> None:
    metric = Metric("other.sold", "Things sold", "Things that left the house for money.")
    assembly = assemble(Settings(), plugins=[registering("register_metrics", metric)])
    assert assembly.inventory["things"].reason == "the metric other.sold must be called things.other.sold"


@dataclass(frozen=True, slots=True)
class ThingBought(DomainEvent):
    """For this test."""


async def test_register_listeners_hear_domain_events_after_the_commit(make_app: MakeApp) -> None:
    heard: list[DomainEvent] = []

    async def hear(event: ThingBought) -> None:
        heard.append(event)

    running = await make_app(registering("register_listeners", Listener(ThingBought, hear)))
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        running.app.signals.publish(connection, ThingBought(tenant.id))
        assert heard == []
    assert heard == [ThingBought(tenant.id)]


async def test_register_jobs_names_work_that_runs_once_enqueued(make_app: MakeApp) -> None:
    done: list[dict[str, Any]] = []

    async def pack(payload: dict[str, Any]) -> None:
        done.append(payload)

    running = await make_app(registering("register_jobs", Job("things.pack_thing", pack)))
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        await running.app.jobs.enqueue(connection, "things.pack_thing", {"tenant_id": tenant.id, "thing": 7})
    await running.run_jobs()
    assert done == [{"tenant_id": tenant.id, "thing": 7}]


async def test_register_jobs_that_raise_are_counted_and_leave_others_alone(make_app: MakeApp) -> None:
    done: list[str] = []

    async def fail(payload: dict[str, Any]) -> None:
        raise RuntimeError("no packing")

    async def pack(payload: dict[str, Any]) -> None:
        done.append("packed")

    running = await make_app(
        registering("register_jobs", Job("things.fail", fail, attempts=1), Job("things.pack_thing", pack))
    )
    async with running.app.storage.system("enqueue for a test") as connection:
        await running.app.jobs.enqueue(connection, "things.fail", {})
        await running.app.jobs.enqueue(connection, "things.pack_thing", {})
    await running.run_jobs()
    assert done == ["packed"]
    assert running.app.boundary.failures == {("things", "job:things.fail"): 1}


async def test_register_schedules_are_collected_with_the_jobs_that_they_name(make_app: MakeApp) -> None:
    async def tidy(payload: dict[str, Any]) -> None: ...

    app = (
        await make_app(
            registering(
                "register_schedules",
                Schedule("things.tidy", "5 3 * * *"),
                register_jobs=hookimpl(lambda self: [Job("things.tidy", tidy)]),
            )
        )
    ).app
    assert [entry.item.cron for entry in app.resources.schedules if entry.plugin == "things"] == ["5 3 * * *"]


async def test_register_login_providers_are_buttons_on_the_login_page_unless_they_cannot_be_used(
    make_app: MakeApp,
) -> None:
    async def unavailable() -> bool:
        return False

    async def broken() -> bool:
        raise OSError("a secret path")

    providers = [
        LoginProvider("badge", "Sign in with your badge", "/things"),
        LoginProvider("closed", "A closed door", "/things", available=unavailable),
        LoginProvider("broken", "A broken door", "/things", available=broken),
    ]
    running = await make_app(registering("register_login_providers", *providers))
    page = await (await running.client()).get("/login", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "Sign in with your badge" in page.text
    assert 'href="/things?next=' in page.text
    assert "door" not in page.text


async def test_register_sealed_columns_are_known_to_the_command_and_a_stranger_s_table_fails_the_plugin(
    make_app: MakeApp,
) -> None:
    column = SealedColumn("things.accounts", "api_key", "things.accounts:{id}")
    running = await make_app(registering("register_sealed_columns", column))
    assert column in [entry.item for entry in running.app.resources.sealed_columns]
    foreign = SealedColumn("others.accounts", "api_key", "others.accounts:{id}")
    running = await make_app(registering("register_sealed_columns", foreign))
    assert running.app.inventory["things"].state == "failed"


async def test_register_archivables_are_offered_beside_the_core_s_own_and_a_wrong_one_fails_the_plugin(
    make_app: MakeApp,
) -> None:
    async def nothing(*_: object) -> Any:
        return []

    shelf = Archivable("shelf", "Shelf", "settings.manage", "Books fall.", nothing, nothing, nothing)
    running = await make_app(registering("register_archivables", shelf))
    assert [entry.item.entity for entry in running.app.resources.archivables] == ["role", "user", "shelf"]
    running = await make_app(registering("register_archivables", "a shelf"))
    assert running.app.inventory["things"].state == "failed"


async def test_register_retention_deletes_old_rows_and_a_failure_leaves_other_tables_alone(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "0001_sales.py").write_text(
        'from alembic import op\n\nrevision = "0001"\ndown_revision = None\n\n\ndef upgrade() -> None:\n'
        '    op.execute("CREATE TABLE things.sales (tenant_id int, sold_at timestamptz)")\n'
    )
    running = await make_app(
        registering(
            "register_retention",
            Retention("things.absent", "sold_at", 90),
            Retention("things.sales", "sold_at", 90),
            migrations=tmp_path,
        )
    )
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        await connection.execute(
            text(
                "INSERT INTO things.sales"
                " SELECT :t, now() - make_interval(days => days) FROM unnest(ARRAY[89, 91]) days"
            ),
            {"t": tenant.id},
        )
    await Retainer.of(running.app).apply()
    async with running.app.storage.tenant(tenant.id) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM things.sales")) == 1
    assert running.app.boundary.failures == {("things", "retention:things.absent"): 1}


async def test_register_routes_answer_under_the_prefix_to_those_with_the_permission(make_app: MakeApp) -> None:
    running = await make_app(
        registering(
            "register_routes",
            Route("GET", "/", things, "things.view"),
            url_prefix="shop/things",
            register_permissions=hookimpl(lambda self: [PERMISSION]),
        )
    )
    tenant = (await running.source()).tenant
    client = await running.client(await running.person(tenant))
    assert (await client.get("/api/shop/things")).json() == {"things": tenant.slug}
    assert (await (await running.client()).get("/api/shop/things")).status_code == 401


async def test_register_routes_that_raise_answer_500_without_the_text_and_others_go_on(make_app: MakeApp) -> None:
    running = await make_app(
        registering("register_routes", Route("GET", "/", breaking, "public"), Route("GET", "/well", things, "public"))
    )
    client = await running.client()
    response = await client.get("/api/things")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert (await client.get("/api/things/well")).status_code == 200
    assert sum(running.app.boundary.failures.values()) == 1


async def test_register_routes_of_a_plugin_that_does_not_run_answer_503_with_its_name(make_app: MakeApp) -> None:
    async def fail(self: Plugin, app: App) -> None:
        raise RuntimeError("no start")

    running = await make_app(
        registering("register_routes", Route("GET", "/", things, "public"), startup=hookimpl(fail))
    )
    response = await (await running.client()).get("/api/things")
    assert response.status_code == 503
    assert "things" in response.json()["detail"]
    assert "Retry-After" in response.headers


async def test_register_ingest_routes_answer_at_exact_paths_without_middleware(make_app: MakeApp) -> None:
    async def pong(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("pong")(scope, receive, send)

    running = await make_app(registering("register_ingest_routes", IngestRoute("/v1/ping", pong, methods=("GET",))))
    response = await (await running.client()).get("/v1/ping")
    assert response.text == "pong"
    assert "Content-Security-Policy" not in response.headers


async def test_register_pages_are_shown_under_the_prefix(make_app: MakeApp) -> None:
    async def show(request: Request) -> Response:
        return PlainTextResponse("a page of things")

    running = await make_app(
        registering("register_pages", Page("/", show, "public"), Page("//all-things", show, "public"))
    )
    client = await running.client()
    assert (await client.get("/things")).text == (await client.get("/all-things")).text == "a page of things"


async def test_register_navigation_is_filtered_by_permission(make_app: MakeApp) -> None:
    async def show(request: Request) -> Response:
        entries = [entry.label for group in request.state.render.navigation() for entry in group.entries]
        return PlainTextResponse(" ".join(entries))

    running = await make_app(
        registering(
            "register_navigation",
            NavigationEntry("Things", "/things", "things.view"),
            NavigationEntry("Help", "/help", "authenticated"),
            register_permissions=hookimpl(lambda self: [PERMISSION]),
            register_pages=hookimpl(lambda self: [Page("/", show, "authenticated")]),
        )
    )
    from chatnation.core.auth.permissions import RoleName

    tenant = (await running.source()).tenant
    admin = await running.client(await running.person(tenant))
    agent = await running.client(await running.person(tenant, RoleName.AGENT))
    assert (await admin.get("/things")).text == "Help Things Settings"
    assert (await agent.get("/things")).text == "Help Settings"


async def test_register_middleware_wraps_the_dashboard_and_never_the_collector(make_app: MakeApp) -> None:
    class Stamp:
        def __init__(self, app: ASGIApp, word: str) -> None:
            self.app, self.word = app, word

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            async def stamped(message: Any) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"x-stamp", self.word.encode()))
                await send(message)

            await self.app(scope, receive, stamped)

    running = await make_app(registering("register_middleware", Middleware(Stamp, {"word": "seen"})))
    client = await running.client()
    assert (await client.get("/-/versions")).headers["X-Stamp"] == "seen"
    assert "X-Stamp" not in (await client.get("/v1/health")).headers


async def test_register_permissions_are_held_by_the_roles_they_name(make_app: MakeApp) -> None:
    from chatnation.core.auth.permissions import RoleName

    running = await make_app(
        registering(
            "register_permissions", PERMISSION, register_routes=routes(Route("GET", "/", things, "things.view"))
        )
    )
    tenant = (await running.source()).tenant
    admin = await running.client(await running.person(tenant))
    auditor = await running.client(await running.person(tenant, RoleName.AUDITOR))
    assert (await admin.get("/api/things")).status_code == 200
    assert (await auditor.get("/api/things")).status_code == 403


async def test_register_second_factors_bring_codes_to_users_who_set_them_up(make_app: MakeApp) -> None:
    texts: list[CodeMessage] = []

    async def send(connection: AsyncConnection, message: CodeMessage) -> None:
        texts.append(message)

    def check(address: str) -> str:
        if not address.isdecimal():
            raise ChatnationError("A phone number has only digits.")
        return address

    factor = SecondFactor("things_sms", "Text message", send, "Phone number", check)
    running = await make_app(registering("register_second_factors", factor))
    person = await running.person((await running.source()).tenant)
    client = await running.client(person)
    token = {"X-CSRF-Token": (await client.get("/api/auth/me")).json()["csrf_token"]}
    wanted = {"factor": "things_sms", "address": "+254"}
    assert (await client.post("/api/auth/2fa/setup", json=wanted, headers=token)).status_code >= 400
    wanted["address"] = "254700000001"
    started = (await client.post("/api/auth/2fa/setup", json=wanted, headers=token)).json()
    assert (started["sent_to"], texts[-1].address) == ("25…01", "254700000001")
    answer = {"challenge": started["challenge"], "code": texts[-1].code}
    assert (await client.post("/api/auth/2fa/setup/verify", json=answer, headers=token)).status_code == 200

    stranger = await running.client()
    pending = await stranger.post("/api/auth/login", json={"email": person.email, "password": person.password})
    assert pending.json()["factor"] == "things_sms"
    assert (len(texts), texts[-1].address) == (2, "254700000001")
    answer = {"challenge": pending.json()["challenge"], "code": texts[-1].code}
    assert (await stranger.post("/api/auth/2fa/verify", json=answer)).json()["step"] == "logged_in"


async def test_resolve_actor_lets_in_whom_the_core_does_not_know(make_app: MakeApp) -> None:
    async def by_badge(self: Plugin, request: Request) -> Actor | None:
        badge = request.headers.get("x-badge")
        return Actor(Tenant(0, badge, badge), frozenset({"things.view"})) if badge else None

    async def fail(self: Plugin, request: Request) -> Actor | None:
        raise RuntimeError("cannot read badges")

    running = await make_app(
        plugin("broken", resolve_actor=hookimpl(fail)),
        answering(
            "resolve_actor",
            by_badge,
            register_permissions=hookimpl(lambda self: [PERMISSION]),
            register_routes=routes(Route("GET", "/", things, "things.view")),
        ),
    )
    client = await running.client()
    assert (await client.get("/api/things", headers={"X-Badge": "visitor"})).json() == {"things": "visitor"}
    assert (await client.get("/api/things")).status_code == 401


@pytest.mark.parametrize(("answer", "status"), [(None, 200), (False, 403), (RuntimeError("no"), 403)])
async def test_check_permission_can_refuse_and_refuses_when_it_fails(
    make_app: MakeApp, answer: object, status: int
) -> None:
    async def veto(self: Plugin, actor: Actor, permission: str) -> bool | None:
        if isinstance(answer, Exception):
            raise answer
        return None if answer is None else bool(answer)

    running = await make_app(
        answering(
            "check_permission",
            veto,
            register_permissions=hookimpl(lambda self: [PERMISSION]),
            register_routes=routes(Route("GET", "/", things, "things.view")),
        )
    )
    client = await running.client(await running.person((await running.source()).tenant))
    assert (await client.get("/api/things")).status_code == status


async def test_render_slot_fills_a_place_and_leaves_it_empty_when_it_fails(make_app: MakeApp) -> None:
    async def fill(self: Plugin, slot: str) -> Markup | None:
        return Markup("<b>things</b>") if slot == "overview.below" else None

    async def fail(self: Plugin) -> Markup | None:
        raise RuntimeError("no filling")

    running = await make_app(answering("render_slot", fill), plugin("broken", render_slot=hookimpl(fail)))
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    outcomes = await running.app.hooks.gather(render_slot, "overview.below", request)
    assert [(outcome.plugin, outcome.value) for outcome in outcomes] == [
        ("broken", None),
        ("things", Markup("<b>things</b>")),
    ]


async def test_handle_error_may_answer_for_what_nobody_foresaw(make_app: MakeApp) -> None:
    async def answer(self: Plugin, error: Exception) -> Response | None:
        return PlainTextResponse("try later", 504) if isinstance(error, OSError) else None

    async def fail(self: Plugin, request: Request, error: Exception) -> Response | None:
        raise RuntimeError("worse")

    running = await make_app(
        plugin("broken", handle_error=hookimpl(fail)),
        answering("handle_error", answer, register_routes=routes(Route("GET", "/", breaking, "public"))),
    )
    response = await (await running.client()).get("/api/things")
    assert (response.status_code, response.text) == (504, "try later")


async def test_summarize_tenant_counts_what_a_plugin_keeps(make_app: MakeApp) -> None:
    async def count(self: Plugin, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        return {"things": tenant_id}

    running = await make_app(answering("summarize_tenant", count))
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        (outcome,) = await running.app.hooks.gather(summarize_tenant, connection, tenant.id)
    assert outcome.unwrap() == {"things": tenant.id}


async def test_erase_tenant_runs_inside_the_transaction_that_erases_the_tenant(make_app: MakeApp) -> None:
    asked: list[int] = []

    async def erase(self: Plugin, connection: AsyncConnection, tenant_id: int) -> int:
        asked.append(tenant_id)
        return 3

    running = await make_app(answering("erase_tenant", erase))
    source = await running.source()
    await running.ingest_and_drain([page_view()], source)
    receipt = await eraser(running).erase_tenant(source.tenant, by="a test")
    assert asked == [source.tenant.id]
    assert receipt.counts["events"] == 1
    assert await stored_names(running) == []


async def test_erase_person_gets_every_leaf_of_the_person(make_app: MakeApp) -> None:
    asked: list[list[UUID]] = []

    async def erase(self: Plugin, leaf_ids: list[UUID]) -> int:
        asked.append(leaf_ids)
        return len(leaf_ids)

    running = await make_app(answering("erase_person", erase))
    source = await running.source()
    await running.ingest_and_drain(
        [track("bought", visitor="a-browser"), identify("someone", visitor="a-browser")], source
    )
    async with running.app.storage.system("look for the persons of a test") as connection:
        leaf_ids = set(await connection.scalars(text("SELECT DISTINCT person_id FROM events")))
    await eraser(running).erase_person(source.tenant, next(iter(leaf_ids)), by="a test")
    assert leaf_ids <= set(asked[0])
    assert await stored_names(running) == []


async def test_export_person_hands_out_rows_by_kind(make_app: MakeApp) -> None:
    async def export(self: Plugin, leaf_ids: list[UUID]) -> dict[str, list[dict[str, object]]]:
        return {"things": [{"leaf": str(leaf_id)} for leaf_id in leaf_ids]}

    running = await make_app(answering("export_person", export))
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        (outcome,) = await running.app.hooks.gather(export_person, connection, tenant.id, [UUID(int=1)])
    assert outcome.unwrap() == {"things": [{"leaf": str(UUID(int=1))}]}
