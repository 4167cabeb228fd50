"""The verdict on a campaign: every promise of design.md §2 that faults could break, checked on the evidence alone.

`judge` is pure: the same records give the same findings, and doctored ones are found out (tests/unit/chaos).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from chaos import tale
from chaos.records import Event, Evidence, Kept, Sent, View

CLOSE_MS = 3_000
"""An upstream connection may outlive the end of a stopped turn so long: the next heartbeat carries the stop to another
instance, and the machine may be busy."""


@dataclass(frozen=True)
class Finding:
    """One broken promise."""

    check: str
    what: str


CHECKS = {
    "lost": "accepted messages lost (P2)",
    "doubled": "client ids with more than one turn, or taken with another text (P3)",
    "endings": "turns without exactly one terminal event, or numbers not contiguous (P5, P6)",
    "text": "texts that differ between views, events, message and history (P5)",
    "truth": "answers called complete that are not, or not the beginning of the true one (P6)",
    "generations": "upstream generations beyond one and its takeovers (P3)",
    "credits": "turns not paid or given back exactly once, balances that are not the sum of their entries (P11)",
    "stuck": "turns that never ended (P7)",
    "slots": "places or listeners not given back",
    "stops": "stops that took longer than a takeover may (P8)",
    "open": "upstream connections left open after an end (P8)",
    "phrase": "moderated phrases shown (P4)",
    "foreign": "other people's data reached (P1)",
    "faults": "faults of our own (`internal`)",
    "unread": "views and histories that could not be read to the end",
}


def rebuilt(events: list[Event]) -> tuple[str, str]:
    """Text and reasoning on the screen after these events."""
    text = reasoning = ""
    for event in events:
        match event["type"]:
            case "text":
                text += event["delta"]
            case "reasoning":
                reasoning += event["delta"]
            case "retract":
                text = text[: event["keep"]]
                reasoning = reasoning if event["keep"] else ""
    return text, reasoning


def judge(evidence: Evidence) -> tuple[dict[str, int], list[Finding]]:
    """How much each check looked at, and what it found."""
    looked: dict[str, int] = dict.fromkeys(CHECKS, 0)
    found: list[Finding] = []
    kept = {item.turn: item for item in evidence.kept}
    for check in (_lost, _doubled, _endings, _text, _truth, _generations, _credits, _stops, _open, _phrase):
        check(evidence, kept, looked, found)
    looked["stuck"] = len(kept)
    found += [Finding("stuck", f"turn {k.turn} is {k.state}") for k in kept.values() if k.state != "ended"]
    for instance, gauges in evidence.live.items():
        looked["slots"] += len(gauges)
        found += [
            Finding("slots", f"instance {instance}: {name} is {value:g}") for name, value in gauges.items() if value
        ]
    looked["foreign"] = evidence.probes
    found += [Finding("foreign", what) for what in evidence.reached]
    looked["faults"] = len(evidence.sent) + len(evidence.views)
    found += [Finding("faults", what) for what in evidence.faults]
    found += [Finding("faults", f"turn {k.turn} ended by internal") for k in kept.values() if k.code == "internal"]
    looked["unread"] = len(evidence.views)
    found += [
        Finding("unread", f"view {view.name} of {view.turn}: {view.refused or 'no end'}")
        for view in evidence.views
        if view.refused or not view.events or view.events[-1]["type"] != "end"
    ]
    found += [Finding("unread", f"history of {what}") for what in evidence.unseen]
    return looked, found


def _lost(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    history = {(shown.turn, shown.role): shown for shown in evidence.history}
    unread = {line.split(" ")[0] for line in evidence.unseen}
    for sent in evidence.sent:
        if not sent.told:
            continue
        looked["lost"] += 1
        item = kept.get(sent.told[0])
        if item is None:
            found.append(Finding("lost", f"{sent.user} {sent.client_id}: accepted, not in the store"))
        elif sent.kind == "send":
            if item.question != sent.text:
                found.append(Finding("lost", f"{sent.user} {sent.client_id}: another question is stored"))
            shown = history.get((sent.told[0], "user"))
            expected = not sent.replaced and sent.conversation not in unread and item.reason != "blocked"
            if expected and (shown is None or shown.text != sent.text):
                found.append(Finding("lost", f"{sent.user} {sent.client_id}: not in the history"))


def _doubled(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    turns: dict[tuple[str, str], set[str]] = defaultdict(set)
    for sent in evidence.sent:
        turns[sent.user, sent.client_id].update(sent.told)
    for item in kept.values():
        turns[item.user, item.client_id].add(item.turn)
    looked["doubled"] = len(turns)
    found += [
        Finding("doubled", f"{user} {client_id}: turns {sorted(ids)}")
        for (user, client_id), ids in turns.items()
        if len(ids) > 1
    ]
    found += [Finding("doubled", what) for what in evidence.conflicts]


def log_fault(events: list[Event], *, ended: bool = True) -> str:
    """What is wrong with a whole event log; empty when nothing is."""
    seqs = [event["seq"] for event in events]
    if seqs != list(range(1, len(seqs) + 1)):
        return f"numbers {seqs[:3]}…{seqs[-3:]} are not 1 to {len(seqs)}"
    ends = [event["seq"] for event in events if event["type"] == "end"]
    if ended and (len(ends) != 1 or ends[0] != len(seqs)):
        return f"terminal events at {ends} of {len(seqs)}"
    return ""


def _endings(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    for item in kept.values():
        looked["endings"] += 1
        wrong = log_fault(item.events, ended=item.state == "ended")
        if not wrong and item.last_seq != len(item.events):
            wrong = f"last_seq {item.last_seq} of {len(item.events)}"
        if not wrong and item.state == "ended" and item.events[-1].get("reason") != item.reason:
            wrong = f"event says {item.events[-1].get('reason')}, the turn {item.reason}"
        if wrong:
            found.append(Finding("endings", f"turn {item.turn} in the store: {wrong}"))
    for view in evidence.views:
        looked["endings"] += 1
        wrong = log_fault(view.events, ended=bool(view.events) and view.events[-1]["type"] == "end")
        if wrong:
            found.append(Finding("endings", f"view {view.name} of {view.turn}: {wrong}"))


def _text(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    for item in kept.values():
        if item.state != "ended":
            continue
        looked["text"] += 1
        text, reasoning = rebuilt(item.events)
        if item.answer is None or (item.answer, item.reasoning) != (text, reasoning):
            found.append(Finding("text", f"turn {item.turn}: the stored answer is not what its events show"))
    for view in evidence.views:
        stored = kept.get(view.turn)
        if stored is None:
            found.append(Finding("text", f"view {view.name}: turn {view.turn} is not in the store"))
            continue
        looked["text"] += 1
        if not _same(view, stored):
            found.append(Finding("text", f"view {view.name} of {view.turn} saw other events than the store has"))
    for shown in evidence.history:
        stored = kept.get(shown.turn)
        if shown.role != "assistant" or stored is None or stored.state != "ended":
            continue
        looked["text"] += 1
        expected = "" if stored.reason == "blocked" else stored.answer
        if shown.text != expected:
            found.append(Finding("text", f"history of {shown.user}: the answer of {shown.turn} differs"))


def _same(view: View, kept: Kept) -> bool:
    return view.events == kept.events[: len(view.events)]


def told(turn: Kept, kept: dict[str, Kept]) -> str:
    """The whole answer up to this turn: a continuation goes on with what its source said."""
    before = kept.get(turn.source) if turn.kind == "continue" else None
    return (told(before, kept) if before else "") + (turn.answer or "")


def _truth(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    for item in kept.values():
        if item.state != "ended" or item.reason == "blocked":
            continue
        looked["truth"] += 1
        marker = tale.marker_of(item.question)
        whole, said = tale.answer(evidence.seed, marker), told(item, kept)
        if not whole.startswith(said):
            found.append(Finding("truth", f"turn {item.turn}: {_differs(said, whole)}"))
        elif item.reason == "complete" and said != whole:
            found.append(Finding("truth", f"turn {item.turn}: complete with {len(said)} of {len(whole)} characters"))
    looked["truth"] += len(evidence.asked)
    found += [Finding("truth", what) for what in evidence.wrong_prompts]


def _differs(said: str, whole: str) -> str:
    place = next((i for i, (a, b) in enumerate(zip(said, whole, strict=False)) if a != b), len(whole))
    return f"differs from the true answer at {place}: {said[place : place + 12]!r} for {whole[place : place + 12]!r}"


def _generations(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    counts: dict[str, int] = defaultdict(int)
    spoilt: dict[str, int] = defaultdict(int)
    for asked in evidence.asked:
        counts[asked.turn] += asked.generated
        spoilt[asked.turn] += asked.generated and asked.how != "complete"
        item = kept.get(asked.turn)
        if item is None:
            found.append(Finding("generations", f"a request of {asked.turn or 'nobody'}, which no user asked for"))
        elif item.ended_at and asked.began > item.ended_at + CLOSE_MS:
            found.append(
                Finding("generations", f"turn {asked.turn}: asked {asked.began - item.ended_at} ms after its end")
            )
    for turn, count in counts.items():
        looked["generations"] += 1
        item = kept.get(turn)
        owners = 1 + (item.takeovers if item else 0)
        # An owner may go on once with an answer that its upstream cut.
        allowed = owners + min(spoilt[turn], owners * evidence.extra_generations)
        if count > allowed:
            found.append(Finding("generations", f"turn {turn}: {count} generations, {allowed} allowed"))


def _credits(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    """Every turn reserved once and closed once, to the last micro-credit; every balance the sum of what moved."""
    moves: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for purse in evidence.purses:
        looked["credits"] += 1
        found += [Finding("credits", f"user {purse.user[:12]}: {what}") for what in purse.wrong]
        sums = (sum(entry[2] for entry in purse.entries), sum(entry[3] for entry in purse.entries))
        if sums != (purse.available, purse.held):
            found.append(
                Finding("credits", f"user {purse.user[:12]}: {sums} by entries, {purse.available, purse.held}")
            )
        if purse.held:
            found.append(Finding("credits", f"user {purse.user[:12]}: {purse.held} set aside at the end"))
        for kind, about, _, held in purse.entries:
            moves[about].append((kind, held))
    for item in kept.values():
        if item.state != "ended":
            continue
        looked["credits"] += 1
        kinds = sorted(kind for kind, _ in moves[item.turn])
        rest = sum(held for _, held in moves[item.turn])
        closed = kinds in (["release", "reserve"], ["reserve", "settle"], ["release", "reserve", "settle"])
        if not closed or rest:
            found.append(Finding("credits", f"turn {item.turn} ({item.reason}): {kinds}, {rest} left"))


def _stops(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    """A confirmed stop ends the turn with the owner's next heartbeat; a dead owner's is ended by a takeover."""
    for sent in evidence.sent:
        item = kept.get(sent.told[0]) if sent.told and sent.stopped_at else None
        if item is None or item.state != "ended":
            continue
        looked["stops"] += 1
        late = item.ended_at - sent.stopped_at
        if late > evidence.stop_ms and not _while_frozen(sent.stopped_at, evidence.frozen):
            found.append(Finding("stops", f"turn {item.turn} ended {late} ms after its stop was confirmed"))


def _open(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    for asked in evidence.asked:
        looked["open"] += 1
        item = kept.get(asked.turn)
        if asked.live:
            found.append(Finding("open", f"a connection of turn {asked.turn} is still open"))
        elif item is not None and item.ended_at and asked.ended > item.ended_at + CLOSE_MS:
            late = asked.ended - item.ended_at
            if not _while_frozen(asked.ended, evidence.frozen):
                found.append(Finding("open", f"turn {asked.turn} ({item.reason}): open {late} ms after its end"))


def _while_frozen(moment: int, frozen: list[tuple[int, int]]) -> bool:
    """Whether an instance was frozen then, or had just woken up: it could not close its connections."""
    return any(start - CLOSE_MS <= moment <= end + 2 * CLOSE_MS for start, end in frozen)


def _phrase(evidence: Evidence, kept: dict[str, Kept], looked: dict[str, int], found: list[Finding]) -> None:
    for view in evidence.views:
        looked["phrase"] += 1
        if any(tale.is_risky(text) for text in _screens(view.events)):
            found.append(Finding("phrase", f"view {view.name} of {view.turn}"))
    for item in kept.values():
        looked["phrase"] += 1
        if tale.is_risky(item.answer or "") or tale.is_risky(item.reasoning):
            found.append(Finding("phrase", f"the stored answer of {item.turn}"))
    sent: dict[str, Sent] = {turn: one for one in evidence.sent for turn in one.told}
    for shown in evidence.history:
        looked["phrase"] += 1
        own = shown.role == "user" and shown.turn in sent
        if tale.is_risky(shown.text) and not own:
            found.append(Finding("phrase", f"history of {shown.user}, turn {shown.turn}"))


def _screens(events: list[Event]) -> list[str]:
    """Every state of the screen that can hold new text: before each retract, and the last one."""
    states = [rebuilt(events[:place]) for place, event in enumerate(events) if event["type"] == "retract"]
    return [text + "\n" + reasoning for text, reasoning in [*states, rebuilt(events)]]
