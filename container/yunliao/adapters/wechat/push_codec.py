"""Message push in 安全模式 (safe mode): signed and encrypted, for a push that does not come by the platform's own link.

Cloud Run's link neither signs nor encrypts (platform.md §6); this is for a service that WeChat reaches over a public
domain. Only what is encrypted is believed: the plain mode's signature says nothing of the body. The form is that of
WeChat's public description: AES-256-CBC under the 43-character key, its first 16 bytes as the vector, blocks of 32;
inside are 16 random bytes, the length, the message and the appid. A recorded message of another implementation is in
the tests.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping

from yunliao.errors import IdentityUntrusted
from yunliao.ports import Clock

BLOCK = 32
FRESH_SECONDS = 600
"""A push is repeated within seconds; what is older is somebody else's copy."""
SEALED = re.compile(r'<Encrypt>(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)|"Encrypt"\s*:\s*"([A-Za-z0-9+/=\\]+)"')


class PushCodec:
    """Opens pushes for the mini-programs `appids`."""

    def __init__(self, token: str, aes_key: str, appids: frozenset[str], clock: Clock) -> None:
        self._token = token
        self._key = base64.b64decode(aes_key + "=") if aes_key else b""
        self._appids = appids
        self._clock = clock

    def echo(self, query: Mapping[str, str]) -> str:
        """What the console wants to hear back when the address is saved. Raises `IdentityUntrusted`."""
        self._check(query, query.get("signature", ""))
        return query.get("echostr", "")

    def open(self, query: Mapping[str, str], raw: bytes) -> tuple[bytes, str]:
        """The message and the appid it is for. Raises `IdentityUntrusted`."""
        found = SEALED.search(raw.decode("utf-8", "replace"))
        if not found or not self._key:
            raise IdentityUntrusted("a signed push must be encrypted: choose 安全模式 and set YUNLIAO_PUSH_AES_KEY")
        sealed = found[1] or found[2].replace("\\/", "/")
        self._check(query, query.get("msg_signature", ""), sealed)
        message, appid = self._opened(sealed)
        if appid not in self._appids:
            raise IdentityUntrusted("the push is for an appid that is not in YUNLIAO_APPIDS")
        return message, appid

    def _check(self, query: Mapping[str, str], signature: str, *more: str) -> None:
        if not self._token:
            raise IdentityUntrusted("signed pushes are off: YUNLIAO_PUSH_TOKEN is not set")
        time, nonce = query.get("timestamp", ""), query.get("nonce", "")
        joined = "".join(sorted((self._token, time, nonce, *more)))
        expected = hashlib.sha1(joined.encode("utf-8", "surrogatepass")).hexdigest()  # noqa: S324  the platform's choice
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
            raise IdentityUntrusted("the push's signature does not fit YUNLIAO_PUSH_TOKEN")
        seconds = int(time) if re.fullmatch(r"[0-9]{1,12}", time) else 0
        if abs(self._clock.now_ms() // 1000 - seconds) > FRESH_SECONDS:
            raise IdentityUntrusted("the push was made too long ago")

    def _opened(self, sealed: str) -> tuple[bytes, str]:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # only where it is used

        wrong = IdentityUntrusted("the push does not open with YUNLIAO_PUSH_AES_KEY")
        try:
            box = base64.b64decode(sealed, validate=True)
            reader = Cipher(algorithms.AES256(self._key), modes.CBC(self._key[:16])).decryptor()
            plain = reader.update(box) + reader.finalize()
        except (binascii.Error, ValueError):
            raise wrong from None
        padding = plain[-1] if plain else 0
        length = int.from_bytes(plain[16:20], "big")
        if not 1 <= padding <= BLOCK or 20 + length > len(plain) - padding:
            raise wrong
        return plain[20 : 20 + length], plain[20 + length : len(plain) - padding].decode("utf-8", "replace")
