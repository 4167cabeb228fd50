"""`python3 -m yunliao ledger …`: what it says, its exit codes, and that it finds books that lie."""

import argparse
import io
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.records import LIMITS, charge, draft, ending, last, spent, user
from tests.web.conftest import ENVIRONMENT
from yunliao import cli
from yunliao.adapters.store.sqlite import SqliteStore
from yunliao.cli.ledger import whom
from yunliao.domain.ledger.codes import digest

ALICE, BOB = "alice-0123456789", "bob-012345678901"
PRICES = '{"version": "v1", "models": {"demo": {"input": 1, "output": 2}}, "plans": {"gold": {"daily": 9}}}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "y.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    made = SqliteStore(f"sqlite:///{path}")
    made.migrate()
    for name in (ALICE, BOB):
        made.users.create(user(name))
    return made


def ledger(path: Path, *words: str) -> tuple[int, str]:
    environment = {**ENVIRONMENT, "YUNLIAO_STORE_URL": f"sqlite:///{path}", "YUNLIAO_PRICES": PRICES}
    out = io.StringIO()
    return cli.main(["ledger", *words], environment, out), out.getvalue()


def played(store: SqliteStore, path: Path) -> str:
    """Alice has 1,000, and an answer that cost 150; the turn's id."""
    assert ledger(path, "grant", "--user", ALICE, "--amount", "1000", "--reason", "试用")[0] == 0
    turn = store.turns.accept(draft(ALICE, charge=charge(400)), LIMITS).turn
    assert turn is not None
    store.turns.commit([last(turn, 2, ending(metered=spent(150)))], owner="me", lease_until=9)
    return turn.id


def test_good_books_are_proved(store: SqliteStore, path: Path) -> None:
    played(store, path)
    assert ledger(path, "verify") == (
        0,
        "2 users, 4 entries, 1 priced turns: every balance is the sum of its entries\n",
    )


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ("UPDATE entries SET amount = amount + 1 WHERE kind = 'settle'", "401 settled and released"),
        ("DELETE FROM entries WHERE kind = 'settle'", "entries are not 1 to 4"),
        ("UPDATE accounts SET body = replace(body, '850', '851')", "available is 851"),
        ("UPDATE turns SET state = 'running'", "a live turn was settled"),
    ],
)
def test_books_that_lie_are_found(store: SqliteStore, path: Path, lie: str, told: str) -> None:
    played(store, path)
    with sqlite3.connect(path) as connection:
        connection.execute(lie)
    connection.close()
    code, said = ledger(path, "verify")
    assert code == 1 and "findings" in said and f"user {ALICE[:12]}: " in said
    assert told in said


def test_a_refund_is_given_once_and_never_more_than_was_paid(store: SqliteStore, path: Path) -> None:
    turn = played(store, path)
    assert ledger(path, "refund", "--turn", turn, "--reason", "抱歉") == (
        0,
        "refund of 150 done, available 1000 micro-credits\n",
    )
    assert "nothing changed" in ledger(path, "refund", "--turn", turn, "--reason", "抱歉")[1]
    assert ledger(path, "refund", "--turn", "turn_none", "--reason", "抱歉")[0] == 1


def test_credits_are_shown_taken_and_put_on_a_plan(store: SqliteStore, path: Path) -> None:
    played(store, path)
    assert ledger(path, "withdraw", "--user", ALICE, "--amount", "851", "--reason", "x") == (
        1,
        "not done: only 850 micro-credits are available\n",
    )
    assert ledger(path, "withdraw", "--user", ALICE[:10], "--amount", "50", "--reason", "x")[0] == 0
    assert ledger(path, "plan", "--user", ALICE, "--plan", "gold")[0] == 0
    assert ledger(path, "plan", "--user", ALICE, "--plan", "silver")[0] == 1
    code, said = ledger(path, "show", "--user", ALICE)
    assert code == 0 and "plan gold, available 800, held 0" in said and "试用" in said


def test_codes_are_printed_once_and_kept_as_hashes(store: SqliteStore, path: Path) -> None:
    code, said = ledger(path, "codes", "make", "--count", "3", "--amount", "2.5c", "--days", "7")
    words = said.split()
    assert code == 0 and len(words) == 3
    assert store.ledger.redeem(BOB, digest(words[0]) or "", at=1).status == "posted"
    assert all(word.encode() not in path.read_bytes() for word in words)
    for wrong in (("--count", "0"), ("--days", "-1"), ("--uses", "0"), ("--expires", "2020-01-01")):
        assert ledger(path, "codes", "make", "--amount", "1", *wrong)[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("grant", "--user", "alice-01", "--amount", "0", "--reason", "x"),
        ("grant", "--user", "alice-01", "--amount", "much", "--reason", "x"),
        ("grant", "--user", "alice-01", "--amount", "5"),
        ("grant", "--user", "alice-01", "--amount", "5", "--reason", "x", "--expires", "someday"),
        ("nothing",),
        (),
    ],
)
def test_a_wrong_command_line_is_said_to_be_one(path: Path, words: tuple[str, ...]) -> None:
    assert ledger(path, *words)[0] == 2


def test_a_reason_is_needed_that_a_user_may_read(store: SqliteStore, path: Path) -> None:
    for reason in ("", "x" * 81, "two\nlines"):
        assert ledger(path, "grant", "--user", ALICE, "--amount", "5", "--reason", reason)[0] == 1


def test_sums_and_moments_as_people_write_them() -> None:
    assert [whom.amount(text) for text in ("5", "1c", "0.5c", "12.000001c")] == [5, 10**6, 500_000, 12_000_001]
    for wrong in ("", "-1", "0", "1.5", "c", "1.1234567c", "9" * 16):
        with pytest.raises(argparse.ArgumentTypeError):
            whom.amount(wrong)
    assert (whom.moment("never"), whom.moment("30d")) == (0, timedelta(days=30))
    assert whom.moment("2027-01-31") == 1_801_411_200_000  # the end of that day in China
    assert whom.ends(timedelta(days=1), 5) == 86_400_005
