"""What the credits ask of the store (docs/credits.md).

A store runs the pure functions of `domain.ledger` inside its own transactions: every call below is one of them, and so
are `Turns.accept` (which reserves) and `Turns.commit` (whose endings settle). The same entry is never written twice:
user, reference and kind are unique.
"""

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

import msgspec

from yunliao.domain.ledger.account import Account
from yunliao.domain.ledger.audit import Books
from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.entries import Entry, Kind
from yunliao.domain.ledger.granting import Movement

PostStatus = Literal["posted", "existing", "no_user", "too_much", "wrong_code", "too_many_guesses"]


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a movement. `existing`: it had been done before, `entry` is the one of then. `too_much`: more than
    is available. `wait_ms` with `too_many_guesses`."""

    status: PostStatus
    account: Account = Account()
    entry: Entry | None = None
    wait_ms: int = 0


class Ledger(Protocol):
    """Accounts, entries and codes. Every call may raise `StoreUnavailable`."""

    def account(self, user_id: str) -> Account | None:
        """The record as it was last written: `domain.ledger.account.rolled` tells how it is now. None: there is none
        yet."""
        ...

    def move(self, user_id: str, movement: Movement) -> Posted:
        """Grant, refund or withdraw, once a kind and reference. A refund gives back what its turn was charged, at most
        `movement.amount`, and only of a turn that was. `no_user` when the user does not exist (any more)."""
        ...

    def redeem(self, user_id: str, code_hash: str, *, at: int) -> Posted:
        """Give the user what a code is worth, once a user. `wrong_code` for one that is unknown, used up or expired:
        the user's guesses are counted, and after too many no code is looked at for a while."""
        ...

    def put_codes(self, codes: Sequence[Code]) -> None:
        """Keep new codes, all or none."""
        ...

    def set_plan(self, user_id: str, plan: str) -> bool:
        """Put the user on a plan; False if there is no such user."""
        ...

    def entries(
        self, user_id: str, *, before: int | None, limit: int, kinds: Collection[Kind] | None = None
    ) -> list[Entry]:
        """Newest first, with numbers below `before`; only these `kinds` if given."""
        ...

    def about(self, user_id: str, reference: str) -> list[Entry]:
        """All entries of a reference, oldest first."""
        ...

    def books(self, user_id: str) -> Books:
        """Everything kept of one user's credits, at one moment."""
        ...

    def users(self, *, after: str, limit: int) -> list[str]:
        """Ids above `after`, ascending, of users and of whoever else has an account."""
        ...
