"""Routes of the operators' desk: a session of an operator before each but the log-in; roles as docs/operators.md says.

Through WeChat's link they are closed, unless the setting opens them: then the platform's identity must be that of the
user whom a one-time code bound to the account, and the token the one that this user was given.
"""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from flask import Blueprint, Response, g, request

from yunliao.errors import IdentityUntrusted, InvalidRequest, OperatorLogin
from yunliao.services.audit_trail import Head, Verified
from yunliao.services.operators import Operator, Role
from yunliao.web import desk_schemas as schemas
from yunliao.web import setup
from yunliao.web.identity import principal_of, through_wechat
from yunliao.web.schemas import DoneOut, EmptyIn
from yunliao.web.validation import body, cursor, integer

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

_encoder = msgspec.json.Encoder()
AI_TEXT = frozenset({"desk.read"})
"""Whose answers hold text of the model: each names the label (P12)."""
STATES = ("open", "looked", "decided")


def plane(services: "Services") -> Blueprint:  # noqa: C901  a list of short routes
    """The blueprint."""
    routes = Blueprint("desk", __name__, url_prefix="/op/v1")
    settings = services.settings

    @routes.before_request
    def check() -> None:
        inside = through_wechat(request.headers)
        if inside and not settings.operators_in_miniprogram:
            raise IdentityUntrusted("operator routes are not for mini-programs")
        if request.endpoint == "desk.login":
            if inside:
                raise IdentityUntrusted("inside a mini-program a one-time code is needed: /v1/operator/bind")
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise OperatorLogin
        user_id = services.people.user_id_of(principal_of(request.headers, settings)) if inside else ""
        g.token = token.strip()
        g.operator = services.operators.check(g.token, user_id)

    @routes.after_request
    def name_label(response: Response) -> Response:
        if request.endpoint in AI_TEXT:
            response.headers["X-AI-Label"] = quote(settings.ai_label)
        return response

    def actor(role: Role = "viewer") -> str:
        """The name of who acts, who must have at least that role."""
        operator: Operator = g.operator
        operator.require(role)
        return operator.name

    # --- sessions and accounts ----------------------------------------------------------------------------------------

    @routes.post("/login")
    def login() -> Response:
        asked = body(schemas.LoginIn)
        return _answer(services.operators.login(asked.name, asked.password))

    @routes.post("/logout")
    def logout() -> Response:
        body(EmptyIn)
        services.operators.logout(g.token)
        return _answer(DoneOut())

    @routes.get("/me")
    def me() -> Response:
        return _answer(schemas.OperatorOut(name=g.operator.name, role=g.operator.role))

    @routes.put("/me/password")
    def own_password() -> Response:
        asked = body(schemas.PasswordIn)
        services.operators.login(actor(), asked.password)
        services.operators.set_password(actor(), actor(), asked.new)
        return _answer(DoneOut())

    @routes.post("/bindings")
    def binding() -> Response:
        body(EmptyIn)
        if not settings.operators_in_miniprogram:
            raise InvalidRequest("YUNLIAO_OPERATORS_IN_MINIPROGRAM is off")
        return _answer(services.operators.binding_code(g.operator), 201)

    @routes.get("/operators")
    def operators() -> Response:
        actor("owner")
        return _answer(schemas.OperatorsOut(operators=services.operators.all()))

    @routes.post("/operators")
    def add_operator() -> Response:
        who, asked = actor("owner"), body(schemas.OperatorIn)
        password = services.operators.add(who, asked.name, asked.role, asked.password)
        return account(asked.name, None if asked.password else password, 201)

    @routes.put("/operators/<operator:name>")
    def change_operator(name: str) -> Response:
        who, asked = actor("owner"), body(schemas.OperatorChangeIn)
        if name == who and (asked.disabled or (asked.role or "owner") != "owner"):
            raise InvalidRequest("an owner cannot give up the own account: another owner can")
        password = None
        if asked.role is not None:
            services.operators.set_role(who, name, asked.role)
        if asked.disabled is not None:
            services.operators.disable(who, name, disabled=asked.disabled)
        if asked.new_password:
            password = services.operators.set_password(who, name)
        return account(name, password)

    def account(name: str, password: str | None, status: int = 200) -> Response:
        view = services.operators.get(name)
        return _answer(schemas.NewPasswordOut(operator=view, password=password), status)

    # --- users --------------------------------------------------------------------------------------------------------

    @routes.post("/users/find")
    def find() -> Response:
        who, asked = actor(), body(schemas.FindIn)
        if (asked.openid is None) == (asked.number is None):
            raise InvalidRequest("openid or number is needed")
        if asked.number is not None:
            return _answer(services.users_desk.by_number(asked.number))
        only = next(iter(settings.appids)) if len(settings.appids) == 1 else None
        appid = asked.appid or only
        if appid is None or asked.openid is None:
            raise InvalidRequest("appid is needed: the service has none or several")
        return _answer(services.users_desk.find(who, appid, asked.openid))

    @routes.get("/users/<operator:user_id>")
    def user(user_id: str) -> Response:
        return _answer(services.users_desk.get(user_id))

    @routes.get("/users/<operator:user_id>/verdicts")
    def user_verdicts(user_id: str) -> Response:
        return _answer(services.users_desk.verdicts(user_id, cursor("before"), integer("limit", 50, 1, 200)))

    @routes.post("/users/<operator:user_id>/suspend")
    def suspend(user_id: str) -> Response:
        who, asked = actor("operator"), body(schemas.SuspendIn)
        return _answer(services.users_desk.suspend(who, user_id, asked.reason, asked.days))

    @routes.post("/users/<operator:user_id>/lift")
    def lift(user_id: str) -> Response:
        who, asked = actor("operator"), body(schemas.ReasonIn)
        return _answer(services.users_desk.lift(who, user_id, asked.reason))

    @routes.post("/users/<operator:user_id>/read")
    def read(user_id: str) -> Response:
        who, asked, desk = actor("operator"), body(schemas.ReadIn), services.users_desk
        if asked.message_id is not None:
            found = desk.message(who, user_id, asked.message_id, asked.reason)
            return _answer(schemas.ReadOut(label=settings.ai_label, messages=[found]))
        if asked.conversation_id is not None:
            page = desk.messages(who, user_id, asked.conversation_id, asked.reason, asked.before, asked.limit)
            return _answer(schemas.ReadOut(label=settings.ai_label, messages=page.items, next=page.next))
        listed = desk.conversations(who, user_id, asked.reason, asked.before, asked.limit)
        return _answer(schemas.ReadOut(label=settings.ai_label, conversations=listed.items, next=listed.next))

    @routes.get("/users/<operator:user_id>/credits")
    def user_credits(user_id: str) -> Response:
        return _answer(services.credit_desk.balance(services.users_desk.get(user_id).id))

    @routes.post("/users/<operator:user_id>/credits")
    def adjust(user_id: str) -> Response:
        who, asked = actor("owner"), body(schemas.CreditsIn)
        user = services.users_desk.get(user_id)
        moved = services.credit_desk.move(
            who,
            user.id,
            asked.kind,
            amount=asked.amount,
            reason=asked.reason,
            reference=asked.reference or "",
            days=asked.days,
        )
        return _answer(moved)

    # --- moderation ---------------------------------------------------------------------------------------------------

    @routes.get("/verdicts")
    def verdicts() -> Response:
        return _answer(services.users_desk.verdicts(None, cursor("before"), integer("limit", 50, 1, 200)))

    @routes.get("/verdicts/passes")
    def passes() -> Response:
        return _answer(schemas.PassesOut(passes=services.users_desk.passes(integer("days", 30, 1, 3650))))

    @routes.get("/cases")
    def cases() -> Response:
        state = request.args.get("state")
        if state is not None and state not in STATES:
            raise InvalidRequest("state must be open, looked or decided")
        return _answer(services.cases.page(state, cursor("before"), integer("limit", 50, 1, 200)))  # type: ignore[arg-type]

    @routes.post("/cases")
    def enter_case() -> Response:
        who, asked = actor("operator"), body(schemas.ComplaintIn)
        return _answer(services.cases.enter(who, asked.note, asked.user_id or ""), 201)

    @routes.get("/cases/<operator:case_id>")
    def case(case_id: str) -> Response:
        return _answer(services.cases.get(case_id))

    @routes.post("/cases/<operator:case_id>/look")
    def look(case_id: str) -> Response:
        who = actor("operator")
        body(EmptyIn)
        return _answer(services.cases.look(who, case_id))

    @routes.post("/cases/<operator:case_id>/words")
    def case_words(case_id: str) -> Response:
        who, asked = actor("operator"), body(schemas.ReasonIn)
        return _answer(schemas.TextOut(text=services.users_desk.complaint(who, case_id, asked.reason)))

    @routes.post("/cases/<operator:case_id>/decide")
    def decide(case_id: str) -> Response:
        who, asked = actor("operator"), body(schemas.DecideIn)
        return _answer(services.cases.decide(who, case_id, asked.decision, asked.note))

    @routes.get("/words")
    def word_lists() -> Response:
        versions = services.word_lists.all()
        return _answer(schemas.WordListsOut(versions=versions, in_use_here=services.live_words.version))

    @routes.post("/words")
    def add_words() -> Response:
        who, asked = actor("operator"), body(schemas.WordsIn)
        return _answer(services.word_lists.add(who, asked.words, asked.note), 201)

    @routes.post("/words/test")
    def test_words() -> Response:
        asked = body(schemas.WordsTestIn)
        found = services.word_lists.test(asked.text, version=asked.version, words=asked.words)
        return _answer(schemas.HitsOut(hits=found))

    @routes.get("/words/<int:version>")
    def word_list(version: int) -> Response:
        return _answer(services.word_lists.get(version))

    @routes.post("/words/<int:version>/use")
    def use_words(version: int) -> Response:
        who = actor("operator")
        body(EmptyIn)
        services.word_lists.use(who, version)
        return _answer(DoneOut())

    # --- relays and setup ---------------------------------------------------------------------------------------------

    @routes.get("/relays")
    def relays() -> Response:
        return _answer(services.relay_desk.all())

    @routes.post("/relays/<operator:name>/off")
    def relay_off(name: str) -> Response:
        who, asked = actor("operator"), body(schemas.ReasonIn)
        return _answer(services.relay_desk.switch_off(who, name, asked.reason))

    @routes.post("/relays/<operator:name>/on")
    def relay_on(name: str) -> Response:
        who = actor("operator")
        body(EmptyIn)
        return _answer(services.relay_desk.switch_on(who, name))

    @routes.post("/relays/<operator:name>/test")
    def test_relay(name: str) -> Response:
        who, asked = actor("operator"), body(schemas.RelayTestIn)
        return _answer(services.relay_desk.test(who, name, asked.model))

    @routes.get("/models")
    def models() -> Response:
        return _answer(setup.models_of(settings))

    @routes.get("/settings")
    def settings_shown() -> Response:
        return _answer(setup.settings_of(settings))

    # --- what goes on -------------------------------------------------------------------------------------------------

    @routes.get("/summary")
    def summary() -> Response:
        hours, days = integer("hours", 24, 0, 744), integer("days", 7, 0, 400)
        return _answer(services.summary.view(hours=hours, days=days))

    # --- audit --------------------------------------------------------------------------------------------------------

    @routes.get("/audit")
    def audit() -> Response:
        actor("owner")
        after, limit = integer("after", 0, 0, 10**9), integer("limit", 100, 1, 500)
        return _answer(schemas.AuditOut(entries=services.audit_trail.page(after=after, limit=limit)))

    @routes.post("/audit/find")
    def find_audited() -> Response:
        actor("owner")
        asked = body(schemas.AuditFindIn)
        found = services.audit_trail.find(
            before=asked.before,
            limit=asked.limit,
            actor=asked.actor,
            action=asked.action,
            subject=asked.subject,
        )
        return _answer(found)

    @routes.post("/audit/verify")
    def verify() -> Response:
        actor("owner")
        head = body(schemas.HeadIn)
        expected = Head(head.seq, head.mac) if head.seq else None
        found: Verified = services.audit_trail.verify(expected)
        return _answer(found)

    return routes


def _answer(struct: Any, status: int = 200) -> Response:
    return Response(_encoder.encode(struct), status, content_type="application/json")
