"""Taking a message: stored once, whatever is repeated, before anything else happens to it (P2, P3)."""

from collections.abc import Sequence

import msgspec

from yunliao.domain.events import Accepted, encode_event
from yunliao.domain.ledger.reserving import Charge
from yunliao.domain.turn import Kind, MessageBody, Turn
from yunliao.errors import (
    ClientIdConflict,
    CoolingDown,
    InvalidRequest,
    NotFound,
    NothingToContinue,
    OverseasConsentRequired,
    RateLimited,
    Refused,
    RequestTooLarge,
    ServiceBudgetExhausted,
    TurnInProgress,
)
from yunliao.ports import AcceptLimits, AcceptOutcome, Clock, Conversation, Conversations, Draft, Ids, Message, Turns
from yunliao.services.asking import Words
from yunliao.services.catalog import ModelView, default_model
from yunliao.services.engine import Engine
from yunliao.services.live_log import Numbered
from yunliao.services.people import Outdated, Owner
from yunliao.services.pricing import Pricing


class Sent(msgspec.Struct, frozen=True):
    """The turn of a send; `existing` when this client id had been accepted before."""

    turn: Turn
    existing: bool


class TurnService:
    """Send, regenerate, continue, stop."""

    def __init__(
        self,
        *,
        turns: Turns,
        conversations: Conversations,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        limits: AcceptLimits,
        models: Sequence[ModelView],
        max_text_chars: int,
        lease_seconds: float,
        pricing: Pricing | None = None,
    ) -> None:
        """Without `pricing` nothing costs anything."""
        self._turns = turns
        self._conversations = conversations
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._models = {model.id: model for model in models}
        self._max_text = max_text_chars
        self._lease_ms = int(lease_seconds * 1000)
        self._pricing = pricing

    def send(
        self,
        owner: Owner,
        client_id: str,
        text: str,
        conversation_id: str | None = None,
        model: str | None = None,
        replaces: str | None = None,
    ) -> Sent:
        """Accept a message. Called by `Consents.renewing`: where the account is not as `owner` says any more, a consent
        being withdrawn for example, it raises `Outdated`. `replaces` names an own earlier message: it and all after it
        leave the history.

        Raises `InvalidRequest`, `RequestTooLarge`, `NotFound`, `ClientIdConflict`, `TurnInProgress`, `RateLimited`,
        `CoolingDown`, `OverseasConsentRequired`, `Outdated`, `QueueFull`, `Draining`, `StoreUnavailable`, and
        where answers cost something `InsufficientCredits`, `DailyLimit`, `TurnLimit`, `ServiceBudgetExhausted`; after
        any of them nothing is stored.
        """
        if not text.strip():
            raise InvalidRequest("text is empty")
        if len(text) > self._max_text:
            raise RequestTooLarge("text is too long", limit=self._max_text)
        if replaces is not None:
            replaced = self._conversations.message(owner.user_id, replaces)
            if replaced is None or replaced.role != "user" or replaced.conversation_id != conversation_id:
                raise NotFound("replaces")
        fresh = None
        now = self._clock.now_ms()
        if conversation_id is None:
            fresh = Conversation(id=self._ids.new("conv"), user_id=owner.user_id, created_at=now, last_activity_at=now)
        turn = self._turn(
            owner,
            client_id=client_id,
            kind="send",
            model=model,
            conversation_id=conversation_id or (fresh.id if fresh else ""),
            asked=(text, conversation_id or "", replaces or ""),
            now=now,
        )
        turn = msgspec.structs.replace(turn, user_message_id=self._ids.new("msg"))
        message = Message(
            id=turn.user_message_id,
            user_id=owner.user_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
            role="user",
            sealed_body=owner.seal(turn.user_message_id, "body", msgspec.json.encode(MessageBody(text=text))),
            created_at=now,
        )
        return self._accept(owner, turn, message, fresh, hide_from=replaces or "", text=text)

    def regenerate(self, owner: Owner, turn_id: str, client_id: str, model: str | None = None) -> Sent:
        """Answer the last question of a conversation anew; the old answer leaves the history."""
        repeated = self._repeated(owner, client_id, "regenerate", turn_id)
        if repeated:
            return repeated
        source = self._source(owner, turn_id)
        if source.error_code == "blocked_input":
            raise NothingToContinue
        turn = self._again(owner, source, client_id, "regenerate", model or source.model)
        return self._accept(owner, turn, None, None, hide_ids=(source.answer_message_id,))

    def continue_(self, owner: Owner, turn_id: str, client_id: str) -> Sent:
        """Go on with an answer that ended before it was complete."""
        repeated = self._repeated(owner, client_id, "continue", turn_id)
        if repeated:
            return repeated
        source = self._source(owner, turn_id)
        answer = self._conversations.message(owner.user_id, source.answer_message_id)
        if source.end_reason in ("complete", "blocked") or answer is None or answer.state != "normal":
            raise NothingToContinue
        turn = self._again(owner, source, client_id, "continue", source.model)
        return self._accept(owner, turn, None, None)

    @property
    def full(self) -> bool:
        """Whether no new turn can be taken now; asking promises nobody a time."""
        return self._engine.full

    def check_room(self) -> None:
        """Raises `QueueFull` or `Draining` when no new turn can be taken, without a look at the store."""
        self._engine.check_room()

    def made_by(self, owner: Owner, client_id: str) -> Turn | None:
        """The turn of this caller's client id, whatever was asked with it."""
        return self._turns.by_client_id(owner.user_id, client_id)

    def stop(self, owner: Owner, turn_id: str) -> Turn:
        """Ask a turn to end with what was shown (P8); idempotent, no effect on an ended turn. Raises `NotFound`."""
        turn = self._own(owner, turn_id)
        if turn.live:
            here = self._engine.stop(turn_id)
            self._turns.request_stop(turn_id)
            if not here and turn.lease_until < self._clock.now_ms():
                self._engine.take_over(self._own(owner, turn_id))
        return turn

    # --- parts ------------------------------------------------------------------------------------------------------

    def _own(self, owner: Owner, turn_id: str) -> Turn:
        turn = self._turns.get(turn_id)
        if turn is None or turn.user_id != owner.user_id:
            raise NotFound
        return turn

    def _source(self, owner: Owner, turn_id: str) -> Turn:
        """An ended turn whose answer is the last thing in its conversation."""
        source = self._own(owner, turn_id)
        if source.live:
            raise TurnInProgress(turn_id=source.id)
        newest = self._conversations.messages(owner.user_id, source.conversation_id, before=None, limit=1)
        if not newest or newest[0].id != source.answer_message_id:
            raise NothingToContinue
        return source

    def _repeated(self, owner: Owner, client_id: str, *asked: str) -> Sent | None:
        """The turn of a repeated request: its source has changed since, so it must be recognised first."""
        existing = self._turns.by_client_id(owner.user_id, client_id)
        if existing is None:
            return None
        if existing.fingerprint != owner.fingerprint(asked[0], *asked):
            raise ClientIdConflict
        return Sent(existing, True)

    def _again(self, owner: Owner, source: Turn, client_id: str, kind: Kind, model: str | None) -> Turn:
        turn = self._turn(
            owner,
            client_id=client_id,
            kind=kind,
            model=model,
            conversation_id=source.conversation_id,
            asked=(kind, source.id),
            now=self._clock.now_ms(),
        )
        return msgspec.structs.replace(turn, user_message_id=source.user_message_id, source_turn_id=source.id)

    def _turn(
        self,
        owner: Owner,
        *,
        client_id: str,
        kind: Kind,
        model: str | None,
        conversation_id: str,
        asked: tuple[str, ...],
        now: int,
    ) -> Turn:
        overseas = owner.principal.overseas
        chosen = model or default_model(tuple(self._models.values()), overseas=overseas)
        if chosen not in self._models:
            raise InvalidRequest("model is not one of /v1/models")
        if self._models[chosen].overseas and not overseas:
            raise OverseasConsentRequired
        turn_id = self._ids.new("turn")
        return Turn(
            id=turn_id,
            user_id=owner.user_id,
            conversation_id=conversation_id,
            client_id=client_id,
            fingerprint=owner.fingerprint(kind, *asked),
            kind=kind,
            model=chosen,
            answer_message_id=self._ids.new("msg"),
            owner=self._engine.instance,
            lease_until=now + self._lease_ms,
            last_seq=1,
            created_at=now,
            sealed_principal=owner.seal(turn_id, "principal", msgspec.json.encode(owner.principal)),
        )

    def _accept(
        self,
        owner: Owner,
        turn: Turn,
        message: Message | None,
        fresh: Conversation | None,
        *,
        hide_from: str = "",
        hide_ids: tuple[str, ...] = (),
        text: str | None = None,
    ) -> Sent:
        self.check_room()
        self._check_break(owner, turn)
        try:
            charge = self._charge(owner, turn, text)
        except (Refused, ServiceBudgetExhausted):
            existing = self._turns.by_client_id(owner.user_id, turn.client_id)
            if existing is None:
                raise
            return Sent(self._same(turn, existing), True)  # accepted before: what is lacking now does not matter
        if charge is not None:
            turn = msgspec.structs.replace(turn, price_version=charge.price_version, reserved=charge.amount)
        first = encode_event(
            Accepted(
                turn_id=turn.id,
                conversation_id=turn.conversation_id,
                client_id=turn.client_id,
                user_message_id=turn.user_message_id,
                created_at=turn.created_at,
            )
        )
        draft = Draft(
            turn=turn,
            message=message,
            new_conversation=fresh,
            accepted_event=owner.seal(turn.id, "event/1", first),
            hide_from_message_id=hide_from,
            hide_message_ids=hide_ids,
            charge=charge,
            key_id=owner.key_id,
            permit=owner.permit,
        )
        outcome = self._turns.accept(draft, self._limits)
        if outcome.status != "accepted" and self._pricing and charge:
            self._pricing.not_accepted(charge, turn.created_at)
        if outcome.status == "turn_in_progress":
            self._revive(outcome.turn)
        if outcome.status == "accepted":
            words = Words(text, fresh is not None) if text is not None else None
            self._engine.start(turn, owner, [Numbered(1, first)], words)
            return Sent(turn, False)
        return Sent(self._existing(turn, outcome), True)

    def _charge(self, owner: Owner, turn: Turn, text: str | None) -> Charge | None:
        if self._pricing is None:
            return None
        charge = self._pricing.charge(owner, turn, text)
        self._pricing.admit(charge)
        return charge

    def _check_break(self, owner: Owner, turn: Turn) -> None:
        """A message that was accepted before the break began is answered when it is sent again (P3)."""
        left = owner.cooling_until - turn.created_at
        if left > 0 and self._turns.by_client_id(owner.user_id, turn.client_id) is None:
            raise CoolingDown(retry_after=-(-left // 1000))

    def _revive(self, standing: Turn | None) -> None:
        """A live turn whose owner died must not lock its user out: taking it over soon ends it."""
        if standing is not None and standing.lease_until < self._clock.now_ms():
            self._engine.take_over(standing)

    def _existing(self, turn: Turn, outcome: AcceptOutcome) -> Turn:
        match outcome.status:
            case "rate_limited":
                raise RateLimited(retry_after=max(1, -(-outcome.retry_after_ms // 1000)))
            case "no_user" | "outdated":  # erased or changed a moment ago, by another call or on another instance
                raise Outdated
            case "no_conversation":
                raise NotFound("conversation_id")
            case "turn_in_progress":
                raise TurnInProgress(retry_after=2, turn_id=outcome.turn.id if outcome.turn else "")
            case "shortfall" if outcome.shortfall and self._pricing:
                raise self._pricing.short(outcome.shortfall)
        existing = outcome.turn
        assert existing is not None  # noqa: S101  `existing` always comes with its turn
        return self._same(turn, existing)

    def _same(self, turn: Turn, existing: Turn) -> Turn:
        if existing.fingerprint != turn.fingerprint:
            raise ClientIdConflict
        return existing
