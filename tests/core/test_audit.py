"""Where records go while nothing keeps them, and what they say of an actor."""

from __future__ import annotations

from starlette.requests import Request

from chatnation.core.audit import ActorRef, ActorType, AuditRecord, SilentAudit, audit_of
from chatnation.core.context import Actor, Tenant
from chatnation.core.web.audited import record_of
from chatnation.testing import MakeApp

TENANT = Tenant(7, "kra", "KRA")
PERSON = Actor(TENANT, frozenset(), user_id=3, name="Wanjiku", email="w@example.org")
KEY = Actor(TENANT, frozenset(), key_id=9, role="read")


def request(actor: Actor | None) -> Request:
    made = Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": [(b"user-agent", b"x" * 900)],
            "client": ("192.0.2.1", 1),
        }
    )
    made.state.actor = actor
    return made


async def test_without_the_plugin_records_go_nowhere(make_app: MakeApp) -> None:
    running = await make_app(settings={"plugins_disabled": frozenset({"audit"})})
    assert isinstance(audit_of(running.app), SilentAudit)
    assert isinstance(audit_of(running.app.services), SilentAudit)
    async with running.app.storage.system("a record of a test") as connection:
        await audit_of(running.app).record(connection, AuditRecord(None, "auth.login"))


def test_an_actor_is_a_person_or_a_key() -> None:
    assert ActorRef.of(PERSON) == ActorRef(ActorType.USER, 3, "w@example.org")
    assert ActorRef.of(KEY) == ActorRef(ActorType.API_KEY, 9, "read")


def test_a_record_of_a_request_says_who_sent_it_from_where() -> None:
    record = record_of(request(PERSON), "config.team.created", "team", 12, name="Support")
    assert (record.tenant_id, record.actor, record.resource_id) == (7, ActorRef.of(PERSON), "12")
    assert (record.ip_address, len(record.user_agent or ""), record.details) == ("192.0.2.1", 500, {"name": "Support"})


def test_a_record_of_a_stranger_has_no_actor_and_the_tenant_that_is_named() -> None:
    assert record_of(request(None), "auth.login_failure").tenant_id is None
    assert record_of(request(None), "auth.login_failure", tenant_id=7).tenant_id == 7
    assert record_of(request(None), "auth.login_failure").actor is None
