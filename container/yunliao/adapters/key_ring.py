"""Master keys in this process: the ring of YUNLIAO_MASTER_KEYS behind `ports_keys.KeyService`.

A master key is never used directly: each purpose has a key of its own derived by HKDF-SHA256. A wrapped key is
`nonce (12) | AES-256-GCM ciphertext and tag`, its context the associated data.

Another key service (a cloud's) is one more class beside this one: it implements the five members of the port, is
chosen in bootstrap.py, and nothing else changes. docs/keys.md lists what it has to keep.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from yunliao.ports_keys import UnknownKey, WrongKey

NONCE = 12
WRAPPING = b"yunliao/wrap/v1"
CHECKING = b"yunliao/check/v1"
CHECK_BYTES = 8


class LocalKeyRing:
    """Implements `ports_keys.KeyService`: the first key of the ring writes, all read."""

    def __init__(self, ring: Sequence[tuple[str, bytes]]) -> None:
        """`ring` has (id, 32 bytes) at least once."""
        self.writer = ring[0][0]
        self.ids = frozenset(key_id for key_id, _ in ring)
        self._ciphers = {key_id: AESGCM(_derive(key, WRAPPING)) for key_id, key in ring}
        self._checks = {
            key_id: hmac.new(_derive(key, CHECKING), key_id.encode(), hashlib.sha256).hexdigest()[: 2 * CHECK_BYTES]
            for key_id, key in ring
        }

    def __repr__(self) -> str:
        return f"LocalKeyRing(writer={self.writer!r}, keys={len(self.ids)})"

    def wrap(self, key: bytes, *, context: str) -> bytes:
        """See `ports_keys.KeyService.wrap`."""
        nonce = os.urandom(NONCE)
        return nonce + self._ciphers[self.writer].encrypt(nonce, key, context.encode())

    def unwrap(self, key_id: str, ciphertext: bytes, *, context: str) -> bytes:
        """See `ports_keys.KeyService.unwrap`."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKey
        try:
            return cipher.decrypt(ciphertext[:NONCE], ciphertext[NONCE:], context.encode())
        except InvalidTag:
            raise WrongKey from None

    def check_value(self, key_id: str) -> str:
        """See `ports_keys.KeyService.check_value`."""
        return self._checks.get(key_id, "")


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)
