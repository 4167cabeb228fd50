"""What keys and their rotation ask of the world: a key service that wraps, and the wrapped keys in the store."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class UnknownKey(Exception):
    """The key service has no key of that id."""


class WrongKey(Exception):
    """The key of that id did not make this ciphertext, or the context is another one, or it is damaged."""


class KeyService(Protocol):
    """Where master keys live: in the process (a ring from the environment) or in a key management service that never
    gives them out. It wraps and unwraps 32 bytes; nothing else of Yunliao is shown to it.

    A remote one raises `KeysUnavailable` when it does not answer; it is called once for a user every ten seconds of
    activity at most, since unwrapped keys are kept so long (services/people.py).
    """

    @property
    def writer(self) -> str:
        """The id of the key that wraps from now on: 1 to 16 of `A-Za-z0-9_-`, stored beside what it wrapped."""
        ...

    @property
    def ids(self) -> frozenset[str]:
        """The keys that can unwrap."""
        ...

    def wrap(self, key: bytes, *, context: str) -> bytes:
        """Ciphertext under the writer, bound to `context`, at least 28 bytes."""
        ...

    def unwrap(self, key_id: str, ciphertext: bytes, *, context: str) -> bytes:
        """The key of `wrap`. Raises `UnknownKey`, `WrongKey`."""
        ...

    def check_value(self, key_id: str) -> str:
        """A short value that only this key has and that tells nothing of it; "" where the service has no such thing.
        By it a wrong key under a known id is recognised before anything is opened with it."""
        ...


class WrappingVault(Protocol):
    """The part of `Vault` that rotation uses."""

    @property
    def writer(self) -> str: ...
    @property
    def ids(self) -> frozenset[str]: ...
    def wrap(self, key: bytes, *, context: str) -> bytes: ...
    def unwrap(self, wrapped: bytes, *, context: str) -> bytes: ...
    def wrapped_by(self, wrapped: bytes) -> str: ...
    def check_value(self, key_id: str) -> str: ...


class Wrapped(msgspec.Struct, frozen=True):
    """A wrapped key as stored: whose (a user's id or a secret's name), and the blob."""

    name: str
    blob: bytes


class Rewrapped(msgspec.Struct, frozen=True):
    """A change of one wrapped key: written only where `old` is still what is stored."""

    name: str
    old: bytes
    new: bytes


class WrappedKeys(Protocol):
    """Every key in the store that a master key wraps."""

    def users(self, *, after: str, limit: int) -> list[Wrapped]:
        """Users' data keys with id > `after`, ascending by id."""
        ...

    def count_users(self) -> int:
        """About how many users there are; for a progress bar."""
        ...

    def swap_users(self, changes: Sequence[Rewrapped]) -> int:
        """Write each change whose user is still there with the `old` key; how many. Never makes a user."""
        ...

    def secrets(self) -> list[Wrapped]:
        """The shared secrets (the look-up key, the ticket key, ...), by name."""
        ...

    def swap_secrets(self, changes: Sequence[Rewrapped]) -> int:
        """As `swap_users`, for the shared secrets."""
        ...
