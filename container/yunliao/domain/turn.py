"""A turn: one message of a user and the one answer to it, with the states it passes through."""

from typing import Literal

import msgspec

from yunliao.domain.events import EndReason, Problem, Usage
from yunliao.domain.ledger.endings import Metered

Kind = Literal["send", "regenerate", "continue"]
State = Literal["accepted", "queued", "running", "ended"]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn as stored. Times are Unix milliseconds. `fingerprint` is a keyed hash of what was asked, so that the same
    `client_id` with other content is recognised without keeping the content. `last_seq` is the number of the newest
    durable event. `owner` is the instance that runs it until `lease_until`; 0 means nobody ever did. Where credits
    were active when it was accepted, `price_version` is set and `reserved` micro-credits were set aside."""

    id: str
    user_id: str
    conversation_id: str
    client_id: str
    fingerprint: bytes
    kind: Kind = "send"
    model: str = ""
    user_message_id: str = ""
    answer_message_id: str = ""
    source_turn_id: str = ""
    state: State = "accepted"
    owner: str = ""
    lease_until: int = 0
    stop_requested: bool = False
    takeovers: int = 0
    last_seq: int = 0
    created_at: int = 0
    ended_at: int = 0
    end_reason: EndReason | None = None
    error_code: str = ""
    sealed_principal: bytes = b""
    price_version: str = ""
    reserved: int = 0

    @property
    def live(self) -> bool:
        """Whether the terminal event is still to come."""
        return self.state != "ended"


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a turn ended, as the runner found it: written together with its terminal event."""

    reason: EndReason
    problem: Problem | None = None
    usage: Usage | None = None
    answer: bytes | None = None
    """The sealed answer body (`MessageBody`), None where no message is kept."""
    ended_at: int = 0
    metered: Metered | None = None
    """What there is to pay for; None: nothing."""
    title: bytes | None = None
    """A sealed title for a conversation that has none yet."""
    snippet: bytes | None = None
    """The sealed line that the list of conversations shows; None: it stays."""


class MessageBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed inside a message record."""

    text: str = ""
    reasoning: str = ""
    usage: Usage | None = None
    """Of an answer: what it used, for its owner's export."""


class HistoryTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One earlier exchange in the clear, for building the context: what was asked and what was answered."""

    question: str
    answer: str


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of the context."""

    role: Literal["system", "user", "assistant"]
    content: str
