"""The counts of hours and days: one suite over every store."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.contract.records import user
from yunliao.ports_records import RecordStore
from yunliao.ports_tallies import Span, TallyRecord

HOUR = 3_600_000
NOW = 1_790_000_000_000 // HOUR * HOUR


def record(at: int, source: str = "a", version: int = 1, body: bytes = b"1", span: Span = "instance") -> TallyRecord:
    return TallyRecord(span=span, at=at, source=source, version=version, body=body)


def everything(store: RecordStore, span: Span = "instance") -> list[TallyRecord]:
    return store.tallies.read(span, since=0, until=2**62)


def test_a_write_that_is_repeated_changes_nothing(store: RecordStore) -> None:
    one = record(NOW, version=7, body=b"seven")
    for _ in range(3):
        store.tallies.put(one)
    assert everything(store) == [one]


def test_a_late_write_of_an_older_version_changes_nothing(store: RecordStore) -> None:
    for version in (1, 3, 2, 3):
        store.tallies.put(record(NOW, version=version, body=b"v%d" % version))
    assert [(one.version, one.body) for one in everything(store)] == [(3, b"v3")]


def test_they_are_read_by_span_and_time_in_order(store: RecordStore) -> None:
    for at, source in ((NOW + HOUR, "b"), (NOW, "b"), (NOW + HOUR, "a"), (NOW, "a"), (NOW + 2 * HOUR, "a")):
        store.tallies.put(record(at, source))
    store.tallies.put(record(NOW, "", span="hour"))
    store.tallies.put(record(NOW, "", span="day"))
    found = store.tallies.read("instance", since=NOW, until=NOW + 2 * HOUR)
    assert [(one.at, one.source) for one in found] == [(NOW, "a"), (NOW, "b"), (NOW + HOUR, "a"), (NOW + HOUR, "b")]
    assert store.tallies.read("hour", since=NOW, until=NOW + 1) == [record(NOW, "", span="hour")]
    assert store.tallies.read("day", since=NOW + 1, until=2**62) == []
    assert store.tallies.read("day", since=-(2**62), until=2**62) == [record(NOW, "", span="day")]


def test_the_oldest_and_what_is_past_its_time(store: RecordStore) -> None:
    assert store.tallies.oldest("instance") is None
    for hour in range(7):
        store.tallies.put(record(NOW + hour * HOUR))
    store.tallies.put(record(NOW - HOUR, "", span="hour"))
    assert (store.tallies.oldest("instance"), store.tallies.oldest("hour")) == (NOW, NOW - HOUR)
    assert store.tallies.oldest("day") is None
    removed = []
    while count := store.tallies.expire("instance", before=NOW + 5 * HOUR, limit=2):
        removed.append(count)
    assert removed == [2, 2, 1]
    assert [one.at for one in everything(store)] == [NOW + 5 * HOUR, NOW + 6 * HOUR]
    assert len(everything(store, "hour")) == 1


def test_writers_at_once_leave_the_newest(store: RecordStore) -> None:
    start = threading.Barrier(8)

    def write(worker: int) -> None:
        start.wait()
        for version in range(1, 11):
            store.tallies.put(record(NOW, version=version, body=b"%d" % version))
            store.tallies.put(record(NOW, f"own{worker}", version=version, body=b"%d" % version))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert {(one.source, one.version, one.body) for one in everything(store)} == {
        (source, 10, b"10") for source in ("a", *(f"own{worker}" for worker in range(8)))
    }


def test_erasing_a_person_touches_no_count_and_a_wipe_takes_them(store: RecordStore) -> None:
    store.users.create(user())
    store.tallies.put(record(NOW))
    store.users.erase("u1")
    assert store.wiping.census()["tallies"] == 1
    store.wiping.clear("tallies")
    assert store.wiping.census().get("tallies", 0) == 0
