"""Codes that people redeem. The store has only their hashes; who tries wrong ones must wait."""

import hashlib
import re

import msgspec
from msgspec.structs import replace

from yunliao.domain.ledger.account import Account

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is read as another."""
LENGTH = 20
"""Characters: 100 bits, so guessing is hopeless even without a limit."""
GUESSES = 5
"""Wrong codes a user may try within `GUESSING_MS`."""
GUESSING_MS = 3_600_000


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code as stored. `amount` micro-credits for each of `uses` users, once each, before `expires_at` (0: always).
    The credits end `days` days after they were redeemed (0: never)."""

    hash: str
    amount: int
    uses: int = 1
    expires_at: int = 0
    days: int = 0
    batch: str = ""
    created_at: int = 0


def shown(number: int) -> str:
    """A code as people see it, of a random number below 2**100."""
    digits = "".join(ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(LENGTH)))
    return "-".join(digits[start : start + 5] for start in range(0, LENGTH, 5))


def digest(typed: str) -> str | None:
    """The hash of a code as somebody typed it; None when it cannot be one."""
    plain = re.sub(r"[\s-]", "", typed).upper().translate(str.maketrans("OIL", "011"))
    if len(plain) != LENGTH or set(plain) - set(ALPHABET):
        return None
    return hashlib.sha256(f"yunliao/code/{plain}".encode()).hexdigest()


def wait_ms(account: Account, now: int) -> int:
    """Milliseconds until this user may try a code; 0: now."""
    begun = account.guessing_since
    return max(0, begun + GUESSING_MS - now) if account.guesses >= GUESSES else 0


def guessed(account: Account, now: int) -> Account:
    """The account after a wrong code."""
    if not account.guesses or now - account.guessing_since >= GUESSING_MS:
        return replace(account, guesses=1, guessing_since=now)
    return replace(account, guesses=account.guesses + 1)
