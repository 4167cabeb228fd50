"""What every engine does inside its transactions with a user's credits: load, apply the rules, save.

An engine brings `Open`: the few reads and writes, within a transaction of its own that is kept or undone as a whole.
"""

from typing import Protocol

from msgspec.structs import replace

from yunliao.domain.ledger.account import Account, Change
from yunliao.domain.ledger.codes import Code, guessed, wait_ms
from yunliao.domain.ledger.entries import Entry, Kind
from yunliao.domain.ledger.granting import Movement, move, on_plan
from yunliao.domain.ledger.reserving import Charge, Shortfall, reserve
from yunliao.domain.ledger.settling import let_go, settle
from yunliao.domain.turn import Ending, Turn
from yunliao.ports_ledger import Posted

DAY_MS = 86_400_000


class Open(Protocol):
    """Accounts, entries and codes within a transaction."""

    def load(self, user_id: str) -> Account | None: ...
    def save(self, user_id: str, account: Account, entries: tuple[Entry, ...]) -> None: ...
    def entry(self, user_id: str, reference: str, kind: Kind) -> Entry | None: ...
    def is_user(self, user_id: str) -> bool:
        """Whether there is such a user; stays true or false until this transaction is over."""
        ...

    def code(self, code_hash: str) -> Code | None:
        """The code, `uses` being those that are left."""
        ...

    def use(self, code: Code) -> None:
        """One use fewer."""
        ...


def reserve_in(books: Open, turn: Turn, charge: Charge | None) -> Shortfall | None:
    """Set aside what the turn may cost, if it is charged for; a shortfall is what its sender lacks."""
    if charge is None:
        return None
    change = reserve(books.load(turn.user_id) or Account(), turn.id, charge, turn.created_at)
    if isinstance(change, Shortfall):
        return change
    _write(books, turn.user_id, change)
    return None


def settle_in(books: Open, turn: Turn, ending: Ending) -> None:
    """Close the turn's reservation by the rule of its ending, if it has one."""
    if not turn.price_version:
        return
    account = books.load(turn.user_id)
    if account is None:
        return
    change = settle(
        account,
        turn.id,
        reason=ending.reason,
        code=ending.problem.code if ending.problem else "",
        metered=ending.metered,
        now=ending.ended_at,
    )
    if change is not None:
        _write(books, turn.user_id, change)


def let_go_in(books: Open, turn: Turn) -> None:
    """Give back the reservation of a turn that is about to be removed."""
    account = books.load(turn.user_id) if turn.price_version else None
    change = let_go(account, turn.id, account.at) if account is not None else None
    if change is not None:
        _write(books, turn.user_id, change)


def move_in(books: Open, user_id: str, movement: Movement) -> Posted:
    """See `ports_ledger.Ledger.move`."""
    account = books.load(user_id) or Account()
    known = books.entry(user_id, movement.reference, movement.kind)
    if known is not None:
        return Posted(status="existing", account=account, entry=known)
    if not books.is_user(user_id):
        return Posted(status="no_user")
    if movement.kind == "refund":
        paid = books.entry(user_id, movement.reference, "settle")
        if paid is None:
            return Posted(status="too_much", account=account)
        movement = replace(movement, amount=min(movement.amount, paid.amount))
    change = move(account, movement)
    if change is None:
        return Posted(status="too_much", account=account)
    account, entries = _write(books, user_id, change)
    return Posted(status="posted", account=account, entry=entries[-1])


def redeem_in(books: Open, user_id: str, code_hash: str, at: int) -> Posted:
    """See `ports_ledger.Ledger.redeem`."""
    account = books.load(user_id) or Account()
    reference = code_hash[:32]
    known = books.entry(user_id, reference, "redeem") if code_hash else None
    if known is not None:
        return Posted(status="existing", account=account, entry=known)
    if not books.is_user(user_id):
        return Posted(status="no_user")
    wait = wait_ms(account, at)
    if wait:
        return Posted(status="too_many_guesses", account=account, wait_ms=wait)
    code = books.code(code_hash) if code_hash else None
    if code is None or code.uses < 1 or 0 < code.expires_at <= at:
        account = guessed(account, at)
        books.save(user_id, account, ())
        return Posted(status="wrong_code", account=account)
    books.use(code)
    ends = at + code.days * DAY_MS if code.days else 0
    change = move(account, Movement(kind="redeem", reference=reference, amount=code.amount, at=at, expires_at=ends))
    assert change is not None  # noqa: S101  only a withdrawal can be refused
    account, entries = _write(books, user_id, change)
    return Posted(status="posted", account=account, entry=entries[-1])


def set_plan_in(books: Open, user_id: str, plan: str) -> bool:
    """See `ports_ledger.Ledger.set_plan`."""
    if not books.is_user(user_id):
        return False
    books.save(user_id, on_plan(books.load(user_id) or Account(), plan), ())
    return True


def _write(books: Open, user_id: str, change: Change) -> tuple[Account, tuple[Entry, ...]]:
    account, entries = change.booked(user_id)
    books.save(user_id, account, entries)
    return account, entries
