"""Whole copies of the records: of one moment, complete, and put back whole or not at all. One suite over every store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.contract import mongo_server
from tests.contract.records import LIMITS, charge, draft, ending, last, user
from tests.fakes.memory_store import MemoryStore
from yunliao.adapters.store.mongo import MongoStore
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.domain.ledger.audit import findings
from yunliao.domain.ledger.granting import Movement
from yunliao.errors import InvalidRequest, Misconfigured
from yunliao.ports_people import KeyShare
from yunliao.ports_records import AuditEntry, Card, RecordStore

Pieces = list[tuple[str, list[bytes]]]
Open = Callable[[], RecordStore]


@pytest.fixture(params=["sqlite", "memory", "mongo"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Open, Open]]:
    """Two places of one engine; each call opens the place anew, but for the one that is gone with its process."""
    with ExitStack() as opened:

        def at(number: int) -> Open:
            if request.param == "memory":
                only = MemoryStore()
                return lambda: only
            if request.param == "sqlite":
                url = f"sqlite:///{tmp_path}/store{number}.db"
            else:
                url = request.getfixturevalue("mongo_url" if number == 0 else "second_mongo_url")

            def reach() -> RecordStore:
                made = SqliteStore(url) if request.param == "sqlite" else MongoStore(url)
                opened.callback(made.close)
                return made

            return reach

        yield at(0), at(1)


@pytest.fixture
def second_mongo_url(mongo_address: Callable[[str], str]) -> Iterator[str]:
    with mongo_server.fresh(mongo_address) as url:
        yield url


def fill(store: RecordStore, people: int = 7) -> None:
    """Some of everything, with an answer that is being written and credits set aside for it."""
    store.migrate()
    store.secrets.get_or_put("lookup", b"wrapped")
    store.registers.swap("r", version=0, value=b"1")
    store.tickets.put("h", b"p", expires_at=2**50)
    for number in range(people):
        name = f"u{number}"
        store.users.create(user(name))
        store.users.set_consent(name, version="v", overseas=bool(number % 2), at=number)
        store.ledger.move(name, Movement(kind="grant", amount=10_000, reference="g", at=1))
        ended = draft(name, charge=charge(2_000))
        assert store.turns.accept(ended, LIMITS).status == "accepted"
        store.turns.commit([last(ended.turn, 2, ending(at=2_000))], owner="me", lease_until=9_000)
        live = draft(name, conversation=ended.turn.conversation_id, at=3_000, charge=charge(1_000))
        assert store.turns.accept(live, LIMITS).status == "accepted"
    store.cards.put(Card(kind="k", id="c", at=1, owner="u1", body=b"\x00\xff"))
    store.audit.append(AuditEntry(seq=1, at=5, body=b"body", mac=b"mac"))
    store.verdicts.count_passes({(1, "question"): 2})


def copied(store: RecordStore) -> Pieces:
    with store.copying.snapshot() as snapshot:
        return [(name, list(batch)) for name in snapshot.tables() for batch in snapshot.read(name)]


def put_back(store: RecordStore, pieces: Pieces, migrations: tuple[str, ...]) -> None:
    with store.copying.load(migrations) as put:
        for name, records in pieces:
            put(name, records)


def by_table(pieces: Pieces) -> dict[str, list[bytes]]:
    tables: dict[str, list[bytes]] = {}
    for name, records in pieces:
        tables.setdefault(name, []).extend(records)
    return {name: sorted(records) for name, records in tables.items()}


def test_what_was_copied_is_all_there_in_another_place(places: tuple[Open, Open]) -> None:
    store, other = (reach() for reach in places)
    fill(store)
    pieces = copied(store)
    assert {"users", "messages", "turns", "entries", "cards", "audit", "secrets"} <= by_table(pieces).keys()
    assert not {"tickets", "user_keys", "migrations", "leases"} & by_table(pieces).keys()
    put_back(other, pieces, store.copying.applied())
    assert other.migrate() == []
    assert by_table(copied(other)) == by_table(pieces)
    assert other.users.get("u3") == store.users.get("u3")
    live = store.turns.live_of("u3")
    assert live is not None and other.turns.live_of("u3") == live
    assert other.turns.events(live.id, after=0, limit=9) == store.turns.events(live.id, after=0, limit=9)
    assert other.personal.consents("u3") == store.personal.consents("u3")
    assert other.cards.get("k", "c") == store.cards.get("k", "c")
    assert other.audit.newest() == store.audit.newest()
    assert other.registers.read("r") == store.registers.read("r")
    assert other.tickets.take("h", now=1) is None
    for number in range(7):
        assert findings(other.ledger.books(f"u{number}")) == []
    # And it is a store like any other: what is unique still is, what was live can be gone on with.
    assert other.turns.accept(draft("u3", at=4_000), LIMITS).status == "turn_in_progress"
    assert other.turns.claim(live.id, owner="you", lease_until=99_000, now=50_000) is not None


def test_a_copy_is_of_one_moment(places: tuple[Open, Open]) -> None:
    store = places[0]()
    fill(store, people=3)
    before = by_table(copied(store))
    with store.copying.snapshot() as snapshot:
        names = list(snapshot.tables())
        first = {names[0]: [one for batch in snapshot.read(names[0]) for one in batch]}
        later = draft("u9", at=8_000)
        store.users.create(user("u9"))
        store.turns.accept(later, LIMITS)
        store.turns.commit([last(later.turn, 2, ending(at=8_100))], owner="me", lease_until=9_000)
        store.users.erase("u1")
        rest = {name: [one for batch in snapshot.read(name) for one in batch] for name in names[1:]}
    seen = {name: sorted(records) for name, records in {**first, **rest}.items() if records}
    assert seen == before
    assert by_table(copied(store)) != before


def test_only_what_people_and_operators_made_stands_in_the_way(places: tuple[Open, Open]) -> None:
    store = places[0]()
    assert store.copying.occupied() == {}
    store.migrate()
    store.secrets.get_or_put("lookup", b"wrapped")
    store.registers.swap("key-store", version=0, value=b"mark")
    assert store.copying.occupied() == {}
    store.users.create(user())
    assert store.copying.occupied() == {"users": 1}


def test_a_load_takes_the_place_of_everything(places: tuple[Open, Open]) -> None:
    store, other = (reach() for reach in places)
    fill(store, people=2)
    fill(other, people=5)
    other.registers.swap("mine", version=0, value=b"1")
    put_back(other, copied(store), store.copying.applied())
    assert by_table(copied(other)) == by_table(copied(store))
    assert other.registers.read("mine").version == 0


def test_a_load_that_is_cut_off_leaves_nothing_half_done(places: tuple[Open, Open]) -> None:
    """By an error here; kill -9 is in tests/integration/test_backup.py."""
    store, other = (reach() for reach in places)
    fill(store)
    fill(other, people=2)
    pieces, migrations = copied(store), store.copying.applied()
    stood = by_table(copied(other))
    with pytest.raises(InvalidRequest), other.copying.load(migrations) as put:
        put(*pieces[0])
        raise InvalidRequest
    again = places[1]()
    if isinstance(again, MongoStore):
        with pytest.raises(Misconfigured, match="restore FILE` again"):
            again.migrate()
        assert again.copying.occupied() == {}  # what is there is only the half of a copy
    else:
        again.migrate()
        assert by_table(copied(again)) == stood
    put_back(again, pieces, migrations)
    again.migrate()
    assert by_table(copied(again)) == by_table(pieces)


def test_a_copy_of_an_older_version_is_brought_up_to_date(places: tuple[Open, Open]) -> None:
    store, other = (reach() for reach in places)
    fill(store, people=2)
    known = store.copying.known()
    older = known[: len(known) // 2]
    of_then = [(name, records) for name, records in copied(store) if name in ("conversations", "messages", "secrets")]
    put_back(other, of_then, older)
    assert other.copying.applied() == older or isinstance(other, MemoryStore)
    assert other.migrate() == list(known[len(older) :]) or isinstance(other, MemoryStore)
    other.ping()
    assert other.audit.newest() is None
    assert (
        len(
            other.personal.messages(
                "u1", store.turns.live_of("u1").conversation_id, after=(-1, ""), until=9_000, limit=9
            )
        )
        == 3
    )  # type: ignore[union-attr]


def test_halves_of_keys_are_never_touched(mongo_url: str) -> None:
    with closing(MongoStore(mongo_url)) as store:
        fill(store, people=1)
        keys = store.key_store()
        keys.migrate()
        keys.mark("mark")
        keys.put(KeyShare(id="k", user_id="u0", share=b"half", created_at=1))
        pieces = copied(store)
        assert "user_keys" not in by_table(pieces)
        put_back(store, pieces, store.copying.applied())
        assert (keys.marked(), keys.get("k").share) == ("mark", b"half")  # type: ignore[union-attr]


def test_a_table_that_no_migration_made_is_not_taken(tmp_path: Path) -> None:
    with closing(SqliteStore(f"sqlite:///{tmp_path}/store.db")) as store:
        fill(store, people=1)
        stood = by_table(copied(store))
        pieces = copied(store)
        with pytest.raises(Misconfigured), store.copying.load(store.copying.known()) as put:
            put("users; DROP TABLE turns", pieces[0][1])
        assert by_table(copied(store)) == stood
