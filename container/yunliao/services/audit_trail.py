"""What operators did, in a chain that shows every later change (docs/operators.md).

Each entry's MAC is an HMAC-SHA256 over its number, its time, its sealed body and the MAC of the entry before, under a
key that only the service has: an entry that was changed, taken out, put in or moved breaks the chain at its place. The
newest entries could still be cut off as a whole; so the head is also kept apart (a register), and written to the log,
from where an operator can keep it outside: `audit verify --expect`.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator

import msgspec

from yunliao.errors import Internal, StoreUnavailable
from yunliao.ports import Clock, Registers, Vault
from yunliao.ports_records import AuditEntry, AuditLog
from yunliao.services.shared_key import SharedKey

HEAD = "audit-head"
TRIES = 200
PAGE = 500
MOST_LOOKED_AT = 4000
"""Entries opened for one search: each is sealed, so a filter has to open them."""
NOTHING = b"\0" * 32


class AuditView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry opened. `actor` is an operator's name or `terminal`; `subject` a user id, case id, operator's name or
    version; `reason` as given. Times in Unix milliseconds."""

    seq: int
    at: int
    actor: str
    action: str
    subject: str = ""
    reason: str = ""
    detail: str = ""


class AuditFound(msgspec.Struct, frozen=True):
    """Entries newest first; ask for those before `next` for more, also where a page is empty; null at the end."""

    entries: list[AuditView]
    next: int | None


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed inside an entry."""

    actor: str
    action: str
    subject: str = ""
    reason: str = ""
    detail: str = ""


class Head(msgspec.Struct, frozen=True):
    """The newest entry known."""

    seq: int
    mac: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """`problem` is empty when the chain is whole; else `broken_at` is the number where it is not."""

    entries: int
    head: Head
    broken_at: int = 0
    problem: str = ""


class AuditTrail:
    """Appends and verifies. `announce(seq, mac, action)` tells the log of every entry."""

    def __init__(
        self,
        *,
        log: AuditLog,
        registers: Registers,
        key: SharedKey,
        vault: Vault,
        clock: Clock,
        announce: Callable[[int, str, str], None],
    ) -> None:
        self._log = log
        self._registers = registers
        self._key = key
        self._vault = vault
        self._clock = clock
        self._announce = announce

    def note(self, actor: str, action: str, *, subject: str = "", reason: str = "", detail: str = "") -> int:
        """Append; the entry's number. What is to be audited happens after this has returned. Raises
        `StoreUnavailable`: then it must not happen."""
        said = msgspec.json.encode(Said(actor=actor, action=action, subject=subject, reason=reason, detail=detail))
        for _ in range(TRIES):
            before = self._log.newest()
            seq = before.seq + 1 if before else 1
            body = self._vault.seal(self._key.get(), said, context=f"audit/{seq}")
            at = self._clock.now_ms()
            entry = AuditEntry(
                seq=seq, at=at, body=body, mac=self._mac(seq, at, body, before.mac if before else NOTHING)
            )
            if self._log.append(entry):
                self._keep_head(entry)
                self._announce(seq, entry.mac.hex(), action)
                return seq
        raise StoreUnavailable("the audit log is being written by too many at once")

    def page(self, *, after: int, limit: int) -> list[AuditView]:
        """Entries in order. An entry that does not open is shown as such."""
        return [self._view(entry) for entry in self._log.page(after=after, limit=limit)]

    def newest(self, limit: int) -> list[AuditView]:
        """The last entries, newest first."""
        last = self._log.newest()
        found = self.page(after=max(0, last.seq - limit), limit=limit) if last else []
        return found[::-1]

    def find(
        self, *, before: int | None, limit: int, actor: str = "", action: str = "", subject: str = ""
    ) -> AuditFound:
        """Entries before a number, newest first, by that actor, of an action that begins so, about that subject (empty:
        any)."""
        last = self._log.newest()
        end = min(before or last.seq + 1, last.seq + 1) if last else 1
        found: list[AuditView] = []
        looked_at = 0
        while end > 1 and looked_at < MOST_LOOKED_AT:
            start = max(1, end - PAGE)
            entries = self._log.page(after=start - 1, limit=end - start)
            for entry in reversed(entries):
                looked_at += 1
                one = self._view(entry)
                if _fits(one, actor, action, subject):
                    found.append(one)
                    if len(found) == limit:
                        return AuditFound(found, entry.seq if entry.seq > 1 else None)
            end = start
        return AuditFound(found, end if end > 1 else None)

    def verify(self, expect: Head | None = None, progress: Callable[[int, int], None] = lambda a, b: None) -> Verified:
        """Walk the whole chain. `expect` is a head that was written down earlier, elsewhere."""
        marks = [head for head in (expect, self._head()) if head is not None and head.seq > 0]
        newest = self._log.newest()
        seq, mac = 0, NOTHING
        for entry in self._all():
            seq += 1
            if entry.seq != seq:
                return self._broken(seq, mac, f"entry {seq} is missing")
            wanted = self._mac(entry.seq, entry.at, entry.body, mac)
            if not hmac.compare_digest(wanted, entry.mac):
                return self._broken(seq, mac, f"entry {seq} was changed, moved, or put in")
            mac = entry.mac
            if any(mark.seq == seq and not hmac.compare_digest(mark.mac, mac.hex()) for mark in marks):
                return self._broken(seq, mac, f"entry {seq} is not the one that was written down")
            progress(seq, newest.seq if newest else seq)
        last = max((mark.seq for mark in marks), default=0)
        if last > seq:
            return self._broken(seq + 1, mac, f"entries {seq + 1} to {last} are missing at the end")
        return Verified(entries=seq, head=Head(seq, mac.hex()))

    def _all(self) -> Iterator[AuditEntry]:
        after = 0
        while batch := self._log.page(after=after, limit=PAGE):
            yield from batch
            after = batch[-1].seq

    def _broken(self, seq: int, mac: bytes, problem: str) -> Verified:
        return Verified(entries=seq - 1, head=Head(seq - 1, mac.hex()), broken_at=seq, problem=problem)

    def _mac(self, seq: int, at: int, body: bytes, before: bytes) -> bytes:
        said = f"{seq}:{at}:{len(body)}:".encode() + body + before
        return hmac.new(self._key.get(), said, hashlib.sha256).digest()

    def _view(self, entry: AuditEntry) -> AuditView:
        try:
            opened = self._vault.open(self._key.get(), entry.body, context=f"audit/{entry.seq}")
        except Internal:
            return AuditView(seq=entry.seq, at=entry.at, actor="?", action="unreadable")
        said = msgspec.json.decode(opened, type=Said)
        return AuditView(seq=entry.seq, at=entry.at, **msgspec.structs.asdict(said))

    def _head(self) -> Head | None:
        found = self._registers.read(HEAD)
        return msgspec.json.decode(found.value, type=Head) if found.version else None

    def _keep_head(self, entry: AuditEntry) -> None:
        head = Head(entry.seq, entry.mac.hex())
        for _ in range(TRIES):
            found = self._registers.read(HEAD)
            if found.version and msgspec.json.decode(found.value, type=Head).seq >= entry.seq:
                return
            if self._registers.swap(HEAD, version=found.version, value=msgspec.json.encode(head)):
                return


def _fits(entry: AuditView, actor: str, action: str, subject: str) -> bool:
    return actor in ("", entry.actor) and entry.action.startswith(action) and (not subject or subject == entry.subject)
