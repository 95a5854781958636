"""Forgetting, resetting and changing a password, over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chatnation.core.auth.passwords import hash_password
from chatnation.testing.apps import MakeApp, Person, RunningApp
from chatnation.testing.clock import FakeClock
from tests.core.web.conftest import csrf_token
from tests.core.web.postbox import Postbox, kept_by

FORGOT, RESET, CHANGE = "/api/auth/forgot-password", "/api/auth/reset-password", "/api/auth/change-password"
HTML = {"Accept": "text/html"}
NEW = "another horse battery staple"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(make_app: MakeApp, clock: FakeClock) -> RunningApp:
    return await make_app(Postbox, clock=clock)


@pytest.fixture
async def person(app: RunningApp) -> Person:
    return await app.person((await app.source("KRA")).tenant)


async def reset_token(app: RunningApp, person: Person) -> str:
    client = await app.client()
    assert (await client.post(FORGOT, json={"email": person.email.upper()})).json() == {"ok": True}
    await app.run_jobs()
    return kept_by(app).token()


async def settings(app: RunningApp, value: str) -> None:
    async with app.app.storage.system("settings for a test") as connection:
        await connection.execute(text("UPDATE tenants SET settings = CAST(:value AS jsonb)"), {"value": value})


async def logs_in(app: RunningApp, person: Person, password: str) -> bool:
    answer = await (await app.client()).post("/api/auth/login", json={"email": person.email, "password": password})
    return answer.status_code == 200


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_a_forgotten_password_is_replaced_by_a_mailed_link(app: RunningApp, person: Person) -> None:
    before = await app.client(person)
    token = await reset_token(app, person)
    assert kept_by(app).mails[-1].to == person.email
    stranger = await app.client()
    answer = await stranger.post(RESET, json={"token": token, "new_password": NEW})
    assert (answer.status_code, answer.json()["step"]) == (200, "logged_in")
    assert (await stranger.get("/api/auth/me")).status_code == 200
    assert (await before.get("/api/auth/me")).status_code == 401
    assert (await logs_in(app, person, NEW), await logs_in(app, person, person.password)) == (True, False)
    assert [mail.template for mail in kept_by(app).mails] == ["reset_password", "password_changed"]
    assert {"auth.password.reset_requested", "auth.password.reset"} <= set(kept_by(app).actions())


async def test_a_link_is_good_once(app: RunningApp, person: Person) -> None:
    token = await reset_token(app, person)
    client = await app.client()
    assert (await client.post(RESET, json={"token": token, "new_password": NEW})).status_code == 200
    again = await (await app.client()).post(RESET, json={"token": token, "new_password": "third horse staple"})
    assert code(again) == (400, "invalid_link")


async def test_a_link_is_good_for_a_day(app: RunningApp, person: Person, clock: FakeClock) -> None:
    token = await reset_token(app, person)
    clock.move(timedelta(hours=24))
    answer = await (await app.client()).post(RESET, json={"token": token, "new_password": NEW})
    assert code(answer) == (400, "invalid_link")


async def test_a_second_link_voids_the_first(app: RunningApp, person: Person) -> None:
    first, second = await reset_token(app, person), await reset_token(app, person)
    client = await app.client()
    assert code(await client.post(RESET, json={"token": first, "new_password": NEW})) == (400, "invalid_link")
    assert (await client.post(RESET, json={"token": second, "new_password": NEW})).status_code == 200


async def test_the_token_is_not_in_the_database(app: RunningApp, person: Person) -> None:
    token = await reset_token(app, person)
    async with app.app.storage.system("look") as connection:
        (row,) = (await connection.execute(text("SELECT password_resets::text FROM password_resets"))).scalars()
    assert token not in row
    assert token.encode().hex() not in row


@pytest.mark.parametrize("email", ["nobody@example.org", "no address", "a\x00@b", "", "\ud800@x"])
async def test_an_unknown_address_is_answered_the_same_and_gets_nothing(
    app: RunningApp, person: Person, email: str
) -> None:
    client = await app.client()
    known = await client.post(FORGOT, json={"email": person.email})
    unknown = await client.post(FORGOT, json={"email": email.encode("utf-8", "replace").decode()})
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content)
    await app.run_jobs()
    assert [mail.to for mail in kept_by(app).mails] == [person.email]


async def test_a_known_and_an_unknown_address_make_the_same_work_before_the_answer(
    app: RunningApp, person: Person
) -> None:
    client = await app.client()
    waiting = []
    for email in (person.email, "nobody@example.org"):
        await client.post(FORGOT, json={"email": email})
        async with app.app.storage.system("look") as connection:
            jobs = await connection.scalar(text("SELECT count(*) FROM jobs.queue"))
            links = await connection.scalar(text("SELECT count(*) FROM password_resets"))
        waiting.append((jobs, links))
    assert waiting == [(1, 0), (2, 0)]


async def test_whoever_is_out_gets_no_link(app: RunningApp, person: Person) -> None:
    async with app.app.storage.system("out") as connection:
        await connection.execute(text("UPDATE memberships SET active = false"))
    await (await app.client()).post(FORGOT, json={"email": person.email})
    await app.run_jobs()
    assert kept_by(app).mails == []


async def test_too_many_requests_for_links_are_refused(app: RunningApp, person: Person) -> None:
    client = await app.client()
    answers = [await client.post(FORGOT, json={"email": person.email}) for _ in range(8)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_weak_password_leaves_the_link_good(app: RunningApp, person: Person) -> None:
    await settings(app, '{"passwordComplexity": {"minLength": 12, "requireNumber": true}}')
    token = await reset_token(app, person)
    client = await app.client()
    weak = await client.post(RESET, json={"token": token, "new_password": "only letters here"})
    assert (code(weak), "a digit" in weak.json()["detail"]) == ((422, "weak_password"), True)
    assert (await client.post(RESET, json={"token": token, "new_password": "letters and 1 digit"})).status_code == 200


async def test_a_changed_password_keeps_this_browser_in_and_puts_all_others_out(
    app: RunningApp, person: Person
) -> None:
    other = await app.client(person)
    client = await app.client()
    await client.post("/api/auth/login", json={"email": person.email, "password": person.password})
    headers = {"X-CSRF-Token": await csrf_token(client)}
    body = {"current_password": person.password, "new_password": NEW}
    wrong = await client.post(CHANGE, json={**body, "current_password": "guess"}, headers=headers)
    assert code(wrong) == (403, "wrong_password")
    answer = await client.post(CHANGE, json=body, headers=headers)
    assert (answer.status_code, answer.json()["step"]) == (200, "logged_in")
    assert (await client.get("/api/auth/me")).status_code == 200
    assert (await other.get("/api/auth/me")).status_code == 401
    assert kept_by(app).mails[-1].template == "password_changed"


async def change(client: httpx.AsyncClient, current: str, new: str) -> httpx.Response:
    headers = {"X-CSRF-Token": await csrf_token(client)}
    return await client.post(CHANGE, json={"current_password": current, "new_password": new}, headers=headers)


async def test_the_current_password_and_the_five_before_are_refused(app: RunningApp, person: Person) -> None:
    client = await app.client(person)
    passwords = [person.password, *(f"horse number {n} of seven" for n in range(6))]
    for current, new in pairwise(passwords):
        assert (await change(client, current, new)).status_code == 200
    for old in passwords[1:]:
        assert code(await change(client, passwords[-1], old)) == (422, "weak_password"), old
    assert (await change(client, passwords[-1], passwords[0])).status_code == 200
    async with app.app.storage.system("look") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM old_passwords")) == 5


async def test_a_key_has_no_password_to_change(app: RunningApp, person: Person) -> None:
    from chatnation.core.auth.keys import KeyType, create_key

    async with app.app.storage.tenant(person.tenant.id) as connection:
        key = await create_key(connection, person.tenant.id, "reader", KeyType.READ)
    headers = {"Authorization": f"Bearer {key.secret}"}
    body = {"current_password": person.password, "new_password": NEW}
    assert code(await (await app.client()).post(CHANGE, json=body, headers=headers)) == (403, "forbidden")


async def test_a_password_that_expired_has_to_be_changed_at_the_next_login(
    app: RunningApp, person: Person, clock: FakeClock
) -> None:
    await settings(app, '{"passwordExpiryDays": 30}')
    assert await logs_in(app, person, person.password)
    clock.move(timedelta(days=31))
    login = {"email": person.email, "password": person.password}
    answer = await (await app.client()).post("/api/auth/login", json=login)
    assert answer.json()["step"] == "change_password"


async def test_passwords_longer_than_bcrypt_reads_count_to_the_last_character() -> None:
    from chatnation.core.auth.passwords import verify_password

    stored = await hash_password("x" * 100, rounds=4)
    assert await verify_password("x" * 100, stored)
    assert not await verify_password("x" * 99 + "y", stored)


# --- pages -------------------------------------------------------------------------------------------


def form_of(page: httpx.Response, **fields: Any) -> dict[str, Any]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return {"csrf_token": found[1], **fields}


async def test_the_pages_lead_from_a_forgotten_password_to_the_dashboard(app: RunningApp, person: Person) -> None:
    client = await app.client(headers=HTML)
    page = await client.get("/forgot-password")
    sent = await client.post("/forgot-password", data=form_of(page, email=person.email))
    assert "is on its way" in sent.text
    await app.run_jobs()
    token = kept_by(app).token()
    page = await client.get("/reset-password", params={"token": token})
    assert token in page.text
    form = form_of(page, token=token, new_password=NEW)
    different = await client.post("/reset-password", data={**form, "again": "other"})
    assert (different.status_code, "not the same" in different.text) == (422, True)
    done = await client.post("/reset-password", data={**form, "again": NEW})
    assert done.status_code == 303
    assert (await client.get("/api/auth/me")).status_code == 200


async def test_a_void_link_offers_a_new_one(app: RunningApp) -> None:
    page = await (await app.client(headers=HTML)).get("/reset-password", params={"token": "made-up"})
    assert ("not valid any more" in page.text, 'href="/forgot-password"' in page.text) == (True, True)


async def test_the_page_changes_the_password(app: RunningApp, person: Person) -> None:
    client = await app.client(person, headers=HTML)
    page = await client.get("/settings/password")
    form = form_of(page, current_password=person.password, new_password=NEW, again=NEW)
    wrong = await client.post("/settings/password", data={**form, "current_password": "guess"})
    assert (wrong.status_code, "current password is wrong" in wrong.text) == (403, True)
    assert (await client.post("/settings/password", data=form)).status_code == 303
    assert await logs_in(app, person, NEW)
