"""A further way to know who is calling: a cloud function says so and signs it with a secret it shares with the service.

The function's own runtime vouches for the caller (`getWXContext`, platform.md §10). The claim travels in one header,

    X-Yunliao-Caller: v1.<claim>.<signature>

where the claim is JSON in base64url, and the signature HMAC-SHA256 over a fixed word, the method, the path with its
query, the claim and the hash of the body, each on a line of its own. So a claim cannot be used for another call, by
another sender, twice, or late.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets

import msgspec

from yunliao.domain.principal import Principal
from yunliao.errors import IdentityUntrusted
from yunliao.ports import Clock
from yunliao.ports_once import Once

WORD = b"yunliao-caller/v1"
FRESH_MS = 60_000
"""How far the claim's time may be from ours, milliseconds, either way: functions call at once, clocks differ little."""
LONGEST = 2_000
NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who calls, when (Unix milliseconds), and a random word that is never used again."""

    openid: str
    appid: str
    time: int
    nonce: str
    shared: bool = False


class SignedCalls:
    """Verifies claims. With an empty secret every one is refused."""

    def __init__(self, secret: str, once: Once, clock: Clock) -> None:
        self._key = secret.encode()
        self._once = once
        self._clock = clock

    def verify(self, header: str, *, method: str, target: str, body: bytes) -> Principal:
        """The caller of this very request, as claimed; its form is the caller's to check. Raises `IdentityUntrusted`,
        and `StoreUnavailable` when it cannot be known whether the call was heard before."""
        if not self._key:
            raise IdentityUntrusted("signed calls are off: YUNLIAO_FUNCTION_SECRET is not set")
        parts = header.split(".")
        if len(header) > LONGEST or len(parts) != 3 or parts[0] != "v1":
            raise IdentityUntrusted("X-Yunliao-Caller is not v1.<claim>.<signature>")
        expected = _signature(self._key, method, target, parts[1], body)
        if not hmac.compare_digest(expected.encode(), parts[2].encode("utf-8", "surrogatepass")):
            raise IdentityUntrusted(
                "X-Yunliao-Caller: the signature does not fit; is YUNLIAO_FUNCTION_SECRET the same?"
            )
        claim = _claim(parts[1])
        now = self._clock.now_ms()
        if abs(now - claim.time) > FRESH_MS:
            raise IdentityUntrusted("X-Yunliao-Caller: made too long ago, or by a clock that is wrong")
        if not NONCE.fullmatch(claim.nonce):
            raise IdentityUntrusted("X-Yunliao-Caller: the nonce must have 16 to 64 letters, digits, - or _")
        name = "caller/" + hashlib.sha256(claim.nonce.encode()).hexdigest()
        # Kept until the claim would be refused as too old anyway.
        until = claim.time + 2 * FRESH_MS + 1
        if not self._once.claim(name, secrets.token_hex(16), now=now, expires_at=max(until, now + FRESH_MS)):
            raise IdentityUntrusted("X-Yunliao-Caller: this call was heard before")
        return Principal(openid=claim.openid, appid=claim.appid, shared=claim.shared)


def sign(secret: str, claim: Claim, *, method: str, target: str, body: bytes) -> str:
    """The header of a call: what the function does, for tests and for clients in Python."""
    encoded = base64.urlsafe_b64encode(msgspec.json.encode(claim)).decode().rstrip("=")
    return f"v1.{encoded}.{_signature(secret.encode(), method, target, encoded, body)}"


def _signature(key: bytes, method: str, target: str, claim: str, body: bytes) -> str:
    lines = [WORD, method.encode(), target.encode(), claim.encode("utf-8", "surrogatepass")]
    lines.append(hashlib.sha256(body).hexdigest().encode())
    return hmac.new(key, b"\n".join(lines), hashlib.sha256).hexdigest()


def _claim(encoded: str) -> Claim:
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=Claim)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise IdentityUntrusted("X-Yunliao-Caller: the claim is not of its form") from None
