"""Over real instances and the gateway: the master key changes while people read; operators' work reaches every
instance; and nothing of it talks."""

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudrun.identity import openid_of
from cloudrun.local import LocalCloudRun
from tests.e2e.phone import LIMIT, Phone, Refused

OLD, NEW = (f"{name}:{base64.b64encode(os.urandom(32)).decode()}" for name in ("old", "new"))
CANARY = "canaryword5512"
PASSWORD = "canary-password-5512"
CONTAINER = Path(__file__).resolve().parents[2] / "container"


def terminal(data: Path, *arguments: str, keys: str, told: str = "") -> subprocess.CompletedProcess[str]:
    """`python3 -m yunliao …` beside the running service."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CONTAINER),
        "YUNLIAO_ENV": "development",
        "YUNLIAO_RELAY_URL": "http://127.0.0.1:9/v1",
        "YUNLIAO_MODEL": "demo-chat",
        "YUNLIAO_APPIDS": "wx0000000000local",
        "YUNLIAO_STORE_URL": f"sqlite:///{data}/yunliao.db",
        "YUNLIAO_MASTER_KEYS": keys,
    }
    return subprocess.run(
        [sys.executable, "-m", "yunliao", *arguments],
        env=environment,
        input=told,
        text=True,
        capture_output=True,
        timeout=LIMIT,
    )


def until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not there():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


# --- keys ------------------------------------------------------------------------------------------------------------


def test_the_master_key_changes_while_people_read_and_write(tmp_path: Path) -> None:
    names = [f"keeper{number}" for number in range(4)]
    conversations = {}
    with LocalCloudRun(instances=1, data=tmp_path, env={"YUNLIAO_MASTER_KEYS": OLD}) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        for name in names:
            conversations[name] = Phone(cloud.url, name).ask(f"{CANARY} {name}")[0]["conversation_id"]
    both = f"{NEW},{OLD}"
    failures: list[str] = []
    over = threading.Event()
    with LocalCloudRun(instances=2, data=tmp_path, env={"YUNLIAO_MASTER_KEYS": both}) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)

        def read(name: str) -> None:
            phone = Phone(cloud.url, name, agree=False)
            while not over.is_set():
                try:
                    found = phone.messages(conversations[name])
                    assert found[0]["text"] == f"{CANARY} {name}"
                except Exception as failed:
                    failures.append(repr(failed))

        readers = [threading.Thread(target=read, args=(name,)) for name in names]
        for reader in readers:
            reader.start()
        first = terminal(tmp_path, "keys", "rotate", keys=both)
        Phone(cloud.url, "newcomer").ask(CANARY)
        second = terminal(tmp_path, "keys", "rotate", keys=both)
        over.set()
        for reader in readers:
            reader.join(LIMIT)
    assert failures == []
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "Nothing is wrapped by old any more" in first.stdout
    with LocalCloudRun(instances=1, data=tmp_path, env={"YUNLIAO_MASTER_KEYS": NEW}) as cloud:
        for name in names:
            assert Phone(cloud.url, name).messages(conversations[name])[0]["text"] == f"{CANARY} {name}"
    gone = terminal(tmp_path, "keys", "status", keys=OLD)
    assert gone.returncode == 4
    assert "'new'" in gone.stderr
    for said in (first, second, gone):
        assert all(key.partition(":")[2] not in said.stdout + said.stderr for key in (OLD, NEW))


# --- operators ---------------------------------------------------------------------------------------------------------


class Desk:
    """An operator at one instance's port: what reaches a container past WeChat's link."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.token = port, token

    def call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        try:
            connection.request(method, f"/op/v1{path}", json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(answer.status, found["error"])
        return found


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def service(data: Path) -> Iterator[LocalCloudRun]:
    settings = {
        "YUNLIAO_MASTER_KEYS": OLD,
        "YUNLIAO_COOLDOWN": "3/10minute/30minute",
        "YUNLIAO_RATE_LIMIT": "1000/minute",
        "YUNLIAO_OPERATORS_IN_MINIPROGRAM": "on",
    }
    with LocalCloudRun(instances=2, data=data, env=settings) as cloud:
        cloud.relay(first_token_ms=0, tokens_per_second=0)
        yield cloud


@pytest.fixture(scope="module")
def desks(service: LocalCloudRun, data: Path) -> list[Desk]:
    """One at each instance, by the same session."""
    made = terminal(data, "operators", "add", "alice", "--role", "owner", "--ask", keys=OLD, told=PASSWORD + "\n")
    assert made.returncode == 0, made.stderr
    ports = [int(instance["url"].rpartition(":")[2]) for instance in service.state()["instances"]]
    token = Desk(ports[0]).call("POST", "/login", {"name": "alice", "password": PASSWORD})["token"]
    return [Desk(port, token) for port in ports]


def found(desk: Desk, user: str) -> str:
    return str(desk.call("POST", "/users/find", {"openid": openid_of(user), "appid": "wx0000000000local"})["id"])


def refusal(act: Callable[[], Any]) -> str:
    try:
        act()
    except Refused as refused:
        return str(refused.code)
    return ""


def test_a_session_holds_on_every_instance(desks: list[Desk]) -> None:
    assert [desk.call("GET", "/me")["name"] for desk in desks] == ["alice", "alice"]


def test_through_the_gateway_only_the_bound_user_gets_in(service: LocalCloudRun, desks: list[Desk]) -> None:
    phone, other = Phone(service.url, "operator-user"), Phone(service.url, "somebody")
    assert refusal(lambda: phone.call("GET", "/op/v1/me")) == "operator_login"
    outside = {"Authorization": f"Bearer {desks[0].token}"}
    assert refusal(lambda: phone.call("GET", "/op/v1/me", headers=outside)) == "operator_login"
    code = desks[0].call("POST", "/bindings", {})["code"]
    bound = {"Authorization": f"Bearer {phone.call('POST', '/v1/operator/bind', {'code': code})['token']}"}
    assert phone.call("GET", "/op/v1/me", headers=bound)["role"] == "owner"
    assert refusal(lambda: other.call("GET", "/op/v1/me", headers=bound)) == "operator_login"
    forged = {**bound, "X-WX-OPENID": openid_of("operator-user")}
    assert refusal(lambda: other.call("GET", "/op/v1/me", headers=forged)) == "operator_login"


def test_a_suspension_reaches_both_instances(service: LocalCloudRun, desks: list[Desk]) -> None:
    phone = Phone(service.url, "suspended-user")
    phone.ask("你好")
    user_id = found(desks[1], "suspended-user")
    desks[0].call("POST", f"/users/{user_id}/suspend", {"reason": "spam in chats", "days": 1})
    until(
        lambda: all(refusal(lambda: phone.call("GET", "/v1/conversations")) == "suspended" for _ in range(6)),
        "suspended everywhere",
    )
    desks[1].call("POST", f"/users/{user_id}/lift", {"reason": "an appeal"})
    until(
        lambda: all(refusal(lambda: phone.call("GET", "/v1/conversations")) == "" for _ in range(6)), "back everywhere"
    )


def test_a_word_list_blocks_on_both_instances_and_repeated_blocks_lead_to_a_break(
    service: LocalCloudRun, desks: list[Desk]
) -> None:
    desks[0].call("POST", "/words", {"words": [CANARY], "note": "trial"})
    until(lambda: Phone(service.url, "trier").ask("你好")[-1]["reason"] == "complete", "an answer")
    until(
        lambda: [desk.call("GET", "/words")["in_use_here"] for desk in desks] == [1, 1] or tried(service),
        "both by the list",
    )
    phone = Phone(service.url, "blocked-user")
    for _ in range(3):
        assert phone.ask(f"一句 {CANARY}")[-1]["error"]["code"] == "blocked_input"
    until(lambda: refusal(lambda: phone.ask("你好")) == "cooling_down", "the break everywhere")
    log = desks[1].call("GET", f"/users/{found(desks[1], 'blocked-user')}/verdicts")["verdicts"]
    assert len(log) == 3
    assert {(one["layer"], one["suggest"]) for one in log} == {("words", "risky")}


def tried(service: LocalCloudRun) -> bool:
    """A word list is looked at when a text is searched: let both instances search one."""
    for number in range(4):
        Phone(service.url, f"trier-{time.monotonic_ns()}-{number}").ask("你好")
    return False


def test_a_review_verdict_of_the_platform_waits_for_a_person(service: LocalCloudRun, desks: list[Desk]) -> None:
    phone = Phone(service.url, "review-user")
    assert phone.ask("这里有 review-demo")[-1]["error"]["code"] == "blocked_input"
    cases = desks[0].call("GET", "/cases?state=open")["cases"]
    [case] = [one for one in cases if one["user_id"] == found(desks[0], "review-user")]
    assert (case["kind"], case["layer"]) == ("review", "wechat")
    assert case["trace_id"]
    desks[1].call("POST", f"/cases/{case['id']}/look", {})
    decided = desks[0].call("POST", f"/cases/{case['id']}/decide", {"decision": "noted", "note": "looked at"})
    assert decided["looked_by"] == decided["decided_by"] == "alice"


def test_search_over_the_gateway_finds_what_was_said(service: LocalCloudRun) -> None:
    phone = Phone(service.url, "searcher")
    phone.ask("怎么做红烧肉")
    hits = phone.call("POST", "/v1/search", {"q": "红烧肉"})["results"]
    assert {"title", "question"} <= {hit["kind"] for hit in hits}


def test_the_audit_log_is_whole_and_nothing_of_all_this_talks(
    service: LocalCloudRun, desks: list[Desk], data: Path
) -> None:
    said = terminal(data, "audit", "verify", keys=OLD)
    assert said.returncode == 0, said.stdout + said.stderr
    for path in data.rglob("*"):
        if not path.is_file() or path.name == "master-keys":
            continue
        content = path.read_bytes()
        for canary in (
            PASSWORD,
            CANARY,
            desks[0].token,
            "spam in chats",
            "红烧肉",
            *map(openid_of, ("blocked-user", "searcher")),
        ):
            assert canary.encode() not in content, (path.name, canary)
