"""Limits over all instances, on every store: exact under contention, and nothing of a dead instance is lost."""

import threading
import time
from collections.abc import Callable

from tests.fakes.clock import FakeClock
from yunliao.adapters.clock import SystemClock
from yunliao.domain.quota import Used
from yunliao.ports import QuotaSpent, Store
from yunliao.services.admission import SharedSeats, Slots
from yunliao.services.governor import SharedGovernor
from yunliao.services.register import SharedRecord

INSTANCES = 4


def together(*tasks: object) -> None:
    threads = [threading.Thread(target=task) for task in tasks]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


def test_a_register_is_changed_by_one_at_a_time(store: Store) -> None:
    assert store.registers.read("r").version == 0
    assert store.registers.swap("r", version=0, value=b"first")
    assert not store.registers.swap("r", version=0, value=b"second")
    assert store.registers.read("r").value == b"first"
    won = []
    together(*[lambda n=n: won.append(store.registers.swap("r", version=1, value=b"%d" % n)) for n in range(8)])
    assert won.count(True) == 1 and store.registers.read("r").version == 2


def test_no_change_of_a_shared_record_is_lost(store: Store) -> None:
    clock = SystemClock()

    def count() -> None:
        record = SharedRecord(store.registers, "count", Used(), clock)
        for _ in range(15):
            record.change(lambda used: (Used(today=used.today + 1), None))

    together(*[count] * INSTANCES)
    total = SharedRecord(store.registers, "count", Used(), clock).change(lambda used: (used, used.today))
    assert total == 15 * INSTANCES


def test_the_moderation_quota_is_exact_under_contention(store: Store) -> None:
    clock, taken, lock = FakeClock(), [], threading.Lock()

    def spend() -> None:
        governor = SharedGovernor(store.registers, clock, per_minute=100)
        while True:
            try:
                governor.acquire()
            except QuotaSpent:
                return
            with lock:
                taken.append(1)

    together(*[spend] * INSTANCES)
    assert len(taken) == 100


def test_shared_seats_are_never_overbooked_and_all_are_served(store: Store) -> None:
    limit, each = 3, 6
    clock, lock = SystemClock(), threading.Lock()
    inside, most, served, attending = set(), [], [], []

    def spawn(task: Callable[[], None]) -> None:
        attending.append(threading.Thread(target=task, daemon=True))
        attending[-1].start()

    def instance(number: int) -> None:
        seats = SharedSeats(store.registers, clock, instance=f"i{number}", limit=limit, lease_seconds=30)
        slots = Slots(max_live=10, max_queue=100, clock=FakeClock(), seats=seats, spawn=spawn)

        def turn(name: str) -> None:
            assert slots.enter(name).wait(100)
            with lock:
                inside.add(name)
                most.append(len(inside))
            time.sleep(0.005)
            with lock:
                inside.remove(name)
                served.append(name)
            slots.leave(name)

        together(*[lambda name=f"{number}/{n}": turn(name) for n in range(each)])

    together(*[lambda n=n: instance(n) for n in range(3)])
    for thread in attending:  # while the store is there: they give the seats back
        thread.join(60)
        assert not thread.is_alive()
    assert max(most) <= limit
    assert len(served) == len(set(served)) == 3 * each


def test_the_seats_of_a_dead_instance_come_back(store: Store) -> None:
    clock = FakeClock()

    def seats(name: str) -> SharedSeats:
        return SharedSeats(store.registers, clock, instance=name, limit=2, lease_seconds=6)

    dead, alive = seats("dead"), seats("alive")
    dead.ask(running=0, demand=2)
    alive.ask(running=0, demand=2)
    assert (dead.have, alive.have) == (2, 0)
    clock.advance(6)
    assert dead.have == 0
    alive.ask(running=0, demand=2)
    assert alive.have == 2
    dead.ask(running=2, demand=2)  # it was only frozen: what it held is somebody else's now
    assert dead.have == 0
