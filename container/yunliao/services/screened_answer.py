"""An answer on its way through the guard: text goes in as it comes, what may be shown comes out in order (P4).

One guard watches the answer, one the reasoning. Windows are checked side by side on threads of their own; a verdict
that blocks, or a check without a verdict, closes the answer for good: nothing more is ever released.
"""

import threading
from collections.abc import Callable
from functools import partial

import msgspec

from yunliao.domain.guard import NEVER, Guard, GuardPolicy, Window
from yunliao.domain.verdict import Verdict
from yunliao.errors import BlockedOutput, ModerationUnavailable, TurnFailed
from yunliao.ports import Clock, Wanted


class Released(msgspec.Struct, frozen=True):
    """What has newly passed the guard."""

    text: str
    reasoning: str


class ScreenedAnswer:
    """Thread-safe. `changed` is called, outside the lock, whenever `release` may have something new."""

    def __init__(
        self,
        *,
        policy: GuardPolicy,
        search: Callable[[str], Verdict],
        check: Callable[[str], Verdict],
        spawn: Callable[[Callable[[], None]], None],
        clock: Clock,
        changed: Callable[[], None],
        widen: Callable[[], float] | None = None,
        before: str = "",
    ) -> None:
        """`before` is the end of a text this answer continues: checked again together with what follows, since a
        phrase may lie across the seam, and never released."""
        self._policy = policy
        self._search = search
        self._widen = widen
        self._check = check
        self._spawn = spawn
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._text = Guard(policy, search, widen)
        self._before = len(before)
        if before:
            self._text.precede(before, clock.now_ms())
        self._reasoning: list[Guard] = []
        self._settled = threading.Event()
        self._looked = 0
        """When the stream was last looked at before now, milliseconds: what comes next may be there since then."""
        self._due = NEVER
        """When time alone makes a window due."""
        self._finished = False
        self._text_follows = False
        self.failure: TurnFailed | None = None
        self.first_text_ms = 0
        self.windows_checked = 0

    def feed(self, *, text: str = "", reasoning: str = "") -> None:
        """More from the relay. Ignored once the answer is closed."""
        now = self._clock.now_ms()
        with self._lock:
            if self.failure:
                return
            since = max(self._looked, now - self._policy.max_wait_ms) if self._looked else now
            if reasoning:
                if not self._reasoning or self._text_follows:
                    self._reasoning.append(Guard(self._policy, self._search, self._widen))
                    self._text_follows = False
                self._reasoning[-1].feed(reasoning, now, since)
            if text:
                self.first_text_ms = self.first_text_ms or now
                if self._reasoning and not self._text_follows:
                    self._reasoning[-1].finish(now)  # so that its held tail does not wait for the end of the answer
                    self._text_follows = True
                self._text.feed(text, now, since)
            due = self._cut(now)
        self._send(due)

    def tick(self) -> None:
        """Cut windows that time has made due and send them for checking."""
        now = self._clock.now_ms()
        if now < self._due:
            return
        with self._lock:
            due = self._cut(now)
        self._send(due)

    def _cut(self, now: int) -> list[tuple[Guard, Window]]:
        if self.failure:
            self._due = NEVER
            return []
        due = [(guard, window) for guard in self._guards() for window in guard.windows(now)]
        self.windows_checked += len(due)
        self._due = min(guard.due_ms for guard in self._guards())
        self._note_state()
        return due

    def _send(self, due: list[tuple[Guard, Window]]) -> None:
        for guard, window in due:
            self._spawn(partial(self._decide, guard, window))

    def finish(self) -> None:
        """Nothing more comes from the relay."""
        now = self._clock.now_ms()
        with self._lock:
            self._finished = True
            if self._reasoning and not self._text_follows:
                self._reasoning[-1].finish(now)
            self._text.finish(now)
            due = self._cut(now)
        self._send(due)

    def wait(self, timeout: float) -> bool:
        """After `finish`: wait until all windows are decided or the answer is closed."""
        return self._settled.wait(timeout)

    def close(self) -> None:
        """Stop waiting and releasing, for a stop by the user."""
        self._settled.set()

    def release(self) -> Released:
        """What may be shown now and was not released before."""
        with self._lock:
            if self.failure:
                return Released("", "")
            text = self._text.release()
            seam, self._before = min(self._before, len(text)), max(0, self._before - len(text))
            return Released(text[seam:], "".join(guard.release() for guard in self._reasoning))

    def wants(self) -> Wanted:
        """What more of the answer is good for."""
        now = self._clock.now_ms()
        with self._lock:
            self._looked = now
            guard = self._text if self._text_follows or not self._reasoning else self._reasoning[-1]
            wants = guard.wants(now)
            return Wanted(wants.chars, not guard.begun, wants.within_ms / 1000)

    def _guards(self) -> list[Guard]:
        return [*self._reasoning, self._text]

    def _decide(self, guard: Guard, window: Window) -> None:
        failure: TurnFailed | None = None
        verdict = None
        try:
            verdict = self._check(window.text)
        except TurnFailed as failed:
            failure = failed
        except Exception:  # a check that breaks is no verdict: fail closed
            failure = ModerationUnavailable("moderation check raised")
        with self._lock:
            if verdict is not None:
                guard.resolve(window.index, verdict, self._clock.now_ms())
            elif not self.failure:
                self.failure = failure
            self._note_state()
        self._changed()

    def _note_state(self) -> None:
        if not self.failure and any(guard.blocked for guard in self._guards()):
            self.failure = BlockedOutput()
        if self.failure or (self._finished and all(guard.settled for guard in self._guards())):
            self._settled.set()
