"""The verdict on a campaign: clean records are clean, and every doctored one is found out."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest

from chaos import tale
from chaos.records import Asked, Evidence, Kept, Purse, Sent, Shown, View
from chaos.verdict import CHECKS, judge

SEED = "unit"


def marker_with(risky: bool) -> str:
    """A marker whose answer holds a risky phrase, or does not."""
    return next(
        f"[u01-{n:04d}]"
        for n in range(1, 400)
        if tale.is_risky(tale.answer(SEED, f"[u01-{n:04d}]")) is risky and len(tale.answer(SEED, f"[u01-{n:04d}]")) > 60
    )


def numbered(*events: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"seq": seq, **event} for seq, event in enumerate(events, 1)]


def add_turn(
    evidence: Evidence, turn: str, marker: str, reason: str, shown: str, *, kind: str = "send", source: str = ""
) -> None:
    """A turn in every record, as an honest service leaves it."""
    user, client_id = "u01", f"id-{turn}"
    text = f"{marker} 请讲" if kind == "send" else ""
    middle = [{"type": "text", "delta": shown[:10]}, {"type": "text", "delta": shown[10:]}]
    if reason == "blocked":
        middle.append({"type": "retract", "keep": 0})
    events = numbered({"type": "accepted", "turn_id": turn}, *middle, {"type": "end", "reason": reason})
    answer = "" if reason == "blocked" else shown
    evidence.sent.append(Sent(user, client_id, kind, text, marker, 1_000, [turn], "conv"))
    evidence.views += [View(user, turn, f"{client_id}/{n}", copy.deepcopy(events), ["poll"]) for n in "ab"]
    evidence.kept.append(
        Kept(
            user, client_id, turn, kind, "ended", reason, "", 0, len(events), 5_000, source, False, events,
            f"{marker} 请讲", answer, "", "blocked" if reason == "blocked" else "normal",
        )
    )  # fmt: skip
    evidence.asked.append(Asked(turn, 2_000, 4_900, False, True, "complete"))
    if kind == "send":
        evidence.history.append(Shown(user, "conv", turn, "user", text, "normal"))
    evidence.history.append(Shown(user, "conv", turn, "assistant", answer, "normal"))


@pytest.fixture
def evidence() -> Evidence:
    found = Evidence(SEED)
    good, risky = marker_with(False), marker_with(True)
    whole, dirty = tale.answer(SEED, good), tale.answer(SEED, risky)
    add_turn(found, "complete", good, "complete", whole)
    add_turn(found, "cut", good, "failed", whole[:30])
    add_turn(found, "goes-on", good, "complete", whole[30:], kind="continue", source="cut")
    add_turn(found, "blocked", risky, "blocked", dirty[:4])
    entries = [("allowance", "day", 900, 0)]
    for item in found.kept:
        entries.append(("reserve", item.turn, -100, 100))
        entries += [("settle", item.turn, 0, -60)] if item.reason != "blocked" else []
        entries.append(
            ("release", item.turn, 40, -40) if item.reason != "blocked" else ("release", item.turn, 100, -100)
        )
    found.purses = [Purse("u01", sum(entry[2] for entry in entries), 0, entries)]
    found.sent[0].stopped_at = 4_000
    found.live = {"1": {"yunliao_live_turns": 0.0}}
    found.probes = 3
    return found


def kept(evidence: Evidence, turn: str) -> Kept:
    return next(item for item in evidence.kept if item.turn == turn)


def view(evidence: Evidence, turn: str) -> View:
    return next(item for item in evidence.views if item.turn == turn)


def asked(evidence: Evidence, turn: str) -> Asked:
    return next(item for item in evidence.asked if item.turn == turn)


def shown(evidence: Evidence, turn: str, role: str) -> Shown:
    return next(item for item in evidence.history if (item.turn, item.role) == (turn, role))


def test_honest_records_are_clean(evidence: Evidence) -> None:
    looked, findings = judge(evidence)
    assert findings == []
    assert set(looked) == set(CHECKS) and all(looked[check] for check in CHECKS)


def forget(evidence: Evidence) -> None:
    evidence.kept.remove(kept(evidence, "cut"))


def other_question(evidence: Evidence) -> None:
    kept(evidence, "complete").question += "？"


def out_of_history(evidence: Evidence) -> None:
    evidence.history.remove(shown(evidence, "complete", "user"))


def second_turn(evidence: Evidence) -> None:
    evidence.sent[0].told.append("another")


def taken_conflict(evidence: Evidence) -> None:
    evidence.conflicts.append("u01 id: another text was taken")


def no_end(evidence: Evidence) -> None:
    item = kept(evidence, "complete")
    item.events = item.events[:-1]
    item.last_seq -= 1


def two_ends(evidence: Evidence) -> None:
    item = kept(evidence, "complete")
    item.events = [*item.events, {"seq": len(item.events) + 1, "type": "end", "reason": "complete"}]
    item.last_seq += 1


def gap_in_view(evidence: Evidence) -> None:
    del view(evidence, "complete").events[1]


def repeated_in_view(evidence: Evidence) -> None:
    events = view(evidence, "complete").events
    events.insert(2, events[1])


def other_reason(evidence: Evidence) -> None:
    kept(evidence, "cut").reason = "stopped"


def other_view(evidence: Evidence) -> None:
    view(evidence, "complete").events[1]["delta"] += "多"


def other_answer(evidence: Evidence) -> None:
    item = kept(evidence, "complete")
    item.answer = (item.answer or "")[:-1]


def no_answer(evidence: Evidence) -> None:
    kept(evidence, "complete").answer = None


def other_history(evidence: Evidence) -> None:
    shown(evidence, "complete", "assistant").text += "多"


def blocked_in_history(evidence: Evidence) -> None:
    shown(evidence, "blocked", "assistant").text = "还在"


def _cut_everywhere(evidence: Evidence, turn: str, change: Callable[[str], str]) -> None:
    """The same wrong text in store, views and history: only the truth tells."""
    item = kept(evidence, turn)
    text = change(item.answer or "")
    item.answer = text
    for events in [item.events, *(v.events for v in evidence.views if v.turn == turn)]:
        events[1]["delta"], events[2]["delta"] = text[:10], text[10:]
    shown(evidence, turn, "assistant").text = text


def cut_called_complete(evidence: Evidence) -> None:
    _cut_everywhere(evidence, "complete", lambda text: text[:-5])


def character_lost_at_a_seam(evidence: Evidence) -> None:
    _cut_everywhere(evidence, "goes-on", lambda text: text[1:])


def repeated_at_a_seam(evidence: Evidence) -> None:
    _cut_everywhere(evidence, "goes-on", lambda text: text[:8] + text)


def generated_twice(evidence: Evidence) -> None:
    evidence.asked.append(copy.copy(asked(evidence, "complete")))


def asked_after_the_end(evidence: Evidence) -> None:
    evidence.asked.append(Asked("complete", 60_000, 61_000, False, False, "status 500"))


def asked_by_nobody(evidence: Evidence) -> None:
    evidence.asked.append(Asked("turn_of_nobody", 2_000, 3_000, False, True, "complete"))


def entry(evidence: Evidence, kind: str, turn: str) -> int:
    return next(n for n, one in enumerate(evidence.purses[0].entries) if one[:2] == (kind, turn))


def never_paid(evidence: Evidence) -> None:
    del evidence.purses[0].entries[entry(evidence, "settle", "complete")]


def never_reserved(evidence: Evidence) -> None:
    purse = evidence.purses[0]
    purse.entries = [one for one in purse.entries if one[1] != "blocked"]


def paid_twice(evidence: Evidence) -> None:
    purse = evidence.purses[0]
    purse.entries.append(purse.entries[entry(evidence, "settle", "complete")])


def still_set_aside(evidence: Evidence) -> None:
    evidence.purses[0].held = 100


def balance_out_of_nothing(evidence: Evidence) -> None:
    evidence.purses[0].available += 1


def audited(evidence: Evidence) -> None:
    evidence.purses[0].wrong.append("overspent by 1 at entry 3")


def never_ended(evidence: Evidence) -> None:
    kept(evidence, "complete").state = "running"


def place_kept(evidence: Evidence) -> None:
    evidence.live["1"]["yunliao_live_turns"] = 1.0


def left_open(evidence: Evidence) -> None:
    asked(evidence, "complete").live = True


def closed_late(evidence: Evidence) -> None:
    asked(evidence, "cut").ended = 20_000


def phrase_before_a_retract(evidence: Evidence) -> None:
    item = view(evidence, "blocked")
    item.events[1]["delta"] = tale.PHRASES[0]


def phrase_over_two_events(evidence: Evidence) -> None:
    events = view(evidence, "blocked").events
    events[1]["delta"], events[2]["delta"] = tale.PHRASES[1][:5], tale.PHRASES[1][5:]


def phrase_kept(evidence: Evidence) -> None:
    kept(evidence, "blocked").answer = tale.PHRASES[2]


def reached(evidence: Evidence) -> None:
    evidence.reached.append("u02 reached GET /v1/turns/complete/events: 200")


def own_fault(evidence: Evidence) -> None:
    kept(evidence, "cut").code = "internal"


def stopped_late(evidence: Evidence) -> None:
    evidence.sent[1].stopped_at = kept(evidence, "cut").ended_at - 3_001


def never_read(evidence: Evidence) -> None:
    view(evidence, "complete").events.pop()


@pytest.mark.parametrize(
    ("doctor", "check"),
    [
        (forget, "lost"), (other_question, "lost"), (out_of_history, "lost"),
        (second_turn, "doubled"), (taken_conflict, "doubled"),
        (no_end, "endings"), (two_ends, "endings"), (gap_in_view, "endings"), (repeated_in_view, "endings"),
        (other_reason, "endings"),
        (other_view, "text"), (other_answer, "text"), (no_answer, "text"), (other_history, "text"),
        (blocked_in_history, "text"),
        (cut_called_complete, "truth"), (character_lost_at_a_seam, "truth"), (repeated_at_a_seam, "truth"),
        (generated_twice, "generations"), (asked_after_the_end, "generations"), (asked_by_nobody, "generations"),
        (never_paid, "credits"), (never_reserved, "credits"), (paid_twice, "credits"), (still_set_aside, "credits"),
        (balance_out_of_nothing, "credits"), (audited, "credits"),
        (never_ended, "stuck"), (place_kept, "slots"), (stopped_late, "stops"), (left_open, "open"), (closed_late, "open"),
        (phrase_before_a_retract, "phrase"), (phrase_over_two_events, "phrase"), (phrase_kept, "phrase"),
        (reached, "foreign"), (own_fault, "faults"), (never_read, "unread"),
    ],
)  # fmt: skip
def test_every_violation_is_found(evidence: Evidence, doctor: Callable[[Evidence], None], check: str) -> None:
    doctor(evidence)
    assert check in {finding.check for finding in judge(evidence)[1]}


def test_what_a_takeover_may_do_is_no_violation(evidence: Evidence) -> None:
    kept(evidence, "complete").takeovers = 1
    generated_twice(evidence)
    assert judge(evidence)[1] == []


def test_a_frozen_instance_may_close_late(evidence: Evidence) -> None:
    closed_late(evidence)
    evidence.frozen.append((12_000, 19_000))
    assert judge(evidence)[1] == []


def test_answers_are_the_same_every_time_and_most_are_harmless() -> None:
    chance = random.Random(5)
    markers = [f"[u{chance.randint(1, 50):02d}-{n:04d}]" for n in range(300)]
    answers = [tale.answer(SEED, marker) for marker in markers]
    assert answers == [tale.answer(SEED, marker) for marker in markers]
    assert 5 < sum(map(tale.is_risky, answers)) < 60
    assert all(marker in answer for marker, answer in zip(markers, answers, strict=True))
