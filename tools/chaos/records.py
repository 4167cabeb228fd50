"""What a campaign remembers: what users did and saw (outside), what the store holds and the relay did (inside)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass
class Sent:
    """One client message id of one user, however often it was delivered. Times are Unix milliseconds."""

    user: str
    client_id: str
    kind: str
    text: str
    marker: str
    at: int
    told: list[str] = field(default_factory=list)
    """Turn ids that answers named, one per delivery."""
    conversation: str = ""
    refused: str = ""
    """The code of the final refusal; empty when it was accepted or nobody ever answered."""
    stopped_at: int = 0
    """When the service confirmed a stop of the live turn; 0 if none was asked for."""
    replaced: bool = False
    """Whether an edit or a regeneration may have taken it out of the history."""


@dataclass
class View:
    """One screen that follows one turn: the events in the order in which they came, over whatever transport."""

    user: str
    turn: str
    name: str
    events: list[Event] = field(default_factory=list)
    ways: list[str] = field(default_factory=list)
    refused: str = ""


@dataclass
class Kept:
    """What the store holds of one turn."""

    user: str
    client_id: str
    turn: str
    kind: str
    state: str
    reason: str
    code: str
    takeovers: int
    last_seq: int
    ended_at: int
    source: str
    stop_requested: bool
    events: list[Event]
    question: str
    answer: str | None
    """The text of the stored answer message; None when there is none."""
    reasoning: str = ""
    answer_state: str = ""


@dataclass
class Asked:
    """One request at the relay. `generated` tells whether it began to answer at all."""

    turn: str
    began: int
    ended: int
    live: bool
    generated: bool
    how: str


@dataclass
class Shown:
    """One message of a user's history as the API shows it after everything has settled."""

    user: str
    conversation: str
    turn: str
    role: str
    text: str
    state: str


@dataclass
class Purse:
    """One user's credits as the store holds them. `entries`: kind, what it is about, what it did to `available` and to
    `held`. `wrong`: what the service's own audit says."""

    user: str
    available: int
    held: int
    entries: list[tuple[str, str, int, int]]
    wrong: list[str] = field(default_factory=list)


@dataclass
class Evidence:
    """Everything a verdict is made from."""

    seed: str
    sent: list[Sent] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    history: list[Shown] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    """Other people's data that a probe reached."""
    probes: int = 0
    conflicts: list[str] = field(default_factory=list)
    """The same client id with another text that was taken."""
    faults: list[str] = field(default_factory=list)
    """Answers with code `internal`: faults of our own."""
    live: dict[str, dict[str, float]] = field(default_factory=dict)
    """Per instance what its gauges say at the end."""
    wrong_prompts: list[str] = field(default_factory=list)
    frozen: list[tuple[int, int]] = field(default_factory=list)
    """When an instance was frozen: it cannot close its connections then."""
    extra_generations: int = 0
    """Continuations on another upstream that one owner may make of one turn."""
    stop_ms: int = 3_000
    """Longest time from a confirmed stop to the end; with faults a dead owner's lease comes on top."""
    purses: list[Purse] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """Conversations whose history could not be read at the end."""
