"""What must be true of one user's credits, whatever happened; what is not, as findings."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from yunliao.domain.ledger.account import Account
from yunliao.domain.ledger.entries import WAYS, AccountName, Entry, balance
from yunliao.domain.ledger.settling import Closing
from yunliao.domain.turn import Turn

_closing = msgspec.json.Decoder(Closing)


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one user's credits, read at one moment: the account (None: there is none), every entry in
    order, and every turn that was accepted with a reservation."""

    user_id: str
    account: Account | None
    entries: tuple[Entry, ...] = ()
    turns: tuple[Turn, ...] = ()
    known: bool = True
    """Whether there is such a user."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it must be. `about`: the turn, lot or entry."""

    user_id: str
    what: str
    about: str = ""


def findings(books: Books) -> list[Finding]:
    """Everything wrong with one user's books; empty when they prove themselves."""
    account = books.account or Account()
    found = [*_sums(books, account), *_entries(books.entries), *_turns(books, account), *_lots(account)]
    if books.account is None and books.entries:
        found.append(("entries without an account", ""))
    if not books.known and (books.account is not None or books.entries):
        found.append(("credits of a user who is not there", ""))
    return [Finding(books.user_id, what, about) for what, about in found]


def _sums(books: Books, account: Account) -> Iterable[tuple[str, str]]:
    own: tuple[tuple[AccountName, int], ...] = (("available", account.available), ("held", account.held))
    for name, kept in own:
        by_entries = balance(books.entries, name)
        if by_entries != kept:
            yield f"{name} is {kept}, its entries make {by_entries}", ""
    if [entry.number for entry in books.entries] != list(range(1, account.entries + 1)):
        yield f"entries are not 1 to {account.entries}", ""


def _entries(entries: tuple[Entry, ...]) -> Iterable[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    available = 0
    for entry in entries:
        if (entry.reference, entry.kind) in seen:
            yield f"two entries of kind {entry.kind}", entry.reference
        seen.add((entry.reference, entry.kind))
        if (entry.debit, entry.credit) != WAYS.get(entry.kind) or entry.amount < 0:
            yield f"entry {entry.number} does not move as a {entry.kind} does", entry.reference
        available += balance((entry,), "available")
        if available < 0:
            yield f"overspent by {-available} at entry {entry.number}", entry.reference


def _lots(account: Account) -> Iterable[tuple[str, str]]:
    ids = [lot.id for lot in account.lots]
    for lot in account.lots:
        if lot.left <= 0:
            yield "a lot with nothing in it", lot.id
    if len(set(ids)) != len(ids):
        yield "two lots of one id", ""


def _turns(books: Books, account: Account) -> Iterable[tuple[str, str]]:
    """Reserved when accepted, closed exactly once when ended, and held exactly while live."""
    by_turn: dict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in books.entries:
        if entry.kind in ("reserve", "settle", "release", "refund"):
            by_turn[entry.reference][entry.kind] = entry
    turns = {turn.id: turn for turn in books.turns}
    held = {hold.turn_id: hold.amount for hold in account.holds}
    if len(held) != len(account.holds):
        yield "two holds of one turn", ""
    for turn_id in turns.keys() | by_turn.keys() | held.keys():
        entries, turn = by_turn.get(turn_id, {}), turns.get(turn_id)
        if turn is not None and turn.live:
            yield from _live(turn_id, entries, held)
        else:
            yield from _ended(turn_id, entries, held)
        reserved = entries["reserve"].amount if "reserve" in entries else None
        if turn is not None and reserved is not None and reserved != turn.reserved:
            yield f"{reserved} were reserved, the turn says {turn.reserved}", turn_id


def _live(turn_id: str, entries: dict[str, Entry], held: dict[str, int]) -> Iterable[tuple[str, str]]:
    if "reserve" not in entries or held.get(turn_id) != entries["reserve"].amount:
        yield "a live turn without its reservation", turn_id
    if entries.keys() & {"settle", "release"}:
        yield "a live turn was settled", turn_id


def _ended(turn_id: str, entries: dict[str, Entry], held: dict[str, int]) -> Iterable[tuple[str, str]]:
    if turn_id in held:
        yield "a hold of an ended turn", turn_id
    if "reserve" not in entries:
        yield "an ended turn without its reservation", turn_id
        return
    closings = [entries[kind].amount for kind in ("settle", "release") if kind in entries]
    if not closings:
        yield "an ended turn neither settled nor released", turn_id
    elif sum(closings) != entries["reserve"].amount:
        yield f"{entries['reserve'].amount} were reserved, {sum(closings)} settled and released", turn_id
    yield from _receipt(turn_id, entries)
    refunded = entries["refund"].amount if "refund" in entries else 0
    if refunded > (entries["settle"].amount if "settle" in entries else 0):
        yield "more was refunded than paid", turn_id


def _receipt(turn_id: str, entries: dict[str, Entry]) -> Iterable[tuple[str, str]]:
    """What the user is shown is what was taken."""
    closing = entries.get("settle") or entries.get("release")
    if closing is None:
        return
    try:
        told = _closing.decode(closing.detail)
    except msgspec.MsgspecError:
        yield "a closing without its receipt", turn_id
        return
    paid = entries["settle"].amount if "settle" in entries else 0
    if (told.reserved, told.paid) != (entries["reserve"].amount, paid):
        yield "the receipt says other sums than the entries", turn_id
    if told.cost != sum(line.amount for line in told.lines) or told.paid != min(told.cost, told.reserved):
        yield "the lines of the receipt do not make its sum", turn_id
