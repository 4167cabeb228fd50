"""Sealing with AES-256-GCM and the master key ring (design.md §4.6).

A blob is `version | key id length | key id | nonce (12) | ciphertext and tag`; blobs under a data key have an empty key
id. The context (owner, record, field) is the associated data: a blob moved elsewhere does not open. Master keys are
never used directly: each purpose has a key of its own derived by HKDF-SHA256.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from yunliao.errors import Internal, Misconfigured

VERSION = 1
NONCE = 12
WRAPPING = b"yunliao/wrap/v1"
LOOKUP = b"yunliao/lookup/v1"


class MasterKeyVault:
    """Implements `ports.Vault` over a key ring: the first key writes, all read."""

    def __init__(self, ring: Sequence[tuple[str, bytes]]) -> None:
        """`ring` has (id, 32 bytes) at least once."""
        self._writer = ring[0][0]
        self._wrapping = {key_id: AESGCM(_derive(key, WRAPPING)) for key_id, key in ring}
        # Building a cipher from a key costs more than using it; a user's key is used many times in a turn.
        self._cipher = lru_cache(maxsize=1024)(AESGCM)

    def __repr__(self) -> str:
        return f"MasterKeyVault(writer={self._writer!r}, keys={len(self._wrapping)})"

    def wrap(self, key: bytes, *, context: str) -> bytes:
        """See `ports.Vault.wrap`."""
        return _seal(self._wrapping[self._writer], self._writer, key, context)

    def unwrap(self, wrapped: bytes, *, context: str) -> bytes:
        """See `ports.Vault.unwrap`."""
        try:
            key_id, nonce, ciphertext = _parse(wrapped)
        except Internal:
            raise Misconfigured("a wrapped key in the store is damaged: restore the store from a backup") from None
        cipher = self._wrapping.get(key_id)
        if cipher is None:
            raise Misconfigured(f"YUNLIAO_MASTER_KEYS lacks the key {key_id!r} that the store was written with: add it")
        try:
            return cipher.decrypt(nonce, ciphertext, context.encode())
        except InvalidTag:
            raise Misconfigured(
                f"the key {key_id!r} in YUNLIAO_MASTER_KEYS is not the one that the store was written with"
            ) from None

    def seal(self, key: bytes, plaintext: bytes, *, context: str) -> bytes:
        """See `ports.Vault.seal`."""
        return _seal(self._cipher(key), "", plaintext, context)

    def open(self, key: bytes, blob: bytes, *, context: str) -> bytes:
        """See `ports.Vault.open`."""
        key_id, nonce, ciphertext = _parse(blob)
        try:
            if key_id:
                raise InvalidTag
            return self._cipher(key).decrypt(nonce, ciphertext, context.encode())
        except InvalidTag:
            raise Internal("a sealed record does not open") from None

    def lookup(self, key: bytes, value: str) -> str:
        """See `ports.Vault.lookup`."""
        digest = hmac.new(key, LOOKUP + value.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)


def _seal(cipher: AESGCM, key_id: str, plaintext: bytes, context: str) -> bytes:
    nonce, name = os.urandom(NONCE), key_id.encode()
    return bytes((VERSION, len(name))) + name + nonce + cipher.encrypt(nonce, plaintext, context.encode())


def _parse(blob: bytes) -> tuple[str, bytes, bytes]:
    start = 2 + (blob[1] if len(blob) > 1 else 0)
    if len(blob) < start + NONCE + 16 or blob[0] != VERSION:
        raise Internal("a sealed record is not in a known form")
    name = blob[2:start]
    return name.decode("ascii", "replace"), blob[start : start + NONCE], blob[start + NONCE :]
