"""Routes of the user plane: the platform's identity, then one service call each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, g, request

from yunliao.domain.turn import Turn
from yunliao.errors import InvalidRequest, NotFound
from yunliao.ports import User
from yunliao.services.conversations import ConversationView, Feedback
from yunliao.services.export import Format
from yunliao.services.people import Owner
from yunliao.services.turns import Sent
from yunliao.web import schemas
from yunliao.web.callers import caller
from yunliao.web.desk_schemas import BindIn, CaseIdOut, UserComplaintIn
from yunliao.web.failures import request_id
from yunliao.web.render import event_list, events_json, sse
from yunliao.web.validation import NOT_TEXT, body, choice, cursor, flag, integer, number

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

SEND_WAIT = 10.0
POLL_WAIT = 12.0
"""Longest waits, seconds: with the round trip far below the platform's 15 (platform.md §1.3)."""
GATHER = 0.25
"""A poll that has text waits so long for more, seconds: text flows, with four requests a second at most."""
MAX_CURSOR = 10**9
WITHOUT_CONSENT = frozenset(
    f"user.{name}"
    for name in ("config", "me", "models", "consent", "withdraw", "export", "export_file", "erase", "check_receipt")
)
"""What may be called without a consent to the current texts: reading them, answering, and leaving with one's data."""
TURNS = frozenset(f"user.{name}" for name in ("send", "regenerate", "continue_"))
"""What begins a turn."""
BEGINNING = (TURNS | {"user.tickets"}) - {"user.send"}
"""What begins something: the consent of this very moment counts, not that of some seconds ago. A send asks for it in
the moment it is stored (`Consents.renewing`)."""
AI_TEXT = frozenset(
    f"user.{name}"
    for name in (
        *("send", "events", "stream", "regenerate", "continue_", "messages", "export", "export_file"),
        *("conversations", "create_conversation", "conversation", "rename", "restore", "search", "search_by_body"),
    )
)
"""Whose answers may hold text of the model, titles and snippets included: each names the label (P12)."""
_encoder = msgspec.json.Encoder()


class Cut(Exception):
    """A stream that could not be finished."""


def plane(services: "Services", *, leaving: Callable[[], bool]) -> Blueprint:  # noqa: C901  a list of short routes
    """The blueprint. `leaving` says that this instance runs nothing any more: streams end, clients resume elsewhere."""
    routes = Blueprint("user", __name__, url_prefix="/v1")

    label = services.settings.ai_label

    @routes.before_request
    def admit() -> None:
        """Identity first, then consent; what may be done without a consent asks for the account itself."""
        g.principal = caller(services)
        if request.endpoint not in WITHOUT_CONSENT:
            if request.endpoint in TURNS:
                services.turns.check_room()  # who finds none costs no look at the store
            g.owner = services.consents.admit(g.principal, fresh=request.endpoint in BEGINNING)

    @routes.after_request
    def name_label(response: Response) -> Response:
        if request.endpoint in AI_TEXT:
            response.headers["X-AI-Label"] = quote(label)
        return response

    def owner() -> Owner:
        found: Owner = g.owner
        return found

    def wanted_wait() -> float:
        # Asked for before anything is done: a wait that is not a number must leave no turn behind.
        return number("wait", 0.0, 0.0, SEND_WAIT)

    def sent(caller: Owner, outcome: Sent, wait: float) -> Response:
        piece = services.listen.read(caller, outcome.turn.id, 0, 0)
        if wait and piece.live and piece.cursor <= 1:
            more = services.listen.read(caller, outcome.turn.id, piece.cursor, wait, gather=GATHER)
            piece = msgspec.structs.replace(
                more, events=[*piece.events, *more.events], cursor=max(piece.cursor, more.cursor)
            )
        shown = b'{"turn":%s,"events":%s,"cursor":%d,"live":%s,"label":%s}' % (
            _encoder.encode(turn_out(outcome.turn)),
            event_list(piece.events),
            piece.cursor,
            b"true" if piece.live else b"false",
            _encoder.encode(label),
        )
        return _json(shown, 200 if outcome.existing else 202)

    @routes.post("/turns")
    def send() -> Response:
        wait, asked, caller = wanted_wait(), body(schemas.SendIn), owner()
        caller, outcome = services.consents.renewing(
            caller,
            lambda known: services.turns.send(
                known, asked.client_id, asked.text, asked.conversation_id, asked.model, asked.replaces
            ),
        )
        return sent(caller, outcome, wait)

    @contextmanager
    def listening(transport: str) -> Iterator[None]:
        services.metrics.listeners(transport, 1)
        try:
            yield
        finally:
            services.metrics.listeners(transport, -1)

    @routes.get("/turns/<id:turn_id>/events")
    def events(turn_id: str) -> Response:
        after, wait = integer("after", 0, 0, MAX_CURSOR), number("wait", 0.0, 0.0, POLL_WAIT)
        with listening("poll"):
            return _json(events_json(services.listen.read(owner(), turn_id, after, wait, gather=GATHER), label))

    @routes.get("/turns/<id:turn_id>/stream")
    def stream(turn_id: str) -> Response:
        resumed = request.headers.get("Last-Event-ID", "")
        known = int(resumed) if resumed.isascii() and resumed.isdigit() and len(resumed) < 10 else 0
        after = max(known, integer("after", 0, 0, MAX_CURSOR))
        caller, identifier = owner(), request_id()
        first = services.listen.read(caller, turn_id, after, 0)  # a wrong id is told before the stream begins
        if known and not (first.events or first.live) and "text/event-stream" in request.headers.get("Accept", ""):
            return Response(status=204)  # the only word that keeps a browser's EventSource from asking for ever

        def follow() -> Iterator[bytes]:
            def log(kind: str) -> None:
                services.turn_log.fault(kind, identifier, "user.stream")

            with listening("sse"):
                yield from sse(services.listen, caller, first, label=label, leaving=leaving, log=log)

        return Response(follow(), content_type="text/event-stream; charset=utf-8", headers={"X-Accel-Buffering": "no"})

    @routes.post("/turns/<id:turn_id>/stop")
    def stop(turn_id: str) -> Response:
        body(schemas.EmptyIn)
        return _answer(schemas.StoppedOut(turn=turn_out(services.turns.stop(owner(), turn_id))))

    @routes.post("/turns/<id:turn_id>/regenerate")
    def regenerate(turn_id: str) -> Response:
        wait, asked, caller = wanted_wait(), body(schemas.RegenerateIn), owner()
        caller, outcome = services.consents.renewing(
            caller, lambda known: services.turns.regenerate(known, turn_id, asked.client_id, asked.model)
        )
        return sent(caller, outcome, wait)

    @routes.post("/turns/<id:turn_id>/continue")
    def continue_(turn_id: str) -> Response:
        wait, asked, caller = wanted_wait(), body(schemas.ContinueIn), owner()
        caller, outcome = services.consents.renewing(
            caller, lambda known: services.turns.continue_(known, turn_id, asked.client_id)
        )
        return sent(caller, outcome, wait)

    @routes.post("/tickets")
    def tickets() -> Response:
        body(schemas.EmptyIn)
        ticket = services.tickets.issue(g.principal)
        return _answer(schemas.TicketOut(ticket=ticket.ticket, expires_in=ticket.expires_in), 201)

    def told(view: ConversationView) -> Response:
        return _answer(schemas.ConversationOut(conversation=view, label=label))

    @routes.get("/conversations")
    def conversations() -> Response:
        page = services.conversations.page(owner(), cursor("before"), integer("limit", 20, 1, 100))
        return _answer(schemas.ConversationsOut(conversations=page.items, next=page.next, label=label))

    @routes.post("/conversations")
    def create_conversation() -> Response:
        view = services.conversations.create(owner(), body(schemas.CreateConversationIn).title)
        return _answer(schemas.ConversationOut(conversation=view, label=label), 201)

    @routes.get("/conversations/<id:conversation_id>")
    def conversation(conversation_id: str) -> Response:
        return told(services.conversations.get(owner(), conversation_id))

    @routes.put("/conversations/<id:conversation_id>")
    def rename(conversation_id: str) -> Response:
        return told(services.conversations.rename(owner(), conversation_id, body(schemas.RenameIn).title))

    @routes.delete("/conversations/<id:conversation_id>")
    def delete(conversation_id: str) -> Response:
        if flag("forever"):
            return _answer(services.account.erase_conversation(owner(), conversation_id))
        seconds = services.conversations.delete(owner(), conversation_id)
        return _answer(schemas.DeletedOut(deleted=True, undo_seconds=seconds))

    @routes.post("/conversations/<id:conversation_id>/restore")
    def restore(conversation_id: str) -> Response:
        body(schemas.EmptyIn)
        return told(services.conversations.restore(owner(), conversation_id))

    @routes.get("/conversations/<id:conversation_id>/messages")
    def messages(conversation_id: str) -> Response:
        limit = integer("limit", 30, 1, 100)
        page = services.conversations.messages(owner(), conversation_id, cursor("before"), limit)
        return _answer(schemas.MessagesOut(messages=page.items, next=page.next))

    @routes.post("/messages/<id:message_id>/feedback")
    def feedback(message_id: str) -> Response:
        said = body(schemas.FeedbackIn)
        services.conversations.feedback(
            owner(), message_id, Feedback(value=said.value, reasons=tuple(said.reasons), comment=said.comment)
        )
        return _answer(schemas.DoneOut())

    @routes.post("/messages/<id:message_id>/report")
    def report(message_id: str) -> Response:
        said = body(schemas.ReportIn)
        services.conversations.report(owner(), message_id, said.reason, said.comment)
        return _answer(schemas.DoneOut())

    @routes.post("/complaints")
    def complain() -> Response:
        said, caller = body(UserComplaintIn), owner()
        return _answer(CaseIdOut(case=services.cases.complain(caller, said.text)), 201)

    @routes.post("/operator/bind")
    def bind_operator() -> Response:
        given = body(BindIn)
        if not services.settings.operators_in_miniprogram:
            raise NotFound
        return _answer(services.operators.bind(owner().user_id, given.code))

    @routes.get("/search")
    def search() -> Response:
        return found(request.args.get("q", ""), cursor("after"), integer("limit", 20, 1, 50))

    @routes.post("/search")
    def search_by_body() -> Response:
        asked = body(schemas.SearchIn)
        return found(asked.q, asked.after, asked.limit)

    def found(query: str, after: str | None, limit: int) -> Response:
        if NOT_TEXT.search(query):
            raise InvalidRequest("q holds a character that is not text")
        return _answer(services.search.find(owner(), query, after, limit))

    @routes.get("/me")
    def me() -> Response:
        limits = services.settings
        return _answer(
            schemas.MeOut(
                user=schemas.UserOut(id=services.people.user_id_of(g.principal)[:12]),
                consent=services.consents.status(g.principal),
                limits=schemas.LimitsOut(rate=limits.rate_limit.text, text_chars=limits.max_text_chars),
            )
        )

    @routes.put("/me/consent")
    def consent() -> Response:
        given = body(schemas.ConsentIn)
        return _answer(services.consents.accept(g.principal, given.version, given.overseas))

    @routes.delete("/me/consent")
    def withdraw() -> Response:
        view = services.consents.withdraw(g.principal)
        services.account.stop(g.principal)
        return _answer(view)

    @routes.get("/me/export")
    def export() -> Response:
        form = file_format()
        return _answer(services.export.part(*account(), form, cursor("cursor", 1000)))

    @routes.get("/me/export/file")
    def export_file() -> Response:
        parts = services.export.whole(*account(), file_format())
        first, identifier = next(parts), request_id()  # what fails at once is told in words

        def stream() -> Iterator[bytes]:
            yield first.content.encode()
            try:
                for part in parts:
                    yield part.content.encode()
            except Exception as fault:  # past the framework's handlers: the server would log it with its words
                services.turn_log.fault(type(fault).__name__, identifier, "user.export_file")
                raise Cut from None  # the client must see that the file is not whole

        headers = {"Content-Disposition": f'attachment; filename="{first.name}"', "X-Accel-Buffering": "no"}
        return Response(stream(), content_type=f"{first.mime}; charset=utf-8", headers=headers)

    def file_format() -> Format:
        return "markdown" if choice("format", ("json", "markdown"), "json") == "markdown" else "json"

    def account() -> tuple[User, Owner]:
        found: tuple[User, Owner] | None = services.people.find(g.principal, fresh=True)
        if found is None:
            raise NotFound("nothing is held about this caller")
        return found

    @routes.delete("/me")
    def erase() -> Response:
        return _answer(services.account.erase(g.principal))

    @routes.post("/receipts/check")
    def check_receipt() -> Response:
        return _answer(schemas.GenuineOut(genuine=services.receipts.genuine(body(schemas.ReceiptIn).receipt)))

    @routes.get("/me/credits")
    def credits_now() -> Response:
        return _answer(services.credits.view(owner()))

    @routes.get("/me/credits/entries")
    def credit_entries() -> Response:
        everything, limit = flag("all"), integer("limit", 20, 1, 100)
        return _answer(services.credits.entries(owner(), cursor("before"), limit, everything))

    @routes.post("/me/credits/redeem")
    def redeem() -> Response:
        asked = body(schemas.RedeemIn)
        return _answer(services.credits.redeem(owner(), asked.code))

    @routes.get("/turns/<id:turn_id>/receipt")
    def receipt(turn_id: str) -> Response:
        return _answer(services.credits.receipt(owner(), turn_id))

    @routes.get("/models")
    def models() -> Response:
        found = services.people.find(g.principal)
        overseas = found is not None and found[0].consent_overseas
        return _answer(schemas.ModelsOut(models=services.catalog.models(overseas=overseas)))

    @routes.get("/config")
    def config() -> Response:
        return _answer(services.catalog.config())

    return routes


def turn_out(turn: Turn) -> schemas.TurnOut:
    """A turn as its owner sees it."""
    return schemas.TurnOut(
        id=turn.id,
        conversation_id=turn.conversation_id,
        client_id=turn.client_id,
        state=turn.state,
        created_at=turn.created_at,
    )


def _answer(struct: Any, status: int = 200) -> Response:
    return _json(_encoder.encode(struct), status)


def _json(encoded: bytes, status: int = 200) -> Response:
    return Response(encoded, status, content_type="application/json")
