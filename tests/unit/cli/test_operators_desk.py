"""The operators' commands from the outside: what they print, what they end with, and what the audit log then holds."""

import io
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run, environment
from yunliao.bootstrap import build_services
from yunliao.domain.principal import Principal
from yunliao.settings import Settings

OPENID = "oCanaryPerson_0001"


@pytest.fixture
def user_id(tmp_path: Path) -> str:
    """A user with a conversation."""
    services = build_services(Settings.from_env(environment(tmp_path)))
    _, owner = services.people.enrol(Principal(openid=OPENID, appid="wxapp"))
    services.conversations.create(owner, "canary title")
    services.close()
    return owner.user_id


def test_an_account_from_its_first_password_to_its_end(run: Run, tmp_path: Path) -> None:
    code, said = run("operators", "add", "alice", "--role", "owner")
    assert code == 0
    password = said.split("alice: ")[1].split("\n")[0]
    services = build_services(Settings.from_env(environment(tmp_path)))
    assert services.operators.login("alice", password).role == "owner"  # by the true scrypt
    services.close()
    assert "owner" in run("operators", "list")[1]
    assert run("operators", "role", "alice", "viewer")[0] == 0
    assert "1 sessions ended" in run("operators", "logout", "alice")[1]
    assert len(run("operators", "session", "alice")[1].split("\n")[0]) > 40
    assert run("operators", "disable", "alice")[0] == 0
    assert "disabled" in run("operators", "list")[1]
    assert run("operators", "add", "alice")[0] == 1
    assert run("operators", "role", "nobody", "owner")[0] == 1


def test_a_password_may_be_given(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a-password-of-ones-own\n"))
    code, said = run("operators", "add", "bob", "--ask")
    assert code == 0 and "a-password" not in said


def test_users_are_found_suspended_lifted_and_read(
    run: Run, user_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert user_id in run("users", "find", user_id[:12])[1]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{OPENID}\n"))
    assert user_id in run("users", "find", "--appid", "wxapp")[1]
    code, said = run("users", "suspend", user_id, "--reason", "spam in chats", "--days", "3")
    assert code == 0 and "spam in chats" in said
    assert "suspended" not in run("users", "lift", user_id, "--reason", "an appeal")[1]
    assert "canary title" in run("users", "read", user_id, "--reason", "complaint 7")[1]
    assert run("users", "verdicts")[0] == 0
    assert run("users", "suspend", "nobody", "--reason", "spam in chats")[0] == 1
    shown = run("audit", "show")[1]
    for action in ("user.find", "user.suspend", "user.lift", "user.read"):
        assert action in shown
    assert "complaint 7" in shown
    assert OPENID not in shown + capsys.readouterr().err


def test_cases_from_entering_to_the_decision(run: Run, user_id: str) -> None:
    _, said = run("cases", "enter", "a letter", "--user", user_id)
    case_id = said.split('"id": "')[1].split('"')[0]
    assert "waits" in run("cases", "list", "--state", "open")[1]
    assert '"looked_by": "terminal"' in run("cases", "look", case_id)[1]
    assert run("cases", "decide", case_id, "noted", "--note", "answered by letter")[0] == 0
    assert run("cases", "decide", case_id, "noted", "--note", "again")[0] == 1
    assert '"decision": "noted"' in run("cases", "show", case_id)[1]


def test_word_lists_from_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = tmp_path / "list.txt"
    words.write_text("金丝雀词\n# a comment\nsecond\n", encoding="utf-8")
    assert "Version 1 with 2 words is in force" in run("words", "add", str(words), "--note", "first")[1]
    monkeypatch.setattr("sys.stdin", io.StringIO("这里有金丝雀词"))
    assert run("words", "test") == (1, "金丝雀词\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("无关"))
    assert run("words", "test") == (0, "")
    assert "in force" in run("words", "list")[1]
    assert run("words", "show", "1")[1] == "金丝雀词\nsecond\n"
    assert run("words", "use", "0")[0] == 0
    assert run("words", "use", "9")[0] == 1
    assert run("words", "add", str(tmp_path / "none.txt"))[0] == 1


def test_the_audit_log_verifies_and_shows_what_was_changed(run: Run, user_id: str, tmp_path: Path) -> None:
    for number in range(3):
        run("users", "suspend", user_id, "--reason", f"reason {number}", "--days", "1")
    code, said = run("audit", "verify")
    assert code == 0 and "3 entries, whole" in said
    head = said.split("Head: ")[1].split("\n")[0]
    assert run("audit", "verify", "--expect", head)[0] == 0
    assert run("audit", "verify", "--expect", "nonsense")[0] == 2
    services = build_services(Settings.from_env(environment(tmp_path)))
    database = services.store._database  # type: ignore[attr-defined]
    with database.write() as connection:
        connection.execute("UPDATE audit SET at = at + 1 WHERE seq = 2")
    services.close()
    code, said = run("audit", "verify")
    assert code == 1 and "entry 2 was changed" in said


def test_a_relay_is_switched_off_and_on_and_tried(run: Run) -> None:
    [name] = [line.split()[0] for line in run("relays", "list")[1].splitlines()]
    code, said = run("relays", "off", name, "--reason", "wrong answers")
    assert code == 0 and "by terminal: wrong answers" in said and "No upstream answers for" in said
    assert run("relays", "list")[1] == said
    code, tried = run("relays", "test", name)
    assert code == 1 and "relay_" in tried
    code, said = run("relays", "on", name)
    assert code == 0 and "off" not in said
    assert run("relays", "on", "nobody")[0] == 1
