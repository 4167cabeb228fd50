"""What the services ask of the world: small Protocols, listing only what is used.

The store sees sealed bytes, ids, numbers and times; never text, a title or an openid (P9 holds by construction).
Every store call may raise `StoreUnavailable` and nothing else that is foreign. Times are Unix milliseconds.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

from yunliao.domain.events import EndReason, Usage
from yunliao.domain.ledger.reserving import Charge, Shortfall
from yunliao.domain.principal import Principal
from yunliao.domain.turn import ChatMessage, Ending, Turn
from yunliao.domain.verdict import Verdict
from yunliao.ports_ledger import Ledger
from yunliao.ports_once import Once

# --- time and chance ---------------------------------------------------------------------------------------------


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """Makes identifiers that sort by time and cannot be guessed."""

    def new(self, prefix: str) -> str:
        """`prefix` + `_` + 26 characters of Crockford base 32, like `turn_01J…`."""
        ...


# --- sealing -----------------------------------------------------------------------------------------------------


class Vault(Protocol):
    """The master key ring: wraps data keys, seals with them, and hashes look-up values (design.md §4.6)."""

    def wrap(self, key: bytes, *, context: str) -> bytes:
        """`key` (32 bytes) sealed under the writing master key, bound to `context`."""
        ...

    def unwrap(self, wrapped: bytes, *, context: str) -> bytes:
        """The key of `wrap`. Raises `Misconfigured` when the ring lacks its master key or the blob is not genuine."""
        ...

    def seal(self, key: bytes, plaintext: bytes, *, context: str) -> bytes:
        """AES-256-GCM with a fresh nonce; `context` (owner, record and field) is the associated data."""
        ...

    def open(self, key: bytes, blob: bytes, *, context: str) -> bytes:
        """The plaintext of `seal`. Raises `Internal` when blob, key or context do not belong together."""
        ...

    def lookup(self, key: bytes, value: str) -> str:
        """HMAC-SHA256 of `value` as URL-safe text of fixed length: the name under which a person is stored."""
        ...


# --- store -------------------------------------------------------------------------------------------------------


class Permit(msgspec.Struct, frozen=True):
    """What of a user's record says whether they may begin something, and where it may be processed."""

    consent_version: str
    overseas: bool
    suspended_until: int
    cooling_until: int


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as stored: `id` is the look-up hash of the openid. `wrapped_key` is, under the master, the user's data key
    or, with `key_id`, the half of it whose other half has that id in the key store (ports_people.KeyStore)."""

    id: str
    wrapped_key: bytes
    sealed_openid: bytes
    created_at: int
    suspended_until: int = 0
    consent_version: str = ""
    consent_at: int = 0
    consent_overseas: bool = False
    key_id: str = ""
    cooling_until: int = 0
    """No new messages until then: too many were blocked (services/abuse.py)."""

    @property
    def permit(self) -> Permit:
        """As the record says it."""
        return Permit(self.consent_version, self.consent_overseas, self.suspended_until, self.cooling_until)


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as stored. `titled` says how the title came: `none`, `auto` or `user`."""

    id: str
    user_id: str
    created_at: int
    last_activity_at: int
    sealed_title: bytes = b""
    titled: Literal["none", "auto", "user"] = "none"
    sealed_snippet: bytes = b""
    deleted_at: int = 0
    live_turn_id: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as stored. `hidden` ones (replaced by an edit or a regeneration) are in no list and no context.
    `feedback` is sealed too, since it may hold words."""

    id: str
    user_id: str
    conversation_id: str
    turn_id: str
    role: Literal["user", "assistant"]
    sealed_body: bytes
    created_at: int
    state: Literal["normal", "blocked", "pending"] = "normal"
    hidden: bool = False
    end_reason: EndReason | None = None
    error_code: str = ""
    sealed_feedback: bytes = b""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one accepted send writes, in one atomic step.

    `message` is None for regenerate and continue, which ask again about an old one. `new_conversation` is set where
    the conversation is made by this send. `hide_message_ids` leave the shown history (edit, regenerate);
    `accepted_event` is the sealed first event, seq 1.
    """

    turn: Turn
    message: Message | None
    new_conversation: Conversation | None
    accepted_event: bytes
    hide_from_message_id: str = ""
    """This message and everything after it in the conversation is hidden (edit and resend)."""
    hide_message_ids: tuple[str, ...] = ()
    charge: Charge | None = None
    """What to set aside of the user's credits; None where nothing costs anything."""
    key_id: str = ""
    """The `User.key_id` all this was sealed with: an account that was erased meanwhile is not brought back by it."""
    permit: Permit | None = None
    """What the caller took for the user's: it may have changed meanwhile. None: it makes no difference."""


class AcceptLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` turns in any `window_ms`."""

    rate: int
    window_ms: int


AcceptStatus = Literal[
    "accepted", "existing", "rate_limited", "turn_in_progress", "no_conversation", "no_user", "outdated", "shortfall"
]


class AcceptOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What `Turns.accept` did. `turn`: the new, the existing or the live one that stands in the way.
    `retry_after_ms` is set when rate limited, `shortfall` when credits are missing."""

    status: AcceptStatus
    turn: Turn | None = None
    retry_after_ms: int = 0
    shortfall: Shortfall | None = None


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed event of a turn's log."""

    seq: int
    body: bytes
    created_at: int


class Head(msgspec.Struct, frozen=True):
    """Where a turn stands: the number of its newest durable event, whether its terminal event is still to come, and
    until when its owner has it."""

    last_seq: int
    live: bool
    lease_until: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What one change did to a turn. `lease_until` is None where it stayed."""

    turn_id: str
    rows: tuple[EventRow, ...] = ()
    ended: bool = False
    lease_until: int | None = None


class Watch(Protocol):
    """Changes of all turns, by anybody, durable ones only, each turn's in order and without a gap."""

    def next(self) -> list[Progress]:
        """What came since the last call; waits a moment, below a second, if nothing did. Raises `StoreUnavailable`:
        then changes may have been missed, and another watch is needed."""
        ...

    def close(self) -> None:
        """Let go; never fails."""
        ...


class TurnWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What one live turn adds in one group commit. With `ending` the last row is the terminal event; no rows and no
    ending is a plain heartbeat."""

    turn_id: str
    rows: tuple[EventRow, ...] = ()
    ending: Ending | None = None
    state: Literal["queued", "running"] | None = None
    turn: Turn | None = None
    """With an ending: the turn as accepted or claimed by this owner, so that the store need not read it again."""


class CommitResult(msgspec.Struct, frozen=True, kw_only=True):
    """`lost`: turns that are no longer this owner's (or already ended); nothing of them was written.
    `stops`: turns of this owner for which a stop was asked for; those of a write without rows (a renewed lease) for
    certain, of another write perhaps with a later commit only."""

    lost: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()


class Turns(Protocol):
    """Turns and their event logs."""

    def accept(self, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
        """One atomic decision (P2, P3), in this order: `draft.key_id` is given and no stored user has it -> `no_user`;
        `draft.permit` is given and not the stored user's -> `outdated`; the same user and `client_id` exists ->
        `existing` (the caller compares fingerprints); the conversation is not the user's or deleted ->
        `no_conversation`; another turn of the user is live -> `turn_in_progress`; more than `rate` turns of the user
        created in the last `window_ms` before `draft.turn.created_at` -> `rate_limited`; `draft.charge` cannot be set
        aside -> `shortfall`; else turn (owned by `draft.turn.owner`), message, first event, conversation and
        reservation are written -> `accepted`. Refusals write nothing."""
        ...

    def get(self, turn_id: str) -> Turn | None:
        """The turn, whoever's it is: the caller compares `user_id`."""
        ...

    def by_client_id(self, user_id: str, client_id: str) -> Turn | None:
        """The turn this user's `client_id` made, if any."""
        ...

    def live_of(self, user_id: str) -> Turn | None:
        """The user's live turn, if any."""
        ...

    def commit(self, writes: Sequence[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        """Group commit: rows, endings and the renewed lease of many turns in one durable step. A row's `seq` must be
        the turn's `last_seq` + 1, +2, ...; a turn not owned by `owner` or ended is in `lost` and left untouched.
        An ending also writes the answer message (id `turn.answer_message_id`; none when `Ending.answer` is None;
        state `blocked` when the reason is blocked, the user's message then becomes `blocked` too), touches the
        conversation's `last_activity_at`, sets its snippet, and its title where it has none, clears its `live_turn_id`,
        and settles the turn's reservation."""
        ...

    def claim(self, turn_id: str, *, owner: str, lease_until: int, now: int) -> Turn | None:
        """Take over a live turn whose lease ended before `now` by compare-and-set (takeovers + 1); None if it is not
        to be had (alive, ended, or another was faster)."""
        ...

    def abandoned(self, *, now: int, limit: int) -> list[Turn]:
        """Live turns whose lease ended before `now`, oldest first."""
        ...

    def request_stop(self, turn_id: str) -> None:
        """Ask the owner, wherever it runs, to stop. No effect on an ended turn."""
        ...

    def events(self, turn_id: str, *, after: int, limit: int) -> list[EventRow]:
        """Durable events with seq > `after`, ascending, at most `limit`."""
        ...

    def heads(self, turn_ids: Collection[str]) -> dict[str, Head]:
        """Where these turns stand, by id, in one look at the store; those that are not there are left out."""
        ...

    def watch(self) -> Watch | None:
        """Changes from now on, or None if this store cannot tell them: then ask `heads`."""
        ...

    def expire_events(self, *, ended_before: int, limit: int) -> int:
        """Delete the event rows of up to `limit` turns that ended before; how many turns were cleared."""
        ...


class Users(Protocol):
    """Users and their wrapped data keys."""

    def get(self, user_id: str) -> User | None:
        """The user."""
        ...

    def create(self, user: User) -> User:
        """Insert, or return the one that another caller inserted first."""
        ...

    def set_consent(self, user_id: str, *, version: str, overseas: bool, at: int) -> bool:
        """Record which agreement the user accepted ("": none any more), also in the history of consents
        (ports_people.PersonalData); False if there is no such user."""
        ...

    def erase(self, user_id: str, *, key_id: str | None = None) -> dict[str, int]:
        """Remove the user with wrapped key, conversations, messages, turns, events, consents and credits for good; rows
        per table. With `key_id` an account that has another one, made since, is left alone: {}."""
        ...


class Conversations(Protocol):
    """A user's conversations and their messages; every call names the user, so that nobody reaches another's."""

    def create(self, conversation: Conversation, *, key_id: str = "") -> bool:
        """Insert; False, and nothing is written, where `key_id` is given and not that of the stored user."""
        ...

    def get(self, user_id: str, conversation_id: str) -> Conversation | None:
        """The conversation unless deleted."""
        ...

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Conversation]:
        """Newest activity first; `before` = (last_activity_at, id) of the last one seen."""
        ...

    def set_title(self, user_id: str, conversation_id: str, sealed_title: bytes) -> bool:
        """Set the title a person gave; no other replaces it. False if there is no such conversation."""
        ...

    def delete(self, user_id: str, conversation_id: str, *, at: int) -> bool:
        """Mark deleted; False if there is none."""
        ...

    def restore(self, user_id: str, conversation_id: str, *, deleted_after: int) -> bool:
        """Undo a deletion made after that time; False if it is too late or there is none."""
        ...

    def purge(self, *, deleted_before: int, limit: int) -> int:
        """Remove for good up to `limit` conversations deleted before, with messages, turns and events; how many. What
        was set aside for a live turn among them is given back."""
        ...

    def messages(
        self, user_id: str, conversation_id: str, *, before: tuple[int, str] | None, limit: int
    ) -> list[Message]:
        """Not hidden, newest first; order is (created_at, id); `before` is exclusive."""
        ...

    def message(self, user_id: str, message_id: str) -> Message | None:
        """One message, hidden ones included."""
        ...

    def set_feedback(self, user_id: str, message_id: str, sealed_feedback: bytes) -> bool:
        """Keep what the user thinks of an answer; False if there is no such message."""
        ...


class Tickets(Protocol):
    """One-time socket tickets; only a hash of the ticket is stored."""

    def put(self, ticket_hash: str, sealed_principal: bytes, *, expires_at: int) -> None:
        """Keep until `expires_at`."""
        ...

    def take(self, ticket_hash: str, *, now: int) -> bytes | None:
        """The principal, exactly once over all instances; None if unknown, used or expired."""
        ...


class Secrets(Protocol):
    """Small wrapped values that the whole service shares (the look-up key, the ticket key)."""

    def get_or_put(self, name: str, value: bytes) -> bytes:
        """The stored value, or `value` if this call was the first to bring one."""
        ...


class Register(msgspec.Struct, frozen=True):
    """A small shared record: numbers and instance ids, nothing of a person. `version` 0: never written."""

    version: int
    value: bytes


class Registers(Protocol):
    """Small records that all instances change by compare-and-set."""

    def read(self, name: str) -> Register:
        """The newest value."""
        ...

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        """Write `value` as `version` + 1 if the newest is still `version`; False, and nothing written, if not."""
        ...


class Store(Protocol):
    """One engine with all its rooms."""

    turns: Turns
    users: Users
    conversations: Conversations
    tickets: Tickets
    secrets: Secrets
    registers: Registers
    once: Once
    ledger: Ledger

    def migrate(self) -> list[str]:
        """Apply pending numbered migrations; names of those applied. Safe to call from several instances at once."""
        ...

    def ping(self) -> None:
        """Raises `StoreUnavailable` unless a read works now."""
        ...

    def close(self) -> None:
        """Release files and sockets."""
        ...


# --- relay -------------------------------------------------------------------------------------------------------


class Wanted(msgspec.Struct, frozen=True):
    """Fewer than `chars` more make no difference in the next `within` seconds. `soon`: a person waits for the first
    text."""

    chars: int
    soon: bool
    within: float


class RelayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A generation to ask for. `request_id` goes to the upstream as `X-Request-Id`, `trace` as `traceparent`
    (domain/trace.py). `avoid` names an upstream that is asked only if there is no other. `domestic_only`: no upstream
    outside mainland China is asked. `wants`, asked after every batch, says what the next one is good for: how seldom
    the stream may be looked at. `still`, if given, is called before every attempt and may take its time: an upstream is
    asked only after True."""

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int | None = None
    request_id: str = ""
    trace: str = ""
    avoid: str = ""
    still: Callable[[], bool] | None = None
    domestic_only: bool = False
    wants: Callable[[], Wanted] | None = None


class RelayText(msgspec.Struct, frozen=True):
    """A piece of answer text as it came."""

    delta: str


class RelayReasoning(msgspec.Struct, frozen=True):
    """A piece of reasoning as it came."""

    delta: str


class RelayFinish(msgspec.Struct, frozen=True):
    """The one last event of a stream that ended in a proper way. Every other ending is a raised `TurnFailed`."""

    reason: Literal["complete", "length", "blocked"]
    usage: Usage | None = None


RelayEvent = RelayText | RelayReasoning | RelayFinish


class RelayStream(Protocol):
    """An answer on its way. Iterating yields batches: what one wake-up brought, never empty, ending with a batch whose
    last element is `RelayFinish`. Raises a `TurnFailed` (relay_*) when the upstream fails. `close` may be called from
    another thread at any time, more than once: it closes the upstream connection at once, and the iteration then ends
    by `StopIteration`."""

    @property
    def upstream(self) -> str:
        """Name of the upstream that speaks, or spoke last; empty before."""
        ...

    def __iter__(self) -> Iterator[list[RelayEvent]]: ...

    def close(self) -> None: ...


class Relay(Protocol):
    """One or several OpenAI-compatible upstreams. Before the first text they fail over among themselves; after it a
    failure is the caller's."""

    def stream(self, request: RelayRequest) -> RelayStream:
        """Return at once without I/O; connecting (with its retries) happens in the first step of the iteration, so
        that `close` can interrupt it."""
        ...


# --- moderation --------------------------------------------------------------------------------------------------


class Matcher(Protocol):
    """The local word list."""

    def search(self, text: str) -> Verdict:
        """`risky` if a listed word stands in the normalised text, else `pass`. Microseconds; never raises."""
        ...


class QuotaSpent(Exception):
    """No call of a shared quota within a bearable time. `seconds` until one may come; `daily`: the day is spent."""

    def __init__(self, seconds: float, *, daily: bool) -> None:
        super().__init__("quota spent")
        self.seconds = seconds
        self.daily = daily


class Governor(Protocol):
    """Gives out the calls of one appid's quota, over all instances."""

    @property
    def pressure(self) -> float:
        """From 0 (plenty) to 1 (nearly spent): the larger, the larger the windows should be."""
        ...

    def acquire(self) -> None:
        """Take one call, waiting briefly for it. Raises `QuotaSpent`."""
        ...

    def too_fast(self) -> None:
        """The platform said that the minute is used up (44991): others share the quota, so take it as full."""
        ...

    def spent_today(self) -> None:
        """The platform said that the day is used up (45009): nothing more until midnight in China."""
        ...


class Moderator(Protocol):
    """A remote moderation layer (msgSecCheck v2, or a relay's `/v1/moderations`)."""

    def check(self, text: str, principal: Principal) -> Verdict:
        """The verdict on at most 2,500 characters. Raises `ModerationUnavailable` or `ModerationRevisit` when there is
        no decision: never a `pass` without one."""
        ...


# --- observation -------------------------------------------------------------------------------------------------


class Metrics(Protocol):
    """Numbers about turns; label values come from small fixed sets."""

    def turn_ended(self, reason: str, code: str, seconds: float) -> None: ...
    def turn_used(self, queued_ms: int | None, input_tokens: int, output_tokens: int) -> None: ...
    def first_text(self, seconds: float) -> None: ...
    def relay_first_byte(self, seconds: float) -> None: ...
    def guard_delay(self, seconds: float) -> None: ...
    def live_turns(self, count: int) -> None: ...
    def moderation(self, layer: str, outcome: str, seconds: float) -> None: ...
    def relay_error(self, code: str) -> None: ...
    def relay_attempt(self, upstream: str, outcome: str) -> None: ...
    def relay_state(self, upstream: str, state: str) -> None: ...
    def relay_hedge(self, outcome: str) -> None: ...
    def relay_continued(self, outcome: str) -> None: ...
    def commit(self, rows: int, seconds: float) -> None: ...
    def store_failed(self) -> None: ...
    def started(self, seconds: float) -> None: ...
    def takeover(self) -> None: ...
    def listeners(self, transport: str, change: int) -> None: ...
    def credits_cost(self, amount: int) -> None: ...
    def credits_refused(self, code: str) -> None: ...
    def service_day(self, part: float) -> None: ...


class TurnLog(Protocol):
    """One canonical line per ended turn: ids, timings, counts, reason; never text."""

    def turn(self, **fields: str | int | float | bool | None) -> None: ...
