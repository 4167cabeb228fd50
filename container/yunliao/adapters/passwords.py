"""Operators' passwords: scrypt with a salt of its own each, parameters stored beside, so that they can be raised."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from typing import TypeVar

COST, BLOCK, PARALLEL = 2**15, 8, 3
"""32 MB and some 0.2 s: what OWASP's cheat sheet lists for scrypt, in the row that fits a small container's memory."""
MEMORY = 64 * 1024 * 1024
SALT = 16
LENGTH = 32
Result = TypeVar("Result")


class ScryptPasswords:
    """Implements `ports_operators.Passwords`. Under the gevent worker the work is done on a real thread: otherwise
    every live answer of the instance would stand still for as long as a password takes."""

    def hash(self, password: str) -> str:
        """See `ports_operators.Passwords.hash`."""
        salt = os.urandom(SALT)
        return f"scrypt${COST}${BLOCK}${PARALLEL}${_text(salt)}${_text(_derive(password, salt, COST, BLOCK, PARALLEL))}"

    def fits(self, password: str, stored: str) -> bool:
        """See `ports_operators.Passwords.fits`."""
        try:
            kind, cost, block, parallel, salt, wanted = stored.split("$")
            given = _derive(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
            return kind == "scrypt" and hmac.compare_digest(given, base64.b64decode(wanted))
        except ValueError:
            return False


def _derive(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return _aside(lambda: hashlib.scrypt(secret, salt=salt, n=cost, r=block, p=parallel, maxmem=MEMORY, dklen=LENGTH))


def _aside(work: Callable[[], Result]) -> Result:
    from gevent import get_hub
    from gevent.monkey import is_module_patched

    if not is_module_patched("threading"):
        return work()
    done: Result = get_hub().threadpool.apply(work)
    return done


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
