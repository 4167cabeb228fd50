"""A store in dictionaries, for tests of the services: it keeps the same promises as the real ones (tests/contract)."""

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from msgspec.structs import replace

from tests.fakes.memory_copying import MemoryCopying
from tests.fakes.memory_once import MemoryOnce
from tests.fakes.memory_records import (
    MemoryAudit,
    MemoryCards,
    MemoryHistory,
    MemoryKeys,
    MemoryStanding,
    MemoryTallies,
    MemoryVerdicts,
    MemoryWiping,
)
from yunliao.adapters.store.posting import let_go_in, move_in, redeem_in, reserve_in, set_plan_in, settle_in
from yunliao.domain.ledger.account import Account, mark_of
from yunliao.domain.ledger.audit import Books
from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.entries import Entry, Kind
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import (
    AcceptLimits,
    AcceptOutcome,
    CommitResult,
    Conversation,
    Conversations,
    Draft,
    EventRow,
    Head,
    Message,
    Permit,
    Register,
    Registers,
    Secrets,
    Tickets,
    Turns,
    TurnWrite,
    User,
    Users,
)
from yunliao.ports_keys import WrappedKeys
from yunliao.ports_ledger import Ledger, Posted
from yunliao.ports_once import Once
from yunliao.ports_people import ConsentRecord, KeyShare, PersonalData
from yunliao.ports_records import (
    AuditEntry,
    AuditLog,
    Card,
    Cards,
    Copying,
    History,
    Standing,
    VerdictEntry,
    Verdicts,
    Wiping,
)
from yunliao.ports_tallies import Span, Tallies, TallyRecord


class Tables:
    """What is stored. Holding `lock` is a transaction: every room takes it for a whole call."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users: dict[str, User] = {}
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[str, Message] = {}
        self.turns: dict[str, Turn] = {}
        self.events: dict[str, list[EventRow]] = {}
        self.tickets: dict[str, tuple[bytes, int]] = {}
        self.secrets: dict[str, bytes] = {}
        self.registers: dict[str, Register] = {}
        self.accounts: dict[str, Account] = {}
        self.entries: dict[tuple[str, str, str], Entry] = {}
        self.codes: dict[str, Code] = {}
        self.consents: dict[str, list[ConsentRecord]] = {}
        self.verdicts: dict[str, VerdictEntry] = {}
        self.passes: dict[tuple[int, str], int] = {}
        self.cards: dict[tuple[str, str], Card] = {}
        self.audit: dict[int, AuditEntry] = {}
        self.tallies: dict[tuple[Span, int, str], TallyRecord] = {}

    def has_permit(self, user_id: str, permit: Permit) -> bool:
        """Whether that is what the user's record says."""
        return user_id in self.users and self.users[user_id].permit == permit

    def has_key(self, user_id: str, key_id: str) -> bool:
        """Whether the user is there, with that half of a data key."""
        return user_id in self.users and self.users[user_id].key_id == key_id

    def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """The user's conversation, deleted or not."""
        found = self.conversations.get(conversation_id)
        return found if found is not None and found.user_id == user_id else None

    def change(self, conversation_id: str, **fields: Any) -> None:
        """Change a conversation, if it is still there."""
        if conversation_id in self.conversations:
            self.conversations[conversation_id] = replace(self.conversations[conversation_id], **fields)

    def touch(self, conversation_id: str, at: int, live_turn_id: str) -> None:
        """Activity in a conversation; time never goes back."""
        if conversation_id in self.conversations:
            latest = max(at, self.conversations[conversation_id].last_activity_at)
            self.change(conversation_id, last_activity_at=latest, live_turn_id=live_turn_id)

    def drop_turns(self, doomed: Callable[[Turn], bool]) -> tuple[int, int]:
        """Remove turns with their events; how many of each."""
        ids = [turn.id for turn in self.turns.values() if doomed(turn)]
        for turn_id in ids:
            del self.turns[turn_id]
        return len(ids), sum(len(self.events.pop(turn_id, [])) for turn_id in ids)


class MemoryTurns:
    """Implements `ports.Turns`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def accept(self, draft: Draft, limits: AcceptLimits) -> AcceptOutcome:
        tables, turn = self._tables, draft.turn
        with tables.lock:
            refused = self._refusal(draft, limits)
            if refused is not None:
                return refused
            shortfall = reserve_in(MemoryBooks(tables), draft.turn, draft.charge)
            if shortfall is not None:
                return AcceptOutcome(status="shortfall", shortfall=shortfall)
            if draft.new_conversation is not None:
                tables.conversations[draft.new_conversation.id] = draft.new_conversation
            self._hide(draft)
            tables.turns[turn.id] = turn
            if draft.message is not None:
                tables.messages[draft.message.id] = draft.message
            tables.events[turn.id] = [EventRow(seq=1, body=draft.accepted_event, created_at=turn.created_at)]
            tables.touch(turn.conversation_id, turn.created_at, turn.id)
            return AcceptOutcome(status="accepted", turn=turn)

    def get(self, turn_id: str) -> Turn | None:
        with self._tables.lock:
            return self._tables.turns.get(turn_id)

    def by_client_id(self, user_id: str, client_id: str) -> Turn | None:
        return self._first(lambda turn: (turn.user_id, turn.client_id) == (user_id, client_id))

    def live_of(self, user_id: str) -> Turn | None:
        return self._first(lambda turn: turn.user_id == user_id and turn.live)

    def commit(self, writes: Sequence[TurnWrite], *, owner: str, lease_until: int) -> CommitResult:
        lost, stops = set(), set()
        with self._tables.lock:
            for write in writes:
                turn = self._tables.turns.get(write.turn_id)
                if turn is None or not turn.live or turn.owner != owner or not _contiguous(turn, write):
                    lost.add(write.turn_id)
                    continue
                if turn.stop_requested:
                    stops.add(turn.id)
                self._tables.events[turn.id].extend(write.rows)
                turn = replace(turn, last_seq=turn.last_seq + len(write.rows))
                if write.ending is None:
                    turn = replace(turn, lease_until=lease_until, state=write.state or turn.state)
                    self._tables.turns[turn.id] = turn
                else:
                    self._end(turn, write.ending)
                    settle_in(MemoryBooks(self._tables), turn, write.ending)
        return CommitResult(lost=frozenset(lost), stops=frozenset(stops))

    def claim(self, turn_id: str, *, owner: str, lease_until: int, now: int) -> Turn | None:
        with self._tables.lock:
            turn = self._tables.turns.get(turn_id)
            if turn is None or not turn.live or turn.lease_until >= now:
                return None
            claimed = replace(turn, owner=owner, lease_until=lease_until, takeovers=turn.takeovers + 1)
            self._tables.turns[turn_id] = claimed
            return claimed

    def abandoned(self, *, now: int, limit: int) -> list[Turn]:
        with self._tables.lock:
            found = [turn for turn in self._tables.turns.values() if turn.live and turn.lease_until < now]
            return sorted(found, key=lambda turn: turn.lease_until)[:limit]

    def request_stop(self, turn_id: str) -> None:
        with self._tables.lock:
            turn = self._tables.turns.get(turn_id)
            if turn is not None and turn.live:
                self._tables.turns[turn_id] = replace(turn, stop_requested=True)

    def events(self, turn_id: str, *, after: int, limit: int) -> list[EventRow]:
        with self._tables.lock:
            return [row for row in self._tables.events.get(turn_id, []) if row.seq > after][:limit]

    def heads(self, turn_ids: Collection[str]) -> dict[str, Head]:
        with self._tables.lock:
            found = [self._tables.turns[turn_id] for turn_id in turn_ids if turn_id in self._tables.turns]
        return {turn.id: Head(turn.last_seq, turn.live, turn.lease_until) for turn in found}

    def watch(self) -> None:
        return None

    def expire_events(self, *, ended_before: int, limit: int) -> int:
        with self._tables.lock:
            ended = [
                turn
                for turn in self._tables.turns.values()
                if not turn.live and turn.ended_at < ended_before and turn.id in self._tables.events
            ]
            for turn in sorted(ended, key=lambda turn: turn.ended_at)[:limit]:
                del self._tables.events[turn.id]
            return min(len(ended), limit)

    def _first(self, wanted: Callable[[Turn], bool]) -> Turn | None:
        with self._tables.lock:
            return next(filter(wanted, self._tables.turns.values()), None)

    def _refusal(self, draft: Draft, limits: AcceptLimits) -> AcceptOutcome | None:
        turn = draft.turn
        if draft.key_id and not self._tables.has_key(turn.user_id, draft.key_id):
            return AcceptOutcome(status="no_user")
        if draft.permit and not self._tables.has_permit(turn.user_id, draft.permit):
            return AcceptOutcome(status="outdated")
        existing = self.by_client_id(turn.user_id, turn.client_id)
        if existing is not None:
            return AcceptOutcome(status="existing", turn=existing)
        if draft.new_conversation is None:
            conversation = self._tables.conversation(turn.user_id, turn.conversation_id)
            if conversation is None or conversation.deleted_at:
                return AcceptOutcome(status="no_conversation")
        live = self.live_of(turn.user_id)
        if live is not None:
            return AcceptOutcome(status="turn_in_progress", turn=live)
        since = turn.created_at - limits.window_ms
        recent = sorted(
            other.created_at
            for other in self._tables.turns.values()
            if other.user_id == turn.user_id and other.created_at > since
        )
        if len(recent) >= limits.rate:
            return AcceptOutcome(status="rate_limited", retry_after_ms=recent[-limits.rate] - since)
        return None

    def _hide(self, draft: Draft) -> None:
        messages, turn = self._tables.messages, draft.turn
        hidden = {key for key in draft.hide_message_ids if key in messages and messages[key].user_id == turn.user_id}
        first = messages.get(draft.hide_from_message_id)
        if first is not None and (first.conversation_id, first.user_id) == (turn.conversation_id, turn.user_id):
            hidden |= {
                other.id
                for other in messages.values()
                if other.conversation_id == first.conversation_id
                and (other.created_at, other.id) >= (first.created_at, first.id)
            }
        for key in hidden:
            messages[key] = replace(messages[key], hidden=True)

    def _end(self, turn: Turn, ending: Ending) -> None:
        tables, blocked = self._tables, ending.reason == "blocked"
        code = ending.problem.code if ending.problem else ""
        tables.turns[turn.id] = replace(
            turn, state="ended", ended_at=ending.ended_at, end_reason=ending.reason, error_code=code
        )
        tables.touch(turn.conversation_id, ending.ended_at, "")
        standing = tables.conversations.get(turn.conversation_id)
        if standing is not None and ending.snippet is not None:
            tables.change(standing.id, sealed_snippet=ending.snippet)
        if standing is not None and ending.title is not None and standing.titled == "none":
            tables.change(standing.id, sealed_title=ending.title, titled="auto")
        asked = tables.messages.get(turn.user_message_id)
        if blocked and asked is not None:
            tables.messages[asked.id] = replace(asked, state="blocked")
        if ending.answer is not None and turn.conversation_id in tables.conversations:
            tables.messages[turn.answer_message_id] = Message(
                id=turn.answer_message_id,
                user_id=turn.user_id,
                conversation_id=turn.conversation_id,
                turn_id=turn.id,
                role="assistant",
                sealed_body=ending.answer,
                created_at=max(ending.ended_at, turn.created_at + 1),
                state="blocked" if blocked else "normal",
                end_reason=ending.reason,
                error_code=code,
            )


class MemoryUsers:
    """Implements `ports.Users`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, user_id: str) -> User | None:
        with self._tables.lock:
            return self._tables.users.get(user_id)

    def create(self, user: User) -> User:
        with self._tables.lock:
            return self._tables.users.setdefault(user.id, user)

    def set_consent(self, user_id: str, *, version: str, overseas: bool, at: int) -> bool:
        with self._tables.lock:
            user = self._tables.users.get(user_id)
            if user is None:
                return False
            self._tables.consents.setdefault(user_id, []).append(ConsentRecord(at, version, overseas))
            changed = replace(user, consent_version=version, consent_overseas=overseas, consent_at=at)
            self._tables.users[user_id] = changed
            return True

    def erase(self, user_id: str, *, key_id: str | None = None) -> dict[str, int]:
        tables = self._tables
        with tables.lock:
            account = tables.accounts.get(user_id)
            if account is not None and account.allowed_day >= 0:
                mark = mark_of(user_id, account)
                tables.tickets[mark.name] = (str(mark.allowed_day).encode(), mark.expires_at)
            if user_id in tables.users and key_id not in (None, tables.users[user_id].key_id):
                return {}
            turns, events = tables.drop_turns(lambda turn: turn.user_id == user_id)
            return {
                "events": events,
                "messages": _drop(tables.messages, lambda message: message.user_id == user_id),
                "turns": turns,
                "conversations": _drop(tables.conversations, lambda conversation: conversation.user_id == user_id),
                "entries": _drop(tables.entries, lambda entry: entry.user_id == user_id),
                "accounts": int(tables.accounts.pop(user_id, None) is not None),
                "consents": len(tables.consents.pop(user_id, [])),
                "cards": _drop(tables.cards, lambda card: card.owner == user_id),
                "users": _drop(tables.users, lambda user: user.id == user_id),
            }


class MemoryConversations:
    """Implements `ports.Conversations`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def create(self, conversation: Conversation, *, key_id: str = "") -> bool:
        with self._tables.lock:
            if key_id and not self._tables.has_key(conversation.user_id, key_id):
                return False
            self._tables.conversations[conversation.id] = conversation
            return True

    def get(self, user_id: str, conversation_id: str) -> Conversation | None:
        with self._tables.lock:
            found = self._tables.conversation(user_id, conversation_id)
            return None if found is None or found.deleted_at else found

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Conversation]:
        with self._tables.lock:
            found = [
                one
                for one in self._tables.conversations.values()
                if one.user_id == user_id
                and not one.deleted_at
                and (before is None or (one.last_activity_at, one.id) < before)
            ]
            return sorted(found, key=lambda one: (one.last_activity_at, one.id), reverse=True)[:limit]

    def set_title(self, user_id: str, conversation_id: str, sealed_title: bytes) -> bool:
        with self._tables.lock:
            if self.get(user_id, conversation_id) is None:
                return False
            self._tables.change(conversation_id, sealed_title=sealed_title, titled="user")
            return True

    def delete(self, user_id: str, conversation_id: str, *, at: int) -> bool:
        with self._tables.lock:
            found = self.get(user_id, conversation_id)
            if found is not None:
                self._tables.change(conversation_id, deleted_at=at)
            return found is not None

    def restore(self, user_id: str, conversation_id: str, *, deleted_after: int) -> bool:
        with self._tables.lock:
            found = self._tables.conversation(user_id, conversation_id)
            if found is None or found.deleted_at <= deleted_after:
                return False
            self._tables.change(conversation_id, deleted_at=0)
            return True

    def purge(self, *, deleted_before: int, limit: int) -> int:
        tables = self._tables
        with tables.lock:
            old = [key for key, one in tables.conversations.items() if 0 < one.deleted_at < deleted_before][:limit]
            for turn in tables.turns.values():
                if turn.live and turn.conversation_id in old:
                    let_go_in(MemoryBooks(tables), turn)
            tables.drop_turns(lambda turn: turn.conversation_id in old)
            _drop(tables.messages, lambda message: message.conversation_id in old)
            return _drop(tables.conversations, lambda conversation: conversation.id in old)

    def messages(
        self, user_id: str, conversation_id: str, *, before: tuple[int, str] | None, limit: int
    ) -> list[Message]:
        with self._tables.lock:
            found = [
                one
                for one in self._tables.messages.values()
                if (one.user_id, one.conversation_id) == (user_id, conversation_id)
                and not one.hidden
                and (before is None or (one.created_at, one.id) < before)
            ]
            return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]

    def message(self, user_id: str, message_id: str) -> Message | None:
        with self._tables.lock:
            found = self._tables.messages.get(message_id)
            return found if found is not None and found.user_id == user_id else None

    def set_feedback(self, user_id: str, message_id: str, sealed_feedback: bytes) -> bool:
        with self._tables.lock:
            found = self.message(user_id, message_id)
            if found is not None:
                self._tables.messages[message_id] = replace(found, sealed_feedback=sealed_feedback)
            return found is not None


class MemoryTickets:
    """Implements `ports.Tickets`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, ticket_hash: str, sealed_principal: bytes, *, expires_at: int) -> None:
        with self._tables.lock:
            self._tables.tickets[ticket_hash] = (sealed_principal, expires_at)

    def take(self, ticket_hash: str, *, now: int) -> bytes | None:
        with self._tables.lock:
            _drop(self._tables.tickets, lambda ticket: ticket[1] <= now)
            found = self._tables.tickets.pop(ticket_hash, None)
            return None if found is None else found[0]


class MemorySecrets:
    """Implements `ports.Secrets`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get_or_put(self, name: str, value: bytes) -> bytes:
        with self._tables.lock:
            return self._tables.secrets.setdefault(name, value)


class MemoryRegisters:
    """Implements `ports.Registers`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def read(self, name: str) -> Register:
        with self._tables.lock:
            return self._tables.registers.get(name, Register(0, b""))

    def swap(self, name: str, *, version: int, value: bytes) -> bool:
        with self._tables.lock:
            if self.read(name).version != version:
                return False
            self._tables.registers[name] = Register(version + 1, value)
            return True


class MemoryBooks:
    """Implements `posting.Open`, inside whoever holds the lock."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def load(self, user_id: str) -> Account | None:
        stored = self._tables.accounts.get(user_id)
        mark = self._tables.tickets.get(mark_of(user_id, None).name)
        return stored or (Account(allowed_day=int(mark[0])) if mark else None)

    def save(self, user_id: str, account: Account, entries: tuple[Entry, ...]) -> None:
        self._tables.accounts[user_id] = account
        for entry in entries:
            key = (user_id, entry.reference, entry.kind)
            assert key not in self._tables.entries, key
            self._tables.entries[key] = entry

    def entry(self, user_id: str, reference: str, kind: Kind) -> Entry | None:
        return self._tables.entries.get((user_id, reference, kind))

    def is_user(self, user_id: str) -> bool:
        return user_id in self._tables.users

    def code(self, code_hash: str) -> Code | None:
        return self._tables.codes.get(code_hash)

    def use(self, code: Code) -> None:
        self._tables.codes[code.hash] = replace(code, uses=code.uses - 1)


class MemoryLedger:
    """Implements `ports_ledger.Ledger`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def account(self, user_id: str) -> Account | None:
        with self._tables.lock:
            return MemoryBooks(self._tables).load(user_id)

    def move(self, user_id: str, movement: Movement) -> Posted:
        with self._tables.lock:
            return move_in(MemoryBooks(self._tables), user_id, movement)

    def redeem(self, user_id: str, code_hash: str, *, at: int) -> Posted:
        with self._tables.lock:
            return redeem_in(MemoryBooks(self._tables), user_id, code_hash, at)

    def put_codes(self, codes: Sequence[Code]) -> None:
        with self._tables.lock:
            self._tables.codes |= {code.hash: code for code in codes}

    def set_plan(self, user_id: str, plan: str) -> bool:
        with self._tables.lock:
            return set_plan_in(MemoryBooks(self._tables), user_id, plan)

    def entries(
        self, user_id: str, *, before: int | None, limit: int, kinds: Collection[Kind] | None = None
    ) -> list[Entry]:
        found = [
            entry
            for entry in self._of(user_id)
            if (before is None or entry.number < before) and (kinds is None or entry.kind in kinds)
        ]
        return found[::-1][:limit]

    def about(self, user_id: str, reference: str) -> list[Entry]:
        return [entry for entry in self._of(user_id) if entry.reference == reference]

    def books(self, user_id: str) -> Books:
        tables = self._tables
        with tables.lock:
            return Books(
                user_id=user_id,
                account=tables.accounts.get(user_id),
                entries=tuple(self._of(user_id)),
                turns=tuple(t for t in tables.turns.values() if t.user_id == user_id and t.price_version),
                known=user_id in tables.users,
            )

    def users(self, *, after: str, limit: int) -> list[str]:
        with self._tables.lock:
            return sorted(key for key in {*self._tables.users, *self._tables.accounts} if key > after)[:limit]

    def _of(self, user_id: str) -> list[Entry]:
        with self._tables.lock:
            mine = [entry for entry in self._tables.entries.values() if entry.user_id == user_id]
        return sorted(mine, key=lambda entry: entry.number)


class MemoryPersonalData:
    """Implements `ports_people.PersonalData`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def consents(self, user_id: str) -> list[ConsentRecord]:
        with self._tables.lock:
            return list(self._tables.consents.get(user_id, []))

    def conversations(self, user_id: str, *, after: str, until: int, limit: int) -> list[Conversation]:
        with self._tables.lock:
            own = [one for one in self._tables.conversations.values() if one.user_id == user_id]
        return sorted((one for one in own if one.id > after and one.created_at <= until), key=lambda one: one.id)[
            :limit
        ]

    def messages(
        self, user_id: str, conversation_id: str, *, after: tuple[int, str], until: int, limit: int
    ) -> list[Message]:
        with self._tables.lock:
            own = [
                one
                for one in self._tables.messages.values()
                if (one.user_id, one.conversation_id) == (user_id, conversation_id)
            ]
        return _beyond(own, after, until, limit)

    def turns(self, user_id: str, *, after: str, until: int, limit: int) -> list[Turn]:
        with self._tables.lock:
            own = [turn for turn in self._tables.turns.values() if turn.user_id == user_id]
        return sorted((one for one in own if one.id > after and one.created_at <= until), key=lambda one: one.id)[
            :limit
        ]

    def purge(self, user_id: str, conversation_id: str) -> dict[str, int] | None:
        tables = self._tables
        with tables.lock:
            if tables.conversation(user_id, conversation_id) is None:
                return None
            for turn in tables.turns.values():
                if turn.live and turn.conversation_id == conversation_id:
                    let_go_in(MemoryBooks(tables), turn)
            turns, events = tables.drop_turns(lambda turn: turn.conversation_id == conversation_id)
            messages = _drop(tables.messages, lambda message: message.conversation_id == conversation_id)
            del tables.conversations[conversation_id]
            return {"events": events, "turns": turns, "messages": messages, "conversations": 1}

    def keyed(self, *, after: str, limit: int) -> list[tuple[str, str]]:
        with self._tables.lock:
            return sorted((user.id, user.key_id) for user in self._tables.users.values() if user.id > after)[:limit]

    def rekey(self, user_id: str, *, old: bytes, new: bytes, key_id: str) -> bool:
        with self._tables.lock:
            user = self._tables.users.get(user_id)
            if user is None or user.wrapped_key != old or user.key_id:
                return False
            self._tables.users[user_id] = replace(user, wrapped_key=new, key_id=key_id)
            return True


class MemoryKeyStore:
    """Implements `ports_people.KeyStore`."""

    def __init__(self) -> None:
        self.shares: dict[str, KeyShare] = {}
        self._mark = ""

    def migrate(self) -> None: ...

    def mark(self, value: str) -> str:
        self._mark = self._mark or value
        return self._mark

    def marked(self) -> str:
        return self._mark

    def bury(self, record_id: str, *, at: int) -> None:
        buried = KeyShare(id=record_id, user_id="", share=b"", created_at=at, destroyed_at=at)
        self.shares.setdefault(record_id, buried)

    def put(self, share: KeyShare) -> None:
        self.shares[share.id] = share

    def get(self, share_id: str) -> KeyShare | None:
        return self.shares.get(share_id)

    def destroy(self, share_id: str, *, at: int) -> bool:
        found = self.shares.get(share_id)
        if found is None or found.destroyed_at:
            return False
        self.shares[share_id] = replace(found, share=b"", destroyed_at=at)
        return True

    def settled(self, share_id: str) -> None:
        if share_id in self.shares and self.shares[share_id].destroyed_at:
            self.shares[share_id] = replace(self.shares[share_id], user_id="")

    def unsettled(self, *, limit: int) -> list[KeyShare]:
        left = [share for share in self.shares.values() if share.destroyed_at and share.user_id]
        return sorted(left, key=lambda share: share.destroyed_at)[:limit]

    def destroyed(self, share_ids: Collection[str]) -> set[str]:
        return {one for one in share_ids if one in self.shares and self.shares[one].destroyed_at}

    def clear(self) -> int:
        count, self.shares, self._mark = len(self.shares), {}, ""
        return count

    def ping(self) -> None: ...

    def close(self) -> None: ...


class MemoryStore:
    """Implements `ports.Store`. Gone with the process."""

    def __init__(self) -> None:
        tables = Tables()
        self.turns: Turns = MemoryTurns(tables)
        self.users: Users = MemoryUsers(tables)
        self.conversations: Conversations = MemoryConversations(tables)
        self.personal: PersonalData = MemoryPersonalData(tables)
        self.tickets: Tickets = MemoryTickets(tables)
        self.secrets: Secrets = MemorySecrets(tables)
        self.registers: Registers = MemoryRegisters(tables)
        self.once: Once = MemoryOnce()
        self.ledger: Ledger = MemoryLedger(tables)
        self.keys: WrappedKeys = MemoryKeys(tables)
        self.history: History = MemoryHistory(tables)
        self.verdicts: Verdicts = MemoryVerdicts(tables)
        self.cards: Cards = MemoryCards(tables)
        self.audit: AuditLog = MemoryAudit(tables)
        self.standing: Standing = MemoryStanding(tables)
        self.tallies: Tallies = MemoryTallies(tables)
        self.wiping: Wiping = MemoryWiping(tables)
        self.copying: Copying = MemoryCopying(tables)

    def migrate(self) -> list[str]:
        return []

    def ping(self) -> None:
        """Always there."""

    def close(self) -> None:
        """Nothing to release."""


def _contiguous(turn: Turn, write: TurnWrite) -> bool:
    return all(row.seq == turn.last_seq + place for place, row in enumerate(write.rows, 1))


def _drop(table: dict[str, Any], doomed: Callable[[Any], bool]) -> int:
    keys = [key for key, value in table.items() if doomed(value)]
    for key in keys:
        del table[key]
    return len(keys)


def _beyond(found: list[Any], after: tuple[int, str], until: int, limit: int) -> list[Any]:
    ordered = sorted(found, key=lambda one: (one.created_at, one.id))
    return [one for one in ordered if (one.created_at, one.id) > after and one.created_at <= until][:limit]
