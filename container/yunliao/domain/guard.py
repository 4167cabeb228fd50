"""The output guard (P4): what may be shown of a text that is still coming, while its windows are being checked.

A pure state machine: no thread, no I/O, no clock. Text goes in, windows to check come out, verdicts go in in any order,
text that may be shown comes out in order. Three rules keep a phrase from slipping through an edge:

* A window starts `overlap` significant characters before the end of the one before.
* Of what has passed, the last `hold` significant characters stay back until a later window, with them inside, has
  passed too (or the text is finished). `overlap >= hold`, so a phrase of at most `hold` characters is always seen whole
  by one window before its first character is shown.
* The word list is searched at every feed up to the newest character, with `hold` characters of what came before. Listed
  words are at most `hold` long (adapters/words.py sees to it), so their beginning is still held when their end arrives.

*Significant* is a character that normalisation keeps (domain/normalise.py): zero-width noise stretches nothing. Of a
run of ignorable characters only the first `RUN` are sent for checking and counted in a window's size; the rest carries
nothing to check, and is shown together with what it stands beside. So no flood makes a window exceed `max_chars`, and
none makes the work per character grow.
"""

import re
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from typing import Literal

import msgspec

from yunliao.domain.edges import ZERO_WIDTH_JOINER, joins, sentence_end
from yunliao.domain.normalise import form, is_letter
from yunliao.domain.verdict import Verdict

RUN = 4
"""Ignorable characters of one run that are still sent for checking: indentation and `----` keep their look."""
GLUE = 32
"""Furthest step back from a cut to the start of a joined character sequence; a longer one is cut."""
PRUNE = 4096
"""Buffered characters from which on the part that nothing needs any more is dropped."""
LEAST_SHOWN = 8
"""Significant characters beyond the held tail that are worth a first window of a resumed text."""
UNSEEN = "\ua64b"
"""A letter that stands in a search for text before or after it, so that no edge of a search passes for the edge of a
Latin word. A letter of old Cyrillic manuscripts: in no word list."""
SURROGATE = re.compile("[\ud800-\udfff]")
NEVER = 1 << 62
"""A time that does not come, milliseconds."""
PLAIN = re.compile("[0-9A-Za-z\u4e00-\u9fff，。！？：；、（）“”《》]+")
"""Runs of characters that are significant and joined to nothing before them, which is nearly all there ever is: taken
whole, at a tenth of what looking at each of them costs."""


class GuardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How windows are cut. Characters are Unicode code points; `hold` and `overlap` count significant ones.

    Raises `ValueError` when the numbers cannot keep the promises.
    """

    first_chars: int = 40
    """New characters of the first window: small, since the first text waits for it."""
    growth: float = 2.0
    """Each next window asks for so many times the new characters of the one before: fewer calls."""
    max_chars: int = 2500
    """Largest window, overlap included; msg_sec_check takes 2,500 (platform.md §5.1)."""
    hold: int = 24
    overlap: int = 48
    max_wait_ms: int = 1200
    """A character waits no longer than this for its window to fill up; then a smaller one is cut."""
    mode: Literal["hold"] = "hold"

    def __post_init__(self) -> None:
        if not 0 < self.hold <= self.overlap:
            raise ValueError("hold must be positive and at most overlap")
        if self.first_chars <= self.hold:
            raise ValueError("the first window must be larger than hold, or it would release nothing")
        if self.growth < 1 or self.max_wait_ms < 0:
            raise ValueError("growth must be at least 1, max_wait_ms at least 0")
        if not self.overlap * (RUN + 1) + GLUE + self.first_chars <= self.max_chars <= 2500:
            raise ValueError(f"max_chars must be at most 2500 and leave room for an overlap with {RUN} per character")


class Window(msgspec.Struct, frozen=True):
    """A piece to check. `text` has at most `max_chars` characters."""

    index: int
    text: str


class Wants(msgspec.Struct, frozen=True):
    """What the next window lacks: it is cut when so many more characters are there (0: when a sentence ends), or in so
    many milliseconds with what there is then; sooner, more text changes nothing."""

    chars: int
    within_ms: int


class Waited(msgspec.Struct, frozen=True):
    """Milliseconds from the arrival of a character to its release: of the very first, and the longest so far.

    `first` is None while nothing was released."""

    first: int | None
    longest: int


class Guard:
    """One stream of text under guard. Not thread-safe.

    `search` is the local word list; None means there is none. `widen` (at least 1.0) is asked at every cut and makes
    windows larger and waits longer, for when the moderation quota runs short. After `blocked` nothing is released.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        search: Callable[[str], Verdict] | None,
        widen: Callable[[], float] | None = None,
    ) -> None:
        self._policy = policy
        self._search = search
        self._widen = widen
        self.blocked: Verdict | None = None
        self.released = 0
        self._finished = False
        self._now = 0
        # Raw text from code point `released` on, with its arrivals as (end, ms).
        self._raw = ""
        self._arrivals: deque[tuple[int, int]] = deque()
        # Checked text: runs of ignorables cut short. Indices are counted from the start of the stream; the arrays and
        # `_text` begin at `_base`. Per character: its place in the raw text, the count of significant ones up to and
        # with it, and whether it joins the one before it.
        self._base = 0
        self._text = ""
        self._places = array("I")
        self._count = array("I")
        self._joined = bytearray()
        self._run = 0
        self._raw_end = 0
        self._last = ""
        self._flag_half = False
        self._high = ""
        # Windows.
        self._cut = 0
        self._begin = (0, 0)
        """A cut, and where the window after it begins: that does not change while text comes."""
        self._wide = 1.0
        self._uncut: deque[tuple[int, int]] = deque()
        self._ends: list[int] = []
        self._passed: set[int] = set()
        self._prefix = 0
        self._resumed = False
        self._first_wait: int | None = None
        self._longest_wait = 0

    # --- in -------------------------------------------------------------------------------------------------------

    def precede(self, text: str, now_ms: int) -> None:
        """Text that was checked and shown before this stream, which goes on with it: call once, before `feed`. It is
        the context of the first window, costs no check of its own, and comes out again at the front of `release`."""
        self.feed(text, now_ms)
        self._cut = self._end
        self._uncut.clear()
        self._resumed = True

    def feed(self, text: str, now_ms: int, since_ms: int | None = None) -> None:
        """More text, whose first character may have been there at `since_ms` already. Halves of a surrogate pair that
        come apart are joined; a lone half becomes U+FFFD."""
        self._now = now_ms
        if self.blocked or self._finished or not text:
            return
        self._take(self._whole(text), now_ms if since_ms is None else since_ms)

    def finish(self, now_ms: int) -> None:
        """No more text comes: the tail is cut into a last window, and a word at its end is now known to be whole."""
        self._now = now_ms
        if self.blocked or self._finished:
            return
        if self._high:
            self._high = ""
            self._take("�", now_ms)
        self._finished = True
        self._look(self._end)
        if self.blocked:
            return
        if self._ends and self._new_significant(self._cut, self._end) == 0:
            self._cut = self._end  # nothing but ignorables follows a window: no call for that
            self._uncut.clear()

    def resolve(self, index: int, verdict: Verdict, now_ms: int) -> None:
        """The verdict on a window; in any order. A second verdict on the same window is ignored unless it blocks."""
        self._now = now_ms
        if self.blocked or not 0 <= index < len(self._ends):
            return
        if verdict.blocks:
            self._block(verdict)
            return
        if index >= self._prefix:
            self._passed.add(index)
        while self._prefix in self._passed:
            self._passed.remove(self._prefix)
            self._prefix += 1

    # --- out ------------------------------------------------------------------------------------------------------

    def windows(self, now_ms: int) -> list[Window]:
        """Windows that are due now and were not returned before; call at each feed and on ticks."""
        self._now = now_ms
        due: list[Window] = []
        while not self.blocked:
            start, end = self._next(now_ms)
            if end <= self._cut:
                break
            due.append(Window(len(self._ends), self._text[start - self._base : end - self._base]))
            self._ends.append(end)
            self._cut = end
            while self._uncut and self._uncut[0][0] <= end:
                self._uncut.popleft()
        return due

    def release(self) -> str:
        """Text that may be shown now and was not released before; at the end, with all passed, the whole rest."""
        upto = self._may_show()
        shown = self._raw[: upto - self.released] if upto > self.released else ""
        if not shown:
            return ""
        self._raw = self._raw[len(shown) :]
        self._note_waits(upto)
        self.released = upto
        self._prune()
        return shown

    @property
    def begun(self) -> bool:
        """Whether a window was cut."""
        return bool(self._ends)

    def wants(self, now_ms: int) -> Wants:
        """What the next window lacks."""
        _, target, _ = self._wanted(self._wide)
        patience = int(self._policy.max_wait_ms * self._wide)
        left = self._uncut[0][1] + patience - now_ms if self._uncut else patience
        return Wants(max(0, target - (self._end - self._cut)), min(max(0, left), patience))

    @property
    def due_ms(self) -> int:
        """When the text that is there may have waited long enough for its window to fill up; `NEVER` if none waits. Not
        later where windows are wide: they may be less so by then."""
        if not self._uncut or self.blocked:
            return NEVER
        return self._uncut[0][1] + self._policy.max_wait_ms

    @property
    def pending(self) -> bool:
        """Whether windows are out whose verdict has not come."""
        return not self.blocked and self._prefix + len(self._passed) < len(self._ends)

    @property
    def settled(self) -> bool:
        """Blocked, or finished with every window passed: whatever `release` returns next is the rest."""
        return self.blocked is not None or self._all_passed

    @property
    def waited_ms(self) -> Waited:
        """How long text waited here, for the guard-delay metric."""
        return Waited(self._first_wait, self._longest_wait)

    # --- taking text ----------------------------------------------------------------------------------------------

    @property
    def _end(self) -> int:
        return self._base + len(self._text)

    def _whole(self, text: str) -> str:
        """`text` with surrogate halves joined over the edges of feeds."""
        text, self._high = self._high + text, ""
        if not SURROGATE.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _take(self, text: str, now_ms: int) -> None:
        if not text:
            return
        before, kept = self._end, []
        count = self._count[-1] if self._count else 0
        last, run, place = self._last, self._run, self._raw_end
        at, size = 0, len(text)
        while at < size:
            plain = PLAIN.match(text, at) if last != ZERO_WIDTH_JOINER else None
            if plain is not None:
                last, run, self._flag_half = text[plain.end() - 1], 0, False
                more = plain.end() - at
                kept.append(plain.group())
                self._places.extend(range(place, place + more))
                self._count.extend(range(count + 1, count + 1 + more))
                self._joined.extend(bytes(more))
                at, place, count = plain.end(), place + more, count + more
                continue
            char = text[at]
            if form(char):
                run, count = 0, count + 1
            else:
                run += 1
            if run <= RUN:
                glued, self._flag_half = joins(last, char, self._flag_half)
                kept.append(char)
                self._places.append(place)
                self._count.append(count)
                self._joined.append(glued)
            last = char
            at, place = at + 1, place + 1
        self._last, self._run, self._raw_end = last, run, place
        self._raw += text
        self._text += "".join(kept)
        self._arrivals.append((self._raw_end, now_ms))
        if kept:
            self._uncut.append((self._end, now_ms))
        self._look(before)

    def _look(self, since: int) -> None:
        """Search the word list from `hold` significant characters before `since` to the newest character."""
        if self._search is None or not self._text:
            return
        # One more than `hold`: a word of `hold` letters that was left undecided must not begin at the very start, where
        # the stand-in for what came before would hide it.
        start = self._back(since, self._policy.hold + 1)
        text = (UNSEEN if start else "") + self._text[start - self._base :]
        verdict = self._search(text)
        if not verdict.blocks:
            return
        ends_in_letter = is_letter(form(text[-1])[-1:] or UNSEEN)
        if not self._finished and ends_in_letter and not self._search(text + UNSEEN).blocks:
            return  # a Latin word at the very end that may yet turn out to be the start of a longer, harmless one
        self._block(verdict)

    def _block(self, verdict: Verdict) -> None:
        self.blocked = verdict
        self._raw = self._text = ""
        self._uncut.clear()
        self._arrivals.clear()

    # --- cutting windows ------------------------------------------------------------------------------------------

    def _new_significant(self, start: int, end: int) -> int:
        return self._count_before(end) - self._count_before(start)

    def _count_before(self, index: int) -> int:
        if index <= self._base:
            return self._floor
        return self._count[index - self._base - 1]

    _floor = 0
    """Significant characters before `_base`."""

    def _back(self, index: int, significant: int) -> int:
        """The largest index with at least `significant` significant characters from it to `index`, or the start."""
        wanted = self._count_before(index) - significant
        if wanted < self._floor:
            return self._base
        return self._base + bisect_right(self._count, wanted, 0, index - self._base)

    def _unglued(self, index: int, floor: int) -> int:
        """`index`, or the start of the joined sequence it would cut, unless that is out of reach."""
        moved = index
        while floor < moved < self._end and self._joined[moved - self._base]:
            moved -= 1
            if index - moved > GLUE:
                return index
        return moved if moved > floor else index

    def _next(self, now_ms: int) -> tuple[int, int]:
        """Start and end of the next window; an end not beyond the last cut means: none yet."""
        policy, cut = self._policy, self._cut
        available = self._end - cut
        if not available:
            return cut, cut
        widen = self._widening()
        start, target, room = self._wanted(widen)
        resuming = self._resumed and not self._ends
        last = cut + min(available, room)
        if self._finished and available <= room:
            return start, self._end
        # Of a resumed text what went before is shown already: only new characters can be released.
        held = policy.hold + (self._count_before(cut) if resuming else 0)
        few = resuming and self._count_before(self._end) < held + LEAST_SHOWN
        if available < target or few:
            end = self._unglued(last, cut) if self._overdue(now_ms, widen) else cut
            return start, end if self._count_before(end) > held else cut
        full = available >= room
        least = cut + target // 2
        end = sentence_end(self._text, least - self._base, last - self._base) + self._base
        if end > least and (full or self._count_before(end) > held):
            return start, end
        awaited = not self._ends  # somebody waits for the first: it waits for no sentence
        if full or awaited or self._overdue(now_ms, widen) or available >= target * 3 // 2:
            end = self._unglued(last, cut)
            return start, end if full or self._count_before(end) > held else cut
        return start, cut  # a sentence may end soon

    def _widening(self) -> float:
        self._wide = max(1.0, self._widen()) if self._widen else 1.0
        return self._wide

    def _wanted(self, widen: float) -> tuple[int, int, int]:
        """Of the next window: its start, how many new characters fill it, and how many have room in it."""
        policy, cut = self._policy, self._cut
        if cut != self._begin[0]:
            self._begin = (cut, self._unglued(self._back(cut, policy.overlap), self._base))
        start = self._begin[1]
        room = policy.max_chars - (cut - start)
        growth = policy.growth ** min(len(self._ends), 12)
        # Whoever reads a resumed text has waited for it: its first window is as small as can release anything.
        resuming = self._resumed and not self._ends
        first = policy.hold + LEAST_SHOWN if resuming else policy.first_chars
        return start, min(int(first * growth * widen), room), room

    def _overdue(self, now_ms: int, widen: float) -> bool:
        if not self._uncut or now_ms - self._uncut[0][1] < int(self._policy.max_wait_ms * widen):
            return False
        return self._new_significant(self._cut, self._end) > 0

    # --- releasing ------------------------------------------------------------------------------------------------

    @property
    def _all_passed(self) -> bool:
        return self._finished and self._cut == self._end and self._prefix == len(self._ends)

    def _may_show(self) -> int:
        """The raw code point up to which everything may be shown."""
        if self.blocked:
            return self.released
        if self._all_passed:
            return self._raw_end
        if not self._prefix:
            return 0
        end = self._ends[self._prefix - 1]
        index = self._unglued(self._back(end, self._policy.hold), self._base)
        return self._places[index - self._base] if index < self._end else self._raw_end

    def _note_waits(self, upto: int) -> None:
        oldest = self._arrivals[0][1]
        while self._arrivals and self._arrivals[0][0] <= upto:
            self._arrivals.popleft()
        waited = max(0, self._now - oldest)
        if self._first_wait is None:
            self._first_wait = waited
        self._longest_wait = max(self._longest_wait, waited)

    def _prune(self) -> None:
        """Drop what neither the next window's overlap, nor the search's back context, nor the next release needs."""
        if len(self._text) < PRUNE or not self._prefix:
            return
        oldest = min(self._cut, self._ends[self._prefix - 1])
        drop = self._back(oldest, self._policy.overlap) - GLUE - self._base
        if drop <= 0:
            return
        self._floor = self._count[drop - 1]
        self._text = self._text[drop:]
        del self._places[:drop], self._count[:drop], self._joined[:drop]
        self._base += drop
