"""`/-/plugins`, `/-/health`, `/-/metrics`, `/-/versions`."""

from __future__ import annotations

from chatnation import API_VERSION, App, Plugin, Role, hookimpl
from chatnation.core.auth.permissions import RoleName
from chatnation.testing import MakeApp, track
from chatnation.testing.servers import SharedServers
from tests.hooks.assembling import plugin


async def fail(self: Plugin, app: App) -> None:
    raise RuntimeError("postgresql://someone:password@host")


async def test_plugins_tells_strangers_states_and_operators_the_whole_story(make_app: MakeApp) -> None:
    running = await make_app(plugin("well"), plugin("broken", startup=hookimpl(fail)))
    stranger = await (await running.client()).get("/-/plugins")
    told = {entry["name"]: (entry["state"], entry["reason"]) for entry in stranger.json()}
    assert told["well"] == ("active", "")
    assert told["broken"][0] == "degraded"
    assert told["broken"][1].startswith("start-up failed: RuntimeError")
    assert "password" not in stranger.text
    tenant = (await running.source()).tenant
    auditor = await running.client(await running.person(tenant, RoleName.AUDITOR))
    assert "password" not in (await auditor.get("/-/plugins")).text
    admin = await running.client(await running.person(tenant))
    (entry,) = [entry for entry in (await admin.get("/-/plugins")).json() if entry["name"] == "broken"]
    assert entry["detail"] == "postgresql://someone:password@host"


async def test_health_is_ok_while_everything_runs(make_app: MakeApp) -> None:
    running = await make_app(plugin("well"))
    response = await (await running.client()).get("/-/health")
    report = response.json()
    assert (response.status_code, report["status"]) == (200, "ok")
    assert report["database"]["detail"].startswith("PostgreSQL ")
    assert report["stream"] == {"ok": True, "detail": "0 events wait in 1 partitions"}
    assert report["plugins"] == {"well": {"ok": True, "detail": ""}}


async def test_health_is_degraded_when_a_plugin_does_not_run(make_app: MakeApp) -> None:
    running = await make_app(plugin("broken", startup=hookimpl(fail)))
    response = await (await running.client()).get("/-/health")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


async def test_health_is_down_and_gives_no_address_away_when_the_database_is_gone(
    make_app: MakeApp, servers: SharedServers
) -> None:
    running = await make_app(plugin("well"))
    client = await running.client()
    url = running.app.settings.database_url or ""
    await servers.drop_database(url)
    response = await client.get("/-/health")
    report = response.json()
    assert (response.status_code, report["status"]) == (503, "down")
    assert report["database"]["ok"] is False
    assert report["stream"]["ok"] is True
    assert url.rpartition("/")[2] not in response.text


async def test_metrics_hold_the_figures_of_every_process(make_app: MakeApp) -> None:
    web = await make_app(plugin("well"), role=Role.SERVE)
    worker = await make_app(plugin("well"), role=Role.PROCESS, like=web)
    worker.app.metrics.processed_events.labels("stored").inc(7)
    await worker.app.metrics.publish(worker.app.redis)
    lines = (await (await web.client()).get("/-/metrics")).text.splitlines()
    stored = [line for line in lines if line.startswith("chatnation_processed_events_total")]
    assert [line for line in stored if '-process"' in line and line.endswith(" 7.0")]
    states = [line for line in lines if line.startswith('chatnation_plugin_state{plugin="well"')]
    assert len(states) == 2
    assert lines.count("# TYPE chatnation_plugin_state gauge") == 1


async def test_metrics_count_what_a_plugin_did_wrong(make_app: MakeApp) -> None:
    running = await make_app(plugin("broken", startup=hookimpl(fail)))
    text = (await (await running.client()).get("/-/metrics")).text
    (line,) = [line for line in text.splitlines() if line.startswith("chatnation_plugin_failures_total{")]
    assert 'plugin="broken"' in line
    assert 'where="startup"' in line


async def test_metrics_are_those_of_one_process_when_redis_is_away(make_app: MakeApp) -> None:
    from redis.asyncio import Redis

    running = await make_app(plugin("well"))
    await running.ingest_and_drain([track("bought")])
    async with Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.5) as nowhere:
        registry = await running.app.metrics.of_all_processes(nowhere)
    labels = {"outcome": "stored", "process": running.app.metrics.process}
    assert registry.get_sample_value("chatnation_processed_events_total", labels) == 1


async def test_versions_name_the_product_the_api_and_the_plugins(make_app: MakeApp) -> None:
    running = await make_app(plugin("well", version="3.2"))
    report = (await (await running.client()).get("/-/versions")).json()
    assert report["api_version"] == API_VERSION
    assert report["plugins"] == {"well": "3.2"}
    assert {"chatnation", "python", "libraries"} < report.keys()
