"""One live turn on the instance that owns it: from the place in the line to the one terminal event (design.md §4).

`execute` runs on a thread of its own and leaves an outcome; `collect`, called by the committer, turns what passed the
guard into sealed, numbered events. Nothing is shown before the committer says that it is durable (P5).
"""

import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from yunliao.domain.events import End, EndReason, Event, Problem, Queued, Reasoning, Retract, Text, Usage, encode_event
from yunliao.domain.guard import GuardPolicy
from yunliao.domain.joining import Joiner
from yunliao.domain.ledger.endings import Metered
from yunliao.domain.title import title_of
from yunliao.domain.turn import ChatMessage, Ending, MessageBody, Turn
from yunliao.domain.verdict import Verdict
from yunliao.errors import (
    BlockedInput,
    BlockedOutput,
    ContextTooLong,
    InstanceLost,
    Internal,
    ModerationRevisit,
    ModerationUnavailable,
    QueueTimeout,
    StoreUnavailable,
    TurnFailed,
    YunliaoError,
)
from yunliao.ports import (
    Clock,
    EventRow,
    Metrics,
    Relay,
    RelayEvent,
    RelayFinish,
    RelayReasoning,
    RelayRequest,
    RelayStream,
    RelayText,
    TurnWrite,
)
from yunliao.services.admission import Slots
from yunliao.services.asking import Asking, Prompt, Words
from yunliao.services.generation import Generation, metered, total
from yunliao.services.live_log import LiveLog, Numbered
from yunliao.services.patience import LONGEST, patiently
from yunliao.services.people import Owner
from yunliao.services.screened_answer import ScreenedAnswer
from yunliao.services.screening import Screening
from yunliao.services.verdict_log import Place, Unheard, VerdictSink

Result = TypeVar("Result")

POSITION_MS = 1_000
"""Least time between two `queued` events of one turn, milliseconds."""
SEAM_CHARS = 64
"""Characters of the continued text that are checked again together with the continuation."""
LEASE_LOOK = 0.05
"""Seconds between two looks at whether the lease was renewed."""
VERDICT_SECONDS = 30.0 + LONGEST
"""Longest wait for the verdicts on the tail of an answer, seconds; longer than any single check may take, with an
outage of the store in which its quota cannot be counted."""


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What every run works with."""

    relay: Relay
    screening: Screening
    asking: Asking
    slots: Slots
    clock: Clock
    metrics: Metrics
    guard: GuardPolicy
    spawn: Callable[[Callable[[], None]], None]
    queue_seconds: float
    answer_tokens: int
    room: Callable[[str, tuple[ChatMessage, ...]], int] | None = None
    """Tokens the answer to a model's prompt may have where answers cost something; at most `answer_tokens`."""
    verdicts: VerdictSink = Unheard()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the work on a turn ended, before it is written."""

    reason: EndReason
    problem: Problem | None = None
    usage: Usage | None = None


class Timings(msgspec.Struct, kw_only=True):
    """Milliseconds since the epoch, 0 where it did not happen; for the turn's log line."""

    admitted: int = 0
    asked: int = 0
    first_byte: int = 0
    first_shown: int = 0


class Run:
    """A live turn. `wake(run, urgent)` tells the committer that `collect` has something to give."""

    def __init__(
        self,
        turn: Turn,
        owner: Owner,
        tools: Tools,
        *,
        log: LiveLog,
        wake: Callable[["Run", bool], None],
        shown: MessageBody | None = None,
        words: Words | None = None,
    ) -> None:
        """`shown` is what an earlier owner of the turn had already shown; `words` what is asked, where it is known."""
        self.turn = turn
        self.owner = owner
        self.log = log
        self.timings = Timings()
        self.upstreams: list[str] = []
        """Who spoke, in order: more than one when an answer was gone on with."""
        self.shown = shown or MessageBody()
        # A dead owner's reasoning is on the screen already: a second one would repeat it.
        self._mute_reasoning = bool(self.shown.reasoning)
        self.outcome: Outcome | None = None
        self.lost = False
        self._tools = tools
        self._words = words
        self._wake = wake
        self._lock = threading.RLock()
        self._stream: RelayStream | None = None
        self._stopped = False
        self._abandoned = False
        self._position = 0
        self._position_at = 0
        self._seq = turn.last_seq
        self._state = turn.state
        self._inflight: tuple[TurnWrite, list[Numbered]] | None = None
        self._repeated = False
        self._written = False
        self._granted: threading.Event | None = None
        self._lease_until = turn.lease_until
        self._joiner = Joiner("")
        self._before = self.shown.text
        self._found = self.shown
        self._heard: list[Generation] = []
        self.metered = Metered()
        """What there is to pay for, known with the ending."""
        self._said = ""
        self._thought = False
        self._noted: set[str] = set()
        self.answer = self._screened("")

    def _screened(self, before: str) -> ScreenedAnswer:
        tools, principal = self._tools, self.owner.principal
        return ScreenedAnswer(
            policy=tools.guard,
            search=self._search,
            check=lambda text: self._judged("answer", tools.screening.check_window(text, principal)),
            spawn=tools.spawn,
            clock=tools.clock,
            changed=self._verdict_came,
            widen=tools.screening.widen,
            before=before,
        )

    def _search(self, text: str) -> Verdict:
        """The word list, whose hits are noted aside: this runs inside the guard's lock."""
        found = self._tools.screening.search(text)
        if found.blocks and found.layer not in self._noted:
            self._tools.spawn(lambda: self._noted_once("answer", found))
        return found

    def _judged(self, place: Place, verdict: Verdict) -> Verdict:
        if verdict.blocks:
            self._noted_once(place, verdict)
        else:
            self._tools.verdicts.passed(place)
        return verdict

    def _noted_once(self, place: Place, verdict: Verdict) -> None:
        with self._lock:
            known = verdict.layer in self._noted
            self._noted.add(verdict.layer)
        if not known:
            self._tools.verdicts.judged(self.turn, place, verdict, self.owner.principal.call_id)

    # --- the work -------------------------------------------------------------------------------------------------

    def execute(self) -> None:
        """Do the whole turn; always leaves an outcome unless the run was abandoned."""
        try:
            outcome = self._perform()
        except TurnFailed as failed:
            outcome = self._failed(failed)
        except YunliaoError as refused:
            outcome = self._failed(refused)
        except Exception as fault:
            outcome = self._failed(Internal(type(fault).__name__))
        finally:
            self._tools.slots.leave(self.turn.id)
            if self._stream:
                self._stream.close()
        with self._lock:
            if self._abandoned:
                return
            if self._stopped and outcome.reason != "blocked":
                outcome = Outcome(reason="stopped", usage=outcome.usage)  # the stop came while the end was judged
            self.outcome = outcome
        self._wake(self, not self.timings.first_shown)

    def stop(self) -> None:
        """End it now with what was shown; the upstream connection closes at once (P8). No effect on an answer that is
        whole already and waits to be written: withholding its rest would make a cut one that is called complete."""
        with self._lock:
            if self.outcome is not None:
                return
            self._stopped = True
            self._interrupt()

    def abandon(self) -> None:
        """Let go without an ending: another owner goes on (drain, lost lease)."""
        with self._lock:
            self._abandoned = True
            self._interrupt()

    def _interrupt(self) -> None:
        if self._granted:
            self._granted.set()
        if self._stream:
            self._stream.close()
        self.answer.close()

    def _verdict_came(self) -> None:
        if self.answer.failure and self._stream:
            self._stream.close()  # nothing more of it will be shown, so nothing more is to be paid for
        self._wake(self, not self.timings.first_shown)

    @property
    def _interrupted(self) -> bool:
        return self._stopped or self._abandoned

    def _perform(self) -> Outcome:
        tools = self._tools
        if self._stopped or self.turn.stop_requested:
            return Outcome(reason="stopped")
        self._granted = tools.slots.enter(self.turn.id)
        if not self._granted.is_set():
            self._wake(self, True)
        if not self._granted.wait(tools.queue_seconds):
            raise QueueTimeout(retry_after=10)
        self._state = "running"
        self.timings.admitted = tools.clock.now_ms()
        if self._words is None:
            question = self._patiently(lambda: tools.asking.question(self.turn, self.owner))
            self._words = Words(question, False)
        question = self._words.question
        passed = self.shown.text or self.shown.reasoning  # nothing is shown of an answer before its question passed
        if not self._interrupted and self.turn.kind == "send" and not passed:
            verdict = self._judged("question", tools.screening.check_input(question, self.owner.principal))
            if verdict.blocks:
                raise BlockedInput
        if self._interrupted:
            return Outcome(reason="stopped")
        return self._generate(question)

    def _generate(self, question: str) -> Outcome:
        """Ask; where the answer is cut in its middle, go on once from what came (design.md §4.2). One turn, one charge:
        the usage of both adds up."""
        prompt = self._prompt(question, shown=self._before)
        with self._lock:
            if prompt.confirmed and not self._interrupted:
                self.answer = self._screened(prompt.confirmed[-SEAM_CHARS:])
        heard = self._listen(prompt, mending=bool(self._before))
        usage = heard.usage()
        failure = heard.failure
        if self._cut(heard):
            again = self._go_on(question, heard.upstream)
            if again is not None:
                usage = total(usage, again.usage())
                heard, failure = again, again.failure if again.said or again.finish else failure
        if not self._stopped:
            self._settle()
        if self._stopped:
            return Outcome(reason="stopped", usage=usage)
        return self._judge(heard.finish, self.answer.failure or failure, usage)

    def _cut(self, heard: Generation) -> bool:
        return heard.cut and self.answer.failure is None and not self._interrupted

    def _go_on(self, question: str, upstream: str) -> Generation | None:
        """The rest of a cut answer, from another upstream where there is one; None when it cannot be asked for."""
        self._feed(self._joiner.finish())
        self._mute_reasoning = self._mute_reasoning or self._thought
        try:
            prompt = self._prompt(question, shown=self._before + self._said)
        except ContextTooLong:
            return None
        again = self._listen(prompt, mending=True, avoid=upstream)
        self._tools.metrics.relay_continued(again.finish.reason if again.finish else "failed")
        return again

    def _prompt(self, question: str, *, shown: str) -> Prompt:
        first = self._words is not None and self._words.first
        asking = self._tools.asking
        return self._patiently(lambda: asking.prompt(self.turn, self.owner, question, shown=shown, first=first))

    def _patiently(self, read: Callable[[], Result]) -> Result:
        return patiently(read, self._tools.clock, lambda: self._interrupted)

    def _listen(self, prompt: Prompt, *, mending: bool, avoid: str = "") -> Generation:
        """One generation, fed to the guard as it comes."""
        tools = self._tools
        request = RelayRequest(
            model=self.turn.model,
            messages=prompt.messages,
            max_tokens=self._room(prompt),
            request_id=self.turn.id,
            trace=self.owner.principal.trace,
            avoid=avoid,
            still=self._still_ours,
            domestic_only=not self.owner.principal.overseas,
            wants=lambda: self.answer.wants(),
        )
        heard = Generation(request=request)
        self._heard.append(heard)
        ours = self._still_ours()
        with self._lock:
            if self._interrupted or not ours:
                return heard
            self._joiner = Joiner(prompt.confirmed, mending=mending)
            stream = self._stream = tools.relay.stream(request)
        self.timings.asked = self.timings.asked or tools.clock.now_ms()
        try:
            for batch in stream:
                self._take(batch, heard)
                if self.answer.failure or self._joiner.unusable:
                    break
        except TurnFailed as failed:
            heard.failure = failed
            self._joiner.drop()
        stream.close()
        heard.upstream = stream.upstream
        self.upstreams.append(stream.upstream)
        if heard.failure is None and not self._interrupted:
            self._feed(self._joiner.finish())
            if self._joiner.unusable:  # the text that was shown is kept, and the ending says so
                heard.finish, heard.failure = None, InstanceLost("no continuation")
        return heard

    def _still_ours(self) -> bool:
        """Whether a generation may be asked for. After the lease ran out (this process stood still, or the store was
        away) the turn may be another's: then only the store knows, and its word is waited for (P3)."""
        clock = self._tools.clock
        until = clock.monotonic() + LONGEST
        while self._lease_until and clock.now_ms() >= self._lease_until and not self._interrupted:
            if clock.monotonic() >= until:
                raise StoreUnavailable("lease not renewed")
            self._wake(self, True)
            clock.sleep(LEASE_LOOK)
        return not self._interrupted

    def _room(self, prompt: Prompt) -> int:
        tools = self._tools
        if tools.room is None or not self.turn.price_version:
            return tools.answer_tokens
        return tools.room(self.turn.model, prompt.messages)

    def _settle(self) -> None:
        """Wait for the verdicts on what came; also on what came before a failure, since it is kept."""
        self._feed(self._joiner.finish())
        self.answer.finish()
        if self.answer.failure is None and not self.answer.wait(VERDICT_SECONDS):
            raise Internal("verdicts overdue")

    def _judge(self, finish: RelayFinish | None, failure: TurnFailed | None, usage: Usage) -> Outcome:
        if failure is not None:
            return self._failed(failure, usage)
        if finish is None:  # a stream ends by RelayFinish, by an error, or because we closed it
            return self._failed(Internal("stream without an end"), usage)
        if finish.reason == "blocked":
            return self._failed(BlockedOutput(), usage)
        return Outcome(reason=finish.reason, usage=usage)

    def _take(self, batch: list[RelayEvent], heard: Generation) -> None:
        if not self.timings.first_byte:
            self.timings.first_byte = self._tools.clock.now_ms()
            self._tools.metrics.relay_first_byte((self.timings.first_byte - self.timings.asked) / 1000)
        text = "".join(event.delta for event in batch if isinstance(event, RelayText))
        reasoning = "".join(event.delta for event in batch if isinstance(event, RelayReasoning))
        heard.chars += len(text) + len(reasoning)
        heard.finish = next((event for event in batch if isinstance(event, RelayFinish)), heard.finish)
        text = self._joiner.feed(text)
        if self._mute_reasoning:
            reasoning = ""
        heard.said = heard.said or bool(text or reasoning)
        self._feed(text, reasoning)

    def _feed(self, text: str, reasoning: str = "") -> None:
        if text or reasoning:
            self._said += text
            self._thought = self._thought or bool(reasoning)
            self.answer.feed(text=text, reasoning=reasoning)

    def _failed(self, failure: YunliaoError, usage: Usage | None = None) -> Outcome:
        reason: EndReason = "blocked" if isinstance(failure, BlockedInput | BlockedOutput) else "failed"
        if isinstance(failure, ModerationUnavailable | ModerationRevisit):
            place: Place = "answer" if self.timings.asked else "question"
            self._tools.verdicts.undecided(self.turn, place, self.owner.principal.call_id)
        if failure.code.startswith("relay_"):
            self._tools.metrics.relay_error(failure.code)
        return Outcome(reason=reason, problem=failure.problem(), usage=usage)

    # --- what the committer takes ----------------------------------------------------------------------------------

    def tick(self) -> bool:
        """Cut the windows that time has made due; whether `collect` may have something because of the time."""
        if self.outcome is None and not self._abandoned:
            self.answer.tick()
        return self._granted is not None and not self._granted.is_set()

    def collect(self) -> TurnWrite | None:
        """The next rows to make durable, or None. The same write is returned again until `committed`."""
        with self._lock:
            if self._abandoned:
                return None  # also of a write that failed: repeating it would renew a lease that was let go
            if self._inflight:
                self._repeated = True  # what came since waits behind it
                return self._inflight[0]
            if self._written:
                return None  # a check that was still out when it ended has answered
            now = self._tools.clock.now_ms()
            outcome = self.outcome
            events = self._queue_events(now) if outcome is None else []
            if outcome is None or outcome.reason != "blocked":  # else it would only be shown to be taken back
                events += self._shown_events(now)
            ending = None
            if outcome is not None:
                events += self._closing_events(outcome)
                self.metered = metered(self._heard, before=self._found, shown=self.shown)
                ending = self._ending(outcome, now)
            if not events:
                return None
            rows, shown = self._number(events, now)
            state = self._state if self._state in ("queued", "running") else None
            write = TurnWrite(turn_id=self.turn.id, rows=rows, ending=ending, state=state, turn=self.turn)
            self._inflight = (write, shown)
            return write

    def committed(self, *, lost: bool, lease_until: int = 0) -> bool:
        """The write of `collect` is durable and the lease renewed, or the turn is no longer ours. Whether `collect` may
        have more: it gave a write that was older than what woke the committer."""
        with self._lock:
            more, self._repeated = self._repeated, False
            self._lease_until = lease_until or self._lease_until  # as the store has it now, be it sooner than before
            write, shown = self._inflight or (None, [])
            self._inflight = None
            self._written = self._written or (write is not None and write.ending is not None)
        if lost or write is None:
            if lost:
                self.lost = True
                self.abandon()
                self.log.close()
            return more
        self.log.append(shown, last=write.ending is not None)
        return more

    @property
    def due(self) -> bool:
        """Whether the ending is still to be written."""
        return self.outcome is not None

    def _queue_events(self, now: int) -> list[Event]:
        if self._granted is None or self._granted.is_set():
            return []
        position = self._tools.slots.position(self.turn.id)
        if position == 0 or position == self._position or now - self._position_at < POSITION_MS:
            return []
        self._state = "queued"
        self._position, self._position_at = position, now
        return [Queued(position=position)]

    def _shown_events(self, now: int) -> list[Event]:
        if self._stopped:
            return []
        released = self.answer.release()
        events: list[Event] = []
        if released.reasoning:
            events.append(Reasoning(delta=released.reasoning))
        if released.text:
            events.append(Text(delta=released.text))
        if events:
            if not self.timings.first_shown:
                self.timings.first_shown = now
                self._tools.metrics.first_text((now - self.turn.created_at) / 1000)
                if self.answer.first_text_ms:
                    self._tools.metrics.guard_delay((now - self.answer.first_text_ms) / 1000)
            self.shown = MessageBody(
                text=self.shown.text + released.text, reasoning=self.shown.reasoning + released.reasoning
            )
        return events

    def _closing_events(self, outcome: Outcome) -> list[Event]:
        events: list[Event] = []
        if outcome.reason == "blocked":
            if self.shown.text or self.shown.reasoning:
                events.append(Retract(keep=0))
            self.shown = MessageBody()
        return [
            *events,
            End(
                reason=outcome.reason,
                message_id=self.turn.answer_message_id,
                error=outcome.problem,
                usage=outcome.usage,
            ),
        ]

    def _ending(self, outcome: Outcome, now: int) -> Ending:
        turn, seal, said = self.turn, self.owner.seal, self.shown.text
        body = msgspec.json.encode(msgspec.structs.replace(self.shown, usage=outcome.usage))
        title = snippet = None
        if said:  # a question without an answer names no conversation
            snippet = seal(turn.conversation_id, "snippet", title_of(said, limit=60).encode())
            if self._words is not None:
                title = seal(turn.conversation_id, "title", title_of(self._words.question).encode())
        return Ending(
            reason=outcome.reason,
            problem=outcome.problem,
            usage=outcome.usage,
            answer=seal(turn.answer_message_id, "body", body),
            ended_at=now,
            metered=self.metered,
            title=title,
            snippet=snippet,
        )

    def _number(self, events: list[Event], now: int) -> tuple[tuple[EventRow, ...], list[Numbered]]:
        rows, shown = [], []
        for event in events:
            self._seq += 1
            body = encode_event(event)
            shown.append(Numbered(self._seq, body))
            sealed = self.owner.seal(self.turn.id, f"event/{self._seq}", body)
            rows.append(EventRow(seq=self._seq, body=sealed, created_at=now))
        return tuple(rows), shown
