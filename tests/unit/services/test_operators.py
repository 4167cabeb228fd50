"""Accounts, log-ins and sessions: nothing but a password or a one-time code makes an operator."""

import pytest

from tests.unit.services.desk_world import World
from yunliao.errors import InvalidRequest, NotFound, OperatorLogin, OperatorRole, RateLimited, StoreUnavailable
from yunliao.services.login_guard import PER_NAME, TOGETHER
from yunliao.services.operators import BOUND_MS, CODE_MS, ROLES, SESSION_MS, Operator

PASSWORD = "canary-password-1"


@pytest.fixture
def world() -> World:
    made = World()
    made.operators.add("terminal", "alice", "operator", PASSWORD)
    return made


def test_a_password_opens_a_session_and_the_session_says_who(world: World) -> None:
    session = world.operators.login("alice", PASSWORD)
    assert (session.name, session.role) == ("alice", "operator")
    assert session.expires_at == world.clock.now_ms() + SESSION_MS
    assert world.operators.check(session.token) == Operator("alice", "operator")


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong-password"), ("nobody", PASSWORD), ("a b", PASSWORD), ("alice", "x" * 999)]
)
def test_anything_else_is_refused_the_same_way(world: World, name: str, password: str) -> None:
    before = world.passwords.looked_at
    with pytest.raises(OperatorLogin) as refused:
        world.operators.login(name, password)
    assert refused.value.detail == ""
    assert world.passwords.looked_at == before + (len(password) < 999)  # a name that there is not takes as long


def test_a_session_ends_by_itself_and_by_hand(world: World) -> None:
    first, second = world.operators.login("alice", PASSWORD), world.operators.login("alice", PASSWORD)
    world.operators.logout(first.token)
    world.operators.logout(first.token)
    with pytest.raises(OperatorLogin):
        world.operators.check(first.token)
    world.clock.advance(SESSION_MS / 1000 - 1)
    world.operators.check(second.token)
    world.clock.advance(1)
    with pytest.raises(OperatorLogin):
        world.operators.check(second.token)


def test_disabling_and_a_new_password_end_every_session_and_code(world: World) -> None:
    session = world.operators.login("alice", PASSWORD)
    code = world.operators.binding_code(Operator("alice", "operator"))
    world.operators.disable("terminal", "alice")
    with pytest.raises(OperatorLogin):
        world.operators.check(session.token)
    with pytest.raises(OperatorLogin):
        world.operators.login("alice", PASSWORD)
    world.operators.disable("terminal", "alice", disabled=False)
    with pytest.raises(OperatorLogin):
        world.operators.check(session.token)
    with pytest.raises(OperatorLogin):
        world.operators.bind("u1", code.code)
    session = world.operators.login("alice", PASSWORD)
    made = world.operators.set_password("terminal", "alice")
    with pytest.raises(OperatorLogin):
        world.operators.check(session.token)
    world.operators.login("alice", made)


def test_a_role_holds_from_the_next_request_on(world: World) -> None:
    token = world.operators.login("alice", PASSWORD).token
    world.operators.set_role("terminal", "alice", "viewer")
    operator = world.operators.check(token)
    with pytest.raises(OperatorRole):
        operator.require("operator")
    for place, role in enumerate(ROLES):
        for least in ROLES[: place + 1]:
            Operator("x", role).require(least)


def test_guessing_is_stopped_over_all_instances_and_the_password_is_not_looked_at(world: World) -> None:
    other = World(world.store, world.clock)
    for number in range(PER_NAME):
        with pytest.raises(OperatorLogin):
            (world, other)[number % 2].operators.login("alice", f"guess-number-{number}")
    before = world.passwords.looked_at
    with pytest.raises(RateLimited) as stopped:
        world.operators.login("alice", PASSWORD)
    assert world.passwords.looked_at == before
    assert stopped.value.retry_after
    world.clock.advance(stopped.value.retry_after + 1)
    world.operators.login("alice", PASSWORD)
    for _ in range(2 * PER_NAME):
        world.operators.login("alice", PASSWORD)  # a log-in that works is forgiven


def test_many_names_do_not_help(world: World) -> None:
    refused = 0
    for number in range(TOGETHER + 20):
        try:
            world.operators.login(f"name{number}", "guess")
        except OperatorLogin:
            refused += 1
        except RateLimited:
            pass
    assert refused <= TOGETHER
    with pytest.raises(RateLimited):
        world.operators.login("alice", PASSWORD)
    assert world.operators.check(world.operators.session_for("alice").token)  # the terminal's way in


def test_names_and_passwords_have_rules(world: World) -> None:
    for name in ("", "alice", "terminal", "a b", "-a", "x" * 33, "操作"):
        with pytest.raises(InvalidRequest):
            world.operators.add("terminal", name, "viewer")
    for password in ("short", "aaaaaaaaaaaaaaaa", "x" * 201):
        with pytest.raises(InvalidRequest):
            world.operators.add("terminal", "bob", "viewer", password)
    with pytest.raises(NotFound):
        world.operators.set_role("terminal", "bob", "owner")


def test_made_passwords_differ_and_open(world: World) -> None:
    one, two = world.operators.add("t", "bob", "viewer"), world.operators.add("t", "carol", "viewer")
    assert one != two and len(one) >= 16
    world.operators.login("bob", one)


def test_nothing_of_a_password_or_token_is_stored_or_written_down(world: World) -> None:
    token = world.operators.login("alice", PASSWORD).token
    code = world.operators.binding_code(Operator("alice", "operator")).code
    tables = world.store.cards._tables  # type: ignore[attr-defined]
    everything = repr(tables.cards) + repr(tables.registers) + repr(world.audited)
    for secret in (PASSWORD, PASSWORD[::-1], token, code):
        assert secret not in everything


# --- inside the mini-program -----------------------------------------------------------------------------------------


def test_a_code_binds_one_user_once(world: World) -> None:
    code = world.operators.binding_code(Operator("alice", "operator"))
    session = world.operators.bind("user1", f" {code.code.lower()} ")
    assert session.expires_at == world.clock.now_ms() + BOUND_MS
    assert world.operators.check(session.token, "user1") == Operator("alice", "operator")
    with pytest.raises(OperatorLogin):
        world.operators.bind("user2", code.code)


def test_a_bound_token_is_good_for_that_user_alone_and_nowhere_else(world: World) -> None:
    token = world.operators.bind("user1", world.operators.binding_code(Operator("alice", "operator")).code).token
    outside = world.operators.login("alice", PASSWORD).token
    for wrong, user in ((token, ""), (token, "user2"), (outside, "user1"), ("", "user1"), ("x", "")):
        with pytest.raises(OperatorLogin):
            world.operators.check(wrong, user)


def test_a_code_is_good_for_ten_minutes_and_guessing_it_is_stopped(world: World) -> None:
    code = world.operators.binding_code(Operator("alice", "operator"))
    world.clock.advance(CODE_MS / 1000)
    with pytest.raises(OperatorLogin):
        world.operators.bind("user1", code.code)
    for _ in range(PER_NAME - 1):
        with pytest.raises(OperatorLogin):
            world.operators.bind("user1", "AAAAAAAAAAAA")
    with pytest.raises(RateLimited):
        world.operators.bind("user1", world.operators.binding_code(Operator("alice", "operator")).code)


# --- the audit log ----------------------------------------------------------------------------------------------------


def test_every_action_is_written_down_with_who_did_it(world: World) -> None:
    with pytest.raises(OperatorLogin):
        world.operators.login("alice", "wrong-password")
    with pytest.raises(OperatorLogin):
        world.operators.login("nobody-canary", "wrong-password")
    world.operators.login("alice", PASSWORD)
    world.operators.set_role("owner1", "alice", "viewer")
    world.operators.set_password("owner1", "alice")
    world.operators.disable("owner1", "alice")
    world.operators.disable("owner1", "alice", disabled=False)
    world.operators.logout_all("owner1", "alice")
    world.operators.session_for("alice")
    code = world.operators.binding_code(Operator("alice", "viewer"))
    world.operators.bind("user1", code.code)
    assert world.actions() == [
        ("terminal", "operator.add"),
        ("alice", "login.refused"),
        ("?", "login.refused"),
        ("alice", "login"),
        ("owner1", "operator.role"),
        ("owner1", "operator.password"),
        ("owner1", "operator.disable"),
        ("owner1", "operator.enable"),
        ("owner1", "operator.logout"),
        ("terminal", "login.terminal"),
        ("alice", "operator.code"),
        ("alice", "operator.bind"),
    ]
    assert "nobody-canary" not in repr(world.audited)
    assert world.audit.verify().problem == ""


def test_what_cannot_be_written_down_does_not_happen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> int:
        raise StoreUnavailable

    monkeypatch.setattr(world.audit, "note", away)
    for act in (
        lambda: world.operators.add("t", "bob", "owner"),
        lambda: world.operators.set_role("t", "alice", "owner"),
        lambda: world.operators.login("alice", PASSWORD),
        lambda: world.operators.session_for("alice"),
    ):
        with pytest.raises(StoreUnavailable):
            act()
    assert [(one.name, one.role) for one in world.operators.all()] == [("alice", "operator")]
    assert world.store.cards.page("operator-token", state=None, owner=None, before=None, limit=9) == []
