"""The API as its own description says: made-up requests of all kinds, and no answer that it does not announce."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chatnation.core.web import csrf
from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.apps import MakeApp
from tests.acceptance.world import csrf_token, filled
from tests.plugins.bundled import bundled_plugins

REQUESTS = 6
"""Made-up requests for each operation."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


# The library that makes data from schemas still uses what newer ones of its dependencies will take away.
@pytest.mark.filterwarnings("default")
async def test_no_request_gets_an_answer_that_the_description_does_not_announce(make_app: MakeApp) -> None:
    app = await make_app(*bundled_plugins())
    app.app.web.drain()  # Event streams answer and end, instead of staying open.
    world = await filled(app, "Mine")
    network = await app.network_client()
    document = (await network.get("/api/openapi.json")).json()
    cases = await anyio.to_thread.run_sync(lambda: list(_cases(document)))
    assert len(cases) >= 2 * sum(len(operations) for operations in document["paths"].values())
    faults: dict[str, str] = {}
    for case in cases:
        token = await world.login(world.admin)
        headers = {csrf.HEADER: csrf_token(app, token)}
        cookies = {SESSION_COOKIE: token}
        fault = await anyio.to_thread.run_sync(_fault, case, str(network.base_url), headers, cookies)
        if fault:
            faults.setdefault(f"{case.method} {case.operation.path}", fault)
    assert not faults, "\n\n".join(f"{operation}: {fault}" for operation, fault in faults.items())


def _cases(document: dict[str, object]) -> Iterator[Case]:
    """The same requests in every run, which come to every operation."""
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        yield from _made(found.ok().as_strategy())


def _made(cases: SearchStrategy[Case]) -> list[Case]:
    made: list[Case] = []

    @seed(20_260_101)
    @settings(
        max_examples=REQUESTS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def collect(case: Case) -> None:
        made.append(case)

    collect()
    return made


def _fault(case: Case, address: str, headers: dict[str, str], cookies: dict[str, str]) -> str:
    """What is wrong with the answer; nothing if it is as announced."""
    response = case.call(base_url=address, headers=headers, cookies=cookies, timeout=30)
    try:
        case.validate_response(response, checks=CHECKS)
    except (Failure, FailureGroup) as failure:
        causes = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
        reasons = "; ".join(f"{type(cause).__name__} {str(cause)[:300]}" for cause in causes)
        return f"{reasons} | {case.path_parameters} {case.query} {str(case.body)[:300]} -> {response.text[:200]}"
    return ""
