"""The description of the API, made from the routes and their models.

OpenAPI 3.1, whose schemas are JSON Schema 2020-12, which is what pydantic writes; so there is nothing to translate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from chatnation.core.plugin.resources import Registered
from chatnation.core.web.problems import PROBLEM_MEDIA_TYPE, ProblemDetails
from chatnation.core.web.routing import AUTHENTICATED, LIMITED, PUBLIC, Route

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PARAMETER_SCHEMAS: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "uuid": {"type": "string", "format": "uuid"},
}

MountedRoute = tuple[str, Registered[Route]]
"""Full path, and the route that answers there."""


def openapi_document(routes: Iterable[MountedRoute], *, version: str) -> dict[str, Any]:
    """The OpenAPI document of `routes`; its `version` is the product's."""
    mounted = sorted(routes, key=lambda entry: (entry[0], entry[1].item.method))
    schemas, whole = models_json_schema(list(_models(mounted)), ref_template=_REFERENCE)
    definitions: dict[str, dict[str, Any]] = whole.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for path, registered in mounted:
        operation = _operation(path, registered, schemas, definitions)
        paths.setdefault(_PARAMETER.sub(r"{\1}", path), {})[registered.item.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Chatnation", "version": version},
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "login": {"type": "apiKey", "in": "cookie", "name": "chatnation_session"},
                "key": {"type": "http", "scheme": "bearer", "description": "A read key of the tenant."},
            },
        },
    }


Models = Mapping[tuple[Any, JsonSchemaMode], dict[str, Any]]
"""Where each model's schema is, by model and direction."""


def _models(routes: Iterable[MountedRoute]) -> dict[tuple[type[BaseModel], JsonSchemaMode], None]:
    """Each model and the direction in which it is used; a dict, for its order without doubles."""
    found: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDetails, "serialization"): None}
    for _, registered in routes:
        route = registered.item
        found |= {(model, "validation"): None for model in (route.query, route.body, route.form) if model}
        if route.response:
            found[route.response, "serialization"] = None
    return found


def _operation(
    path: str, registered: Registered[Route], schemas: Models, definitions: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    route = registered.item
    operation: dict[str, Any] = {
        "operationId": _operation_id(route, path),
        "tags": [registered.plugin],
        "summary": route.summary or _first_line(route.handler.__doc__),
        "parameters": [*_path_parameters(path), *_query_parameters(route.query, schemas, definitions)],
        "responses": {str(route.status): _answer(route, schemas), "default": _problem(schemas)},
        "security": [] if route.permission == PUBLIC else [{"login": []}, {"key": []}],
    }
    if route.permission not in {PUBLIC, AUTHENTICATED, LIMITED}:
        operation["x-permission"] = route.permission
    if route.body:
        operation["requestBody"] = {"required": True, "content": _content(schemas[route.body, "validation"])}
    if route.form:
        content = {"multipart/form-data": {"schema": schemas[route.form, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PARAMETER_SCHEMAS.get(kind, {"type": "string"})}
        for name, kind in _PARAMETER.findall(path)
    ]


def _query_parameters(
    model: type[BaseModel] | None, schemas: Models, definitions: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = definitions[schemas[model, "validation"]["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key not in {"description", "title"}},
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _answer(route: Route, schemas: Models) -> dict[str, Any]:
    if route.response is None:
        return {"description": "Done."}
    schema = schemas[route.response, "serialization"]
    return {"description": _first_line(route.response.__doc__) or "Done.", "content": _content(schema)}


def _problem(schemas: Models) -> dict[str, Any]:
    schema = schemas[ProblemDetails, "serialization"]
    return {"description": "What went wrong (RFC 9457).", "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _operation_id(route: Route, path: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", path.removeprefix("/api/").lower()).strip("_")
    return f"{route.method.lower()}_{words}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
