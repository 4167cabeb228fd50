"""The rooms of `ports_records` and `ports_keys` in dictionaries."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from yunliao.ports import Message
from yunliao.ports_keys import Rewrapped, Wrapped
from yunliao.ports_records import AuditEntry, Card, PassCount, VerdictEntry
from yunliao.ports_tallies import Span, TallyRecord

if TYPE_CHECKING:
    from tests.fakes.memory_store import Tables

DAY_MS = 86_400_000


class MemoryKeys:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def users(self, *, after: str, limit: int) -> list[Wrapped]:
        with self._tables.lock:
            found = sorted((one for one in self._tables.users.values() if one.id > after), key=lambda one: one.id)
            return [Wrapped(one.id, one.wrapped_key) for one in found[:limit]]

    def count_users(self) -> int:
        with self._tables.lock:
            return len(self._tables.users)

    def swap_users(self, changes: Sequence[Rewrapped]) -> int:
        with self._tables.lock:
            users = self._tables.users
            fit = [one for one in changes if one.name in users and users[one.name].wrapped_key == one.old]
            for one in fit:
                users[one.name] = replace(users[one.name], wrapped_key=one.new)
            return len(fit)

    def secrets(self) -> list[Wrapped]:
        with self._tables.lock:
            return [Wrapped(name, blob) for name, blob in sorted(self._tables.secrets.items())]

    def swap_secrets(self, changes: Sequence[Rewrapped]) -> int:
        with self._tables.lock:
            fit = [one for one in changes if self._tables.secrets.get(one.name) == one.old]
            self._tables.secrets.update({one.name: one.new for one in fit})
            return len(fit)


class MemoryHistory:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Message]:
        with self._tables.lock:
            found = [
                one
                for one in self._tables.messages.values()
                if one.user_id == user_id
                and not one.hidden
                and one.state == "normal"
                and (before is None or (one.created_at, one.id) < before)
            ]
            return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]

    def expire(self, *, before: int, limit: int) -> dict[str, int]:
        tables = self._tables
        with tables.lock:
            idle = [
                one.id
                for one in tables.conversations.values()
                if one.last_activity_at < before and not one.live_turn_id
            ][:limit]
            tables.drop_turns(lambda turn: turn.conversation_id in idle)
            for key in [key for key, one in tables.messages.items() if one.conversation_id in idle]:
                del tables.messages[key]
            for key in idle:
                del tables.conversations[key]
            busy = {one.id for one in tables.conversations.values() if one.live_turn_id}
            old = [
                one
                for one in sorted(tables.messages.values(), key=lambda one: one.created_at)
                if one.created_at < before and one.conversation_id not in busy
            ][:limit]
            doomed = {one.turn_id for one in old}
            tables.drop_turns(lambda turn: turn.id in doomed and not turn.live)
            for one in old:
                del tables.messages[one.id]
            return {"conversations": len(idle), "messages": len(old)}


class MemoryVerdicts:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def add(self, entry: VerdictEntry) -> None:
        with self._tables.lock:
            self._tables.verdicts.setdefault(entry.id, entry)

    def page(self, *, user_id: str | None, before: tuple[int, str] | None, limit: int) -> list[VerdictEntry]:
        with self._tables.lock:
            found = [
                one
                for one in self._tables.verdicts.values()
                if user_id in (None, one.user_id) and (before is None or (one.at, one.id) < before)
            ]
            return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]

    def times(self, user_id: str, *, since: int, limit: int) -> list[int]:
        found = [
            one
            for one in self.page(user_id=user_id, before=None, limit=10**9)
            if one.suggest != "none" and one.place == "question"
        ]
        return [one.at for one in found if one.at > since][:limit]

    def count_passes(self, counts: Mapping[tuple[int, str], int]) -> None:
        with self._tables.lock:
            for key, count in counts.items():
                self._tables.passes[key] = self._tables.passes.get(key, 0) + count

    def passes(self, *, since_day: int) -> list[PassCount]:
        with self._tables.lock:
            return [PassCount(*key, count) for key, count in sorted(self._tables.passes.items()) if key[0] >= since_day]

    def expire(self, *, before: int, limit: int) -> int:
        with self._tables.lock:
            for key in [key for key in self._tables.passes if (key[0] + 1) * DAY_MS <= before]:
                del self._tables.passes[key]
            old = sorted((one for one in self._tables.verdicts.values() if one.at < before), key=lambda one: one.at)
            for one in old[:limit]:
                del self._tables.verdicts[one.id]
            return len(old[:limit])


class MemoryCards:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def get(self, kind: str, card_id: str) -> Card | None:
        with self._tables.lock:
            return self._tables.cards.get((kind, card_id))

    def put(self, card: Card) -> bool:
        with self._tables.lock:
            standing = self._tables.cards.get((card.kind, card.id))
            if (standing.version if standing else 0) != card.version:
                return False
            self._tables.cards[card.kind, card.id] = replace(card, version=card.version + 1)
            return True

    def remove(self, kind: str, card_id: str) -> bool:
        with self._tables.lock:
            return self._tables.cards.pop((kind, card_id), None) is not None

    def page(
        self, kind: str, *, state: str | None, owner: str | None, before: tuple[int, str] | None, limit: int
    ) -> list[Card]:
        with self._tables.lock:
            found = [
                one
                for one in self._tables.cards.values()
                if one.kind == kind
                and state in (None, one.state)
                and owner in (None, one.owner)
                and (before is None or (one.at, one.id) < before)
            ]
            return sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]

    def remove_of(self, kind: str, owner: str) -> int:
        return self._drop([key for key, one in self._tables.cards.items() if (one.kind, one.owner) == (kind, owner)])

    def expire(self, *, now: int, limit: int) -> int:
        return self._drop([key for key, one in self._tables.cards.items() if 0 < one.expires_at <= now][:limit])

    def _drop(self, keys: list[tuple[str, str]]) -> int:
        with self._tables.lock:
            return sum(self._tables.cards.pop(key, None) is not None for key in keys)


class MemoryAudit:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def append(self, entry: AuditEntry) -> bool:
        with self._tables.lock:
            return self._tables.audit.setdefault(entry.seq, entry) is entry

    def newest(self) -> AuditEntry | None:
        with self._tables.lock:
            return self._tables.audit[max(self._tables.audit)] if self._tables.audit else None

    def page(self, *, after: int, limit: int) -> list[AuditEntry]:
        with self._tables.lock:
            return [one for seq, one in sorted(self._tables.audit.items()) if seq > after][:limit]


class MemoryStanding:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def suspend(self, user_id: str, *, until: int) -> bool:
        with self._tables.lock:
            user = self._tables.users.get(user_id)
            if user is not None:
                self._tables.users[user_id] = replace(user, suspended_until=until)
            return user is not None

    def cool(self, user_id: str, *, until: int) -> bool:
        with self._tables.lock:
            user = self._tables.users.get(user_id)
            if user is not None:
                self._tables.users[user_id] = replace(user, cooling_until=max(user.cooling_until, until))
            return user is not None


class MemoryWiping:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def census(self) -> dict[str, int]:
        with self._tables.lock:
            return {name: len(table) for name, table in vars(self._tables).items() if isinstance(table, dict)}

    def clear(self, name: str) -> None:
        with self._tables.lock:
            getattr(self._tables, name, {}).clear()


class MemoryTallies:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables

    def put(self, record: TallyRecord) -> None:
        with self._tables.lock:
            key = (record.span, record.at, record.source)
            standing = self._tables.tallies.get(key)
            if standing is None or standing.version < record.version:
                self._tables.tallies[key] = record

    def read(self, span: Span, *, since: int, until: int) -> list[TallyRecord]:
        with self._tables.lock:
            found = [one for one in self._tables.tallies.values() if one.span == span and since <= one.at < until]
            return sorted(found, key=lambda one: (one.at, one.source))

    def oldest(self, span: Span) -> int | None:
        with self._tables.lock:
            return min((one.at for one in self._tables.tallies.values() if one.span == span), default=None)

    def expire(self, span: Span, *, before: int, limit: int) -> int:
        with self._tables.lock:
            old = [key for key in sorted(self._tables.tallies) if key[0] == span and key[1] < before][:limit]
            for key in old:
                del self._tables.tallies[key]
            return len(old)
