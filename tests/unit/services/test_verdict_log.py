"""The verdict log keeps every verdict that was not a pass, once, without text; repeated ones lead to a break."""

from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from yunliao.domain.cooldown import OFF, CooldownRule
from yunliao.domain.turn import Turn
from yunliao.domain.verdict import PASS, Verdict
from yunliao.errors import StoreUnavailable
from yunliao.ports import User
from yunliao.ports_records import VerdictEntry
from yunliao.services.abuse import Abuse
from yunliao.services.retention import DAY_MS, Retention
from yunliao.services.verdict_log import FLUSH_COUNT, VerdictLog

RISKY = Verdict(suggest="risky", layer="wechat", label=20002, trace_id="trace-1")


def turn(number: int = 1) -> Turn:
    return Turn(id=f"turn_{number}", user_id="u1", conversation_id="c", client_id="client", fingerprint=b"")


class Kept:
    def __init__(self) -> None:
        self.store, self.clock = MemoryStore(), FakeClock()
        self.followed: list[VerdictEntry] = []
        self.log = VerdictLog(verdicts=self.store.verdicts, clock=self.clock, followers=(self.followed.append,))

    @property
    def entries(self) -> list[VerdictEntry]:
        return self.store.verdicts.page(user_id=None, before=None, limit=99)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_a_verdict_is_kept_with_what_a_complaint_needs(kept: Kept) -> None:
    kept.log.judged(turn(), "question", RISKY, "call-1")
    [entry] = kept.entries
    assert (entry.user_id, entry.turn_id, entry.place, entry.layer) == ("u1", "turn_1", "question", "wechat")
    assert (entry.suggest, entry.label, entry.trace_id, entry.request_id) == ("risky", 20002, "trace-1", "call-1")
    assert entry.at == kept.clock.now_ms()
    assert kept.followed == [entry]


def test_a_turn_judged_again_after_a_takeover_is_one_entry(kept: Kept) -> None:
    kept.log.judged(turn(), "question", RISKY, "call-1")
    kept.log.judged(turn(), "question", RISKY, "call-2")
    assert len(kept.entries) == 1


def test_no_decision_is_kept_too_and_a_pass_is_only_counted(kept: Kept) -> None:
    kept.log.undecided(turn(), "answer", "call-1")
    kept.log.judged(turn(2), "answer", PASS, "call-1")
    assert [(one.suggest, one.layer) for one in kept.entries] == [("none", "none")]
    for _ in range(FLUSH_COUNT):
        kept.log.passed("answer")
    [count] = kept.store.verdicts.passes(since_day=0)
    assert (count.place, count.passes) == ("answer", FLUSH_COUNT)


def test_counts_are_written_after_a_while_and_at_the_end(kept: Kept) -> None:
    kept.log.passed("question")
    assert kept.store.verdicts.passes(since_day=0) == []
    kept.clock.advance(60)
    kept.log.passed("question")
    assert kept.store.verdicts.passes(since_day=0)[0].passes == 2
    kept.log.passed("question")
    kept.log.flush()
    assert kept.store.verdicts.passes(since_day=0)[0].passes == 3


def test_what_an_outage_kept_from_being_written_is_written_after_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, away = kept.store.verdicts.add, [True]

    def sometimes(entry: VerdictEntry) -> None:
        if away:
            raise StoreUnavailable
        add(entry)

    monkeypatch.setattr(kept.store.verdicts, "add", sometimes)
    for number in (1, 2, 3):
        kept.log.judged(turn(number), "question", RISKY, "")
        kept.log.passed("question")
    assert kept.entries == []
    away.clear()
    kept.log.flush()
    assert {one.turn_id for one in kept.entries} == {"turn_1", "turn_2", "turn_3"}
    assert kept.store.verdicts.passes(since_day=0)[0].passes == 3
    assert len(kept.followed) == 3


# --- the break -------------------------------------------------------------------------------------------------------

RULE = CooldownRule(3, 600_000, 1_800_000)


@pytest.mark.parametrize(
    ("blocked_at", "until"),
    [
        ([], 0),
        ([900_000, 800_000], 0),
        ([900_000, 800_000, 700_000], 2_700_000),
        ([900_000, 800_000, 300_000], 0),
        ([900_000, 800_000, 300_001], 2_700_000),
        ([900_000, 800_000, 700_000, 600_000], 2_700_000),
    ],
)
def test_the_rule(blocked_at: list[int], until: int) -> None:
    assert RULE.until(blocked_at) == until
    assert OFF.until(blocked_at) == 0


def breaking(rule: CooldownRule, **changes: Any) -> tuple[MemoryStore, list[str], list[VerdictEntry]]:
    store, forgotten = MemoryStore(), []
    store.users.create(User(id="u1", wrapped_key=b"", sealed_openid=b"", created_at=1))
    abuse = Abuse(rule=rule, verdicts=store.verdicts, standing=store.standing, forget=forgotten.append)
    clock = FakeClock()
    log = VerdictLog(verdicts=store.verdicts, clock=clock, followers=(abuse.follow,))
    for number in range(3):
        clock.advance(10)
        if changes.get("undecided"):
            log.undecided(turn(number), "question", "")
        else:
            log.judged(turn(number), changes.get("place", "question"), RISKY, "")
    return store, forgotten, store.verdicts.page(user_id=None, before=None, limit=9)


def test_three_blocked_messages_lead_to_a_break_from_the_last_one() -> None:
    store, forgotten, entries = breaking(RULE)
    user = store.users.get("u1")
    assert user is not None
    assert user.cooling_until == entries[0].at + 1_800_000
    assert forgotten == ["u1"]


@pytest.mark.parametrize("changes", [{"place": "answer"}, {"undecided": True}])
def test_what_is_not_the_users_doing_leads_to_none(changes: dict[str, Any]) -> None:
    store, forgotten, _ = breaking(RULE, **changes)
    user = store.users.get("u1")
    assert user is not None and user.cooling_until == 0
    assert forgotten == []


def test_the_rule_can_be_off() -> None:
    store, _, _ = breaking(OFF)
    user = store.users.get("u1")
    assert user is not None and user.cooling_until == 0


# --- retention -------------------------------------------------------------------------------------------------------


def test_verdicts_stay_half_a_year_and_go_then(kept: Kept) -> None:
    retention = Retention(
        history=kept.store.history,
        verdicts=kept.store.verdicts,
        cards=kept.store.cards,
        clock=kept.clock,
        history_days=0,
        verdict_days=180,
    )
    for number in range(450):
        kept.log.judged(turn(number), "question", RISKY, "")
    kept.clock.advance(179 * DAY_MS / 1000)
    assert retention.run()["verdicts_expired"] == 0
    kept.clock.advance(1.001 * DAY_MS / 1000)
    done = retention.run()
    assert (done["verdicts_expired"], done["retention_left"]) == (450, 0)
    assert kept.entries == []


def test_a_call_ends_when_its_time_is_over_and_the_next_goes_on(kept: Kept) -> None:
    retention = Retention(
        history=kept.store.history,
        verdicts=kept.store.verdicts,
        cards=kept.store.cards,
        clock=kept.clock,
        history_days=0,
        verdict_days=180,
    )
    for number in range(450):
        kept.log.judged(turn(number), "question", RISKY, "")
    kept.clock.advance(200 * DAY_MS / 1000)
    reading = kept.clock.monotonic
    kept.clock.monotonic = lambda: (kept.clock.advance(4), reading())[1]  # type: ignore[method-assign]
    first = retention.run()
    assert (first["verdicts_expired"], first["retention_left"]) == (200, 1)
    assert first["verdicts_expired"] + retention.run()["verdicts_expired"] + retention.run()["verdicts_expired"] == 450
