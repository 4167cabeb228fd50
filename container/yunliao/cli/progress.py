"""How far a long command is: a bar on a terminal, a line now and then elsewhere; always on stderr."""

import sys
import time
from typing import TextIO

WIDTH = 30
BAR_SECONDS = 0.1
LINE_SECONDS = 5.0


class Progress:
    """Call it with (done, total) as often as you like; `end` finishes the line."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._began = time.monotonic()
        self._shown_at = self._began if not self._terminal else 0.0
        self._last = ""

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._shown_at < (BAR_SECONDS if self._terminal else LINE_SECONDS):
            self._last = self._line(done, total, now)
            return
        self._shown_at = now
        self._show(self._line(done, total, now))

    def end(self) -> None:
        """Show the last state."""
        if self._last:
            self._show(self._last)
        if self._terminal:
            self._stream.write("\n")

    def _line(self, done: int, total: int, now: float) -> str:
        part = min(1.0, done / total) if total else 1.0
        rate = done / max(now - self._began, 0.001)
        left = f", about {(total - done) / rate:.0f} s left" if rate and done < total else ""
        bar = "[" + ("#" * int(part * WIDTH)).ljust(WIDTH) + "] " if self._terminal else ""
        return f"{self._what} {bar}{part:4.0%} {done:,}/{total:,}, {rate:,.0f}/s{left}"

    def _show(self, line: str) -> None:
        self._last = ""
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()
