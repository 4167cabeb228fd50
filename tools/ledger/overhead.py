"""`python3 -m ledger.overhead`: what credits add to a send and to an ending, in turns with the same without them."""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from ledger import stores
from ledger.__main__ import server
from yunliao.domain.events import Usage
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.ledger.prices import ModelPrice
from yunliao.domain.ledger.reserving import Charge
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, Conversation, Draft, EventRow, Store, TurnWrite, User

CHARGE = Charge(amount=40_000, model="m", price_version="v", price=ModelPrice(input=1_000_000, output=4_000_000))
USAGE = Usage(input_tokens=300, output_tokens=400)
HEADER = "| store | step | without, ms (p50) | with credits, ms (p50) | p95 without | p95 with |"
Samples = dict[tuple[str, bool], list[float]]


def measure(store: Store, turns: int) -> Samples:
    """Milliseconds of every accept and every ending, with credits and without."""
    found: Samples = {}
    for name in ("u0", "u1"):
        store.users.create(User(id=name, wrapped_key=b"k", sealed_openid=b"o", created_at=1))
        store.ledger.move(name, Movement(kind="grant", reference="g", amount=10**12, at=1))
    for number in range(2 * turns):
        priced = number % 2 == 1
        draft = _draft(f"u{number % 2}", number, priced)
        found.setdefault(("send", priced), []).append(
            _ms(lambda draft=draft: store.turns.accept(draft, AcceptLimits(rate=10**6, window_ms=1)))
        )
        metered = Metered(usage=USAGE, shown=400, upstream=USAGE)
        ending = Ending(reason="complete", answer=b"a" * 800, ended_at=number + 10, metered=metered)
        row = EventRow(seq=2, body=b"e" * 100, created_at=number)
        write = TurnWrite(turn_id=draft.turn.id, rows=(row,), ending=ending)
        found.setdefault(("ending", priced), []).append(
            _ms(lambda write=write: store.turns.commit([write], owner="me", lease_until=10**12))
        )
    return found


def _draft(user: str, number: int, priced: bool) -> Draft:
    turn = Turn(
        id=f"t{number}",
        user_id=user,
        conversation_id=f"c{number}",
        client_id=f"client{number}",
        fingerprint=b"f",
        answer_message_id=f"a{number}",
        owner="me",
        lease_until=10**12,
        last_seq=1,
        created_at=number + 5,
        price_version="v" if priced else "",
        reserved=CHARGE.amount if priced else 0,
    )
    fresh = Conversation(id=turn.conversation_id, user_id=user, created_at=number, last_activity_at=number)
    charge = CHARGE if priced else None
    return Draft(turn=turn, message=None, new_conversation=fresh, accepted_event=b"e" * 100, charge=charge)


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """A table."""
    options = argparse.ArgumentParser(prog="ledger.overhead", description=__doc__)
    options.add_argument("--turns", type=int, default=1_000, help="turns of each kind (1000)")
    turns = options.parse_args().turns
    print(HEADER + "\n|---|---|---|---|---|---|", flush=True)
    for kind in ("sqlite", "mongodb"):
        with server(kind) as url, stores.fresh(kind, url) as store:
            found = measure(store, turns)
        for step in ("send", "ending"):
            cells = [[statistics.median(found[step, priced]) for priced in (False, True)]]
            cells.append([statistics.quantiles(found[step, priced], n=20)[-1] for priced in (False, True)])
            shown = " | ".join(f"{value:.2f}" for pair in cells for value in pair)
            print(f"| {kind} | {step} | {shown} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
