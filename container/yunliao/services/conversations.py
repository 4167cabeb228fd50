"""A user's conversations, opened for their owner alone."""

from collections.abc import Callable, Sequence
from typing import Generic, Literal, TypeVar

import msgspec

from yunliao.domain.turn import MessageBody
from yunliao.errors import ConsentRequired, InvalidRequest, NotFound, YunliaoError
from yunliao.ports import Clock, Conversation, Conversations, Ids, Message
from yunliao.services.asking import open_body
from yunliao.services.paging import cursor, place
from yunliao.services.people import Owner

UNDO_SECONDS = 60
"""How long a deleted conversation can be brought back; the mini-program shows its undo for less."""
MAX_TITLE = 60

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """Items and the opaque cursor of the next page, None at the end."""

    items: list[Item]
    next: str | None


class ConversationView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A conversation as its owner sees it; times in Unix milliseconds."""

    id: str
    title: str
    snippet: str
    created_at: int
    last_activity_at: int
    live_turn_id: str | None = None


class ErrorView(msgspec.Struct, frozen=True):
    """Why an answer ended early (docs/errors.md)."""

    code: str
    message: str
    message_en: str
    retryable: bool


class Feedback(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user said of an answer."""

    value: Literal["up", "down", "none"] = "none"
    reasons: tuple[str, ...] = ()
    comment: str = ""
    reported: str = ""
    report_comment: str = ""


class MessageView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as its owner sees it. `label` is the AI label every answer carries (P12)."""

    id: str
    turn_id: str
    role: Literal["user", "assistant"]
    text: str
    created_at: int
    state: Literal["normal", "blocked", "pending"]
    reasoning: str | None = None
    end_reason: str | None = None
    error: ErrorView | None = None
    feedback: Feedback | None = None
    label: str | None = None


class ConversationService:
    """List, create, rename, delete with undo, read, and say what one thinks of an answer."""

    def __init__(
        self,
        *,
        conversations: Conversations,
        clock: Clock,
        ids: Ids,
        ai_label: str,
        explain: Callable[[str], type[YunliaoError] | None],
        reported: Callable[[Owner, str, str, str], object] = lambda owner, message_id, turn_id, reason: None,
    ) -> None:
        """`reported` is told of every report: who, which message and turn, the reason chosen."""
        self._conversations = conversations
        self._clock = clock
        self._ids = ids
        self._label = ai_label
        self._explain = explain
        self._reported = reported

    def page(self, owner: Owner, before: str | None, limit: int) -> Page[ConversationView]:
        """Newest activity first. Raises `InvalidRequest` for a cursor that is not one of ours."""
        found = self._conversations.page(owner.user_id, before=place(before), limit=limit + 1)
        views = [self._view(owner, conversation) for conversation in found[:limit]]
        return Page(views, _next([(c.last_activity_at, c.id) for c in found], limit))

    def create(self, owner: Owner, title: str | None = None) -> ConversationView:
        """A new, empty conversation."""
        now, new_id = self._clock.now_ms(), self._ids.new("conv")
        conversation = Conversation(
            id=new_id,
            user_id=owner.user_id,
            created_at=now,
            last_activity_at=now,
            sealed_title=owner.seal(new_id, "title", _title(title).encode()) if title else b"",
            titled="user" if title else "none",
        )
        if not self._conversations.create(conversation, key_id=owner.key_id):
            raise ConsentRequired  # the account was erased a moment ago
        return self._view(owner, conversation)

    def get(self, owner: Owner, conversation_id: str) -> ConversationView:
        """One conversation. Raises `NotFound`."""
        return self._view(owner, self._own(owner, conversation_id))

    def rename(self, owner: Owner, conversation_id: str, title: str) -> ConversationView:
        """Give it a title that no automatic one replaces."""
        sealed = owner.seal(conversation_id, "title", _title(title).encode())
        if not self._conversations.set_title(owner.user_id, conversation_id, sealed):
            raise NotFound
        return self.get(owner, conversation_id)

    def delete(self, owner: Owner, conversation_id: str) -> int:
        """Delete; returns for how many seconds `restore` can undo it."""
        if not self._conversations.delete(owner.user_id, conversation_id, at=self._clock.now_ms()):
            raise NotFound
        return UNDO_SECONDS

    def restore(self, owner: Owner, conversation_id: str) -> ConversationView:
        """Undo a deletion. Raises `NotFound` when it is too late."""
        since = self._clock.now_ms() - UNDO_SECONDS * 1000
        if not self._conversations.restore(owner.user_id, conversation_id, deleted_after=since):
            raise NotFound
        return self.get(owner, conversation_id)

    def messages(self, owner: Owner, conversation_id: str, before: str | None, limit: int) -> Page[MessageView]:
        """The newest page (or the one before a cursor), oldest first within the page."""
        self._own(owner, conversation_id)
        found = self._conversations.messages(owner.user_id, conversation_id, before=place(before), limit=limit + 1)
        views = [self._message(owner, message) for message in reversed(found[:limit])]
        return Page(views, _next([(m.created_at, m.id) for m in found], limit))

    def message(self, owner: Owner, message_id: str) -> MessageView:
        """One message, whatever its state. Raises `NotFound`."""
        found = self._conversations.message(owner.user_id, message_id)
        if found is None:
            raise NotFound
        return self._message(owner, found)

    def feedback(self, owner: Owner, message_id: str, given: Feedback) -> Feedback:
        """Keep what the user thinks of an answer, sealed. Raises `NotFound` for anything but an own answer."""
        standing = self._standing(owner, message_id)
        return self._keep(
            owner,
            message_id,
            msgspec.structs.replace(standing, value=given.value, reasons=given.reasons, comment=given.comment),
        )

    def report(self, owner: Owner, message_id: str, reason: str, comment: str) -> Feedback:
        """Keep a report of an answer, sealed, beside the feedback on it."""
        standing = self._standing(owner, message_id)
        kept = self._keep(owner, message_id, msgspec.structs.replace(standing, reported=reason, report_comment=comment))
        message = self._conversations.message(owner.user_id, message_id)
        self._reported(owner, message_id, message.turn_id if message else "", reason)
        return kept

    def _standing(self, owner: Owner, message_id: str) -> Feedback:
        message = self._conversations.message(owner.user_id, message_id)
        if message is None or message.role != "assistant":
            raise NotFound
        sealed = owner.open(message_id, "feedback", message.sealed_feedback)
        return msgspec.json.decode(sealed, type=Feedback) if sealed else Feedback()

    def _keep(self, owner: Owner, message_id: str, feedback: Feedback) -> Feedback:
        sealed = owner.seal(message_id, "feedback", msgspec.json.encode(feedback))
        self._conversations.set_feedback(owner.user_id, message_id, sealed)
        return feedback

    def _own(self, owner: Owner, conversation_id: str) -> Conversation:
        conversation = self._conversations.get(owner.user_id, conversation_id)
        if conversation is None:
            raise NotFound
        return conversation

    def _view(self, owner: Owner, conversation: Conversation) -> ConversationView:
        return ConversationView(
            id=conversation.id,
            title=owner.open(conversation.id, "title", conversation.sealed_title).decode(),
            snippet=owner.open(conversation.id, "snippet", conversation.sealed_snippet).decode(),
            created_at=conversation.created_at,
            last_activity_at=conversation.last_activity_at,
            live_turn_id=conversation.live_turn_id or None,
        )

    def _message(self, owner: Owner, message: Message) -> MessageView:
        body: MessageBody = open_body(owner, message)
        answer = message.role == "assistant"
        told = self._explain(message.error_code) if message.error_code else None
        feedback = owner.open(message.id, "feedback", message.sealed_feedback)
        return MessageView(
            id=message.id,
            turn_id=message.turn_id,
            role=message.role,
            text=body.text,
            reasoning=body.reasoning or None,
            created_at=message.created_at,
            state=message.state,
            end_reason=message.end_reason,
            error=ErrorView(told.code, told.zh, told.en, told.retryable) if told else None,
            feedback=msgspec.json.decode(feedback, type=Feedback) if feedback else None,
            label=self._label if answer else None,
        )


def _title(title: str) -> str:
    clean = " ".join(title.split())
    if not clean or len(clean) > MAX_TITLE:
        raise InvalidRequest(f"title must have 1 to {MAX_TITLE} characters")
    return clean


def _next(keys: Sequence[tuple[int, str]], limit: int) -> str | None:
    """The cursor of the last item shown, when one more was found than asked for."""
    if len(keys) <= limit:
        return None
    at, record = keys[limit - 1]
    return cursor(at, record)
