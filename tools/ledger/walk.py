"""One interleaving: three workers and two users over one store, driven by dice that a seed repeats.

Whatever order things happen in, at the end every user's books must prove themselves, and agree with an account kept
beside them by the plainest means (`Oracle`).
"""

import random
import threading
from collections import Counter

import msgspec

from ledger.faulty import Faults
from yunliao.domain.events import EndReason, Problem, Usage
from yunliao.domain.ledger.account import Account
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.codes import Code
from yunliao.domain.ledger.endings import Metered, Rule, charged, rule_of
from yunliao.domain.ledger.granting import Movement
from yunliao.domain.ledger.prices import ModelPrice, cost
from yunliao.domain.ledger.reserving import Charge
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, Conversation, Draft, EventRow, Store, TurnWrite, User
from yunliao.ports_ledger import Posted

LIMITS = AcceptLimits(rate=10_000, window_ms=60_000)
LEASE_MS = 6_000
SKEW_MS = 2_500
"""Clocks of two workers differ by up to twice this."""
START = 1_700_000_000_000
PRICES = (
    ModelPrice(input=1_000_000, output=2_000_000),
    ModelPrice(input=0, output=0),
    ModelPrice(input=333_333, output=7_777_777, cached=100_000, reasoning=9_999_999),
)
ENDINGS: tuple[tuple[EndReason, str], ...] = (
    ("complete", ""),
    ("length", ""),
    ("stopped", ""),
    ("blocked", "blocked_input"),
    ("blocked", "blocked_output"),
    ("failed", "relay_interrupted"),
    ("failed", "instance_lost"),
)
ALLOWANCES = {"free": 700, "gold": 5_000}


class Broken(AssertionError):
    """A promise did not hold; the text has the seed and what happened."""


class Oracle:
    """What a user must own, by adding up what the store said it did."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.charges: dict[str, Charge] = {}
        """Turn -> what was set aside for it."""
        self.endings: dict[str, Ending] = {}
        """Turn -> the one ending that was written."""

    def paid(self, turn_id: str) -> int:
        """What a turn must have cost its user; nothing where it was removed before its end."""
        charge, ending = self.charges[turn_id], self.endings.get(turn_id)
        return (
            0 if ending is None else min(charge.amount, cost(charge.price, *charged(_rule(ending), _metered(ending))))
        )


class Walk:
    """Plays one interleaving; `play` returns the number of steps."""

    def __init__(
        self, store: Store, seed: str, *, steps: int = 12, fault_rate: float = 0.08, beside: "Walk | None" = None
    ) -> None:
        """`beside` another one it plays with the same users and codes (ledger/storm.py)."""
        self.store = store
        self.seed = seed
        self.dice = random.Random(seed)
        self.faults = Faults(self.dice, fault_rate)
        self.steps = steps
        self.now = START
        self.tale: list[str] = []
        self.tag = tag = seed.replace("/", "_")
        self.users = [f"u_{tag}_{letter}" for letter in "ab"[: 1 + (self.dice.random() < 0.5)]]
        self.workers = {f"w_{tag}_{n}": self.dice.randint(-SKEW_MS, SKEW_MS) for n in range(3)}
        self.pending: list[tuple[str, Turn, TurnWrite]] = []
        """Endings that their worker wants to commit: some of them again, some after they lost the turn."""
        self.drafts: list[Draft] = []
        self.oracles = {user: Oracle() for user in self.users}
        self.lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        """What really happened, by name: a walk that never got anywhere proves nothing."""
        self.numbers = 0
        self.codes = [f"{self.dice.getrandbits(256):064x}" for _ in range(2)]
        if beside is not None:
            self.users, self.codes, self.oracles, self.lock = beside.users, beside.codes, beside.oracles, beside.lock
        self.acts = (
            [self.send] * 7 + [self.resend] * 2 + [self.end] * 7 + [self.take_over] * 4 + [self.again] * 2
            + [self.wait] * 5 + [self.grant] * 2 + [self.refund] * 2 + [self.withdraw] + [self.redeem] * 2
            + [self.stop, self.plan, self.purge, self.regrant, self.beat]
            + ([self.erase] if beside is None else [])  # while others play it is not known what it took along
        )  # fmt: skip

    # --- the play ---------------------------------------------------------------------------------------------------

    def play(self) -> int:
        """Raises `Broken`."""
        self.begin()
        proof = self.dice.randrange(self.steps)
        for step in range(self.steps):
            self.act()
            if step == proof:
                self.prove()
        self.finish()
        self.judge()
        return self.steps

    def judge(self) -> None:
        """Raises `Broken` unless everything adds up."""
        self.prove()
        for user, oracle in self.oracles.items():
            self.compare(user, oracle)

    def begin(self) -> None:
        """Users and codes are there."""
        for user in self.users:
            self.store.users.create(User(id=user, wrapped_key=b"k", sealed_openid=b"o", created_at=START))
            self.store.ledger.set_plan(user, "free")
        made = [Code(hash=one, amount=900, uses=1 + place, days=place) for place, one in enumerate(self.codes)]
        self.store.ledger.put_codes(made)

    def act(self) -> None:
        """Something happens."""
        act = self.dice.choice(self.acts)
        self.tale.append(act.__name__)
        act()

    # --- what people and workers do -----------------------------------------------------------------------------------

    def send(self) -> None:
        user, worker = self.dice.choice(self.users), self.worker()
        price = self.dice.choice(PRICES)
        self.numbers += 1
        amount = self.dice.choice((0, 1, 50, 400, 699, 2_000))
        charge = Charge(
            amount=amount,
            model="m",
            price_version="v1",
            price=price,
            allowances=ALLOWANCES if self.dice.random() < 0.8 else {},
            day_limit=self.dice.choice((0, 0, 0, 1_000)),
        )
        turn = Turn(
            id=f"t_{self.tag}_{self.numbers}",
            user_id=user,
            conversation_id=f"c_{self.tag}_{self.numbers}",
            client_id=f"client{self.numbers}",
            fingerprint=b"f",
            answer_message_id=f"a_{self.tag}_{self.numbers}",
            owner=worker,
            lease_until=self.clock(worker) + LEASE_MS,
            last_seq=1,
            created_at=self.clock(worker),
            price_version=charge.price_version,
            reserved=charge.amount,
        )
        fresh = Conversation(id=turn.conversation_id, user_id=user, created_at=self.now, last_activity_at=self.now)
        draft = Draft(turn=turn, message=None, new_conversation=fresh, accepted_event=b"e", charge=charge)
        self.drafts.append(draft)
        self.accept(draft)

    def resend(self) -> None:
        """The client heard nothing and sends the very same again, to whatever instance."""
        if self.drafts:
            worker = self.worker()
            draft = self.dice.choice(self.drafts)
            self.numbers += 1
            turn = msgspec.structs.replace(draft.turn, id=f"t_{self.tag}_{self.numbers}", owner=worker)
            self.accept(self.dice.choice((draft, msgspec.structs.replace(draft, turn=turn))))

    def accept(self, draft: Draft) -> None:
        def done(outcome: AcceptOutcome) -> None:
            self.seen[outcome.shortfall.why if outcome.shortfall else outcome.status] += 1
            if outcome.status == "accepted" and outcome.turn is not None and draft.charge is not None:
                self.oracles[draft.turn.user_id].charges[outcome.turn.id] = draft.charge

        outcome = self.faults.call(lambda: self.store.turns.accept(draft, LIMITS), done)
        if outcome is not None and outcome.status == "accepted" and outcome.turn is not None:
            self.plan_ending(draft.turn.owner, outcome.turn)

    def plan_ending(self, worker: str, turn: Turn) -> None:
        reason, code = self.dice.choice(ENDINGS)
        if turn.stop_requested:
            reason, code = "stopped", ""
        tokens = self.dice.choice((0, 1, 7, 60, 900))
        usage = Usage(input_tokens=tokens // 2, output_tokens=tokens, reasoning_tokens=tokens // 3, cached_tokens=1)
        metered = self.dice.choice(
            (None, Metered(shown=tokens), Metered(usage=usage, shown=tokens // 2, upstream=usage, images=tokens % 2))
        )
        problem = Problem(code=code, message="", message_en="", retryable=False) if code else None
        ending = Ending(reason=reason, problem=problem, ended_at=self.clock(worker), metered=metered)
        row = EventRow(seq=turn.last_seq + 1, body=b"end", created_at=self.now)
        self.pending.append((worker, turn, TurnWrite(turn_id=turn.id, rows=(row,), ending=ending)))

    def end(self) -> None:
        """A worker commits some of its endings in one batch."""
        if not self.pending:
            return
        worker = self.dice.choice(self.pending)[0]
        mine = {turn.id: (owner, turn, write) for owner, turn, write in self.pending if owner == worker}
        batch = list(mine.values())[: self.dice.randint(1, len(mine))]  # a worker has one ending a turn
        self.commit(worker, batch)

    def commit(self, worker: str, batch: list[tuple[str, Turn, TurnWrite]]) -> None:
        writes = [write for _, _, write in batch]

        def done(result: object) -> None:
            lost = getattr(result, "lost", frozenset())
            for _, turn, write in batch:
                if turn.id not in lost and write.ending is not None:
                    self.ended(turn, write.ending)

        lease = self.clock(worker) + LEASE_MS
        result = self.faults.call(lambda: self.store.turns.commit(writes, owner=worker, lease_until=lease), done)
        if result is not None and self.dice.random() < 0.8:  # else it is committed again later: must change nothing
            self.pending = [one for one in self.pending if one not in batch]

    def ended(self, turn: Turn, ending: Ending) -> None:
        endings = self.oracles[turn.user_id].endings
        with self.lock:
            if turn.id in endings:
                raise self.broken(f"{turn.id} ended twice")
            endings[turn.id] = ending
        self.seen[_rule(ending).name] += 1

    def again(self) -> None:
        """A worker that is no longer the owner, or has ended the turn, writes once more."""
        self.end()

    def beat(self) -> None:
        if self.pending:
            worker, turn, _ = self.dice.choice(self.pending)
            write = TurnWrite(turn_id=turn.id)
            lease = self.clock(worker) + LEASE_MS
            self.faults.call(lambda: self.store.turns.commit([write], owner=worker, lease_until=lease))

    def stop(self) -> None:
        if self.pending:
            turn = self.dice.choice(self.pending)[1]
            self.faults.call(lambda: self.store.turns.request_stop(turn.id))

    def take_over(self) -> None:
        """Turns whose owner died (or only fell silent) go to another worker; the old one may still try to write."""
        worker = self.worker()
        if self.dice.random() < 0.6:
            self.now += LEASE_MS + 2 * SKEW_MS
        for user in self.users:
            turn = self.faults.call(lambda user=user: self.store.turns.live_of(user))
            if turn is not None:
                self.claim(worker, turn)

    def claim(self, worker: str, turn: Turn) -> None:
        now = self.clock(worker)
        claimed = self.faults.call(
            lambda: self.store.turns.claim(turn.id, owner=worker, lease_until=now + LEASE_MS, now=now)
        )
        if claimed is not None:
            self.seen["taken over"] += 1
            if self.dice.random() < 0.3:  # the dead owner is dead for good
                self.pending = [one for one in self.pending if one[1].id != turn.id]
            self.plan_ending(worker, claimed)

    def wait(self) -> None:
        self.now += self.dice.choice((1, 900, 60_000, 3_600_000, 13 * 3_600_000, 86_400_000))

    def grant(self) -> None:
        self.numbers += 1
        ends = self.dice.choice((0, 0, self.now + 1_000, self.now + 3_600_000, self.now + 10**9))
        self.moved(
            Movement(
                kind="grant",
                reference=f"g{self.numbers}",
                amount=self.dice.choice((1, 500, 3_000)),
                at=self.clock(self.worker()),
                expires_at=ends,
            )
        )

    def regrant(self) -> None:
        """The same grant again, by a script that was started twice."""
        self.moved(Movement(kind="grant", reference="twice", amount=250, at=self.clock(self.worker())))

    def refund(self) -> None:
        turns = [turn_id for oracle in self.oracles.values() for turn_id in list(oracle.charges)]
        if turns:
            chosen = self.dice.choice(turns)
            amount = self.dice.choice((10, 10**6))
            self.moved(Movement(kind="refund", reference=chosen, amount=amount, at=self.clock(self.worker())))

    def withdraw(self) -> None:
        self.numbers += 1
        amount = self.dice.choice((10, 600))
        self.moved(Movement(kind="withdraw", reference=f"x{self.numbers}", amount=amount, at=self.clock(self.worker())))

    def moved(self, movement: Movement) -> None:
        user = self.dice.choice(self.users)
        self.faults.call(lambda: self.store.ledger.move(user, movement), lambda posted: self.posted(user, posted))

    def redeem(self) -> None:
        user = self.dice.choice(self.users)
        code = self.dice.choice((*self.codes, "f" * 64, ""))
        at = self.clock(self.worker())
        self.faults.call(lambda: self.store.ledger.redeem(user, code, at=at), lambda posted: self.posted(user, posted))

    def posted(self, user: str, posted: Posted) -> None:
        self.seen[f"{posted.entry.kind} {posted.status}" if posted.entry else posted.status] += 1
        if posted.status == "posted" and posted.entry is not None:
            with self.lock:
                self.oracles[user].sums[posted.entry.kind] += posted.entry.amount

    def plan(self) -> None:
        user, plan = self.dice.choice(self.users), self.dice.choice(("free", "gold"))
        self.faults.call(lambda: self.store.ledger.set_plan(user, plan))

    def purge(self) -> None:
        """A conversation is removed with whatever runs in it."""
        if self.drafts:
            draft = self.dice.choice(self.drafts)
            turn = draft.turn
            self.drafts.remove(draft)  # with its turn the store forgets its client id too
            rooms = self.store.conversations
            if self.faults.call(lambda: rooms.delete(turn.user_id, turn.conversation_id, at=1)):
                self.faults.call(lambda: rooms.purge(deleted_before=2, limit=50))

    def erase(self) -> None:
        """A person goes for good and comes back as a new one."""
        if self.dice.random() < 0.5:
            return
        user = self.dice.choice(self.users)
        if self.faults.call(lambda: self.store.users.erase(user), lambda counts: self.erased(user)) is not None:
            self.drafts = [draft for draft in self.drafts if draft.turn.user_id != user]
        fresh = User(id=user, wrapped_key=b"k", sealed_openid=b"o", created_at=self.now)
        self.store.users.create(fresh)

    def erased(self, user: str) -> None:
        self.seen["erased"] += 1
        self.oracles[user] = Oracle()
        self.drafts = [draft for draft in self.drafts if draft.turn.user_id != user]

    # --- the end ------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Every worker dies; another one takes over and ends what is left, and the store is well again."""
        self.faults.rate = 0.0
        self.now += 10 * LEASE_MS
        worker = self.worker()
        self.pending = []
        for user in self.users:
            turn = self.store.turns.live_of(user)
            if turn is not None:
                self.pending = []
                self.claim(worker, turn)
                self.commit(worker, self.pending)
            if self.store.turns.live_of(user) is not None:
                raise self.broken("a turn could not be ended")

    def prove(self) -> None:
        for user in self.users:
            found = findings(self.store.ledger.books(user))
            if found:
                raise self.broken("; ".join(f"{one.what} ({one.about})" for one in found))

    def compare(self, user: str, oracle: Oracle) -> None:
        books = self.store.ledger.books(user)
        sums: Counter[str] = Counter()
        settled: dict[str, int] = {}
        for entry in books.entries:
            sums[entry.kind] += entry.amount
            if entry.kind == "settle":
                settled[entry.reference] = entry.amount
        for kind in ("grant", "redeem", "refund", "withdraw"):
            if sums[kind] != oracle.sums[kind]:
                raise self.broken(f"{kind}: {sums[kind]} by entries, {oracle.sums[kind]} were done")
        for turn_id in oracle.endings.keys() - oracle.charges.keys():
            raise self.broken(f"{turn_id} ended and never began")
        for turn_id in oracle.charges:
            if settled.get(turn_id, 0) != oracle.paid(turn_id):
                raise self.broken(f"{turn_id} paid {settled.get(turn_id, 0)}, not {oracle.paid(turn_id)}")
        account = books.account
        held = sum(sums[kind] for kind in ("grant", "redeem", "refund", "allowance"))
        left = held - sums["withdraw"] - sums["expire"] - sums["settle"]
        account = account or Account()
        if account.available != left or account.held or left < 0:
            raise self.broken(f"{left} are left by adding up, the account says otherwise")

    def broken(self, what: str) -> Broken:
        return Broken(f"seed {self.seed}: {what}\nafter: {' '.join(self.tale)}")

    def worker(self) -> str:
        return self.dice.choice(list(self.workers))

    def clock(self, worker: str) -> int:
        return self.now + self.workers[worker]


def _metered(ending: Ending) -> Metered:
    return ending.metered or Metered()


def _rule(ending: Ending) -> Rule:
    return rule_of(ending.reason, ending.problem.code if ending.problem else "", _metered(ending))
