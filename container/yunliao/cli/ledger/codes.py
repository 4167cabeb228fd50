"""`ledger codes make`: codes that people redeem. They are shown once, here; the store keeps only their hashes."""

import argparse
import secrets
import time
from typing import TYPE_CHECKING, Any, TextIO

from yunliao.cli.ledger import whom
from yunliao.domain.ledger.codes import LENGTH, Code, digest, shown
from yunliao.errors import InvalidRequest
from yunliao.services.operators import TERMINAL

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

MOST = 10_000
"""Codes of one call."""


def options(actions: Any) -> None:
    """What a code is worth, to how many, and how long."""
    parser = actions.add_parser("codes", help="make codes that people redeem")
    parser.add_argument("what", choices=["make"])
    parser.add_argument("--count", type=int, default=1, help="how many codes (1)")
    parser.add_argument("--amount", type=whom.amount, required=True, help="micro-credits, or credits like 2.5c")
    parser.add_argument("--uses", type=int, default=1, help="users one code is good for, once each (1)")
    parser.add_argument("--expires", type=whom.moment, default=0, help="last day: never, 30d, 2027-01-31 (never)")
    parser.add_argument("--days", type=int, default=0, help="days the credits last after that; 0: for ever (0)")


def make(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Write them to the output, one a line."""
    if not 1 <= options.count <= MOST or not 1 <= options.uses <= 10**6 or not 0 <= options.days <= 3650:
        raise InvalidRequest(f"--count is 1 to {MOST}, --uses 1 to 1000000, --days 0 to 3650")
    now = time.time_ns() // 1_000_000
    ends = whom.ends(options.expires, now)
    services.audit_trail.note(
        TERMINAL, "credits.codes", subject=str(now), detail=f"{options.count} of {options.amount}"
    )
    words = [shown(secrets.randbits(5 * LENGTH)) for _ in range(options.count)]
    services.store.ledger.put_codes(
        [
            Code(
                hash=digest(word) or "",
                amount=options.amount,
                uses=options.uses,
                expires_at=ends,
                days=options.days,
                batch=str(now),
                created_at=now,
            )
            for word in words
        ]
    )
    out.write("".join(f"{word}\n" for word in words))
    return 0


ACTIONS = {"codes": make}
