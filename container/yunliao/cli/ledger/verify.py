"""`ledger verify`: every user's balance is the sum of the entries, every turn was settled or released once."""

import argparse
import sys
from typing import TYPE_CHECKING, Any, TextIO

from yunliao.domain.ledger.audit import findings

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

PAGE = 500
"""Users asked for at a time."""
EVERY = 10_000
"""Users between two lines of progress where no terminal listens."""


def options(actions: Any) -> None:
    """None."""
    actions.add_parser("verify", help="prove every user's books; exit code 1 when something is wrong")


def verify(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Go through all users, each at one moment of the store, while the service may go on serving."""
    ledger = services.store.ledger
    users = entries = turns = wrong = 0
    after = ""
    while page := ledger.users(after=after, limit=PAGE):
        for user_id in page:
            books = ledger.books(user_id)
            for finding in findings(books):
                wrong += 1
                about = f" ({finding.about})" if finding.about else ""
                out.write(f"user {user_id[:12]}: {finding.what}{about}\n")
            entries, turns = entries + len(books.entries), turns + len(books.turns)
        users, after = users + len(page), page[-1]
        _progress(users, len(page))
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 60 + "\r")
    told = f"{users} users, {entries} entries, {turns} priced turns"
    out.write(f"{told}: {wrong} findings\n" if wrong else f"{told}: every balance is the sum of its entries\n")
    return 1 if wrong else 0


def _progress(users: int, more: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{users} users looked at …")
    elif users // EVERY > (users - more) // EVERY:
        sys.stderr.write(f"{users} users looked at\n")
    sys.stderr.flush()


ACTIONS = {"verify": verify}
