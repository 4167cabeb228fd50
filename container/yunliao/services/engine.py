"""All live turns of this instance: starts them, finds them, takes over what a dead instance left, drains."""

import threading
from collections.abc import Callable
from contextlib import suppress

from yunliao.domain.events import End, Reasoning, Retract, Text, decode_event
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.turn import MessageBody, Turn
from yunliao.errors import Draining, InstanceLost, StoreUnavailable
from yunliao.ports import Clock, EventRow, Metrics, TurnLog, Turns
from yunliao.services.asking import Words
from yunliao.services.committer import Committer
from yunliao.services.live_log import LiveLog, Numbered
from yunliao.services.people import Owner, People
from yunliao.services.run import Outcome, Run, Tools

EVENTS_READ = 10_000
"""More events than any turn can have: one every 100 ms for the longest answer."""
MAX_TAKEOVERS = 3
"""A turn whose owners keep dying is ended instead of killing the next one."""


class Engine:
    """The instance's live turns and their one committer."""

    def __init__(
        self,
        *,
        instance: str,
        turns: Turns,
        people: People,
        tools: Tools,
        clock: Clock,
        metrics: Metrics,
        turn_log: TurnLog,
        lease_seconds: float,
        spawn: Callable[[Callable[[], None]], None],
        metered: Callable[[Turn, Metered], int] | None = None,
    ) -> None:
        """`metered` hears what every ended turn used, and says what it cost, in micro-credits."""
        self.instance = instance
        self.lease_ms = int(lease_seconds * 1000)
        self.draining = False
        self.left = False
        """Set when this instance has let go of its turns: whoever listens here had better ask elsewhere."""
        self.taken: Callable[[Turn, Owner], None] = lambda turn, owner: None
        """Told of every turn that was taken over here: whoever waited for it on the dead instance is gone too."""
        self._turns = turns
        self._people = people
        self._tools = tools
        self._clock = clock
        self._metrics = metrics
        self._turn_log = turn_log
        self._spawn = spawn
        self._metered = metered
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._started = False
        self._committer = Committer(
            turns=turns,
            clock=clock,
            metrics=metrics,
            owner=instance,
            lease_seconds=lease_seconds,
            runs=lambda: list(self._runs.values()),
            ended=self._ended,
        )

    # --- finding ---------------------------------------------------------------------------------------------------

    def log_of(self, turn_id: str) -> LiveLog | None:
        """The in-memory log of a turn that runs here."""
        run = self._runs.get(turn_id)
        return run.log if run else None

    def user_of(self, turn_id: str) -> str:
        """Whose turn it is, if it runs here; else ""."""
        run = self._runs.get(turn_id)
        return run.turn.user_id if run else ""

    @property
    def full(self) -> bool:
        """Whether `check_room` would raise now."""
        return self.draining or self._tools.slots.full

    def check_room(self) -> None:
        """Raises `Draining` or `QueueFull` when no new turn can be taken."""
        if self.draining:
            raise Draining(retry_after=3)
        self._tools.slots.check_room()

    # --- running ---------------------------------------------------------------------------------------------------

    def start(self, turn: Turn, owner: Owner, events: list[Numbered], words: Words | None = None) -> None:
        """Run a turn this instance owns; `events` are the durable ones so far, `words` what was asked, where that is
        known already."""
        run = Run(turn, owner, self._tools, log=LiveLog(events), wake=self._committer.wake, words=words)
        self._launch(run)

    def stop(self, turn_id: str) -> bool:
        """Stop a turn that runs here; False if it does not."""
        run = self._runs.get(turn_id)
        if run:
            run.stop()
        return run is not None

    def take_over(self, turn: Turn, *, go_on: bool = True) -> bool:
        """Go on with a turn whose owner died (P7), or only end it; False if somebody else has it.

        Nothing shown yet: asked anew. Text shown: the relay is asked to continue from it, and what it repeats is cut
        off. A turn whose owners keep dying is ended truthfully with what was shown.
        """
        if self.draining or turn.id in self._runs:
            return False
        now = self._clock.now_ms()
        claimed = self._turns.claim(turn.id, owner=self.instance, lease_until=now + self.lease_ms, now=now)
        if claimed is None:
            return False
        self._metrics.takeover()
        owner = self._people.owner_of(claimed)
        rows = self._turns.events(claimed.id, after=0, limit=EVENTS_READ)
        events = [Numbered(row.seq, open_event(owner, claimed.id, row)) for row in rows]
        shown = shown_by(events)
        run = Run(claimed, owner, self._tools, log=LiveLog(events), wake=self._committer.wake, shown=shown)
        if claimed.stop_requested:
            run.outcome = Outcome(reason="stopped")
        elif not go_on or claimed.takeovers > MAX_TAKEOVERS:
            run.outcome = Outcome(reason="failed", problem=InstanceLost().problem())
        self._launch(run)
        self.taken(claimed, owner)
        return True

    def recover(self, limit: int = 100) -> int:
        """Take over what dead instances left; how many."""
        return sum(self.take_over(turn) for turn in self._turns.abandoned(now=self._clock.now_ms(), limit=limit))

    def drain(self, grace_seconds: float) -> bool:
        """No new turns; wait for the live ones, then let go of the rest so that others can take them over.
        True when all finished by themselves."""
        self.draining = True
        if not self._idle.wait(grace_seconds):
            with suppress(StoreUnavailable):  # an answer that is whole and only waits to be written is not asked again
                self._committer.step()
        finished = self._idle.is_set()
        self.left = True
        with self._lock:
            left = list(self._runs.values())
            self._runs.clear()  # the committer renews no lease of these any more
        for run in left:
            run.abandon()
        if left:
            self._release(left)
        return finished

    def close(self) -> None:
        """End the committer's loop."""
        self._committer.close()

    def _launch(self, run: Run) -> None:
        with self._lock:
            self._runs[run.turn.id] = run
            self._idle.clear()
            if not self._started:
                self._started = True
                self._spawn(self._committer.loop)
        self._metrics.live_turns(len(self._runs))
        if run.outcome is None:
            self._committer.begin()
            self._spawn(run.execute)
        else:
            self._committer.wake(run, urgent=True)

    def _release(self, runs: list[Run]) -> None:
        with suppress(StoreUnavailable):
            self._committer.let_go(runs)
        for run in runs:
            run.log.close()

    def _ended(self, run: Run) -> None:
        with self._lock:
            self._runs.pop(run.turn.id, None)
            if not self._runs:
                self._idle.set()
        self._metrics.live_turns(len(self._runs))
        if run.outcome is not None and not run.lost:
            self._spawn(lambda: self._afterwards(run, run.outcome))

    def _afterwards(self, run: Run, outcome: Outcome | None) -> None:
        """What nobody waits for: what it used, and the log line."""
        if outcome is None:
            return
        turn, times = run.turn, run.timings
        cost = self._metered(turn, run.metered) if self._metered is not None else None
        code = outcome.problem.code if outcome.problem else ""
        total_ms = self._clock.now_ms() - turn.created_at
        self._metrics.turn_ended(outcome.reason, code, total_ms / 1000)
        usage = outcome.usage
        queued_ms = max(0, times.admitted - turn.created_at) if times.admitted else None
        self._metrics.turn_used(queued_ms, usage.input_tokens if usage else 0, usage.output_tokens if usage else 0)
        self._turn_log.turn(
            turn=turn.id,
            kind=turn.kind,
            model=turn.model,
            reason=outcome.reason,
            code=code,
            call_id=run.owner.principal.call_id,
            trace=run.owner.principal.trace.partition("-")[0],
            queued_ms=queued_ms,
            relay_first_byte_ms=times.first_byte - times.asked if times.first_byte else None,
            first_text_ms=times.first_shown - turn.created_at if times.first_shown else None,
            total_ms=total_ms,
            chars=len(run.shown.text),
            windows=run.answer.windows_checked,
            takeovers=turn.takeovers,
            upstream=",".join(filter(None, run.upstreams)) or None,
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cost=cost,
        )


def open_event(owner: Owner, turn_id: str, row: EventRow) -> bytes:
    """The JSON of a stored event."""
    return owner.open(turn_id, f"event/{row.seq}", row.body)


def shown_by(events: list[Numbered]) -> MessageBody:
    """The text and reasoning that these events put on a screen."""
    text, reasoning = "", ""
    for numbered in events:
        match decode_event(numbered.body):
            case Text(delta=delta):
                text += delta
            case Reasoning(delta=delta):
                reasoning += delta
            case Retract(keep=keep):
                text, reasoning = text[:keep], reasoning if keep else ""
            case End() | _:
                pass
    return MessageBody(text=text, reasoning=reasoning)
