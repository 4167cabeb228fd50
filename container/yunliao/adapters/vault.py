"""Sealing with AES-256-GCM, and wrapping by a key service (design.md §4.6).

A blob is `version | key id length | key id | rest`. Under a data key the key id is empty and the rest is `nonce (12) |
ciphertext and tag`; of a wrapped key the id names the master key, and the rest is what the key service made. The
context (owner, record, field) is the associated data: a blob moved elsewhere does not open.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yunliao.adapters.key_ring import LocalKeyRing
from yunliao.errors import Internal, Misconfigured
from yunliao.ports_keys import KeyService, UnknownKey, WrongKey

VERSION = 1
NONCE = 12
LOOKUP = b"yunliao/lookup/v1"


class EnvelopeVault:
    """Implements `ports.Vault` and `ports_keys.WrappingVault` over any key service."""

    def __init__(self, keys: KeyService) -> None:
        self._keys = keys
        # Building a cipher from a key costs more than using it; a user's key is used many times in a turn.
        self._cipher = lru_cache(maxsize=1024)(AESGCM)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(writer={self.writer!r}, keys={len(self.ids)})"

    @property
    def writer(self) -> str:
        """The id of the master key that wraps from now on."""
        return self._keys.writer

    @property
    def ids(self) -> frozenset[str]:
        """The master keys that can unwrap."""
        return self._keys.ids

    def wrap(self, key: bytes, *, context: str) -> bytes:
        """See `ports.Vault.wrap`."""
        name = self._keys.writer.encode()
        return bytes((VERSION, len(name))) + name + self._keys.wrap(key, context=context)

    def unwrap(self, wrapped: bytes, *, context: str) -> bytes:
        """See `ports.Vault.unwrap`."""
        key_id, ciphertext = _wrapped(wrapped)
        try:
            return self._keys.unwrap(key_id, ciphertext, context=context)
        except UnknownKey:
            raise Misconfigured(
                f"YUNLIAO_MASTER_KEYS lacks the key {key_id!r} that the store was written with: add it"
            ) from None
        except WrongKey:
            raise Misconfigured(
                f"the key {key_id!r} in YUNLIAO_MASTER_KEYS is not the one that the store was written with"
            ) from None

    def wrapped_by(self, wrapped: bytes) -> str:
        """The id of the master key that wrapped it. Raises `Misconfigured` for a damaged blob."""
        return _wrapped(wrapped)[0]

    def check_value(self, key_id: str) -> str:
        """See `ports_keys.KeyService.check_value`."""
        return self._keys.check_value(key_id)

    def seal(self, key: bytes, plaintext: bytes, *, context: str) -> bytes:
        """See `ports.Vault.seal`."""
        nonce = os.urandom(NONCE)
        return bytes((VERSION, 0)) + nonce + self._cipher(key).encrypt(nonce, plaintext, context.encode())

    def open(self, key: bytes, blob: bytes, *, context: str) -> bytes:
        """See `ports.Vault.open`."""
        key_id, rest = _parse(blob)
        try:
            if key_id:
                raise InvalidTag
            return self._cipher(key).decrypt(rest[:NONCE], rest[NONCE:], context.encode())
        except InvalidTag:
            raise Internal("a sealed record does not open") from None

    def lookup(self, key: bytes, value: str) -> str:
        """See `ports.Vault.lookup`."""
        digest = hmac.new(key, LOOKUP + value.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class MasterKeyVault(EnvelopeVault):
    """The vault over the key ring of the environment."""

    def __init__(self, ring: Sequence[tuple[str, bytes]]) -> None:
        """`ring` has (id, 32 bytes) at least once."""
        super().__init__(LocalKeyRing(ring))


def _wrapped(blob: bytes) -> tuple[str, bytes]:
    try:
        return _parse(blob)
    except Internal:
        raise Misconfigured("a wrapped key in the store is damaged: restore the store from a backup") from None


def _parse(blob: bytes) -> tuple[str, bytes]:
    start = 2 + (blob[1] if len(blob) > 1 else 0)
    if len(blob) < start + NONCE + 16 or blob[0] != VERSION:
        raise Internal("a sealed record is not in a known form")
    return blob[2:start].decode("ascii", "replace"), blob[start:]
