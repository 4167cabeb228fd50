"""Everything held about a user, as one file in parts (platform.md §1.3: an answer has at most 1 MB, and 15 s).

A part is what fits; its `next` says where the following one goes on: record by record, in orders that new records never
change, all made no later than the first call. The parts' contents, joined, are the file.
"""

import base64
import binascii
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import msgspec

from yunliao.domain.turn import MessageBody, Turn
from yunliao.errors import Internal, InvalidRequest
from yunliao.ports import Clock, Conversation, Ids, Message, Turns, User
from yunliao.ports_people import PersonalData
from yunliao.services.asking import open_body
from yunliao.services.conversations import Feedback
from yunliao.services.export_text import JsonText, MarkdownText
from yunliao.services.people import Owner

Format = Literal["json", "markdown"]
PART_BYTES = 350_000
"""Bytes of a part's content as it travels, after which no further record is added: with one large record more it stays
below the platform's 1 MB."""
LARGEST_PIECE = 300_000
"""Bytes of one record; a larger one is cut over parts."""
BATCH = 100
CURSOR_MS = 24 * 3_600_000
"""How long a cursor is good."""
STAGES = ("conversations", "messages", "turns")


class ExportPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the file: its `content`, and the cursor of the next one, None at the end. `records`: how many."""

    format: Format
    name: str
    mime: str
    content: str
    next: str | None
    part: int
    label: str
    records: int


class Section(Protocol):
    """More of what is held about a user, by another room: one list of the file (credits, say)."""

    name: str
    """Of the list in the JSON file."""
    title: str
    """Of the chapter in the Markdown file."""

    def records(self, owner: Owner, *, after: str, until: int, limit: int) -> list[tuple[str, dict[str, Any]]]:
        """Key and record of each, ascending by key, keys > `after` ("" at first), made no later than `until`."""
        ...


class Producer(msgspec.Struct, frozen=True):
    """What the label and the implicit metadata say (platform.md §12): the operator's words, and who provides."""

    label: str
    provider: str
    service: str


class _Place(msgspec.Struct, array_like=True, frozen=True):
    """Where an export stands: everything up to a record is in the parts before. `skip` > 0: so many characters of the
    next record are, of `size` in all."""

    export: str
    format: Format
    until: int
    part: int
    stage: int
    conversation: str = ""
    at: int = 0
    id: str = ""
    begun: bool = False
    """Whether the stage's list has a record."""
    skip: int = 0
    size: int = 0


class Export:
    """Makes the parts."""

    def __init__(
        self,
        *,
        personal: PersonalData,
        turns: Turns,
        clock: Clock,
        ids: Ids,
        producer: Producer,
        sections: Sequence[Section] = (),
    ) -> None:
        self._personal = personal
        self._turns = turns
        self._clock = clock
        self._ids = ids
        self._producer = producer
        self._sections = tuple(sections)

    def part(self, user: User, owner: Owner, form: Format, cursor: str | None) -> ExportPart:
        """The first part, or the one of a cursor. Raises `InvalidRequest` for a cursor that is not one of this user's,
        or too old."""
        place = self._opened(owner, form, cursor) if cursor else self._begin(owner, form)
        text = self._text(place)
        pieces: list[str] = []
        used = count = 0
        if cursor is None:
            pieces.append(text.head(self._account(user, owner), self._stages()))
            used = _weight(pieces[0])
        following: _Place | None = None
        for piece, then, counts in self._pieces(owner, place, text):
            whole = piece
            if place.skip:
                if len(piece) != place.size:
                    raise InvalidRequest("what is exported has changed meanwhile: start again without a cursor")
                piece = piece[place.skip :]
            weight = _weight(piece)
            if weight > LARGEST_PIECE:
                cut = _cut(piece, LARGEST_PIECE)
                pieces.append(piece[:cut])
                following = msgspec.structs.replace(place, skip=len(whole) - len(piece) + cut, size=len(whole))
                break
            if pieces and used + weight > PART_BYTES:
                following = place
                break
            pieces.append(piece)
            used, count, place = used + weight, count + counts, then
        else:
            pieces.append(text.tail())
        following = following and msgspec.structs.replace(following, part=place.part + 1)
        return ExportPart(
            format=place.format,
            name=f"yunliao-export-{_moment(place.until)}.{text.suffix}",
            mime=text.mime,
            content="".join(pieces),
            next=self._sealed(owner, following) if following else None,
            part=place.part,
            label=self._producer.label,
            records=count,
        )

    def whole(self, user: User, owner: Owner, form: Format) -> Iterator[ExportPart]:
        """All parts."""
        cursor: str | None = None
        while True:
            part = self.part(user, owner, form, cursor)
            yield part
            cursor = part.next
            if cursor is None:
                return

    # --- cursors --------------------------------------------------------------------------------------------------

    def _begin(self, owner: Owner, form: Format) -> _Place:
        until = self._clock.now_ms()
        live = self._turns.live_of(owner.user_id)
        if live is not None:  # its answer will be stored at a time before its end: all of it or nothing
            until = min(until, live.created_at - 1)
        return _Place(export=self._ids.new("export"), format=form, until=until, part=1, stage=0)

    def _sealed(self, owner: Owner, place: _Place) -> str:
        issued = (self._clock.now_ms(), place)
        return (
            base64.urlsafe_b64encode(owner.seal("export", "cursor", msgspec.json.encode(issued))).decode().rstrip("=")
        )

    def _opened(self, owner: Owner, form: Format, cursor: str) -> _Place:
        wrong = InvalidRequest("cursor is not one of this export, or is older than a day: start again without one")
        try:
            blob = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            issued, place = msgspec.json.decode(owner.open("export", "cursor", blob), type=tuple[int, _Place])
        except (binascii.Error, ValueError, Internal, msgspec.MsgspecError):
            raise wrong from None
        if place.format != form or self._clock.now_ms() - issued > CURSOR_MS:
            raise wrong
        return place

    # --- records --------------------------------------------------------------------------------------------------

    def _stages(self) -> list[tuple[str, str]]:
        titles = {"conversations": "会话 Conversations", "messages": "消息 Messages", "turns": "用量 Usage"}
        return [*((name, titles[name]) for name in STAGES), *((one.name, one.title) for one in self._sections)]

    def _text(self, place: _Place) -> JsonText | MarkdownText:
        kind = JsonText if place.format == "json" else MarkdownText
        producer = self._producer
        return kind(label=producer.label, provider=producer.provider, service=producer.service, export=place.export)

    def _pieces(self, owner: Owner, place: _Place, text: JsonText | MarkdownText) -> Iterator[tuple[str, _Place, bool]]:
        """Each record's text from `place` on, with the place behind it. A stage's end is a piece of its own, and no
        record."""
        stages = self._stages()
        readers: list[Callable[[Owner, _Place], Iterator[tuple[dict[str, Any], _Place]]]] = [
            self._conversations,
            self._messages,
            self._turn_records,
        ]
        while place.stage < len(stages):
            name, title = stages[place.stage]
            if place.stage < len(readers):
                reader = readers[place.stage](owner, place)
            else:
                reader = self._section(self._sections[place.stage - len(readers)], owner, place)
            for record, then in reader:
                fresh = then.conversation != place.conversation or not place.begun
                piece = text.record(name, title, record, first=not place.begun, fresh=fresh)
                place = msgspec.structs.replace(then, begun=True, skip=0, size=0)
                yield piece, place, True
            last = place.stage + 1 == len(stages)
            piece = text.end(last=last, following="" if last else stages[place.stage + 1][0])
            place = _Place(
                export=place.export, format=place.format, until=place.until, part=place.part, stage=place.stage + 1
            )
            yield piece, place, False

    def _conversations(self, owner: Owner, place: _Place) -> Iterator[tuple[dict[str, Any], _Place]]:
        for found in self._each_conversation(owner, place.until, after=place.id):
            yield self._conversation(owner, found), msgspec.structs.replace(place, id=found.id)

    def _messages(self, owner: Owner, place: _Place) -> Iterator[tuple[dict[str, Any], _Place]]:
        """Conversation by conversation; the one that was begun goes on behind its last message."""
        after = (place.at, place.id)
        for conversation in self._from(owner, place):
            if conversation.id != place.conversation:
                after = (-1, "")
            title = self._conversation(owner, conversation)["title"]
            while True:
                found = self._personal.messages(
                    owner.user_id, conversation.id, after=after, until=place.until, limit=BATCH
                )
                for message in found:
                    after = (message.created_at, message.id)
                    record = self._message(owner, message) | {"conversation_title": title}
                    yield (
                        record,
                        msgspec.structs.replace(place, conversation=conversation.id, at=after[0], id=after[1]),
                    )
                if len(found) < BATCH:
                    break

    def _from(self, owner: Owner, place: _Place) -> Iterator[Conversation]:
        if not place.conversation:
            return self._each_conversation(owner, place.until, after="")
        near = self._each_conversation(owner, place.until, after=place.conversation[:-1])
        return itertools.dropwhile(lambda one: one.id < place.conversation, near)

    def _turn_records(self, owner: Owner, place: _Place) -> Iterator[tuple[dict[str, Any], _Place]]:
        after = place.id
        while True:
            found = self._personal.turns(owner.user_id, after=after, until=place.until, limit=BATCH)
            for turn in found:
                after = turn.id
                yield _turn(turn), msgspec.structs.replace(place, id=turn.id)
            if len(found) < BATCH:
                return

    def _section(self, section: Section, owner: Owner, place: _Place) -> Iterator[tuple[dict[str, Any], _Place]]:
        after = place.id
        while True:
            found = section.records(owner, after=after, until=place.until, limit=BATCH)
            for key, record in found:
                after = key
                yield record, msgspec.structs.replace(place, id=key)
            if len(found) < BATCH:
                return

    def _each_conversation(self, owner: Owner, until: int, *, after: str) -> Iterator[Conversation]:
        while True:
            found = self._personal.conversations(owner.user_id, after=after, until=until, limit=BATCH)
            yield from found
            if len(found) < BATCH:
                return
            after = found[-1].id

    # --- what a record says ---------------------------------------------------------------------------------------

    def _account(self, user: User, owner: Owner) -> dict[str, Any]:
        return {
            "id": user.id[:12],
            "wechat_openid": owner.open("user", "openid", user.sealed_openid).decode(),
            "created_at": user.created_at,
            "suspended_until": user.suspended_until or None,
            "consent": {
                "version": user.consent_version,
                "accepted_at": user.consent_at,
                "overseas": user.consent_overseas,
            },
            "consents": [
                {"at": one.at, "version": one.version, "overseas": one.overseas}
                for one in self._personal.consents(user.id)
            ],
        }

    @staticmethod
    def _conversation(owner: Owner, conversation: Conversation) -> dict[str, Any]:
        return {
            "id": conversation.id,
            "title": owner.open(conversation.id, "title", conversation.sealed_title).decode(),
            "created_at": conversation.created_at,
            "last_activity_at": conversation.last_activity_at,
            **({"deleted_at": conversation.deleted_at} if conversation.deleted_at else {}),
        }

    def _message(self, owner: Owner, message: Message) -> dict[str, Any]:
        """What was blocked is told without its words (P4); what was replaced by an edit is marked so."""
        answer, blocked = message.role == "assistant", message.state == "blocked"
        body = MessageBody() if blocked else open_body(owner, message)
        sealed = owner.open(message.id, "feedback", message.sealed_feedback)
        feedback = msgspec.json.decode(sealed, type=Feedback) if sealed else None
        found = {
            "id": message.id,
            "conversation_id": message.conversation_id,
            "turn_id": message.turn_id,
            "role": message.role,
            "created_at": message.created_at,
            "label": self._producer.label if answer else None,
            "text": None if blocked else body.text,
            "reasoning": body.reasoning or None,
            "state": message.state if message.state != "normal" else None,
            "replaced": message.hidden or None,
            "end_reason": message.end_reason,
            "error_code": message.error_code or None,
            "usage": body.usage,
            "feedback": feedback,
        }
        return {name: value for name, value in found.items() if value is not None or name == "text"}


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.id,
        "conversation_id": turn.conversation_id,
        "kind": turn.kind,
        "model": turn.model,
        "created_at": turn.created_at,
        "ended_at": turn.ended_at or None,
        "end_reason": turn.end_reason,
        "error_code": turn.error_code or None,
    }


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%d-%H%M%S")


def _weight(piece: str) -> int:
    """Bytes as a JSON string in the answer."""
    return len(msgspec.json.encode(piece))


def _cut(piece: str, room: int) -> int:
    """How many characters of `piece` have about `room` bytes: at least one."""
    low, high = 1, len(piece)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _weight(piece[:middle]) <= room else (low, middle - 1)
    return low
