"""Errors as a client sees them: problem details for programs (RFC 9457). Never an exception's text."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatnation.core.auth.names import InvalidName
from chatnation.core.auth.passwords import WeakPassword
from chatnation.core.auth.refusals import BadLink, Impossible, LastAdmin, NotAllowed, SignInInstead, WrongPassword
from chatnation.core.auth.tenancy import NameTaken, Unknown
from chatnation.core.errors import ChatnationError, NotFound, Problem, QueueUnavailable
from chatnation.core.storage.errors import DatabaseUnavailable

PROBLEM_MEDIA_TYPE = "application/problem+json"

_CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}

INTERNAL_ERROR = "Something went wrong on our side. It was logged under the request id."
_AWAY = "Something that the product needs is away for the moment. Try again shortly."
_DETAILS = {404: "There is nothing at this address.", 405: "This address does not take that method."}


_REFUSALS: dict[type[ChatnationError], tuple[int, str]] = {
    InvalidName: (422, "invalid_name"),
    WeakPassword: (422, "weak_password"),
    NameTaken: (409, "name_taken"),
    Unknown: (404, "not_found"),
    NotAllowed: (403, "not_allowed"),
    LastAdmin: (409, "last_super_admin"),
    Impossible: (409, "impossible"),
    BadLink: (400, "invalid_link"),
    SignInInstead: (409, "sign_in_instead"),
    WrongPassword: (403, "wrong_password"),
}
"""What the rules about people and organisations refuse; the first that fits."""


class ProblemDetails(BaseModel):
    """The body of every error answer of the API."""

    type: str = Field(description="Kind of problem, as a relative address; equal for equal codes.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable word that a client may test.")
    detail: str = Field(description="What went wrong and what to do, for people.")
    request_id: str = Field(description="Names the request in the log.")
    errors: list[dict[str, Any]] = Field([], description="The invalid fields: where each is, and what is wrong.")


def as_problem(error: Exception) -> Problem:
    """The problem that an exception shows to a client; anything not raised on purpose is a plain 500."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        status = error.status_code
        headers = dict(error.headers) if error.headers else None
        return Problem(status, _CODES.get(status, "error"), _DETAILS.get(status, _title(status) + "."), headers=headers)
    for kind, (status, code) in _REFUSALS.items():
        if isinstance(error, kind):
            return Problem(status, code, str(error))
    if isinstance(error, DatabaseUnavailable | QueueUnavailable | RedisConnectionError):
        return Problem(503, "unavailable", _AWAY, headers={"Retry-After": "5"})
    return Problem(500, "internal_error", INTERNAL_ERROR)


def problem_details(problem: Problem, request_id: str) -> ProblemDetails:
    """The JSON body of `problem`."""
    return ProblemDetails(
        type=f"/problems/{problem.code}",
        title=_title(problem.status),
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        request_id=request_id,
        errors=[dict(error) for error in problem.errors],
    )


def problem_response(problem: Problem, request_id: str) -> Response:
    """`problem` as an RFC 9457 response."""
    return JSONResponse(
        problem_details(problem, request_id).model_dump(exclude_defaults=True),
        status_code=problem.status,
        headers={"Cache-Control": "no-store", **problem.headers},
        media_type=PROBLEM_MEDIA_TYPE,
    )


def invalid(error: ValidationError, where: str) -> Problem:
    """A 422 that lists each field of the `where` ("query" or "body") that pydantic refused, without the value sent."""
    errors: list[dict[str, object]] = [
        {"in": where, "path": _path(item["loc"]), "message": item["msg"]} for item in error.errors(include_input=False)
    ]
    first = errors[0]
    detail = f"{where.capitalize()} field {first['path'] or where}: {first['message']}."
    return Problem(422, "invalid_request", detail, errors=errors)


def wants_html(request: Request) -> bool:
    """Whether a person's browser asks for a page, as against a program that asks for data."""
    if request.url.path.startswith(("/api/", "/v1/", "/-/", "/static/")):
        return False
    return "text/html" in request.headers.get("accept", "")


def not_found() -> NotFound:
    """404 for an address that nobody claims."""
    return NotFound(_DETAILS[404])


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _path(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)
