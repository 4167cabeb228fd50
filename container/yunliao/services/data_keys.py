"""Users' data keys, each in two halves: one wrapped by the master key beside the user's records, one in the key store.

The halves are joined by exclusive or, so each alone is 32 random bytes and tells nothing of the key. Backups hold the
first half with the records; the second is kept where they do not reach, and overwriting it makes every copy of the
records unreadable, however old (P10; docs/privacy.md has the reasoning). A user from before halves existed has the
whole key in `wrapped_key` and no `key_id`, and is given halves when next seen.
"""

import secrets

import msgspec

from yunliao.errors import Misconfigured, StoreUnavailable
from yunliao.ports import Clock, Ids, User, Users, Vault
from yunliao.ports_people import KeyShare, KeyStore, PersonalData

KEY_BYTES = 32
TRIES = 5
"""Instances that meet the same user at the same moment; each but the first looks again."""


class Destroyed(Exception):
    """The user's data key is gone for good: whatever is still stored is noise."""


class DataKeys:
    """Makes, opens and destroys data keys."""

    def __init__(
        self, *, store: KeyStore, users: Users, personal: PersonalData, vault: Vault, ids: Ids, clock: Clock
    ) -> None:
        self._store = store
        self._users = users
        self._personal = personal
        self._vault = vault
        self._ids = ids
        self._clock = clock

    def make(self, user_id: str) -> tuple[bytes, bytes, str]:
        """A new data key, its half for the user's record, and the id of the half that is in the key store by now."""
        key = secrets.token_bytes(KEY_BYTES)
        half, key_id = self._halve(user_id, key)
        return key, half, key_id

    def open(self, user: User) -> tuple[User, bytes]:
        """The data key, and the user as stored by now. Raises `Destroyed`, and `Misconfigured` where the key store is
        not the one this user was made with."""
        for _ in range(TRIES):
            half = self._vault.unwrap(user.wrapped_key, context=f"user/{user.id}")
            if user.key_id:
                share = self._store.get(user.key_id)
                if share is None:
                    raise Misconfigured("the key store lacks a user's key: is YUNLIAO_KEYS_URL the right one?")
                if share.destroyed_at:
                    raise Destroyed
                return user, _joined(half, share.share)
            fresh, key_id = self._halve(user.id, half)
            if self._personal.rekey(user.id, old=user.wrapped_key, new=fresh, key_id=key_id):
                return msgspec.structs.replace(user, wrapped_key=fresh, key_id=key_id), half
            self.discard(key_id)  # another instance was faster, or the master key was changed meanwhile
            found = self._users.get(user.id)
            if found is None:
                raise Destroyed
            user = found
        raise StoreUnavailable("a user's key keeps changing")

    def destroy(self, user: User) -> None:
        """From here on nobody can read what this user's key sealed. Repeating it is harmless."""
        if user.key_id:
            self._store.destroy(user.key_id, at=self._clock.now_ms())

    def settle(self, key_id: str) -> None:
        """The user's records are gone too: forget whose key it was."""
        if key_id:
            self._store.settled(key_id)

    def discard(self, key_id: str) -> None:
        """A half that no record needs."""
        self._store.destroy(key_id, at=self._clock.now_ms())
        self._store.settled(key_id)

    def bury(self, record_id: str) -> None:
        """A record was erased for good: where no restored backup reaches, that stays known."""
        self._store.bury(record_id, at=self._clock.now_ms())

    def destroyed(self, key_ids: list[str]) -> set[str]:
        """Which of these keys, or buried records, are gone for good."""
        return self._store.destroyed(key_ids) if key_ids else set()

    def unfinished(self, limit: int) -> list[KeyShare]:
        """Erases that were cut short between the key and the records."""
        return self._store.unsettled(limit=limit)

    def _halve(self, user_id: str, key: bytes) -> tuple[bytes, str]:
        share = secrets.token_bytes(KEY_BYTES)
        key_id = self._ids.new("key")
        self._store.put(KeyShare(id=key_id, user_id=user_id, share=share, created_at=self._clock.now_ms()))
        return self._vault.wrap(_joined(key, share), context=f"user/{user_id}"), key_id


def _joined(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
