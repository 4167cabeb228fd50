"""OpenAPI 3.1 from the structs that validate (msgspec gives JSON Schema 2020-12, which OpenAPI 3.1 speaks)."""

import re
from typing import Any

import msgspec
from flask import Flask

from yunliao import __version__
from yunliao.services.account import Receipt
from yunliao.services.catalog import ConfigView
from yunliao.services.consents import ConsentView
from yunliao.web import schemas

REF = "#/components/schemas/{name}"

# endpoint -> (summary, request body, answer, success statuses)
ROUTES: dict[str, tuple[str, type | None, type | None, tuple[int, ...]]] = {
    "user.send": ("Send a message", schemas.SendIn, schemas.SentOut, (202, 200)),
    "user.events": ("Events after a cursor; waits for the first", None, schemas.EventsOut, (200,)),
    "user.stream": ("Events as server-sent events", None, None, (200,)),
    "user.stop": ("Stop an answer", schemas.EmptyIn, schemas.StoppedOut, (200,)),
    "user.regenerate": ("Answer the last question anew", schemas.RegenerateIn, schemas.SentOut, (202, 200)),
    "user.continue_": ("Go on with the last answer", schemas.ContinueIn, schemas.SentOut, (202, 200)),
    "user.tickets": ("A one-time socket ticket", schemas.EmptyIn, schemas.TicketOut, (201,)),
    "ticket.socket": ("The WebSocket (docs/api.md)", None, None, (101,)),
    "user.conversations": ("Conversations, newest activity first", None, schemas.ConversationsOut, (200,)),
    "user.create_conversation": ("A new one", schemas.CreateConversationIn, schemas.ConversationOut, (201,)),
    "user.conversation": ("One conversation", None, schemas.ConversationOut, (200,)),
    "user.rename": ("Rename", schemas.RenameIn, schemas.ConversationOut, (200,)),
    "user.delete": ("Delete, with undo", None, schemas.DeletedOut, (200,)),
    "user.restore": ("Undo a deletion", schemas.EmptyIn, schemas.ConversationOut, (200,)),
    "user.messages": ("Messages, oldest first in the page", None, schemas.MessagesOut, (200,)),
    "user.feedback": ("What the user thinks of an answer", schemas.FeedbackIn, schemas.DoneOut, (200,)),
    "user.report": ("Report an answer", schemas.ReportIn, schemas.DoneOut, (200,)),
    "user.me": ("The caller", None, schemas.MeOut, (200,)),
    "user.consent": ("Accept the agreement", schemas.ConsentIn, ConsentView, (200,)),
    "user.erase": ("Erase everything held about the caller", None, Receipt, (200,)),
    "user.models": ("Models people may choose", None, schemas.ModelsOut, (200,)),
    "user.config": ("What the operator configured", None, ConfigView, (200,)),
    "platform.push": ("WeChat's message push", None, None, (200,)),
    "platform.jobs": ("Run a named job", schemas.EmptyIn, None, (200,)),
    "open.healthz": ("Alive; touches nothing", None, None, (200,)),
    "open.readyz": ("Dependencies", None, None, (200, 503)),
    "open.metrics": ("Prometheus", None, None, (200,)),
    "open.openapi": ("This document", None, None, (200,)),
}
QUERY: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "user.send": (("wait", {"type": "number", "minimum": 0, "maximum": 10}),),
    "user.regenerate": (("wait", {"type": "number", "minimum": 0, "maximum": 10}),),
    "user.continue_": (("wait", {"type": "number", "minimum": 0, "maximum": 10}),),
    "user.events": (
        ("after", {"type": "integer", "minimum": 0}),
        ("wait", {"type": "number", "minimum": 0, "maximum": 12}),
    ),
    "user.stream": (("after", {"type": "integer", "minimum": 0}),),
    "user.conversations": (("before", {"type": "string"}), ("limit", {"type": "integer", "minimum": 1})),
    "user.messages": (("before", {"type": "string"}), ("limit", {"type": "integer", "minimum": 1})),
}
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "user": [{"openid": [], "source": []}],
    "platform": [{"source": []}, {"secret": []}],
    "open": [],
    "ticket": [],
}


def document(app: Flask) -> dict[str, Any]:
    """The whole document."""
    kinds = {kind for _, given, back, _ in ROUTES.values() for kind in (given, back) if kind} | {schemas.ErrorOut}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    references, components = msgspec.json.schema_components(ordered, ref_template=REF)
    schema = {kind: reference for kind, reference in zip(ordered, references, strict=True)}
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in ROUTES:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(rule.endpoint, sorted(rule.arguments), schema)
    header = {"type": "apiKey", "in": "header"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yunliao", "version": __version__, "description": "docs/api.md"},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "openid": {**header, "name": "X-WX-OPENID", "description": "injected by the platform"},
                "source": {**header, "name": "X-WX-SOURCE", "description": "injected by the platform"},
                "secret": {**header, "name": "X-Yunliao-Secret"},
            },
        },
    }


def _operation(endpoint: str, arguments: list[str], schema: dict[type, Any]) -> dict[str, Any]:
    summary, given, back, statuses = ROUTES[endpoint]
    content = {"content": {"application/json": {"schema": schema[back]}}} if back else {}
    error = {"description": "docs/errors.md", "content": {"application/json": {"schema": schema[schemas.ErrorOut]}}}
    operation: dict[str, Any] = {
        "operationId": endpoint,
        "summary": summary,
        "security": SECURITY[endpoint.partition(".")[0]],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in arguments
        ]
        + [{"name": name, "in": "query", "schema": kind} for name, kind in QUERY.get(endpoint, ())],
        "responses": {
            **{str(status): {"description": summary, **content} for status in statuses},
            "default": error,
        },
    }
    if given:
        required = given is not schemas.EmptyIn
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema[given]}}}
    return operation
