"""What people's own data asks of the world: reading all of it in a fixed order, and keys that can be destroyed.

As everywhere the store sees sealed bytes, ids, numbers and times, and may raise `StoreUnavailable`.
"""

from collections.abc import Collection
from typing import Protocol

import msgspec

from yunliao.domain.turn import Turn
from yunliao.ports import Conversation, Message, Store


class ConsentRecord(msgspec.Struct, frozen=True):
    """One answer to the question for consent: when (Unix milliseconds), to which version ("" for a withdrawal), and
    whether overseas processing was allowed."""

    at: int
    version: str
    overseas: bool


class PersonalData(Protocol):
    """Everything of one user, in orders that new records never change: pages of them neither repeat nor miss."""

    def consents(self, user_id: str) -> list[ConsentRecord]:
        """Every consent and withdrawal, oldest first."""
        ...

    def conversations(self, user_id: str, *, after: str, until: int, limit: int) -> list[Conversation]:
        """With id > `after` and made no later than `until`, ascending by id; those in the trash too."""
        ...

    def messages(
        self, user_id: str, conversation_id: str, *, after: tuple[int, str], until: int, limit: int
    ) -> list[Message]:
        """Beyond `after` in the order (created_at, id), made no later than `until`, ascending; hidden ones too."""
        ...

    def turns(self, user_id: str, *, after: str, until: int, limit: int) -> list[Turn]:
        """With id > `after` and made no later than `until`, ascending by id."""
        ...

    def purge(self, user_id: str, conversation_id: str) -> dict[str, int] | None:
        """Remove one conversation for good, deleted or not, with messages, turns and events: rows of each, or None if
        there is none. A live turn of it is lost to its owner."""
        ...

    def keyed(self, *, after: str, limit: int) -> list[tuple[str, str]]:
        """Users with id > `after` and the id of their share ("" for none), ascending by id."""
        ...

    def rekey(self, user_id: str, *, old: bytes, new: bytes, key_id: str) -> bool:
        """Write another wrapped key and the id of its share, if `old` is still what is stored and had no share."""
        ...


class PeopleStore(Store, Protocol):
    """A store with the room of this module as well."""

    personal: PersonalData


class KeyShare(msgspec.Struct, frozen=True, kw_only=True):
    """One half of a user's data key: 32 random bytes. `destroyed_at` > 0: `share` is empty and never comes back;
    `user_id` stays until the user's records are gone, so that an erase that was cut short can be finished."""

    id: str
    user_id: str
    share: bytes
    created_at: int
    destroyed_at: int = 0


class KeyStore(Protocol):
    """Halves of data keys, kept where backups of the records do not reach (docs/privacy.md). What is destroyed here
    makes every copy of the user's records unreadable, however old."""

    def migrate(self) -> None:
        """Make what is missing."""
        ...

    def mark(self, value: str) -> str:
        """The mark of this key store: `value` if this call was the first to bring one."""
        ...

    def marked(self) -> str:
        """The mark, "" if there is none yet; also where `migrate` was never called. Makes nothing."""
        ...

    def bury(self, record_id: str, *, at: int) -> None:
        """Remember that this record was erased for good, where no restored backup takes it back: `destroyed` knows
        it from now on. Repeating it is harmless."""
        ...

    def put(self, share: KeyShare) -> None:
        """Keep a new one; durable when this returns."""
        ...

    def get(self, share_id: str) -> KeyShare | None:
        """The share, destroyed ones included; None if it never was here."""
        ...

    def destroy(self, share_id: str, *, at: int) -> bool:
        """Overwrite the share for good; False if it was destroyed before or never here."""
        ...

    def settled(self, share_id: str) -> None:
        """The records are gone too: forget whose a destroyed share was."""
        ...

    def unsettled(self, *, limit: int) -> list[KeyShare]:
        """Destroyed shares whose user's records may still be there."""
        ...

    def destroyed(self, share_ids: Collection[str]) -> set[str]:
        """Which of these are destroyed."""
        ...

    def clear(self) -> int:
        """Remove every share and the mark for good, for the end of a whole service; how many shares there were."""
        ...

    def ping(self) -> None:
        """Raises `StoreUnavailable` unless a read works now."""
        ...

    def close(self) -> None:
        """Release files and sockets."""
        ...
