"""OpenAPI 3.1 from the structs that validate (msgspec gives JSON Schema 2020-12, which OpenAPI 3.1 speaks)."""

import re
from typing import Any

import msgspec
from flask import Flask

from yunliao import __version__
from yunliao.domain.events import Accepted, End, Notice, Queued, Reasoning, Retract, Text
from yunliao.domain.summary import SummaryView
from yunliao.errors import (
    ClientIdConflict,
    CodeInvalid,
    ConsentRequired,
    CoolingDown,
    DailyLimit,
    Draining,
    IdentityMissing,
    IdentityUntrusted,
    InsufficientCredits,
    InvalidRequest,
    NotFound,
    OperatorLogin,
    OperatorRole,
    OverseasConsentRequired,
    RateLimited,
    RequestTooLarge,
    ServiceBudgetExhausted,
    StoreUnavailable,
    Suspended,
    TurnLimit,
    UnsupportedMediaType,
    YunliaoError,
)
from yunliao.services.audit_trail import AuditFound, Verified
from yunliao.services.cases import CasePage, CaseView
from yunliao.services.catalog import ConfigView
from yunliao.services.consents import ConsentView
from yunliao.services.credit_desk import BalanceView, MovedView
from yunliao.services.credits import CreditsView, EntriesView, ReceiptView, RedeemedView
from yunliao.services.export import ExportPart
from yunliao.services.operators import BindingCode, Session
from yunliao.services.receipts import Receipt
from yunliao.services.relay_desk import RelaysView, TriedView
from yunliao.services.search import Hits
from yunliao.services.users_desk import UserView, VerdictPage
from yunliao.services.word_lists import WordListView
from yunliao.web import desk_schemas as desk
from yunliao.web import schemas, setup
from yunliao.web.user import WITHOUT_CONSENT

REF = "#/components/schemas/{name}"

# endpoint -> (summary, request body, answer, success statuses)
ROUTES: dict[str, tuple[str, type | None, type | None, tuple[int, ...]]] = {
    "user.send": ("Send a message", schemas.SendIn, schemas.SentOut, (202, 200)),
    "user.events": ("Events after a cursor; waits for the first", None, schemas.EventsOut, (200,)),
    "user.stream": ("Events as server-sent events; 204 when a browser has them all", None, None, (200, 204)),
    "user.stop": ("Stop an answer", schemas.EmptyIn, schemas.StoppedOut, (200,)),
    "user.regenerate": ("Answer the last question anew", schemas.RegenerateIn, schemas.SentOut, (202, 200)),
    "user.continue_": ("Go on with the last answer", schemas.ContinueIn, schemas.SentOut, (202, 200)),
    "user.tickets": ("A one-time socket ticket", schemas.EmptyIn, schemas.TicketOut, (201,)),
    "ticket.socket": ("The WebSocket (docs/api.md)", None, None, (101,)),
    "user.conversations": ("Conversations, newest activity first", None, schemas.ConversationsOut, (200,)),
    "user.create_conversation": ("A new one", schemas.CreateConversationIn, schemas.ConversationOut, (201,)),
    "user.conversation": ("One conversation", None, schemas.ConversationOut, (200,)),
    "user.rename": ("Rename", schemas.RenameIn, schemas.ConversationOut, (200,)),
    "user.delete": ("Delete, with undo; or for good, with a receipt", None, schemas.DeletedOut, (200,)),
    "user.restore": ("Undo a deletion", schemas.EmptyIn, schemas.ConversationOut, (200,)),
    "user.messages": ("Messages, oldest first in the page", None, schemas.MessagesOut, (200,)),
    "user.feedback": ("What the user thinks of an answer", schemas.FeedbackIn, schemas.DoneOut, (200,)),
    "user.report": ("Report an answer", schemas.ReportIn, schemas.DoneOut, (200,)),
    "user.search": ("Search one's history; go on with `after`", None, Hits, (200,)),
    "user.search_by_body": ("The same, with the words in the body", schemas.SearchIn, Hits, (200,)),
    "user.me": ("The caller", None, schemas.MeOut, (200,)),
    "user.consent": ("Accept the agreement", schemas.ConsentIn, ConsentView, (200,)),
    "user.withdraw": ("Take every consent back", None, ConsentView, (200,)),
    "user.export": ("A part of everything held about the caller", None, ExportPart, (200,)),
    "user.export_file": ("Everything held about the caller, streamed", None, None, (200,)),
    "user.check_receipt": ("Whether a receipt is genuine", schemas.ReceiptIn, schemas.GenuineOut, (200,)),
    "user.erase": ("Erase everything held about the caller", None, Receipt, (200,)),
    "user.credits_now": ("The caller's credits", None, CreditsView, (200,)),
    "user.credit_entries": ("Entries of the caller's credits, newest first", None, EntriesView, (200,)),
    "user.redeem": ("Redeem a code", schemas.RedeemIn, RedeemedView, (200,)),
    "user.receipt": ("What an answer cost", None, ReceiptView, (200,)),
    "user.models": ("Models people may choose", None, schemas.ModelsOut, (200,)),
    "user.config": ("What the operator configured", None, ConfigView, (200,)),
    "user.complain": ("Complain to the operator", desk.UserComplaintIn, desk.CaseIdOut, (201,)),
    "user.bind_operator": ("Become an operator here by a one-time code", desk.BindIn, Session, (200,)),
    "desk.login": ("A session by name and password", desk.LoginIn, Session, (200,)),
    "desk.logout": ("End this session", schemas.EmptyIn, schemas.DoneOut, (200,)),
    "desk.me": ("Who acts", None, desk.OperatorOut, (200,)),
    "desk.own_password": ("A new password; ends all sessions", desk.PasswordIn, schemas.DoneOut, (200,)),
    "desk.binding": ("A one-time code for the mini-program", schemas.EmptyIn, BindingCode, (201,)),
    "desk.operators": ("All accounts (owner)", None, desk.OperatorsOut, (200,)),
    "desk.add_operator": ("A new account (owner)", desk.OperatorIn, desk.NewPasswordOut, (201,)),
    "desk.change_operator": ("Change an account (owner)", desk.OperatorChangeIn, desk.NewPasswordOut, (200,)),
    "desk.find": ("A user by openid or number", desk.FindIn, UserView, (200,)),
    "desk.user": ("A user", None, UserView, (200,)),
    "desk.user_verdicts": ("The verdict log of a user", None, VerdictPage, (200,)),
    "desk.suspend": ("Suspend, with a reason (operator)", desk.SuspendIn, UserView, (200,)),
    "desk.lift": ("End a suspension (operator)", desk.ReasonIn, UserView, (200,)),
    "desk.read": ("Read a user's words, with a reason (operator)", desk.ReadIn, desk.ReadOut, (200,)),
    "desk.user_credits": ("A user's credits", None, BalanceView, (200,)),
    "desk.adjust": ("Grant, withdraw or refund credits (owner)", desk.CreditsIn, MovedView, (200,)),
    "desk.passes": ("How many texts passed, by day", None, desk.PassesOut, (200,)),
    "desk.verdicts": ("The verdict log", None, VerdictPage, (200,)),
    "desk.cases": ("The review queue", None, CasePage, (200,)),
    "desk.enter_case": ("Enter a complaint (operator)", desk.ComplaintIn, CaseView, (201,)),
    "desk.case": ("One case", None, CaseView, (200,)),
    "desk.look": ("Take a first look (operator)", schemas.EmptyIn, CaseView, (200,)),
    "desk.case_words": ("What a user complained of, with a reason (operator)", desk.ReasonIn, desk.TextOut, (200,)),
    "desk.decide": ("Decide a case (operator)", desk.DecideIn, CaseView, (200,)),
    "desk.word_lists": ("Versions of the word list", None, desk.WordListsOut, (200,)),
    "desk.add_words": ("A new version, in force at once (operator)", desk.WordsIn, WordListView, (201,)),
    "desk.test_words": ("Try a list on a text", desk.WordsTestIn, desk.HitsOut, (200,)),
    "desk.word_list": ("A version with its words", None, WordListView, (200,)),
    "desk.use_words": ("Put a version, or none (0), in force (operator)", schemas.EmptyIn, schemas.DoneOut, (200,)),
    "desk.relays": ("The upstreams, and which are switched off", None, RelaysView, (200,)),
    "desk.relay_off": ("Switch an upstream off, with a reason (operator)", desk.ReasonIn, RelaysView, (200,)),
    "desk.relay_on": ("Switch it on again (operator)", schemas.EmptyIn, RelaysView, (200,)),
    "desk.test_relay": ("One tiny generation of an upstream (operator)", desk.RelayTestIn, TriedView, (200,)),
    "desk.models": ("Models, and the prices in force", None, setup.ModelsView, (200,)),
    "desk.settings_shown": ("Settings without secrets", None, setup.SettingsView, (200,)),
    "desk.find_audited": ("Entries of the audit log, newest first (owner)", desk.AuditFindIn, AuditFound, (200,)),
    "desk.summary": ("What all instances did, by hour and day", None, SummaryView, (200,)),
    "desk.audit": ("The audit log (owner)", None, desk.AuditOut, (200,)),
    "desk.verify": ("Whether the audit log is whole (owner)", desk.HeadIn, Verified, (200,)),
    "platform.push": ("WeChat's message push", None, None, (200,)),
    "platform.push_address": ("The check of a push's address", None, None, (200,)),
    "platform.job_names": ("Names of the jobs", None, schemas.JobNamesOut, (200,)),
    "platform.jobs": ("Run a named job", schemas.EmptyIn, None, (200,)),
    "console.page": ("The operators' console (docs/console.md)", None, None, (200,)),
    "console.file": ("Scripts and styles of the console", None, None, (200,)),
    "open.healthz": ("Alive; touches nothing", None, None, (200,)),
    "open.readyz": ("Dependencies", None, None, (200, 503)),
    "operator.metrics": ("Prometheus", None, None, (200,)),
    "open.openapi": ("This document", None, None, (200,)),
}
ALSO: dict[str, type] = {"user.delete": Receipt}
"""What a route answers to its other use."""
QUERY: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "user.send": (("wait", {"type": "number", "minimum": 0, "maximum": 10}),),
    "user.regenerate": (("wait", {"type": "number", "minimum": 0, "maximum": 10}),),
    "user.continue_": (("wait", {"type": "number", "minimum": 0, "maximum": 10}),),
    "user.events": (
        ("after", {"type": "integer", "minimum": 0}),
        ("wait", {"type": "number", "minimum": 0, "maximum": 12}),
    ),
    "user.stream": (("after", {"type": "integer", "minimum": 0}),),
    "user.delete": (("forever", {"type": "boolean"}),),
    "user.export": (("format", {"enum": ["json", "markdown"]}), ("cursor", {"type": "string"})),
    "user.export_file": (("format", {"enum": ["json", "markdown"]}),),
    "user.conversations": (("before", {"type": "string"}), ("limit", {"type": "integer", "minimum": 1})),
    "user.credit_entries": (
        ("before", {"type": "string"}),
        ("limit", {"type": "integer", "minimum": 1}),
        ("all", {"type": "boolean"}),
    ),
    "user.search": (
        ("q", {"type": "string", "minLength": 1, "maxLength": 100}),
        ("after", {"type": "string"}),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 50}),
    ),
    "desk.user_verdicts": (("before", {"type": "string"}), ("limit", {"type": "integer", "minimum": 1})),
    "desk.verdicts": (("before", {"type": "string"}), ("limit", {"type": "integer", "minimum": 1})),
    "desk.passes": (("days", {"type": "integer", "minimum": 1}),),
    "desk.cases": (
        ("state", {"type": "string", "enum": ["open", "looked", "decided"]}),
        ("before", {"type": "string"}),
        ("limit", {"type": "integer", "minimum": 1}),
    ),
    "desk.summary": (
        ("hours", {"type": "integer", "minimum": 0, "maximum": 744}),
        ("days", {"type": "integer", "minimum": 0, "maximum": 400}),
    ),
    "desk.audit": (("after", {"type": "integer", "minimum": 0}), ("limit", {"type": "integer", "minimum": 1})),
    "user.messages": (("before", {"type": "string"}), ("limit", {"type": "integer", "minimum": 1})),
}
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "user": [
        {"source": [], "openid": [], "appid": []},
        {"source": [], "from_openid": [], "from_appid": []},
        {"signed": []},
    ],
    "ticket": [],  # the first frame
    "platform": [{"source": []}, {"secret": []}],
    "operator": [{"token": []}],
    "desk": [{"session": []}],
    "console": [],
    "open": [],
}
HEADERS = {
    "source": ("X-WX-SOURCE", "injected by the platform: what triggered the call"),
    "openid": ("X-WX-OPENID", "injected by the platform"),
    "appid": ("X-WX-APPID", "injected by the platform"),
    "from_openid": ("X-WX-FROM-OPENID", "injected by the platform under resource sharing"),
    "from_appid": ("X-WX-FROM-APPID", "injected by the platform under resource sharing"),
    "signed": ("X-Yunliao-Caller", "a cloud function's signed claim (docs/identity.md)"),
    "secret": ("X-Yunliao-Secret", "YUNLIAO_JOBS_SECRET"),
}
OTHER_CONTENT = {
    "user.stream": "text/event-stream",
    "user.export_file": "application/octet-stream",
    "platform.push": "text/plain",
    "platform.push_address": "text/plain",
    "operator.metrics": "text/plain",
    "console.page": "text/html",
    "console.file": "text/javascript",
}
ID = {"type": "string", "pattern": "^[A-Za-z0-9_]{1,64}$"}
OPERATOR_ID = {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,120}$"}
EVENTS: tuple[type, ...] = (Accepted, Queued, Text, Reasoning, Retract, Notice, End)
EXAMPLES: dict[type, dict[str, Any]] = {
    schemas.SendIn: {"client_id": "m-8f3k2j9d", "text": "用三句话介绍你自己"},
    schemas.RegenerateIn: {"client_id": "m-8f3k2j9e"},
    schemas.ContinueIn: {"client_id": "m-8f3k2j9f"},
    schemas.RenameIn: {"title": "周末计划"},
    schemas.CreateConversationIn: {"title": "周末计划"},
    schemas.FeedbackIn: {"value": "up", "reasons": ["有帮助"]},
    schemas.ReportIn: {"reason": "内容不当"},
    schemas.RedeemIn: {"code": "7ZK4M-0QXWB-9H2TN-C5RVD"},
    schemas.SearchIn: {"q": "周末", "limit": 20},
    schemas.ConsentIn: {"version": "latest", "overseas": False},
}
ERRORS: dict[str, tuple[type[YunliaoError], ...]] = {
    "user": (InvalidRequest, IdentityMissing, IdentityUntrusted, NotFound, StoreUnavailable),
    "ticket": (InvalidRequest,),
    "platform": (IdentityUntrusted,),
    "operator": (IdentityUntrusted,),
    "desk": (InvalidRequest, OperatorLogin, OperatorRole, IdentityUntrusted, NotFound, StoreUnavailable),
    "console": (IdentityUntrusted,),
    "open": (),
}
"""What every route of a plane may answer."""
SENDING = (
    *(ConsentRequired, OverseasConsentRequired, Suspended),
    *(ClientIdConflict, CoolingDown, RequestTooLarge, UnsupportedMediaType, RateLimited, Draining),
    *(InsufficientCredits, DailyLimit, TurnLimit, ServiceBudgetExhausted),
)
FURTHER: dict[str, tuple[type[YunliaoError], ...]] = {
    **{
        endpoint: (ConsentRequired, Suspended)
        for endpoint in ROUTES
        if endpoint.startswith("user.") and endpoint not in WITHOUT_CONSENT
    },
    "user.send": SENDING,
    "user.regenerate": SENDING,
    "user.continue_": SENDING,
    "user.redeem": (CodeInvalid, RateLimited),
    "user.bind_operator": (OperatorLogin, RateLimited),
    "desk.login": (RateLimited,),
    "desk.own_password": (RateLimited,),
    "platform.jobs": (InvalidRequest, NotFound, StoreUnavailable),
    "console.file": (NotFound,),
}


def document(app: Flask) -> dict[str, Any]:
    """The whole document."""
    kinds = {kind for _, given, back, _ in ROUTES.values() for kind in (given, back) if kind}
    kinds |= {schemas.ErrorOut, *EVENTS}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    references, components = msgspec.json.schema_components(ordered, ref_template=REF)
    schema = dict(zip(ordered, references, strict=True))
    _number_events(components)
    for kind, example in EXAMPLES.items():
        components[kind.__name__]["examples"] = [example]
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(rule.endpoint, sorted(rule.arguments), schema)
    keys = {
        name: {"type": "apiKey", "in": "header", "name": header, "description": said}
        for name, (header, said) in HEADERS.items()
    }
    token = {"type": "http", "scheme": "bearer", "description": "YUNLIAO_METRICS_TOKEN"}
    session = {"type": "http", "scheme": "bearer", "description": "the token of /op/v1/login"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yunliao", "version": __version__, "description": "docs/api.md"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components, "securitySchemes": {**keys, "token": token, "session": session}},
    }


def _number_events(components: dict[str, Any]) -> None:
    """The log adds `seq` to an event's own fields, and answers hold events of all types."""
    for kind in EVENTS:
        component = components[kind.__name__]
        component["properties"] = {"seq": {"type": "integer", "minimum": 1}, **component["properties"]}
        component["required"] = ["seq", *component["required"]]
    references = {kind.__struct_config__.tag: REF.format(name=kind.__name__) for kind in EVENTS}  # type: ignore[attr-defined]
    components["Event"] = {
        "anyOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "type", "mapping": references},
    }
    for holder in (schemas.SentOut, schemas.EventsOut):
        components[holder.__name__]["properties"]["events"]["items"] = {"$ref": REF.format(name="Event")}


def _errors(endpoint: str, schema: dict[type, Any]) -> dict[str, Any]:
    """Error answers by status, with the codes that have it."""
    plane = endpoint.partition(".")[0]
    codes: dict[int, list[str]] = {}
    for kind in (*ERRORS[plane], *FURTHER.get(endpoint, ())):
        codes.setdefault(kind.status, []).append(kind.code)
    content = {"application/json": {"schema": schema[schemas.ErrorOut]}}
    return {
        **{str(status): {"description": ", ".join(codes[status]), "content": content} for status in sorted(codes)},
        "default": {"description": "any other error of docs/errors.md", "content": content},
    }


def _operation(endpoint: str, arguments: list[str], schema: dict[type, Any]) -> dict[str, Any]:
    summary, given, back, statuses = ROUTES[endpoint]
    answer: dict[str, Any] = {}
    if back:
        shown = {"anyOf": [schema[back], schema[ALSO[endpoint]]]} if endpoint in ALSO else schema[back]
        answer = {"content": {"application/json": {"schema": shown}}}
    elif endpoint in OTHER_CONTENT:
        answer = {"content": {OTHER_CONTENT[endpoint]: {"schema": {"type": "string"}}}}
    name = ID
    if endpoint.startswith(("desk.", "console.")):
        name = {"type": "integer"} if arguments == ["version"] else OPERATOR_ID
    elif endpoint.startswith("platform."):
        name = {"type": "string"}
    operation: dict[str, Any] = {
        "operationId": endpoint,
        "summary": summary,
        "tags": [endpoint.partition(".")[0]],
        "security": SECURITY[endpoint.partition(".")[0]],
        "parameters": [{"name": argument, "in": "path", "required": True, "schema": name} for argument in arguments]
        + [{"name": query, "in": "query", "schema": kind} for query, kind in QUERY.get(endpoint, ())],
        "responses": {
            **{str(status): {"description": summary, **(answer if status != 204 else {})} for status in statuses},
            **_errors(endpoint, schema),
        },
    }
    if given:
        required = given is not schemas.EmptyIn
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema[given]}}}
    return operation
