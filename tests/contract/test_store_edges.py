"""The corners of the ports, over every store: order of decisions, whose records, limits, positions, late endings."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.contract.records import LIMITS, draft, ending, last, rows, user
from yunliao.domain.turn import Ending, Turn
from yunliao.ports import AcceptLimits, CommitResult, EventRow, Store, TurnWrite

ONE = AcceptLimits(rate=1, window_ms=60_000)


def accepted(store: Store, user_id: str = "u1", **kwargs: object) -> Turn:
    outcome = store.turns.accept(draft(user_id, **kwargs), LIMITS)  # type: ignore[arg-type]
    assert outcome.status == "accepted"
    assert outcome.turn is not None
    return outcome.turn


def end(store: Store, turn: Turn, how: Ending | None = None) -> None:
    stored = store.turns.get(turn.id)
    assert stored is not None
    result = store.turns.commit([last(turn, stored.last_seq + 1, how)], owner="me", lease_until=9_000)
    assert result == CommitResult()


def finished(store: Store, user_id: str = "u1", *, at: int = 1_000, **kwargs: object) -> Turn:
    turn = accepted(store, user_id, at=at, **kwargs)
    end(store, turn, ending(at=at + 10))
    return turn


def test_a_repeated_client_id_comes_before_every_refusal(store: Store) -> None:
    first = accepted(store, client_id="same-one")
    again = draft(client_id="same-one", conversation=first.conversation_id)
    assert store.turns.accept(again, ONE).status == "existing"
    store.conversations.delete("u1", first.conversation_id, at=5)
    assert store.turns.accept(again, ONE).status == "existing"


def test_a_deleted_conversation_comes_before_a_live_turn_and_that_before_the_rate(store: Store) -> None:
    gone = finished(store)
    store.conversations.delete("u1", gone.conversation_id, at=5)
    live = accepted(store)
    into_gone = store.turns.accept(draft(conversation=gone.conversation_id), ONE)
    assert into_gone.status == "no_conversation"
    busy = store.turns.accept(draft(), ONE)
    assert (busy.status, busy.turn) == ("turn_in_progress", live)
    end(store, live)
    assert store.turns.accept(draft(), ONE).status == "rate_limited"


def test_the_rate_of_one_user_is_not_anothers(store: Store) -> None:
    finished(store, at=1_000)
    assert store.turns.accept(draft("u2", at=1_000), ONE).status == "accepted"
    late = store.turns.accept(draft("u1", at=60_999), ONE)
    assert (late.status, late.retry_after_ms) == ("rate_limited", 1)
    assert store.turns.accept(draft("u1", at=61_000), ONE).status == "accepted"


def test_asking_again_writes_no_message_of_the_user(store: Store) -> None:
    first = finished(store)
    again = draft(conversation=first.conversation_id, at=2_000, hide_ids=(first.answer_message_id,))
    again = replace(again, message=None, turn=replace(again.turn, kind="regenerate", source_turn_id=first.id))
    assert store.turns.accept(again, LIMITS).status == "accepted"
    end(store, again.turn)
    shown = store.conversations.messages("u1", first.conversation_id, before=None, limit=10)
    assert [message.id for message in shown] == [again.turn.answer_message_id, first.user_message_id]
    assert store.turns.get(again.turn.id) == replace(
        again.turn, state="ended", last_seq=2, ended_at=2_000, end_reason="complete"
    )


def test_hiding_reaches_nobody_elses_messages(store: Store) -> None:
    theirs, mine = finished(store, "u2"), finished(store, "u1")
    accepted(
        store,
        conversation=mine.conversation_id,
        hide_from=theirs.user_message_id,
        hide_ids=(theirs.answer_message_id,),
    )
    for name, turn in (("u1", mine), ("u2", theirs)):
        shown = {
            message.id for message in store.conversations.messages(name, turn.conversation_id, before=None, limit=9)
        }
        assert {turn.user_message_id, turn.answer_message_id} <= shown


def test_the_new_message_of_an_edit_is_shown(store: Store) -> None:
    first = finished(store, at=1_000)
    edit = accepted(store, at=1_000, conversation=first.conversation_id, hide_from=first.user_message_id)
    shown = store.conversations.messages("u1", first.conversation_id, before=None, limit=9)
    assert [message.id for message in shown] == [edit.user_message_id]


def test_an_ending_without_an_answer_keeps_no_message(store: Store) -> None:
    turn = accepted(store)
    end(store, turn, replace(ending("stopped"), answer=None))
    assert store.conversations.message("u1", turn.answer_message_id) is None
    shown = store.conversations.messages("u1", turn.conversation_id, before=None, limit=9)
    assert [message.id for message in shown] == [turn.user_message_id]


def test_activity_never_goes_back(store: Store) -> None:
    first = finished(store, at=50_000)
    second = accepted(store, at=40_000, conversation=first.conversation_id)
    end(store, second, ending(at=41_000))
    found = store.conversations.get("u1", first.conversation_id)
    assert found is not None
    assert (found.last_activity_at, found.live_turn_id) == (50_010, "")


def test_nothing_to_commit_is_no_trouble(store: Store) -> None:
    assert store.turns.commit([], owner="me", lease_until=1) == CommitResult()
    assert store.turns.commit([TurnWrite(turn_id="turn_none")], owner="me", lease_until=1).lost == {"turn_none"}


def test_one_turn_twice_in_one_commit_goes_on_from_itself(store: Store) -> None:
    turn = accepted(store)
    writes = [TurnWrite(turn_id=turn.id, rows=rows(2, 2), state="running"), last(turn, 4)]
    assert store.turns.commit(writes, owner="me", lease_until=9_000) == CommitResult()
    assert [row.seq for row in store.turns.events(turn.id, after=0, limit=10)] == [1, 2, 3, 4]
    assert store.turns.live_of("u1") is None


def test_an_ending_for_what_was_purged_or_erased_is_lost(store: Store) -> None:
    purged, erased = accepted(store, "u1"), accepted(store, "u2")
    store.conversations.delete("u1", purged.conversation_id, at=10)
    assert store.conversations.purge(deleted_before=11, limit=5) == 1
    store.users.erase("u2")
    writes = [last(purged, 2), last(erased, 2)]
    assert store.turns.commit(writes, owner="me", lease_until=9_000).lost == {purged.id, erased.id}
    assert store.conversations.message("u1", purged.answer_message_id) is None
    assert store.conversations.message("u2", erased.answer_message_id) is None


def test_a_conversation_restored_after_its_turn_ended_has_the_answer(store: Store) -> None:
    turn = accepted(store)
    store.conversations.delete("u1", turn.conversation_id, at=10)
    end(store, turn)
    assert store.conversations.restore("u1", turn.conversation_id, deleted_after=5)
    found = store.conversations.get("u1", turn.conversation_id)
    assert found is not None
    assert found.live_turn_id == ""
    shown = store.conversations.messages("u1", turn.conversation_id, before=None, limit=9)
    assert [message.role for message in shown] == ["assistant", "user"]


def test_a_stop_outlives_a_takeover_and_does_nothing_after_the_end(store: Store) -> None:
    turn = accepted(store, lease_until=10)
    store.turns.request_stop(turn.id)
    claimed = store.turns.claim(turn.id, owner="heir", lease_until=900, now=20)
    assert claimed is not None
    assert claimed.stop_requested
    renewed = store.turns.commit([TurnWrite(turn_id=turn.id)], owner="heir", lease_until=900)
    assert renewed == CommitResult(stops=frozenset({turn.id}))
    assert not store.turns.commit([last(turn, 2)], owner="heir", lease_until=900).lost
    done = finished(store, "u2")
    store.turns.request_stop(done.id)
    stored = store.turns.get(done.id)
    assert stored is not None
    assert not stored.stop_requested
    assert store.turns.claim(turn.id, owner="late", lease_until=9_000, now=5_000) is None


def test_abandoned_turns_come_oldest_first_and_limited(store: Store) -> None:
    made = {lease: accepted(store, f"u{lease}", lease_until=lease) for lease in (30, 10, 40, 20)}
    assert [turn.id for turn in store.turns.abandoned(now=40, limit=2)] == [made[10].id, made[20].id]
    assert len(store.turns.abandoned(now=40, limit=9)) == 3


def test_expiry_and_purge_keep_to_their_limit(store: Store) -> None:
    for number in range(5):
        turn = finished(store, f"u{number}")
        store.conversations.delete(f"u{number}", turn.conversation_id, at=100)
    assert [store.turns.expire_events(ended_before=1_011, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert [store.conversations.purge(deleted_before=101, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_events_of_a_long_answer_come_in_pages_without_a_gap(store: Store) -> None:
    turn = accepted(store)
    store.turns.commit([TurnWrite(turn_id=turn.id, rows=rows(2, 99))], owner="me", lease_until=9_000)
    seen: list[EventRow] = []
    while page := store.turns.events(turn.id, after=seen[-1].seq if seen else 0, limit=7):
        seen += page
    assert [row.seq for row in seen] == list(range(1, 101))
    assert seen[1:] == list(rows(2, 99))


def test_messages_of_one_moment_come_in_pages_once_each(store: Store) -> None:
    turn = finished(store, at=1_000)
    for _ in range(4):
        finished(store, at=1_000, conversation=turn.conversation_id)
    seen: list[str] = []
    before = None
    while page := store.conversations.messages("u1", turn.conversation_id, before=before, limit=3):
        seen += [message.id for message in page]
        before = (page[-1].created_at, page[-1].id)
    assert len(seen) == len(set(seen)) == 10


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**200])
def test_a_position_may_be_any_number(store: Store, number: int) -> None:
    """Cursors come from callers; one beyond all records finds all or none, and is no fault."""
    turn = finished(store)
    assert store.turns.events(turn.id, after=number, limit=10) == []
    assert len(store.turns.events(turn.id, after=-number, limit=10)) == 2
    for before, pages, messages in (((number, "x"), 1, 2), ((-number, "x"), 0, 0)):
        assert len(store.conversations.page("u1", before=before, limit=10)) == pages
        assert len(store.conversations.messages("u1", turn.conversation_id, before=before, limit=10)) == messages


def test_nobody_reaches_anothers_records(store: Store) -> None:
    turn = finished(store)
    conversation, answer = turn.conversation_id, turn.answer_message_id
    rooms = store.conversations
    before = (rooms.get("u1", conversation), rooms.message("u1", answer))
    assert not rooms.set_title("u2", conversation, b"theirs")
    assert not rooms.set_feedback("u2", answer, b"theirs")
    assert not rooms.delete("u2", conversation, at=5)
    assert not rooms.restore("u2", conversation, deleted_after=0)
    assert rooms.get("u2", conversation) is None
    assert rooms.message("u2", answer) is None
    assert rooms.messages("u2", conversation, before=None, limit=9) == []
    assert rooms.page("u2", before=None, limit=9) == []
    assert (rooms.get("u1", conversation), rooms.message("u1", answer)) == before


def test_feedback_is_kept(store: Store) -> None:
    turn = finished(store)
    assert store.conversations.set_feedback("u1", turn.answer_message_id, b"up")
    assert not store.conversations.set_feedback("u1", "msg_none", b"up")
    answer = store.conversations.message("u1", turn.answer_message_id)
    assert answer is not None
    assert answer.sealed_feedback == b"up"


def test_a_deletion_counts_once_and_what_stands_is_not_restored(store: Store) -> None:
    turn = finished(store)
    assert not store.conversations.restore("u1", turn.conversation_id, deleted_after=0)
    assert store.conversations.delete("u1", turn.conversation_id, at=100)
    assert not store.conversations.delete("u1", turn.conversation_id, at=200)
    assert not store.conversations.set_title("u1", turn.conversation_id, b"new")
    assert store.conversations.purge(deleted_before=101, limit=5) == 1


def test_the_first_of_two_users_stays(store: Store) -> None:
    first = user("u1")
    assert store.users.create(first) == first
    assert store.users.create(replace(first, wrapped_key=b"other", created_at=9)) == first
    assert not store.users.set_consent("nobody", version="v", overseas=False, at=1)


STEPS = st.tuples(
    st.integers(0, 2),
    st.integers(-1, 2),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["me", "me", "me", "other"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60, print_blob=True)
@given(st.lists(st.lists(STEPS, max_size=4), max_size=8))
def test_a_log_is_always_1_2_3_whatever_is_committed(
    store: Store, commits: list[list[tuple[int, int, int, bool, str]]]
) -> None:
    """Random group commits with right and wrong positions and owners, beside a model that only counts."""
    prefix = draft().turn.id
    turns = [accepted(store, f"{prefix}-{number}") for number in range(3)]
    seqs, live = [1, 1, 1], [True, True, True]
    for steps in commits:
        for owner in ("me", "other"):
            writes, lost = [], set()
            for which, offset, count, ends, by in steps:
                if by != owner:
                    continue
                turn = turns[which]
                new = rows(seqs[which] + 1 + offset, count + ends)
                writes.append(TurnWrite(turn_id=turn.id, rows=new, ending=ending() if ends else None))
                if owner == "me" and live[which] and (offset == 0 or not new):
                    seqs[which] += len(new)
                    live[which] = not ends
                else:
                    lost.add(turn.id)
            assert store.turns.commit(writes, owner=owner, lease_until=9_000).lost == lost
    for which, turn in enumerate(turns):
        stored = store.turns.get(turn.id)
        assert stored is not None
        assert (stored.last_seq, stored.live) == (seqs[which], live[which])
        log = store.turns.events(turn.id, after=0, limit=1_000)
        assert [row.seq for row in log] == list(range(1, seqs[which] + 1))
        assert (store.conversations.message(turn.user_id, turn.answer_message_id) is None) == live[which]
