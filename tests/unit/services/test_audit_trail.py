"""Every change beneath the audit log shows: changed, removed, put in, moved, cut off."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.vault import MasterKeyVault
from yunliao.ports_records import AuditEntry
from yunliao.services import audit_trail
from yunliao.services.audit_trail import HEAD, AuditTrail, Head
from yunliao.services.shared_key import SharedKey

RING = [("k1", os.urandom(32))]


class Chain:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.lines: list[tuple[int, str, str]] = []
        self.trail = self.another()

    def another(self) -> AuditTrail:
        vault = MasterKeyVault(RING)
        return AuditTrail(
            log=self.store.audit,
            registers=self.store.registers,
            key=SharedKey("audit", shared=self.store.secrets, vault=vault),
            vault=vault,
            clock=SystemClock(),
            announce=lambda *line: self.lines.append(line),
        )

    @property
    def entries(self) -> dict[int, AuditEntry]:
        return self.store.audit._tables.audit  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def chain() -> Chain:
    made = Chain()
    for number in range(1, 9):
        made.trail.note("alice", "user.suspend", subject=f"u{number}", reason=f"canary reason {number}")
    return made


def test_a_whole_chain_verifies_and_reads_back(chain: Chain) -> None:
    found = chain.trail.verify()
    assert (found.entries, found.problem) == (8, "")
    assert [one.subject for one in chain.trail.page(after=5, limit=9)] == ["u6", "u7", "u8"]
    assert [one.seq for one in chain.trail.newest(3)] == [8, 7, 6]
    assert chain.trail.page(after=0, limit=1)[0].reason == "canary reason 1"


def test_nothing_of_an_entry_is_in_the_clear(chain: Chain) -> None:
    stored = b"".join(entry.body + entry.mac for entry in chain.entries.values())
    assert b"canary" not in stored and b"suspend" not in stored and b"alice" not in stored
    assert all("canary" not in str(line) for line in chain.lines)


@pytest.mark.parametrize("field", ["body", "mac"])
@pytest.mark.parametrize("seq", [1, 4, 8])
def test_every_turned_bit_of_an_entry_shows(chain: Chain, seq: int, field: str) -> None:
    standing = chain.entries[seq]
    value: bytes = getattr(standing, field)
    for place in range(0, len(value), 7):
        turned = value[:place] + bytes((value[place] ^ 1,)) + value[place + 1 :]
        chain.entries[seq] = replace(standing, **{field: turned})
        assert chain.trail.verify().broken_at == seq
    chain.entries[seq] = replace(standing, at=standing.at + 1)
    assert chain.trail.verify().broken_at == seq


@pytest.mark.parametrize("seq", [1, 2, 7])
def test_a_removed_entry_shows(chain: Chain, seq: int) -> None:
    del chain.entries[seq]
    assert chain.trail.verify().broken_at == seq


def test_a_removed_entry_shows_when_the_rest_moves_up(chain: Chain) -> None:
    for seq in range(3, 8):
        chain.entries[seq] = replace(chain.entries[seq + 1], seq=seq)
    del chain.entries[8]
    assert chain.trail.verify().broken_at == 3


def test_two_entries_in_each_others_place_show(chain: Chain) -> None:
    third, fourth = chain.entries[3], chain.entries[4]
    chain.entries[3], chain.entries[4] = replace(fourth, seq=3), replace(third, seq=4)
    assert chain.trail.verify().broken_at == 3


def test_an_entry_of_somebody_without_the_key_shows(chain: Chain) -> None:
    chain.entries[9] = replace(chain.entries[8], seq=9)
    assert chain.trail.verify().broken_at == 9


def test_a_cut_end_shows_by_the_head_kept_apart(chain: Chain) -> None:
    del chain.entries[8], chain.entries[7]
    found = chain.trail.verify()
    assert (found.broken_at, found.problem) == (7, "entries 7 to 8 are missing at the end")


def test_a_cut_end_shows_by_a_head_written_down_elsewhere_even_if_the_store_was_made_to_agree(chain: Chain) -> None:
    seq, mac, _ = chain.lines[-1]
    del chain.entries[8]
    head = chain.store.registers.read(HEAD)
    older = b'{"seq":7,"mac":"' + chain.entries[7].mac.hex().encode() + b'"}'
    assert chain.store.registers.swap(HEAD, version=head.version, value=older)
    assert chain.trail.verify().problem == ""
    assert chain.trail.verify(Head(seq, mac)).broken_at == 8
    assert chain.trail.verify(Head(7, "00" * 32)).broken_at == 7


def test_many_writers_make_one_chain(chain: Chain) -> None:
    trails = [chain.another() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda trail: [trail.note("bob", "case.look") for _ in range(10)], trails))
    assert chain.trail.verify().entries == 48
    assert chain.trail.verify().problem == ""


def test_a_search_goes_back_by_pages_and_looks_at_a_bounded_number_of_entries(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "PAGE", 2)
    for number in (9, 10, 11):
        chain.trail.note("bob", "case.look", subject=f"c{number}")
    newest = chain.trail.find(before=None, limit=2)
    assert ([one.seq for one in newest.entries], newest.next) == ([11, 10], 10)
    assert [one.seq for one in chain.trail.find(before=newest.next, limit=3).entries] == [9, 8, 7]
    by = chain.trail.find(before=None, limit=50, actor="alice", action="user.", subject="u3")
    assert ([one.seq for one in by.entries], by.next) == ([3], None)
    monkeypatch.setattr(audit_trail, "MOST_LOOKED_AT", 4)
    seen, before = [], None
    for _ in range(3):
        part = chain.trail.find(before=before, limit=50, subject="u1")
        seen += [one.seq for one in part.entries]
        before = part.next
    assert (seen, before) == ([1], None)
    assert chain.trail.find(before=1, limit=5).entries == []
    assert chain.trail.find(before=999, limit=1).entries[0].seq == 11


def test_an_empty_log_is_whole() -> None:
    assert Chain().trail.find(before=None, limit=5) == audit_trail.AuditFound([], None)
    assert Chain().trail.verify().problem == ""
