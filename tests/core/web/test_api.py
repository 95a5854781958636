"""Routes: parameters in, permission checked, answer or problem out."""

from __future__ import annotations

import httpx
import pytest

from chatnation.core.auth.keys import KeyType, create_key
from tests.core.web.conftest import Street, csrf_token

ORDER = {"name": "sugar", "pieces": 2}


async def test_a_public_route_answers_strangers_and_parses_its_query(street: Street) -> None:
    answer = await street.stranger.get("/api/corner/shop/things?colour=red&colour=blue&size=3")
    assert answer.json() == {"colour": ["red", "blue"], "size": 3}


async def test_a_bad_query_names_the_field_but_not_the_value(street: Street) -> None:
    answer = await street.stranger.get("/api/corner/shop/things?size=hunter2")
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert (problem["code"], problem["errors"][0]["path"], problem["errors"][0]["in"]) == (
        "invalid_request",
        "size",
        "query",
    )
    assert "hunter2" not in answer.text


async def test_a_problem_has_the_members_of_rfc_9457_and_the_request_id(street: Street) -> None:
    answer = await street.buyer.get("/api/corner/shop/things/missing")
    problem = answer.json()
    assert problem["status"] == answer.status_code == 404
    assert (problem["type"], problem["title"], problem["code"]) == ("/problems/not_found", "Not Found", "not_found")
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_caller_may_name_the_request(street: Street) -> None:
    answer = await street.stranger.get("/api/corner/shop/things", headers={"X-Request-ID": "call-me-42"})
    assert answer.headers["x-request-id"] == "call-me-42"
    answer = await street.stranger.get("/api/corner/shop/things", headers={"X-Request-ID": "no\tthanks {}"})
    assert answer.headers["x-request-id"] != "no\tthanks {}"


async def test_strangers_get_401_and_those_without_the_permission_403(street: Street) -> None:
    assert (await street.stranger.get("/api/corner/shop/things/tea")).status_code == 401
    agent = await street.agent()
    assert (await agent.get("/api/corner/shop/things/tea")).json() == {"thing": "tea", "tenant": "duka"}
    token = await csrf_token(agent)
    refused = await agent.post("/api/corner/shop/orders", json=ORDER, headers={"X-CSRF-Token": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_body_is_validated_and_the_answer_typed(street: Street) -> None:
    token = {"X-CSRF-Token": await csrf_token(street.buyer)}
    bought = await street.buyer.post("/api/corner/shop/orders", json=ORDER, headers=token)
    assert (bought.status_code, bought.json()) == (201, ORDER)
    wrong = await street.buyer.post("/api/corner/shop/orders", json={"name": "x" * 21, "pieces": 0}, headers=token)
    assert wrong.status_code == 422
    assert [error["path"] for error in wrong.json()["errors"]] == ["name", "pieces"]
    gone = await street.buyer.delete("/api/corner/shop/orders/7", headers=token)
    assert (gone.status_code, gone.content) == (204, b"")


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "invalid_json"),
        (b"\xff\xfe", "application/json", 400, "invalid_json"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b"name=sugar&pieces=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"name":"sugar","pieces":2}', "text/plain", 415, "unsupported_media_type"),
        (b'"' + b"x" * 10_000_001 + b'"', "application/json", 413, "body_too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_gets_its_own_4xx(
    street: Street, content: bytes, kind: str, status: int, code: str
) -> None:
    headers = {"X-CSRF-Token": await csrf_token(street.buyer), "Content-Type": kind}
    answer = await street.buyer.post("/api/corner/shop/orders", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_unknown_address_is_404_and_a_wrong_method_405(street: Street) -> None:
    assert (await street.buyer.get("/api/nothing")).json()["code"] == "not_found"
    answer = await street.buyer.put("/api/corner/shop/orders")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method_not_allowed", "POST")


async def test_an_exception_is_a_500_without_its_text_and_counts_against_the_plugin(street: Street) -> None:
    answer = await street.stranger.get("/api/corner/shop/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "hunter2" not in answer.text
    assert street.app.app.boundary.failures["shop", "route:GET /broken"] == 1
    assert (await street.stranger.get("/api/corner/shop/things")).status_code == 200


async def test_a_read_key_opens_what_its_permissions_allow_and_needs_no_csrf_token(street: Street) -> None:
    async with street.app.app.storage.system("make keys for a test") as connection:
        tenant_id = street.source.tenant.id
        reader = await create_key(connection, tenant_id, "reader", KeyType.READ)
        buyer = await create_key(connection, tenant_id, "buyer", KeyType.READ, scopes=["shop.buy"])

    async def order(key: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return await street.stranger.post("/api/corner/shop/orders", json=ORDER, headers=headers)

    assert (await order(buyer.secret)).status_code == 201
    assert (await order(reader.secret)).status_code == 403
    assert (await order(street.source.write_key)).status_code == 401
    assert (await order("made up")).json()["code"] == "bad_key"


async def test_the_description_of_the_api_lists_every_route_with_its_models(street: Street) -> None:
    document = (await street.stranger.get("/api/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    order = document["paths"]["/api/corner/shop/orders"]["post"]
    schemas = document["components"]["schemas"]
    assert order["x-permission"] == "shop.buy"
    assert order["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Order"}
    receipt = order["responses"]["201"]["content"]["application/json"]["schema"]
    assert receipt == {"$ref": "#/components/schemas/Receipt"}
    assert schemas["Order"]["required"] == ["name", "pieces"]
    things = document["paths"]["/api/corner/shop/things"]["get"]
    assert [parameter["name"] for parameter in things["parameters"]] == ["colour", "size"]
    assert things["security"] == []
    assert things["summary"] == "Everything that is for sale."
    cancel = document["paths"]["/api/corner/shop/orders/{order}"]["delete"]
    assert cancel["parameters"][0]["schema"] == {"type": "integer"}


async def test_every_reference_in_the_description_leads_somewhere(street: Street) -> None:
    document = (await street.stranger.get("/api/openapi.json")).json()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert found
    assert {reference.removeprefix("#/components/schemas/") for reference in found} <= set(
        document["components"]["schemas"]
    )
    operations = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len(set(operations))


async def test_the_collectors_paths_are_served_without_any_middleware(street: Street) -> None:
    answer = await street.stranger.post("/v9/shop")
    assert answer.text == "delivered"
    assert "x-request-id" not in answer.headers
    assert "x-stamp" not in answer.headers
    wrong = await street.stranger.get("/v9/shop")
    assert (wrong.status_code, set(wrong.headers["allow"].split(", "))) == (405, {"POST", "OPTIONS"})


async def test_middleware_of_plugins_wraps_the_api_in_its_order(street: Street) -> None:
    answer = await street.stranger.get("/api/corner/shop/things")
    assert answer.headers.get_list("x-stamp") == ["inner", "outer"]
