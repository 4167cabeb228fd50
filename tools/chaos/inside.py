"""The view from the inside: what the store holds of the turns users tried to make, opened with the service's keys."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from chaos.records import Evidence, Kept, Purse
from cloudrun.identity import APPID, openid_of
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.ids import SortableIds
from yunliao.adapters.vault import MasterKeyVault
from yunliao.bootstrap import key_store_for, store_at
from yunliao.domain.ledger.audit import Books, findings
from yunliao.domain.ledger.entries import balance
from yunliao.domain.principal import Principal
from yunliao.domain.seats import Seats
from yunliao.domain.turn import Turn
from yunliao.ports import Store
from yunliao.services.asking import open_body
from yunliao.services.data_keys import DataKeys
from yunliao.services.engine import EVENTS_READ, open_event
from yunliao.services.people import Owner, People
from yunliao.settings import Settings

PAGE = 500
FAR = 2**52
"""A time after every lease."""


class Inside:
    """Reads the store of a service whose environment is `env`."""

    def __init__(self, env: dict[str, str]) -> None:
        settings = Settings.from_env(env)
        store = store_at(settings.store_url)
        self.store: Store = store
        vault, clock = MasterKeyVault(settings.master_keys), SystemClock()
        self._key_store = key_store_for(settings, store)
        keys = DataKeys(
            store=self._key_store,
            users=store.users,
            personal=store.personal,
            vault=vault,
            ids=SortableIds(clock),
            clock=clock,
        )
        self._people = People(users=store.users, shared=store.secrets, vault=vault, clock=clock, keys=keys)

    def live(self) -> list[str]:
        """Ids of turns that have not ended, whoever's they are."""
        return [turn.id for turn in self.store.turns.abandoned(now=FAR, limit=10_000)]

    def kept(self, asked: Iterable[tuple[str, str]]) -> list[Kept]:
        """The turns of these (user, client id) pairs, as far as there are any."""
        found = []
        for user, client_id in asked:
            known = self._people.find(Principal(openid=openid_of(user), appid=APPID))
            if known is None:
                continue
            owner = known[1]
            turn = self.store.turns.by_client_id(owner.user_id, client_id)
            if turn is not None:
                found.append(self._one(user, owner, turn))
        return found

    def seats(self) -> int:
        """Shared places for live answers that are still held."""
        found = self.store.registers.read("seats")
        if not found.version:
            return 0
        now = SystemClock().now_ms()
        holdings = msgspec.json.decode(found.value, type=Seats).holdings
        return sum(one.seats for one in holdings.values() if one.until > now)

    def purses(self) -> list[Purse]:
        """Everybody's credits."""
        found: list[Purse] = []
        after = ""
        while page := self.store.ledger.users(after=after, limit=PAGE):
            found += [_purse(self.store.ledger.books(user_id)) for user_id in page]
            after = page[-1]
        return found

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _one(self, user: str, owner: Owner, turn: Turn) -> Kept:
        rows = self.store.turns.events(turn.id, after=0, limit=EVENTS_READ)
        events = [{"seq": row.seq, **json.loads(open_event(owner, turn.id, row))} for row in rows]
        question = self.store.conversations.message(owner.user_id, turn.user_message_id)
        answer = self.store.conversations.message(owner.user_id, turn.answer_message_id)
        body = open_body(owner, answer) if answer else None
        return Kept(
            user=user,
            client_id=turn.client_id,
            turn=turn.id,
            kind=turn.kind,
            state=turn.state,
            reason=turn.end_reason or "",
            code=turn.error_code,
            takeovers=turn.takeovers,
            last_seq=turn.last_seq,
            ended_at=turn.ended_at,
            source=turn.source_turn_id,
            stop_requested=turn.stop_requested,
            events=events,
            question=open_body(owner, question).text if question else "",
            answer=body.text if body else None,
            reasoning=body.reasoning if body else "",
            answer_state=answer.state if answer else "",
        )


def _purse(books: Books) -> Purse:
    account = books.account
    return Purse(
        user=books.user_id,
        available=account.available if account else 0,
        held=account.held if account else 0,
        entries=[
            (one.kind, one.reference, balance((one,), "available"), balance((one,), "held")) for one in books.entries
        ],
        wrong=[f"{finding.what} {finding.about}".strip() for finding in findings(books)],
    )


def pairs(evidence: Evidence) -> list[tuple[str, str]]:
    """Every user and client id that was ever sent, once."""
    return list(dict.fromkeys((sent.user, sent.client_id) for sent in evidence.sent))
