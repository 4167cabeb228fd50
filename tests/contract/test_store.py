"""One suite for every store: what the ports promise (P2, P3, P5, P6), with the same assertions for all."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.contract.conftest import SENT_TO, opened
from tests.contract.records import LIMITS, draft, ending, last, rows, user
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, AcceptOutcome, Conversation, Head, Store, TurnWrite


@pytest.fixture(params=SENT_TO)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from opened(request, tmp_path)


def accepted(store: Store, *args: object, **kwargs: object) -> Turn:
    outcome = store.turns.accept(draft(*args, **kwargs), LIMITS)  # type: ignore[arg-type]
    assert outcome.status == "accepted"
    assert outcome.turn is not None
    return outcome.turn


def finished(store: Store, *args: object, **kwargs: object) -> Turn:
    turn = accepted(store, *args, **kwargs)
    at = int(kwargs.get("at", 1_000)) + 10  # type: ignore[call-overload]
    store.turns.commit([last(turn, 2, ending(at=at))], owner="me", lease_until=9_000)
    return turn


def test_migrating_twice_changes_nothing(store: Store) -> None:
    assert store.migrate() == []
    store.ping()


def test_what_was_accepted_is_there_whole(store: Store) -> None:
    sent = draft()
    assert store.turns.accept(sent, LIMITS) == AcceptOutcome(status="accepted", turn=sent.turn)
    assert store.turns.get(sent.turn.id) == sent.turn
    assert store.turns.live_of("u1") == sent.turn
    assert store.turns.by_client_id("u1", sent.turn.client_id) == sent.turn
    assert [row.body for row in store.turns.events(sent.turn.id, after=0, limit=10)] == [b"accepted"]
    (message,) = store.conversations.messages("u1", sent.turn.conversation_id, before=None, limit=10)
    assert message == sent.message
    conversation = store.conversations.get("u1", sent.turn.conversation_id)
    assert conversation is not None
    assert conversation.live_turn_id == sent.turn.id


def test_what_is_read_is_of_plain_types(store: Store) -> None:
    """Times are larger than 32 bits; a driver's own kinds of numbers and bytes would not pass an encoder."""
    now = 1_795_246_519_335
    store.users.create(replace(user(), created_at=now, consent_at=now))
    turn = finished(store, at=now, lease_until=now + 6_000)
    records: list[msgspec.Struct | None] = [
        store.users.get("u1"),
        store.turns.get(turn.id),
        store.conversations.get("u1", turn.conversation_id),
        *store.conversations.messages("u1", turn.conversation_id, before=(now * 2, "x"), limit=5),
        *store.turns.events(turn.id, after=0, limit=5),
    ]
    assert len(records) == 7
    limited = store.turns.accept(draft(at=now + 1), AcceptLimits(rate=1, window_ms=now))
    for record in (*records, limited):
        assert record is not None
        for value in msgspec.structs.astuple(record):
            assert type(value) in (int, str, bytes, bool, type(None)), (type(record), type(value))


def test_the_same_client_id_gives_the_first_turn(store: Store) -> None:
    first = accepted(store, client_id="same")
    again = store.turns.accept(draft(client_id="same", at=9_000), LIMITS)
    assert (again.status, again.turn) == ("existing", first)
    store.turns.commit([last(first, 2)], owner="me", lease_until=9_000)
    again = store.turns.accept(draft(client_id="same", at=9_000), LIMITS)
    assert again.status == "existing"
    assert again.turn is not None
    assert again.turn.state == "ended"
    other = store.turns.accept(draft("u2", client_id="same"), LIMITS)
    assert other.status == "accepted"


def test_refusals_write_nothing(store: Store) -> None:
    live = accepted(store)
    second = draft()
    outcome = store.turns.accept(second, LIMITS)
    assert (outcome.status, outcome.turn) == ("turn_in_progress", live)
    foreign = draft("u2", conversation=live.conversation_id)
    assert store.turns.accept(foreign, LIMITS).status == "no_conversation"
    for refused in (second, foreign):
        assert store.turns.get(refused.turn.id) is None
        assert store.turns.events(refused.turn.id, after=0, limit=5) == []
        assert store.conversations.message(refused.turn.user_id, refused.turn.user_message_id) is None
    assert len(store.conversations.page("u1", before=None, limit=10)) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.integers(1, 4), st.lists(st.integers(0, 400), min_size=1, max_size=25))
def test_the_rate_window_agrees_with_a_simple_model(store: Store, rate: int, gaps: list[int]) -> None:
    limits, granted, now = AcceptLimits(rate=rate, window_ms=1_000), [], 10_000
    name = f"user{draft().turn.id}"
    for gap in gaps:
        now += gap
        outcome = store.turns.accept(draft(name, at=now), limits)
        recent = [at for at in granted if at > now - 1_000]
        if len(recent) < rate:
            assert outcome.status == "accepted"
            assert outcome.turn is not None
            store.turns.commit([last(outcome.turn, 2, ending(at=now))], owner="me", lease_until=99_999)
            granted.append(now)
        else:
            assert outcome.status == "rate_limited"
            assert outcome.retry_after_ms == recent[-rate] - (now - 1_000)


def test_commit_appends_without_gaps_and_renews_the_lease(store: Store) -> None:
    turn = accepted(store)
    result = store.turns.commit(
        [TurnWrite(turn_id=turn.id, rows=rows(2, 3), state="running")], owner="me", lease_until=8_000
    )
    assert (result.lost, result.stops) == (frozenset(), frozenset())
    stored = store.turns.get(turn.id)
    assert stored is not None
    assert (stored.last_seq, stored.lease_until, stored.state) == (4, 8_000, "running")
    assert [row.seq for row in store.turns.events(turn.id, after=1, limit=2)] == [2, 3]


@pytest.mark.parametrize("first", [1, 2, 5])
def test_a_row_out_of_order_or_from_another_owner_is_lost_whole(store: Store, first: int) -> None:
    turn = accepted(store)
    owner = "somebody" if first == 2 else "me"
    result = store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(first, 2))], owner=owner, lease_until=8_000)
    assert result.lost == {turn.id}
    assert store.turns.get(turn.id) == turn
    assert len(store.turns.events(turn.id, after=0, limit=10)) == 1


def test_one_lost_turn_does_not_hold_back_the_others(store: Store) -> None:
    mine, stolen = accepted(store), accepted(store, "u2", owner="other")
    writes = [TurnWrite(turn_id=turn.id, rows=rows(2, 1)) for turn in (stolen, mine)]
    assert store.turns.commit(writes, owner="me", lease_until=8_000).lost == {stolen.id}
    assert len(store.turns.events(mine.id, after=0, limit=10)) == 2


def test_an_ending_writes_everything_once(store: Store) -> None:
    turn = accepted(store)
    how = ending("failed", code="relay_timeout", at=7_000)
    assert not store.turns.commit([last(turn, 2, how)], owner="me", lease_until=8_000).lost
    stored = store.turns.get(turn.id)
    assert stored is not None
    assert (stored.state, stored.end_reason, stored.error_code, stored.ended_at) == (
        "ended", "failed", "relay_timeout", 7_000,
    )  # fmt: skip
    answer = store.conversations.message("u1", turn.answer_message_id)
    assert answer is not None
    assert (answer.role, answer.sealed_body, answer.end_reason, answer.error_code, answer.state) == (
        "assistant", b"answer", "failed", "relay_timeout", "normal",
    )  # fmt: skip
    conversation = store.conversations.get("u1", turn.conversation_id)
    assert conversation is not None
    assert (conversation.live_turn_id, conversation.last_activity_at) == ("", 7_000)
    assert store.turns.commit([last(turn, 3)], owner="me", lease_until=8_000).lost == {turn.id}
    assert [row.seq for row in store.turns.events(turn.id, after=0, limit=10)] == [1, 2]


def test_a_block_marks_both_messages(store: Store) -> None:
    turn = accepted(store)
    store.turns.commit([last(turn, 2, ending("blocked", code="blocked_output"))], owner="me", lease_until=8_000)
    found = store.conversations.messages("u1", turn.conversation_id, before=None, limit=10)
    assert [message.state for message in found] == ["blocked", "blocked"]


def test_a_stop_reaches_the_owner_with_its_next_commit(store: Store) -> None:
    turn = accepted(store)
    store.turns.request_stop(turn.id)
    assert store.turns.commit([TurnWrite(turn_id=turn.id)], owner="me", lease_until=8_000).stops == {turn.id}


def test_a_stop_of_a_silent_turn_comes_with_the_renewal_of_its_lease_however_busy_others_are(store: Store) -> None:
    busy, silent = accepted(store, "u1"), accepted(store, "u2")
    store.turns.request_stop(silent.id)
    store.turns.commit([TurnWrite(turn_id=busy.id, rows=rows(2, 1))], owner="me", lease_until=8_000)
    renewed = [TurnWrite(turn_id=busy.id, rows=rows(3, 1)), TurnWrite(turn_id=silent.id)]
    assert store.turns.commit(renewed, owner="me", lease_until=8_000).stops == {silent.id}


def test_only_a_dead_lease_can_be_claimed_and_only_once(store: Store) -> None:
    turn = accepted(store, lease_until=5_000)
    assert store.turns.abandoned(now=5_000, limit=5) == []
    assert store.turns.claim(turn.id, owner="heir", lease_until=9_000, now=5_000) is None
    assert [found.id for found in store.turns.abandoned(now=5_001, limit=5)] == [turn.id]
    claimed = store.turns.claim(turn.id, owner="heir", lease_until=9_000, now=5_001)
    assert claimed is not None
    assert (claimed.owner, claimed.takeovers, claimed.lease_until) == ("heir", 1, 9_000)
    assert store.turns.claim(turn.id, owner="late", lease_until=9_000, now=5_001) is None
    assert store.turns.commit([TurnWrite(turn_id=turn.id)], owner="me", lease_until=9_000).lost == {turn.id}


def test_many_at_once_one_wins(store: Store) -> None:
    outcomes: list[str] = []
    turn = accepted(store, "u9", lease_until=10)
    claims: list[Turn | None] = []

    def work(number: int) -> None:
        outcomes.append(store.turns.accept(draft(client_id="at-once"), LIMITS).status)
        claims.append(store.turns.claim(turn.id, owner=f"o{number}", lease_until=99, now=50))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["accepted"] + ["existing"] * 9
    assert sum(claim is not None for claim in claims) == 1


def test_heads_tell_where_turns_stand(store: Store) -> None:
    live, done = accepted(store), finished(store, "u2")
    store.turns.commit([TurnWrite(turn_id=live.id, rows=rows(2, 3))], owner="me", lease_until=8_000)
    wanted = [live.id, done.id, "turn_none", *(f"turn_{number}" for number in range(2_000))]
    assert store.turns.heads(wanted) == {live.id: Head(4, True, 8_000), done.id: Head(2, False, 5_000)}
    assert store.turns.heads([]) == {}


def test_events_expire_after_the_end_only(store: Store) -> None:
    done, live = finished(store), accepted(store, "u2")
    assert store.turns.expire_events(ended_before=50_000, limit=10) == 1
    assert store.turns.expire_events(ended_before=50_000, limit=10) == 0
    assert store.turns.events(done.id, after=0, limit=5) == []
    assert len(store.turns.events(live.id, after=0, limit=5)) == 1
    assert store.conversations.message("u1", done.answer_message_id) is not None


def test_pages_go_through_everything_once(store: Store) -> None:
    for number in range(7):
        same_time = Conversation(id=f"c{number}", user_id="u1", created_at=1, last_activity_at=100 + number // 3)
        store.conversations.create(same_time)
    store.conversations.create(Conversation(id="other", user_id="u2", created_at=1, last_activity_at=100))
    seen: list[str] = []
    before = None
    while page := store.conversations.page("u1", before=before, limit=2):
        seen += [conversation.id for conversation in page]
        before = (page[-1].last_activity_at, page[-1].id)
    assert seen == ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]


def test_an_ending_names_a_conversation_that_has_no_title_and_renews_its_snippet(store: Store) -> None:
    store.conversations.create(Conversation(id="c", user_id="u1", created_at=1, last_activity_at=1))

    def after(at: int, how: Ending) -> tuple[bytes, str, bytes]:
        sent = draft("u1", at=at, conversation="c")
        assert store.turns.accept(sent, LIMITS).status == "accepted"
        store.turns.commit([last(sent.turn, 2, how)], owner="me", lease_until=9)
        found = store.conversations.get("u1", "c")
        assert found is not None
        return found.sealed_title, found.titled, found.sealed_snippet

    assert after(1_000, ending("stopped", at=1_001)) == (b"", "none", b"")
    named = replace(ending(at=2_001), title=b"first", snippet=b"one")
    assert after(2_000, named) == (b"first", "auto", b"one")
    assert after(3_000, replace(ending(at=3_001), title=b"second", snippet=b"two")) == (b"first", "auto", b"two")
    assert after(4_000, ending("failed", at=4_001)) == (b"first", "auto", b"two")
    assert store.conversations.set_title("u1", "c", b"mine")
    assert after(5_000, replace(ending(at=5_001), title=b"third", snippet=b"three")) == (b"mine", "user", b"three")
    assert not store.conversations.set_title("u2", "c", b"theirs")


def test_edit_and_regenerate_hide_what_they_replace(store: Store) -> None:
    first = finished(store, at=1_000)
    conversation = first.conversation_id
    second = finished(store, at=2_000, conversation=conversation)
    edited = finished(store, at=3_000, conversation=conversation, hide_from=second.user_message_id)
    finished(store, at=4_000, conversation=conversation, hide_ids=(edited.answer_message_id,))
    shown = [message.id for message in store.conversations.messages("u1", conversation, before=None, limit=20)]
    assert second.user_message_id not in shown
    assert second.answer_message_id not in shown
    assert edited.answer_message_id not in shown
    assert first.answer_message_id in shown
    assert store.conversations.message("u1", second.user_message_id) is not None


def test_delete_restore_purge(store: Store) -> None:
    turn = finished(store)
    conversation = turn.conversation_id
    assert not store.conversations.delete("u2", conversation, at=10_000)
    assert store.conversations.delete("u1", conversation, at=10_000)
    assert store.conversations.get("u1", conversation) is None
    assert store.conversations.page("u1", before=None, limit=5) == []
    assert not store.conversations.restore("u1", conversation, deleted_after=10_000)
    assert store.conversations.restore("u1", conversation, deleted_after=9_999)
    assert store.conversations.get("u1", conversation) is not None
    store.conversations.delete("u1", conversation, at=20_000)
    assert store.conversations.purge(deleted_before=20_000, limit=5) == 0
    assert store.conversations.purge(deleted_before=20_001, limit=5) == 1
    assert store.turns.get(turn.id) is None
    assert store.turns.events(turn.id, after=0, limit=5) == []
    assert store.conversations.message("u1", turn.answer_message_id) is None


def test_a_conversation_deleted_under_a_live_turn(store: Store) -> None:
    turn = accepted(store)
    store.conversations.delete("u1", turn.conversation_id, at=10)
    assert not store.turns.commit([last(turn, 2)], owner="me", lease_until=8_000).lost
    assert store.turns.live_of("u1") is None


def test_users_tickets_and_secrets(store: Store) -> None:
    assert store.users.get("u1") is None
    assert store.users.create(user()) == user()
    rival = store.users.create(user())
    assert rival == user()
    assert store.users.set_consent("u1", version="v", overseas=True, at=5)
    found = store.users.get("u1")
    assert found is not None
    assert (found.consent_version, found.consent_overseas, found.consent_at) == ("v", True, 5)
    store.tickets.put("h", b"principal", expires_at=100)
    assert store.tickets.take("other", now=50) is None
    assert store.tickets.take("h", now=50) == b"principal"
    assert store.tickets.take("h", now=50) is None
    store.tickets.put("late", b"principal", expires_at=100)
    assert store.tickets.take("late", now=100) is None
    assert store.secrets.get_or_put("lookup", b"first") == b"first"
    assert store.secrets.get_or_put("lookup", b"second") == b"first"


def test_erasing_a_user_leaves_the_others(store: Store) -> None:
    for name in ("u1", "u2"):
        store.users.create(user(name))
    gone, stays = finished(store, "u1"), finished(store, "u2")
    counts = store.users.erase("u1")
    assert counts["users"] == 1
    assert counts["messages"] == 2
    assert sum(store.users.erase("u1").values()) == 0
    assert store.users.get("u1") is None
    assert store.turns.get(gone.id) is None
    assert store.turns.events(gone.id, after=0, limit=5) == []
    assert len(store.conversations.messages("u2", stays.conversation_id, before=None, limit=5)) == 2
