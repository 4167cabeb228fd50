"""What the API takes and gives: the structs that validate are those that /openapi.json is made from."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from yunliao.services.catalog import ModelView
from yunliao.services.consents import ConsentView
from yunliao.services.conversations import ConversationView, MessageView
from yunliao.services.receipts import Receipt

ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$", description="made by the client, one per message")]
RecordId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,64}$")]
ModelId = Annotated[str, Meta(min_length=1, max_length=100)]
Words = Annotated[str, Meta(min_length=1, max_length=20000)]


class In(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of request bodies: an unknown field is a mistake worth telling."""


class SendIn(In):
    """A message."""

    client_id: ClientId
    text: Words
    conversation_id: RecordId | None = None
    model: ModelId | None = None
    replaces: RecordId | None = None


class RegenerateIn(In):
    """Answer the last question anew."""

    client_id: ClientId
    model: ModelId | None = None


class ContinueIn(In):
    """Go on with the last answer."""

    client_id: ClientId


class EmptyIn(In):
    """Nothing."""


class CreateConversationIn(In):
    """A new conversation."""

    title: Annotated[str, Meta(min_length=1, max_length=60)] | None = None


class RenameIn(In):
    """A title."""

    title: Annotated[str, Meta(min_length=1, max_length=60)]


class FeedbackIn(In):
    """What the user thinks of an answer."""

    value: Literal["up", "down", "none"]
    reasons: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=10)] = []
    comment: Annotated[str, Meta(max_length=500)] = ""


class ReportIn(In):
    """Why an answer is reported."""

    reason: Annotated[str, Meta(min_length=1, max_length=40)]
    comment: Annotated[str, Meta(max_length=500)] = ""


class SearchIn(In):
    """The same as the query of GET, where words had better not stand in an address."""

    q: Annotated[str, Meta(max_length=400)]
    after: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_=-]{1,120}$")] | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 20


class ConsentIn(In):
    """Which agreement is accepted, and whether overseas processing is allowed."""

    version: Annotated[str, Meta(min_length=1, max_length=64)]
    overseas: bool = False


class RedeemIn(In):
    """A code as somebody typed it."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]


class ReceiptIn(In):
    """A receipt as an erase gave it."""

    receipt: Receipt


class GenuineOut(msgspec.Struct, kw_only=True):
    """Whether this service made the receipt, as it is."""

    genuine: bool


class TurnOut(msgspec.Struct, kw_only=True):
    """A turn as its owner sees it."""

    id: str
    conversation_id: str
    client_id: str
    state: str
    created_at: int


class SentOut(msgspec.Struct, kw_only=True):
    """The turn, its events so far and the cursor to go on from."""

    turn: TurnOut
    events: list[dict[str, Any]]
    cursor: int
    live: bool
    label: str


class EventsOut(msgspec.Struct, kw_only=True):
    """Events after a cursor."""

    turn_id: str
    events: list[dict[str, Any]]
    cursor: int
    live: bool
    label: str


class StoppedOut(msgspec.Struct, kw_only=True):
    """The turn a stop was asked for."""

    turn: TurnOut


class TicketOut(msgspec.Struct, kw_only=True):
    """A one-time ticket; seconds until it expires."""

    ticket: str
    expires_in: int


class ConversationsOut(msgspec.Struct, kw_only=True):
    """A page of conversations."""

    conversations: list[ConversationView]
    next: str | None
    label: str


class ConversationOut(msgspec.Struct, kw_only=True):
    """One conversation."""

    conversation: ConversationView
    label: str


class MessagesOut(msgspec.Struct, kw_only=True):
    """A page of messages, oldest first."""

    messages: list[MessageView]
    next: str | None


class DeletedOut(msgspec.Struct, kw_only=True):
    """For how many seconds it can be undone."""

    deleted: bool
    undo_seconds: int


class DoneOut(msgspec.Struct, kw_only=True):
    """It was done."""

    done: bool = True


class ModelsOut(msgspec.Struct, kw_only=True):
    """Models people may choose."""

    models: list[ModelView]


class UserOut(msgspec.Struct, kw_only=True):
    """The caller, by the first characters of the stored id: enough to tell a support person."""

    id: str


class LimitsOut(msgspec.Struct, kw_only=True):
    """What the caller may do."""

    rate: str
    text_chars: int


class MeOut(msgspec.Struct, kw_only=True):
    """The caller."""

    user: UserOut
    consent: ConsentView
    limits: LimitsOut


class JobNamesOut(msgspec.Struct, kw_only=True):
    """GET /jobs."""

    jobs: tuple[str, ...]


class ErrorBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """See docs/errors.md."""

    code: str
    message: str
    message_en: str
    retryable: bool
    request_id: str = ""
    retry_after: int | None = None
    status: int | None = None
    detail: str | None = None
    turn_id: str | None = None
    needed: int | None = None
    available: int | None = None
    renews_at: int | None = None


class ErrorOut(msgspec.Struct, kw_only=True):
    """Every error answer."""

    error: ErrorBody
