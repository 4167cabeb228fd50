"""`ledger grant | withdraw | refund | plan | show`: what an operator does to one account."""

import argparse
import time
from typing import TYPE_CHECKING, Any, Literal, TextIO

from yunliao.cli.ledger import whom
from yunliao.domain.ledger.account import Account, rolled
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.ledger.prices import LARGEST
from yunliao.errors import InvalidRequest, NotFound
from yunliao.ports_ledger import Posted
from yunliao.services.operators import TERMINAL

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

NOTE = 80
"""Characters of a reason; the user sees it beside the entry."""


def options(actions: Any) -> None:
    """Grant, withdraw, refund, plan, show."""
    for name, told in (("grant", "give credits"), ("withdraw", "take back credits that are still there")):
        parser = actions.add_parser(name, help=told)
        whom.options(parser)
        parser.add_argument("--amount", type=whom.amount, required=True, help="micro-credits, or credits like 2.5c")
        parser.add_argument("--reason", required=True, help=f"shown to the user, at most {NOTE} characters")
        parser.add_argument("--reference", default="", help="done once for a reference, however often it is repeated")
        if name == "grant":
            parser.add_argument("--expires", type=whom.moment, default=0, help="never, 30d or 2027-01-31 (never)")
    refund = actions.add_parser("refund", help="give back what an answer was charged")
    refund.add_argument("--turn", required=True, help="id of the turn")
    refund.add_argument("--amount", type=whom.amount, default=LARGEST, help="at most so much (all)")
    refund.add_argument("--reason", required=True, help=f"shown to the user, at most {NOTE} characters")
    plan = actions.add_parser("plan", help="put a user on a plan of the price table")
    whom.options(plan)
    plan.add_argument("--plan", required=True, help="its name")
    whom.options(actions.add_parser("show", help="balance, lots and newest entries of a user"))


def grant(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Give."""
    expires = whom.ends(options.expires, _now())
    return _move(services, options, out, "grant", whom.user(services, options), expires_at=expires)


def withdraw(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Take."""
    return _move(services, options, out, "withdraw", whom.user(services, options))


def refund(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Give back."""
    turn = services.store.turns.get(options.turn)
    if turn is None:
        raise NotFound("no such turn")
    options.reference = turn.id
    return _move(services, options, out, "refund", turn.user_id)


def plan(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Another plan; its allowance begins with the next day."""
    table = services.settings.prices
    if table is None or options.plan not in table.allowances():
        raise InvalidRequest("the price table has no plan of that name")
    user_id = whom.user(services, options)
    services.audit_trail.note(TERMINAL, "credits.plan", subject=user_id, detail=options.plan)
    if not services.store.ledger.set_plan(user_id, options.plan):
        raise NotFound("no such user")
    out.write("done: its allowance begins with the next day in China\n")
    return 0


def show(services: "Services", options: argparse.Namespace, out: TextIO) -> int:
    """Balance, lots, newest entries."""
    user_id = whom.user(services, options)
    stored = services.store.ledger.account(user_id) or Account()
    table = services.settings.prices
    account = rolled(stored, _now(), table.allowances() if table else None).account
    out.write(f"plan {account.plan}, available {account.available}, held {account.held} micro-credits\n")
    for lot in account.lots:
        out.write(f"  {lot.left} of {lot.id}" + (f", until {_day(lot.expires_at)}\n" if lot.expires_at else "\n"))
    for entry in services.store.ledger.entries(user_id, before=None, limit=20):
        out.write(f"#{entry.number} {_day(entry.at)} {entry.kind} {entry.amount} {entry.reference} {entry.note}\n")
    return 0


def _move(
    services: "Services",
    options: argparse.Namespace,
    out: TextIO,
    kind: Literal["grant", "withdraw", "refund"],
    user_id: str,
    expires_at: int = 0,
) -> int:
    if not 0 < len(options.reason) <= NOTE or not options.reason.isprintable():
        raise InvalidRequest(f"--reason needs 1 to {NOTE} printable characters")
    now = _now()
    reference = options.reference or f"{now}"
    movement = Movement(
        kind=kind, reference=reference, amount=options.amount, at=now, expires_at=expires_at, note=options.reason
    )
    services.audit_trail.note(
        TERMINAL, f"credits.{kind}", subject=user_id, reason=options.reason, detail=f"{options.amount} {reference}"
    )
    posted = services.store.ledger.move(user_id, movement)
    out.write(_told(posted, kind) + "\n")
    return 0 if posted.status in ("posted", "existing") else 1


def _told(posted: Posted, kind: str) -> str:
    match posted.status:
        case "posted" if posted.entry:
            return f"{kind} of {posted.entry.amount} done, available {posted.account.available} micro-credits"
        case "existing" if posted.entry:
            return f"had been done before: {kind} of {posted.entry.amount}, nothing changed"
        case "too_much" if kind == "refund":
            return "nothing to give back: the turn was not charged"
        case "too_much":
            return f"not done: only {posted.account.available} micro-credits are available"
    return "not done: no such user"


def _now() -> int:
    return time.time_ns() // 1_000_000


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at / 1000 + 8 * 3600))


ACTIONS = {"grant": grant, "withdraw": withdraw, "refund": refund, "plan": plan, "show": show}
