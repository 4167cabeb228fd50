"""Searching one's own history: decrypted in memory, page by page, newest first; no index of words exists anywhere.

An index would have to be stored, and even a blind one tells how often words repeat and grows with every message. Ten
thousand messages are opened and searched in a fraction of a second (docs/search.md has the figures), so nothing needs
to be kept. A search is bounded in time and memory: when the time is over it returns what it has and the place to go on.
"""

import base64
import binascii
import threading
import unicodedata
from typing import Literal

import msgspec

from yunliao.errors import InvalidRequest, QueueFull
from yunliao.ports import Clock, Conversation, Conversations, Message
from yunliao.ports_records import History
from yunliao.services.asking import open_body
from yunliao.services.people import Owner

SECONDS = 1.5
"""Longest time of one call; a search that needs longer is gone on with by its cursor."""
AT_ONCE = 4
"""Searches an instance runs side by side: they are work for the processor, which live answers need too."""
TURN_SECONDS = 0.001
"""Pause between two pages: live answers get their turn."""
PAGE = 100
"""Messages opened at a time: at most some 15 MB."""
WORDS = 5
LONGEST = 100
BEFORE, AFTER = 30, 90
"""Characters of an excerpt around what was found."""


class Hit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something found. `excerpt` is around the first word found; `label` stands on what the AI said (P12)."""

    kind: Literal["title", "question", "answer"]
    conversation_id: str
    title: str
    excerpt: str
    at: int
    message_id: str | None = None
    label: str | None = None


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is None when everything has been searched; `searched` counts messages and titles of this call. `label`
    stands for all the AI text there is in it (P12)."""

    label: str
    results: list[Hit]
    next: str | None
    searched: int


class Search:
    """Titles first, then messages, newest first. What is blocked, hidden or deleted is never found."""

    def __init__(self, *, conversations: Conversations, history: History, clock: Clock, ai_label: str) -> None:
        self.conversations = conversations
        self.history = history
        self.clock = clock
        self.label = ai_label
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def find(self, owner: Owner, query: str, after: str | None, limit: int) -> Hits:
        """Messages and titles that hold every word of `query`, however its letters are written (case, full width).
        Raises `InvalidRequest` for a query or cursor that is none, `QueueFull` when too many search at once."""
        words = _words(query)
        phase, place = _place(after)
        if not self._places.acquire(blocking=False):
            raise QueueFull(retry_after=1)
        try:
            walk = _Walk(self, owner, words, limit, self.clock.monotonic() + SECONDS)
            if phase == "t":
                place = walk.titles(place)
                phase = "t" if place or walk.full else "m"
            if phase == "m" and not walk.full:
                place = walk.messages(place)
                phase = "m" if place else ""
            return Hits(
                label=self.label,
                results=walk.hits,
                next=_cursor(phase, place) if phase else None,
                searched=walk.searched,
            )
        finally:
            self._places.release()


Place = tuple[int, str] | None


class _Walk:
    """One call's way through the history."""

    def __init__(self, parts: Search, owner: Owner, words: list[str], limit: int, deadline: float) -> None:
        self._parts = parts
        self._owner = owner
        self._words = words
        self._limit = limit
        self._deadline = deadline
        self._titles: dict[str, str | None] = {}
        self.hits: list[Hit] = []
        self.searched = 0

    @property
    def full(self) -> bool:
        return len(self.hits) >= self._limit or self._parts.clock.monotonic() >= self._deadline

    def titles(self, place: Place) -> Place:
        """Search titles from a place on; where to go on, None at the end of them."""
        while True:
            page = self._parts.conversations.page(self._owner.user_id, before=place, limit=PAGE)
            for conversation in page:
                place = (conversation.last_activity_at, conversation.id)
                self.searched += 1
                self._title(conversation)
                if self.full:
                    return place
            if len(page) < PAGE:
                return None

    def messages(self, place: Place) -> Place:
        """As `titles`, for messages."""
        while True:
            page = self._parts.history.page(self._owner.user_id, before=place, limit=PAGE)
            for message in page:
                place = (message.created_at, message.id)
                self.searched += 1
                self._message(message)
                if self.full:
                    return place
            if len(page) < PAGE:
                return None
            self._parts.clock.sleep(TURN_SECONDS)  # of no length, it would let hardly anybody have a turn

    def _title(self, conversation: Conversation) -> None:
        title = self._owner.open(conversation.id, "title", conversation.sealed_title).decode()
        self._titles[conversation.id] = title
        if title and _holds(title, self._words):
            self.hits.append(
                Hit(
                    kind="title",
                    conversation_id=conversation.id,
                    title=title,
                    excerpt=title,
                    at=conversation.last_activity_at,
                )
            )

    def _message(self, message: Message) -> None:
        text = open_body(self._owner, message).text
        if not _holds(text, self._words):
            return
        title = self._title_of(message.conversation_id)
        if title is None:
            return  # the conversation was deleted
        answer = message.role == "assistant"
        self.hits.append(
            Hit(
                kind="answer" if answer else "question",
                conversation_id=message.conversation_id,
                title=title,
                excerpt=_excerpt(text, self._words[0]),
                at=message.created_at,
                message_id=message.id,
                label=self._parts.label if answer else None,
            )
        )

    def _title_of(self, conversation_id: str) -> str | None:
        if conversation_id not in self._titles:
            found = self._parts.conversations.get(self._owner.user_id, conversation_id)
            opened = self._owner.open(found.id, "title", found.sealed_title).decode() if found else None
            self._titles[conversation_id] = opened
        return self._titles[conversation_id]


def fold(text: str) -> str:
    """The form in which texts are compared."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _holds(text: str, words: list[str]) -> bool:
    folded = fold(text)
    return all(word in folded for word in words)


def _words(query: str) -> list[str]:
    words = fold(query).split()
    if not words or len(query) > LONGEST or len(words) > WORDS:
        raise InvalidRequest(f"q must have 1 to {LONGEST} characters in at most {WORDS} words")
    return words


def _excerpt(text: str, word: str) -> str:
    folded = fold(text)
    at = folded.find(word)
    if len(folded) != len(text):  # folding moved the places: about the same part of the text will do
        at = at * len(text) // max(1, len(folded))
    start, end = max(0, at - BEFORE), min(len(text), at + len(word) + AFTER)
    cut = " ".join(text[start:end].split())
    return ("…" if start else "") + cut + ("…" if end < len(text) else "")


def _cursor(phase: str, place: Place) -> str:
    at, record = place or (0, "")
    return base64.urlsafe_b64encode(f"{phase}:{'' if place is None else at}:{record}".encode()).decode()


def _place(cursor: str | None) -> tuple[str, Place]:
    if cursor is None:
        return "t", None
    try:
        phase, at, record = base64.urlsafe_b64decode(cursor.encode("ascii", "strict")).decode().split(":", 2)
        if phase in ("t", "m"):
            return phase, (int(at), record) if at else None
    except (binascii.Error, ValueError):
        pass
    raise InvalidRequest("after is not a cursor of this search")
