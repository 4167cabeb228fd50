"""What search, retention, moderation records and operators ask of the store. As everywhere: sealed bytes, ids, numbers
and times; every call may raise `StoreUnavailable`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

from yunliao.ports import Message
from yunliao.ports_keys import WrappedKeys
from yunliao.ports_people import PeopleStore
from yunliao.ports_tallies import Tallies


class History(Protocol):
    """All messages of a user in one order, and what leaves the store by age."""

    def page(self, user_id: str, *, before: tuple[int, str] | None, limit: int) -> list[Message]:
        """Of all conversations, newest first by (created_at, id): neither hidden nor blocked nor pending. Messages of
        deleted conversations are among them until those are purged: the caller looks the conversation up."""
        ...

    def expire(self, *, before: int, limit: int) -> dict[str, int]:
        """Remove for good up to `limit` messages made before, with the ended turns and events of that age, and up to
        `limit` conversations without activity since; how many of each (`messages`, `conversations`). Never touches a
        conversation whose answer is still being written."""
        ...


class VerdictEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One moderation verdict that was not `pass`: who, when, what was decided and by whom; never the text. `place` is
    `question` or `answer`; `suggest` may be `none` where no layer came to a decision and the turn failed closed."""

    id: str
    at: int
    user_id: str
    turn_id: str
    place: Literal["question", "answer"]
    layer: str
    suggest: Literal["review", "risky", "none"]
    label: int
    trace_id: str = ""
    request_id: str = ""


class PassCount(msgspec.Struct, frozen=True):
    """How many texts a layer let pass on a day (Unix days, UTC)."""

    day: int
    place: str
    passes: int


class Verdicts(Protocol):
    """The verdict log (platform.md §12: kept at least six months, without text)."""

    def add(self, entry: VerdictEntry) -> None:
        """Append; a second entry of that id changes nothing."""
        ...

    def page(self, *, user_id: str | None, before: tuple[int, str] | None, limit: int) -> list[VerdictEntry]:
        """Newest first by (at, id); of one user or of all."""
        ...

    def times(self, user_id: str, *, since: int, limit: int) -> list[int]:
        """When questions of this user were blocked (`review` or `risky`) after `since`, newest first."""
        ...

    def count_passes(self, counts: Mapping[tuple[int, str], int]) -> None:
        """Add to the counts of (day, place)."""
        ...

    def passes(self, *, since_day: int) -> list[PassCount]:
        """Counts of the days from `since_day` on, by day and place."""
        ...

    def expire(self, *, before: int, limit: int) -> int:
        """Remove up to `limit` entries older than `before`, and counts of days that ended before; how many entries."""
        ...


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One small record of the operators' desk: an account, a token's hash, a case, a version of the word list. What it
    says is sealed in `body`; the rest is there to be found by. `version` counts its changes; `expires_at` 0: never."""

    kind: str
    id: str
    at: int
    version: int = 0
    owner: str = ""
    state: str = ""
    expires_at: int = 0
    body: bytes = b""


class Cards(Protocol):
    """The index-card box of the operators' desk."""

    def get(self, kind: str, card_id: str) -> Card | None:
        """The card, expired or not."""
        ...

    def put(self, card: Card) -> bool:
        """Write `card` as version + 1 if what is stored still has `card.version` (0: there is none); else False, and
        nothing is written."""
        ...

    def remove(self, kind: str, card_id: str) -> bool:
        """Remove for good, exactly once over all instances; False if there is none."""
        ...

    def page(
        self, kind: str, *, state: str | None, owner: str | None, before: tuple[int, str] | None, limit: int
    ) -> list[Card]:
        """Newest first by (at, id)."""
        ...

    def remove_of(self, kind: str, owner: str) -> int:
        """Remove all of an owner; how many."""
        ...

    def expire(self, *, now: int, limit: int) -> int:
        """Remove up to `limit` whose `expires_at` is over; how many."""
        ...


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One link: `body` is sealed, `mac` is over everything before it and the `mac` of the link before."""

    seq: int
    at: int
    body: bytes
    mac: bytes


class AuditLog(Protocol):
    """Append-only by interface; that nothing was changed beneath it is what the chain proves."""

    def append(self, entry: AuditEntry) -> bool:
        """Write if no entry has that `seq`; False if another was faster."""
        ...

    def newest(self) -> AuditEntry | None:
        """The entry with the largest `seq`."""
        ...

    def page(self, *, after: int, limit: int) -> list[AuditEntry]:
        """Ascending, `seq` > `after`."""
        ...


class Standing(Protocol):
    """What keeps a user from sending."""

    def suspend(self, user_id: str, *, until: int) -> bool:
        """Refuse everything of this user until then (0 lifts it); False if there is no such user."""
        ...

    def cool(self, user_id: str, *, until: int) -> bool:
        """Refuse new messages of this user until then; never shortens; False if there is no such user."""
        ...


class Wiping(Protocol):
    """The end of everything."""

    def census(self) -> dict[str, int]:
        """Every table or collection, also those of other versions, with how many records it holds."""
        ...

    def clear(self, name: str) -> None:
        """Remove one of `census` with all it holds."""
        ...


class Snapshot(Protocol):
    """All records as they were at one moment, while others go on writing."""

    def tables(self) -> dict[str, int]:
        """Every table or collection that a backup holds, with about how many records are in it."""
        ...

    def read(self, name: str) -> Iterator[Sequence[bytes]]:
        """Its records in batches that fit in memory, each record as this engine's `Copying.load` takes it."""
        ...


PutRecords = Callable[[str, Sequence[bytes]], None]
"""Write a batch of a table's records, as a `Snapshot` of the same engine gave them."""


class Copying(Protocol):
    """Whole copies of the records, for backups (docs/backup.md). Left out: halves of keys, which no backup may hold,
    and what means nothing later: tickets, leases."""

    engine: str
    """Whose records these are: one engine's are not taken by another."""

    def known(self) -> tuple[str, ...]:
        """The migrations that this version has, in order."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Records of one moment. Raises `StoreUnavailable`, also where the engine keeps no moment that long."""
        ...

    def applied(self) -> tuple[str, ...]:
        """The migrations that were applied to the store, in order; () for one that was never used."""
        ...

    def occupied(self) -> dict[str, int]:
        """What would be lost by `load`: tables with records, besides those that every start makes by itself, and
        besides what a `load` that was cut off left."""
        ...

    def load(self, migrations: Sequence[str]) -> AbstractContextManager[PutRecords]:
        """Remove everything but halves of keys, bring the store to these migrations, and take records. Only when the
        block ends well do they stand: after an error, or a process that was killed, either the old ones stand or the
        store refuses to be used until a `load` has gone through."""
        ...


class RecordStore(PeopleStore, Protocol):
    """A store with the rooms of this module as well."""

    keys: WrappedKeys
    history: History
    verdicts: Verdicts
    cards: Cards
    audit: AuditLog
    standing: Standing
    tallies: Tallies
    wiping: Wiping
    copying: Copying
