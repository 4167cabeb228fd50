"""The operators' work: users, cases, word lists. Reasons are asked for, words stay sealed, all of it is written down."""

import json
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.contract.records import LIMITS, draft, ending, last
from tests.unit.services.desk_world import APPID, World
from yunliao.adapters.live_words import LiveWords
from yunliao.errors import CoolingDown, InvalidRequest, NotFound, StoreUnavailable, Suspended
from yunliao.ports_records import VerdictEntry
from yunliao.services.export_moderation import ModerationSection
from yunliao.services.people import Owner

CANARY = "金丝雀-canary-words"


@pytest.fixture
def world() -> World:
    return World()


def wrote(world: World, owner: Owner) -> tuple[str, str]:
    """A conversation and the id of its answer, both with the canary."""
    sent = draft(owner.user_id, at=world.clock.now_ms())
    assert sent.message is not None
    body = owner.seal(sent.message.id, "body", json.dumps({"text": CANARY}).encode())
    world.store.turns.accept(replace(sent, message=replace(sent.message, sealed_body=body)), LIMITS)
    answer = owner.seal(sent.turn.answer_message_id, "body", json.dumps({"text": CANARY + "!"}).encode())
    how = replace(ending(at=world.clock.now_ms() + 5), answer=answer)
    world.store.turns.commit([last(sent.turn, 2, how)], owner="me", lease_until=9)
    return sent.turn.conversation_id, sent.turn.answer_message_id


def stored(world: World) -> str:
    return repr(vars(world.store.cards._tables))  # type: ignore[attr-defined]


# --- users -----------------------------------------------------------------------------------------------------------


def test_a_user_is_found_by_openid_and_by_the_number_the_app_shows(world: World) -> None:
    owner = world.owner()
    world.owner("oPerson_0002")
    assert world.users.find("alice", APPID, "oPerson_0001").id == owner.user_id
    assert world.users.by_number(owner.user_id[:12]).id == owner.user_id
    assert world.users.by_number(owner.user_id).id == owner.user_id
    for nobody in (
        lambda: world.users.find("a", APPID, "oNobody_00001"),
        lambda: world.users.by_number("AAAAAAAAAAAA"),
    ):
        with pytest.raises(NotFound):
            nobody()
    with pytest.raises(InvalidRequest):
        world.users.by_number(owner.user_id[:3])
    assert "oPerson" not in repr(world.audited) + repr(world.users.get(owner.user_id))


def test_a_suspended_user_is_refused_for_the_term_and_no_longer(world: World) -> None:
    owner = world.owner()
    view = world.users.suspend("alice", owner.user_id, "spam in many chats", 3)
    assert view.suspension is not None
    assert (view.suspension.by, view.suspension.reason) == ("alice", "spam in many chats")
    with pytest.raises(Suspended):
        world.owner()
    assert world.owner("oPerson_0002")
    world.clock.advance(3 * 86_400)
    assert world.owner().user_id == owner.user_id
    assert world.users.get(owner.user_id).suspension is None


def test_erasing_the_account_ends_neither_a_suspension_nor_a_break(world: World) -> None:
    owner, quiet = world.owner(), world.owner("oPerson_0002")
    world.users.suspend("alice", owner.user_id, "spam in chats", 3)
    for number in range(3):
        world.store.verdicts.add(replace(entry(world, quiet, "risky"), id=f"v{number}"))
    for one in (owner, quiet):
        world.store.users.erase(one.user_id)
        world.people.forget(one.user_id)
    with pytest.raises(Suspended):
        world.owner()
    assert world.owner("oPerson_0002").cooling_until == world.clock.now_ms() + 1_800_000
    world.clock.advance(3 * 86_400)
    world.store.users.erase(owner.user_id)
    assert world.owner().user_id == owner.user_id
    world.store.cards.expire(now=world.clock.now_ms(), limit=9)
    assert world.users.suspended_until(owner.user_id) == 0


def test_a_suspension_reaches_other_instances_within_ten_seconds(world: World) -> None:
    other = World(world.store, world.clock, world.key_store)
    owner = other.owner()
    world.users.suspend("alice", owner.user_id, "a reason", None)
    world.clock.advance(10)
    with pytest.raises(Suspended):
        other.owner()
    world.users.lift("alice", owner.user_id, "an appeal")
    world.clock.advance(10)
    assert other.owner()


def test_every_act_needs_a_reason_and_a_user(world: World) -> None:
    owner = world.owner()
    for reason in ("", "   ", "abc", "x" * 501):
        with pytest.raises(InvalidRequest):
            world.users.suspend("alice", owner.user_id, reason, 1)
        with pytest.raises(InvalidRequest):
            world.users.conversations("alice", owner.user_id, reason, None, 9)
    with pytest.raises(InvalidRequest):
        world.users.suspend("alice", owner.user_id, "a reason", 0)
    with pytest.raises(NotFound):
        world.users.suspend("alice", "nobody", "a reason", 1)
    assert world.audited == []


def test_words_are_read_with_a_reason_that_is_written_down_first(world: World) -> None:
    owner = world.owner()
    conversation, answer = wrote(world, owner)
    [listed] = world.users.conversations("alice", owner.user_id, "complaint 12", None, 9).items
    assert listed.id == conversation
    page = world.users.messages("alice", owner.user_id, conversation, "complaint 12", None, 9)
    assert [message.text for message in page.items] == [CANARY, CANARY + "!"]
    assert page.items[1].label == "AI 生成"
    assert world.users.message("alice", owner.user_id, answer, "complaint 12").text == CANARY + "!"
    assert [(one.action, one.subject, one.reason) for one in world.audited] == [
        ("user.read", owner.user_id, "complaint 12")
    ] * 3
    assert CANARY not in repr(world.audited)


def test_what_cannot_be_written_down_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = world.owner()
    conversation, _ = wrote(world, owner)

    def away(*_: object, **__: object) -> bool:
        raise StoreUnavailable

    monkeypatch.setattr(world.store.audit, "append", away)
    opened: list[str] = []
    monkeypatch.setattr(world.people, "reader_of", lambda user_id: opened.append(user_id))
    with pytest.raises(StoreUnavailable):
        world.users.messages("alice", owner.user_id, conversation, "complaint 12", None, 9)
    assert opened == []


# --- cases -----------------------------------------------------------------------------------------------------------


def entry(world: World, owner: Owner, suggest: str = "review") -> VerdictEntry:
    return VerdictEntry(
        id="turn_1-question-wechat",
        at=world.clock.now_ms(),
        user_id=owner.user_id,
        turn_id="turn_1",
        place="question",
        layer="wechat",
        suggest=suggest,  # type: ignore[arg-type]
        label=20006,
        trace_id="trace-1",
    )


def test_a_review_verdict_opens_one_case_and_others_none(world: World) -> None:
    owner = world.owner()
    world.cases.follow(entry(world, owner))
    world.cases.follow(entry(world, owner))
    world.cases.follow(entry(world, owner, "risky"))
    [case] = world.cases.page(None, None, 9).cases
    assert (case.kind, case.state, case.layer, case.label, case.trace_id) == (
        "review",
        "open",
        "wechat",
        20006,
        "trace-1",
    )


def test_a_report_opens_a_case_without_the_users_words(world: World) -> None:
    owner = world.owner()
    _, answer = wrote(world, owner)
    world.conversations.report(owner, answer, "privacy", CANARY)
    world.conversations.report(owner, answer, CANARY, CANARY)
    [case] = world.cases.page("open", None, 9).cases
    assert (case.kind, case.message_id, case.reason) == ("report", answer, "privacy")
    assert CANARY not in stored(world)
    read = world.users.message("alice", case.user_id, case.message_id, "case work")
    assert read.feedback is not None and read.feedback.report_comment == CANARY


def test_a_complaint_is_read_with_a_reason_and_goes_with_its_user(world: World) -> None:
    owner = world.owner()
    case_id = world.cases.complain(owner, CANARY)
    assert CANARY not in stored(world) and "canary" not in stored(world)
    assert world.cases.get(case_id).has_words
    assert world.users.complaint("alice", case_id, "case work") == CANARY
    assert world.audited[-1].action == "user.read"
    world.store.users.erase(owner.user_id)
    with pytest.raises(NotFound):
        world.cases.get(case_id)


def test_the_times_of_a_case_stand(world: World) -> None:
    case = world.cases.enter("alice", "a letter from the authority")
    opened = world.clock.now_ms()
    world.clock.advance(3600)
    assert world.cases.get(case.id).waits_ms == 3_600_000
    looked = world.cases.look("bob", case.id)
    world.clock.advance(60)
    assert world.cases.look("carol", case.id) == replace(looked, waits_ms=3_660_000)
    decided = world.cases.decide("alice", case.id, "upheld", "taken down")
    assert (decided.opened_at, decided.looked_at, decided.looked_by) == (opened, opened + 3_600_000, "bob")
    assert (decided.decided_at, decided.decided_by, decided.decision) == (opened + 3_660_000, "alice", "upheld")
    assert (decided.note, decided.waits_ms) == ("taken down", 0)
    with pytest.raises(InvalidRequest):
        world.cases.decide("bob", case.id, "rejected", "again")
    assert [state.id for state in world.cases.page("decided", None, 9).cases] == [case.id]
    assert world.actions() == [("alice", "case.enter"), ("bob", "case.look"), ("alice", "case.decide")]


def test_cases_come_in_pages(world: World) -> None:
    made = []
    for number in range(7):
        world.clock.advance(1)
        made.append(world.cases.enter("alice", f"letter {number}").id)
    seen, before = [], None
    while True:
        page = world.cases.page("open", before, 3)
        seen += [case.id for case in page.cases]
        before = page.next
        if before is None:
            break
    assert seen == made[::-1]
    with pytest.raises(InvalidRequest):
        world.cases.page(None, "nonsense", 3)


def test_the_export_has_what_is_kept_about_the_user_and_nothing_of_operators(world: World) -> None:
    owner, other = world.owner(), world.owner("oPerson_0002")
    section = ModerationSection(verdicts=world.store.verdicts, cases=world.cases, users=world.users)
    for number in range(450):
        world.clock.advance(1)
        world.store.verdicts.add(replace(entry(world, owner), id=f"v{number:03d}"))
    world.store.verdicts.add(replace(entry(world, other), id="stranger"))
    case = world.cases.complain(owner, CANARY)
    world.cases.decide("operator-canary", case, "upheld", "note-canary")
    world.users.suspend("operator-canary", owner.user_id, "spam in chats", 2)
    seen: list[tuple[str, dict[str, object]]] = []
    until, after = world.clock.now_ms(), ""
    while page := section.records(owner, after=after, until=until, limit=100):
        seen += page
        after = page[-1][0]
    assert len(seen) == len({key for key, _ in seen}) == 452
    assert [key for key, _ in seen] == sorted(key for key, _ in seen)
    told = [one for _, one in seen if one["what"] in ("complaint", "suspension")]
    assert {one.get("text") or one.get("reason") for one in told} == {CANARY, "spam in chats"}
    assert "stranger" not in repr(seen) and "operator-canary" not in repr(seen) and "note-canary" not in repr(seen)


# --- word lists --------------------------------------------------------------------------------------------------------


def test_a_new_list_is_in_force_on_every_instance_within_seconds(world: World) -> None:
    other = World(world.store, world.clock, world.key_store)
    assert not other.live_words.search("这里有金丝雀词").blocks
    world.words.add("alice", ["金丝雀词", "", "# a comment", "金丝雀词"], "first")
    world.clock.advance(2)
    assert other.live_words.search("这里有金 丝雀词").blocks
    assert not other.live_words.search("无关").blocks
    world.words.use("alice", 0)
    world.clock.advance(2)
    assert not other.live_words.search("这里有金丝雀词").blocks
    world.words.use("alice", 1)
    world.clock.advance(2)
    assert other.live_words.search("这里有金丝雀词").blocks
    assert other.live_words.version == 1


def test_an_outage_keeps_the_list_that_was_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.words.add("alice", ["金丝雀词"])
    assert world.live_words.search("金丝雀词").blocks

    def away(name: str) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(world.store.registers, "read", away)
    world.clock.advance(60)
    assert world.live_words.search("金丝雀词").blocks


def test_a_part_of_an_answer_is_searched_without_waiting_for_the_store(world: World) -> None:
    later: list[Callable[[], None]] = []
    live = LiveWords((), world.clock, later.append)
    live.follow(world.words.in_force, world.words.words)
    world.words.add("alice", ["金丝雀词"])
    assert not live.search("金丝雀词").blocks  # by the list before
    later.pop()()
    assert live.search("金丝雀词").blocks
    assert later == []
    world.words.use("alice", 0)
    world.clock.advance(2)
    live.refresh()  # a whole message is searched by the list in force
    assert not live.search("金丝雀词").blocks


def test_versions_are_kept_and_shown(world: World) -> None:
    world.words.add("alice", ["one", "two"], "first")
    world.words.add("bob", ["three"], "second")
    assert [(one.version, one.count, one.by, one.in_force) for one in world.words.all()] == [
        (2, 1, "bob", True),
        (1, 2, "alice", False),
    ]
    assert world.words.get(1).words == ["one", "two"]
    with pytest.raises(NotFound):
        world.words.get(3)
    with pytest.raises(NotFound):
        world.words.use("alice", 3)
    world.words.use("alice", 1)
    assert world.words.in_force() == 1
    assert world.words.add("alice", ["four"]).version == 3
    assert [action for _, action in world.actions()] == ["words.add", "words.add", "words.use", "words.add"]


def test_a_text_is_tried_on_a_list_before_it_is_in_force(world: World) -> None:
    world.words.add("alice", ["apple", "pear"])
    assert world.words.test("An ＡＰＰＬＥ a day") == ["apple"]
    assert world.words.test("pineapple") == []
    assert world.words.test("plum and pear", words=["plum", "pear"]) == ["plum", "pear"]
    assert world.words.test("pear", version=0) == []


@pytest.mark.parametrize("words", [["x" * 65], ["..."], ["a\u0007"], [str(number) for number in range(20_001)]])
def test_a_list_that_cannot_be_one_is_refused(world: World, words: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        world.words.add("alice", words)
    assert world.words.in_force() == 0


# --- the break -------------------------------------------------------------------------------------------------------


def test_a_break_stands_in_the_owner_and_is_a_typed_refusal(world: World) -> None:
    owner = world.owner()
    world.store.standing.cool(owner.user_id, until=world.clock.now_ms() + 90_000)
    world.people.forget(owner.user_id)
    assert world.owner().cooling_until == world.clock.now_ms() + 90_000
    assert (CoolingDown.code, CoolingDown.status, CoolingDown.retryable) == ("cooling_down", 429, False)
