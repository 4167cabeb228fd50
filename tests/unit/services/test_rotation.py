"""Master keys are changed while users come, go and read; what cannot be opened is said and left as it is."""

import os
import threading
import weakref

import pytest

from tests.fakes.memory_store import MemoryKeyStore, MemoryStore
from tests.unit.services.desk_world import met, people_over
from yunliao.adapters.clock import SystemClock
from yunliao.adapters.vault import EnvelopeVault, MasterKeyVault
from yunliao.domain.principal import Principal
from yunliao.errors import KeysUnavailable, Misconfigured, StoreUnavailable
from yunliao.ports_keys import Rewrapped, UnknownKey, WrongKey
from yunliao.services.key_book import KeyBook
from yunliao.services.rotation import BATCH, Rotation
from yunliao.services.tickets import TicketService

OLD, NEW, THIRD = ("k1", os.urandom(32)), ("k2", os.urandom(32)), ("k3", os.urandom(32))


_halves: "weakref.WeakKeyDictionary[MemoryStore, MemoryKeyStore]" = weakref.WeakKeyDictionary()


def halves_of(store: MemoryStore) -> MemoryKeyStore:
    """The one key store beside a store, whoever opens it."""
    return _halves.setdefault(store, MemoryKeyStore())


class Service:
    """What an instance with these master keys is made of."""

    def __init__(self, store: MemoryStore, *ring: tuple[str, bytes]) -> None:
        self.vault = MasterKeyVault(ring)
        self.people = people_over(store, halves_of(store), self.vault, SystemClock())
        self.tickets = TicketService(tickets=store.tickets, shared=store.secrets, vault=self.vault, clock=SystemClock())
        self.book = KeyBook(registers=store.registers, keys=store.keys, vault=self.vault)
        self.rotation = Rotation(keys=store.keys, vault=self.vault, book=self.book)

    def start(self) -> "Service":
        self.people.check_keys()
        self.book.check()
        return self

    def owner(self, name: str):  # type: ignore[no-untyped-def]
        return met(self.people, Principal(openid=name, appid="wx"))


def populated(store: MemoryStore, users: int = 30) -> dict[str, bytes]:
    """Something that each user sealed under the old key."""
    service = Service(store, OLD).start()
    ticket = service.tickets.issue(Principal(openid="o", appid="wx"))
    service.tickets.redeem(ticket.ticket)
    return {f"o{number}": service.owner(f"o{number}").seal("r", "f", b"canary") for number in range(users)}


def test_after_a_rotation_the_old_key_can_go_and_everything_opens() -> None:
    store = MemoryStore()
    sealed = populated(store)
    done = Service(store, NEW, OLD).start().rotation.rotate()
    assert (done.changed, done.failed) == (32, 0)  # 30 users, the look-up key, the ticket key
    assert (done.counts.users, done.counts.secrets, done.counts.others) == ({"k2": 30}, {"k2": 2}, ())
    alone = Service(store, NEW).start()
    for name, blob in sealed.items():
        assert alone.owner(name).open("r", "f", blob) == b"canary"
    assert len(store.keys.users(after="", limit=99)) == 30  # the same people, not new ones


def test_a_second_rotation_has_nothing_to_do() -> None:
    store = MemoryStore()
    populated(store)
    rotation = Service(store, NEW, OLD).start().rotation
    rotation.rotate()
    blobs = store.keys.users(after="", limit=99)
    assert rotation.rotate().changed == 0
    assert store.keys.users(after="", limit=99) == blobs


def test_an_interrupted_rotation_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    populated(store, 25)
    monkeypatch.setattr("yunliao.services.rotation.BATCH", 10)
    service = Service(store, NEW, OLD).start()
    swap, calls = store.keys.swap_users, []

    def swap_once(changes):  # type: ignore[no-untyped-def]
        calls.append(len(changes))
        if len(calls) == 2:
            raise StoreUnavailable
        return swap(changes)

    monkeypatch.setattr(store.keys, "swap_users", swap_once)
    with pytest.raises(StoreUnavailable):
        service.rotation.rotate()
    half = service.rotation.status()
    assert half.users == {"k1": 15, "k2": 10}
    assert service.rotation.rotate().changed == 15
    assert service.rotation.status().others == ()


def test_users_erased_or_rotated_meanwhile_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    populated(store, 10)
    service, other = Service(store, NEW, OLD).start(), Service(store, NEW, OLD)
    ids = [one.name for one in store.keys.users(after="", limit=99)]
    swap, met = store.keys.swap_users, []

    def meanwhile(changes):  # type: ignore[no-untyped-def]
        if not met:
            met.append(True)
            store.users.erase(ids[0])
            key = other.vault.unwrap(changes[1].old, context=f"user/{ids[1]}")
            swap([Rewrapped(ids[1], changes[1].old, other.vault.wrap(key, context=f"user/{ids[1]}"))])
        return swap(changes)

    monkeypatch.setattr(store.keys, "swap_users", meanwhile)
    done = service.rotation.rotate()
    assert done.changed == 8 + 2
    assert done.counts.users == {"k2": 9}
    assert store.users.get(ids[0]) is None


def test_two_rotations_at_once_and_readers_all_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    sealed = populated(store, 60)
    monkeypatch.setattr("yunliao.services.rotation.BATCH", 7)
    monkeypatch.setattr("yunliao.services.people.CACHE_MS", 0)
    rotations = [Service(store, NEW, OLD).start().rotation for _ in range(2)]
    reader, over, failures = Service(store, NEW, OLD), threading.Event(), []

    def read() -> None:
        while not over.is_set():
            for name, blob in sealed.items():
                try:
                    assert reader.owner(name).open("r", "f", blob) == b"canary"
                except Exception as failed:
                    failures.append(failed)

    threads = [threading.Thread(target=rotation.rotate) for rotation in rotations]
    watching = threading.Thread(target=read)
    watching.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    watching.join()
    assert not failures
    assert rotations[0].status().users == {"k2": 60}


def test_users_made_meanwhile_by_an_instance_with_the_old_setting_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    populated(store, 5)
    old, service = Service(store, OLD, NEW), Service(store, NEW, OLD).start()
    status, made = service.rotation.status, []

    def late_user():  # type: ignore[no-untyped-def]
        if not made:
            made.append(old.owner("late"))
        return status()

    monkeypatch.setattr(service.rotation, "status", late_user)
    done = service.rotation.rotate()
    assert done.counts.users == {"k2": 6}


def test_a_damaged_key_is_told_and_stays_and_the_rest_is_done() -> None:
    store = MemoryStore()
    populated(store, 3)
    first, second, _ = store.keys.users(after="", limit=9)
    store.keys.swap_users([Rewrapped(first.name, first.blob, b"junk"), Rewrapped(second.name, second.blob, first.blob)])
    done = Service(store, NEW, OLD).rotation.rotate()
    assert done.failed == 2
    assert len(done.reasons) == 2
    assert not any(one.name in reason for one in (first, second) for reason in done.reasons)
    assert (done.counts.users, done.counts.damaged) == ({"k1": 1, "k2": 1}, 1)
    assert Service(store, NEW, OLD).start()  # the old key is still in the book
    with pytest.raises(Misconfigured, match="'k1'"):
        Service(store, NEW).start()


# --- at the start ----------------------------------------------------------------------------------------------------


def test_a_missing_key_is_named_at_the_start_even_if_only_users_need_it() -> None:
    store = MemoryStore()
    populated(store)
    service = Service(store, NEW, OLD).start()
    service.rotation._shared(__import__("collections").Counter())
    Service(store, NEW, OLD).people.check_keys()
    with pytest.raises(Misconfigured, match="lacks the key 'k1'"):
        Service(store, NEW).start()


def test_a_wrong_key_under_a_known_id_is_named() -> None:
    store = MemoryStore()
    populated(store)
    Service(store, NEW, OLD).start().rotation._shared(__import__("collections").Counter())
    with pytest.raises(Misconfigured, match="'k1' in YUNLIAO_MASTER_KEYS is not"):
        Service(store, NEW, ("k1", os.urandom(32))).start()


def test_a_store_from_before_the_book_gets_one_and_a_wrong_key_never_enters_it() -> None:
    store = MemoryStore()
    old = Service(store, OLD)
    old.owner("o1")
    for ring in ([NEW], [NEW, ("k1", os.urandom(32))]):
        with pytest.raises(Misconfigured, match="'k1'"):
            Service(store, *ring).start()
    Service(store, NEW, OLD).start()
    with pytest.raises(Misconfigured, match="'k1'"):
        Service(store, NEW).start()


def test_a_damaged_record_keeps_nobody_from_starting() -> None:
    store = MemoryStore()
    old = Service(store, OLD)
    for name in ("o1", "o2", "o3"):
        old.owner(name)
    first, second, _ = store.keys.users(after="", limit=9)
    store.keys.swap_users([Rewrapped(first.name, first.blob, b"junk"), Rewrapped(second.name, second.blob, first.blob)])
    assert Service(store, OLD).start()


def test_the_book_holds_nothing_of_a_key() -> None:
    store = MemoryStore()
    Service(store, NEW, OLD).start()
    value = store.registers.read("master-keys").value
    for _, key in (NEW, OLD):
        assert key not in value and key.hex().encode() not in value


# --- another key service -----------------------------------------------------------------------------------------------


class RemoteKeys:
    """A key management service as a cloud has them: opaque ciphertext of its own form, keys that never leave, and
    times when it does not answer."""

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self.ids = frozenset({"kms-1", "kms-2"})
        self.away = False
        self._held: dict[bytes, tuple[str, str, bytes]] = {}

    def wrap(self, key: bytes, *, context: str) -> bytes:
        if self.away:
            raise KeysUnavailable
        handle = os.urandom(40)
        self._held[handle] = (self.writer, context, key)
        return handle

    def unwrap(self, key_id: str, ciphertext: bytes, *, context: str) -> bytes:
        if self.away:
            raise KeysUnavailable
        if key_id not in self.ids:
            raise UnknownKey
        held, bound, key = self._held.get(ciphertext, ("", "", b""))
        if (held, bound) != (key_id, context):
            raise WrongKey
        return key

    def check_value(self, key_id: str) -> str:
        return ""


def test_services_work_over_another_key_service_and_rotate_within_it() -> None:
    store, keys = MemoryStore(), RemoteKeys("kms-1")
    vault = EnvelopeVault(keys)
    people = people_over(store, halves_of(store), vault, SystemClock())
    blob = met(people, Principal(openid="o1", appid="wx")).seal("r", "f", b"words")
    keys.writer = "kms-2"
    book = KeyBook(registers=store.registers, keys=store.keys, vault=vault)
    book.check()
    done = Rotation(keys=store.keys, vault=vault, book=book).rotate()
    assert (done.counts.users, done.counts.secrets) == ({"kms-2": 1}, {"kms-2": 1})
    fresh = people_over(store, halves_of(store), vault, SystemClock())
    assert met(fresh, Principal(openid="o1", appid="wx")).open("r", "f", blob) == b"words"
    keys.away = True
    with pytest.raises(KeysUnavailable):
        people_over(store, halves_of(store), vault, SystemClock()).check_keys()


def test_progress_ends_at_the_whole() -> None:
    store = MemoryStore()
    populated(store, 12)
    seen: list[tuple[int, int]] = []
    Service(store, NEW, OLD).rotation.rotate(lambda done, total: seen.append((done, total)))
    assert seen[-1] == (12, 12)
    assert BATCH >= 100
