"""
The API's machine-readable description, as it is served at `/openapi.json` and committed as `openapi.json`.

Litestar derives it from the handlers; here it learns what Litestar cannot know: that errors are problem documents, who
may be calling, and names without our folders in them. `make openapi` writes it down.
"""

import re
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar

from opencode.infra.http import SESSION_COOKIE

Json = dict[str, Any]

_METHODS = ("get", "head", "put", "post", "patch", "delete")
_NOISE = ("deprecated", "allowEmptyValue", "allowReserved", "explode", "headers")
_PROBLEM = {
    "title": "Problem",
    "description": "What went wrong and what to do about it (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "action", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "Names the kind of problem; nothing is fetched there.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, with the value."},
        "action": {"type": "string", "description": "What to do."},
        "request_id": {"type": "string", "description": "Tell it to the operator; the log has it too."},
        "errors": {
            "type": "array",
            "description": "Every wrong field of the body.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer (RFC 6901)."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_PROBLEM_ANSWER = {
    "description": "A problem: what went wrong and what to do",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_SECURITY_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def api_description(app: Litestar) -> Json:
    """The OpenAPI document of an application. Made anew at each call; it takes some milliseconds."""
    document: Json = app.openapi_schema.to_schema()
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                item[method] = _operation(item[method], is_api=path.startswith("/api/"))
    components = document["components"]
    components["schemas"] = components.get("schemas", {}) | {"Problem": _PROBLEM}
    components["securitySchemes"] = _SECURITY_SCHEMES
    document["paths"] = dict(sorted(document["paths"].items()))
    document = _with_short_names(document)
    document["components"]["schemas"] = dict(sorted(document["components"]["schemas"].items()))
    return document


def _operation(operation: Json, *, is_api: bool) -> Json:
    responses: Json = {}
    for status, answer in operation["responses"].items():
        if status == "400":
            continue  # Litestar's own shape of errors, which we never send
        answer["description"] = HTTPStatus(int(status)).phrase
        responses[status] = _without_noise(answer)
    if is_api:
        responses["default"] = _PROBLEM_ANSWER
        operation["security"] = [{"session": []}, {"bearer": []}, {}]
    parameters = [_without_noise(parameter) for parameter in operation.get("parameters", [])]
    operation = {**operation, "responses": responses}
    if parameters:
        operation["parameters"] = parameters
    return _without_noise(operation)


def _without_noise(part: Json) -> Json:
    return {name: value for name, value in part.items() if name not in _NOISE or value}


def _with_short_names(document: Json) -> Json:
    # A generic struct is named by where its parts live: PageView_opencode.modules.x.schemas.UserView_.
    text = msgspec.json.encode(document).decode()
    text = re.sub(r"PageView_(?:opencode\.[\w.]+\.)?(\w+?)View_", r"\1Page", text)
    return msgspec.json.decode(text)


def render(document: Json) -> bytes:
    """The document as the committed file has it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
