"""A backup that is cut off, changed, foreign or out of place is told as such before anything is written."""

import io
import os
import random
from collections.abc import Callable

import msgspec
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryKeyStore, MemoryStore
from tests.unit.services.desk_world import met, people_over
from yunliao.adapters.ids import SortableIds
from yunliao.adapters.vault import MasterKeyVault
from yunliao.domain.principal import Principal
from yunliao.errors import InvalidRequest
from yunliao.services.audit_trail import AuditTrail
from yunliao.services.backup_file import MAGIC, REFUSALS, Header
from yunliao.services.backups import Backups, Restore
from yunliao.services.key_book import KeyBook
from yunliao.services.key_places import check_place
from yunliao.services.shared_key import SharedKey

RING = [("k2", os.urandom(32)), ("k1", os.urandom(32))]
PEOPLE = 40


class Place:
    """A store, its key store, and what starts and backs up over them."""

    def __init__(self, key_store: MemoryKeyStore | None = None, ring: list[tuple[str, bytes]] = RING) -> None:
        self.store, self.key_store, self.vault = MemoryStore(), key_store or MemoryKeyStore(), MasterKeyVault(ring)
        self.clock = FakeClock()

    def filled(self) -> "Place":
        store, vault = self.store, self.vault
        check_place(self.key_store, store.registers)
        KeyBook(registers=store.registers, keys=store.keys, vault=vault).check()
        people = people_over(store, self.key_store, vault, self.clock)
        for number in range(PEOPLE):
            met(people, Principal(openid=f"o-canary-{number}", appid="wx"))
        return self

    def backup(self, progress: Callable[[int, int], None] = lambda done, total: None) -> bytes:
        audit = AuditTrail(
            log=self.store.audit,
            registers=self.store.registers,
            key=SharedKey("audit", shared=self.store.secrets, vault=self.vault),
            vault=self.vault,
            clock=self.clock,
            announce=lambda *line: None,
        )
        target = io.BytesIO()
        Backups(
            copying=self.store.copying,
            registers=self.store.registers,
            key_store=self.key_store,
            vault=self.vault,
            audit=audit,
            clock=self.clock,
            ids=SortableIds(self.clock),
            version="9.9.9",
        ).write(target, progress)
        return target.getvalue()

    def restore(self, ring: list[tuple[str, bytes]] = RING) -> Restore:
        return Restore(copying=self.store.copying, key_store=self.key_store, vault=MasterKeyVault(ring))


@pytest.fixture(scope="module")
def origin() -> Place:
    return Place().filled()


@pytest.fixture(scope="module")
def file(origin: Place) -> bytes:
    return origin.backup()


def refusal(act: Callable[[], object]) -> str:
    """The code of what it is refused for."""
    with pytest.raises(InvalidRequest) as refused:
        act()
    code = refused.value.detail.partition("]")[0].lstrip("[")
    assert REFUSALS[code]
    return code


def test_there_and_back(origin: Place, file: bytes) -> None:
    target = Place(origin.key_store)
    restore = target.restore()
    told: list[tuple[int, int]] = []
    header = restore.examine(io.BytesIO(file), lambda *how_far: told.append(how_far))
    restore.check(header, replace=False)
    assert target.store.users.get("anybody") is None and not target.store.copying.occupied()
    counts = restore.load(io.BytesIO(file))
    assert counts["users"] == PEOPLE == header.tables["users"]
    assert told[-1] == (sum(header.tables.values()),) * 2 and len(told) > 3
    people = people_over(target.store, target.key_store, target.vault, target.clock)
    assert people.find(Principal(openid="o-canary-3", appid="wx")) is not None
    assert people.find(Principal(openid="o-other", appid="wx")) is None
    newest = target.store.audit.newest()
    assert newest is not None and newest == origin.store.audit.newest()


def test_it_says_of_itself_what_it_needs_and_holds_nothing_in_the_clear(origin: Place, file: bytes) -> None:
    header = origin.restore().examine(io.BytesIO(file))
    assert set(header.master_keys) == {"k2"} and header.engine == "memory" and header.version == "9.9.9"
    assert b"canary" not in file
    assert all(key not in file for _, key in RING)
    assert all(share.share not in file for share in origin.key_store.shares.values())


def test_a_file_that_ends_early_is_told_as_such_wherever_it_ends(origin: Place, file: bytes) -> None:
    restore = origin.restore()
    for end in [0, 5, len(MAGIC) - 1]:
        assert refusal(lambda end=end: restore.examine(io.BytesIO(file[:end]))) == "not_a_backup"
    ends = [len(MAGIC), len(MAGIC) + 3, len(file) - 33, len(file) - 32, len(file) - 1]
    for end in ends + random.Random(4).sample(range(len(MAGIC), len(file)), 300):
        assert refusal(lambda end=end: restore.examine(io.BytesIO(file[:end]))) == "cut_off"


def test_no_bit_can_be_changed_put_in_or_taken_out(origin: Place, file: bytes) -> None:
    restore = origin.restore()
    places = [*random.Random(5).sample(range(len(file)), 400), len(file) - 1, len(MAGIC), len(MAGIC) + 4]
    for place in places:
        changed = bytearray(file)
        changed[place] ^= 1 << (place % 8)
        refusal(lambda changed=changed: restore.examine(io.BytesIO(bytes(changed))))
    assert refusal(lambda: restore.examine(io.BytesIO(file + b"x"))) == "altered"
    without = file[:-200] + file[-190:]
    refusal(lambda: restore.examine(io.BytesIO(without)))
    assert refusal(lambda: restore.examine(io.BytesIO(b"PK\x03\x04" + bytes(500)))) == "not_a_backup"


def test_a_file_that_changes_between_the_two_readings_is_not_restored(origin: Place, file: bytes) -> None:
    target = Place(origin.key_store)
    restore = target.restore()
    restore.examine(io.BytesIO(file))
    changed = file[:-40] + bytes(8) + file[-32:]
    refusal(lambda: restore.load(io.BytesIO(changed)))
    assert not target.store.copying.occupied()


@pytest.mark.parametrize(
    "ring", [[("k1", RING[1][1])], [("k2", os.urandom(32))], [("k3", os.urandom(32)), ("k2", RING[1][1])]]
)
def test_without_its_master_keys_it_is_told_at_once_and_by_the_name_of_the_key(
    origin: Place, file: bytes, ring: list[tuple[str, bytes]]
) -> None:
    with pytest.raises(InvalidRequest, match=r"\[other_master_keys\].*'k2'"):
        origin.restore(ring).examine(io.BytesIO(file[:700]))  # the beginning is enough to know


def test_it_can_be_opened_by_a_ring_that_has_a_new_writer(origin: Place, file: bytes) -> None:
    origin.restore([("k9", os.urandom(32)), *RING]).examine(io.BytesIO(file))


def test_what_does_not_belong_together_is_refused(origin: Place, file: bytes) -> None:
    header = origin.restore().examine(io.BytesIO(file))
    fresh = Place(origin.key_store).restore()
    fresh.check(header, replace=False)
    changed: dict[str, Header] = {
        "other_engine": msgspec.structs.replace(header, engine="sqlite"),
        "newer_version": msgspec.structs.replace(header, migrations=("0001_first", "9999_later")),
    }
    for code, other in changed.items():
        assert refusal(lambda other=other: fresh.check(other, replace=True)) == code
    for keys in (MemoryKeyStore(), Place().filled().key_store):
        assert refusal(lambda keys=keys: Place(keys).restore().check(header, replace=True)) == "other_key_store"
    assert refusal(lambda: origin.restore().check(header, replace=False)) == "not_empty"
    origin.restore().check(header, replace=True)


def test_it_is_read_and_written_piece_by_piece(origin: Place, file: bytes) -> None:
    class Narrow(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None and size >= 0
            self.largest = max(self.largest, size)
            return super().read(size)

    source = Narrow(file)
    origin.restore().examine(source)
    assert 0 < source.largest < len(file) / 4
    length = file[: len(MAGIC)] + b"\xff\xff\xff\xff" + bytes(100)
    assert refusal(lambda: origin.restore().examine(io.BytesIO(length))) == "altered"
