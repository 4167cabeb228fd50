"""Every way on which AI text can leave carries the operator's label (P12): a route or a call of the phone that is new is
an exit until it is said here that it is none.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask

from tests.integration.people.stack import Instance, Person, Stack, stack
from yunliao.domain.letters import parts
from yunliao.web.desk import AI_TEXT as DESK_AI_TEXT
from yunliao.web.user import AI_TEXT

ROOT = Path(__file__).resolve().parents[2]
LABEL = "本条由人工智能合成"
WITHOUT_AI_TEXT = {
    **{f"user.{name}": "an order, answered by the state of the turn" for name in ("stop",)},
    **{f"user.{name}": "who is calling and what they chose" for name in ("me", "consent", "withdraw")},
    **{f"user.{name}": "that it was done, with counts" for name in ("delete", "erase", "feedback", "report")},
    "user.tickets": "a ticket",
    "user.check_receipt": "yes or no",
    "user.models": "names of models",
    **{f"user.{name}": "amounts of credits" for name in ("credits_now", "credit_entries", "redeem", "receipt")},
    "user.config": "the operator's words; the label is among them",
    "platform.push": "success",
    "platform.job_names": "names",
    "platform.push_address": "the console's own word",
    "platform.jobs": "counts",
    "open.healthz": "alive",
    "open.readyz": "dependencies",
    "open.openapi": "the schema",
    "operator.metrics": "numbers",
    "user.complain": "the number of a case",
    "user.bind_operator": "a session",
    **{f"desk.{name}": "operators and their sessions" for name in ("login", "logout", "me", "own_password", "binding")},
    **{f"desk.{name}": "accounts of operators" for name in ("operators", "add_operator", "change_operator")},
    **{f"desk.{name}": "a user's standing" for name in ("find", "user", "suspend", "lift")},
    **{f"desk.{name}": "amounts of credits" for name in ("user_credits", "adjust")},
    **{f"desk.{name}": "verdicts without text" for name in ("user_verdicts", "verdicts", "passes")},
    **{
        f"desk.{name}": "ids, times and an operator's note"
        for name in ("cases", "enter_case", "case", "look", "decide")
    },
    "desk.case_words": "words of a user",
    **{f"desk.{name}": "listed words" for name in ("word_lists", "add_words", "test_words", "word_list", "use_words")},
    **{f"desk.{name}": "what operators did" for name in ("audit", "find_audited", "verify")},
    **{f"desk.{name}": "names and states of upstreams" for name in ("relays", "relay_on", "relay_off")},
    "desk.test_relay": "how long a try took, not what was said",
    **{f"desk.{name}": "what the operator set" for name in ("models", "settings_shown")},
    **{f"console.{name}": "the console's own page" for name in ("page", "file")},
    "desk.summary": "counts",
}
SOCKET = "ticket.socket"


@pytest.fixture
def stacked(tmp_path: Path) -> Iterator[Stack]:
    with stack(f"sqlite:///{tmp_path}/y.db", YUNLIAO_AI_LABEL=LABEL) as made:
        made.relay.words = ["AI 写的话，", "很长。"]
        made.relay.reasoning = "想一想。"
        yield made


@pytest.fixture
def instance(stacked: Stack) -> Instance:
    return stacked.start()


def test_every_route_is_an_exit_or_known_to_be_none(instance: Instance) -> None:
    app: Flask = instance.app
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert endpoints == AI_TEXT | DESK_AI_TEXT | set(WITHOUT_AI_TEXT) | {SOCKET}
    assert not (AI_TEXT | DESK_AI_TEXT) & set(WITHOUT_AI_TEXT)


def test_every_exit_of_the_service_carries_the_label(stacked: Stack, instance: Instance) -> None:
    """Each is opened on an account with AI text, and answers with the text beside its label."""
    person = Person("reader").agree(instance)
    turn = person.chat(instance, "一个问题")
    conversation, end = turn["conversation_id"], person.events(instance, turn["id"])[-1]
    ask: dict[str, Callable[[], Any]] = {
        "user.send": lambda: person.ask(
            instance, "POST", "/v1/turns?wait=10", {"client_id": "message-2", "text": "第二个问题"}
        ),
        "user.regenerate": lambda: person.ask(
            instance, "POST", f"/v1/turns/{turn['id']}/regenerate?wait=10", {"client_id": "message-3"}
        ),
        "user.continue_": lambda: person.ask(
            instance, "POST", f"/v1/turns/{cut(stacked, person, instance)}/continue?wait=10", {"client_id": "message-4"}
        ),
        "user.events": lambda: person.ask(instance, "GET", f"/v1/turns/{turn['id']}/events"),
        "user.stream": lambda: person.ask(instance, "GET", f"/v1/turns/{turn['id']}/stream"),
        "user.messages": lambda: person.ask(instance, "GET", f"/v1/conversations/{conversation}/messages"),
        "user.conversations": lambda: person.ask(instance, "GET", "/v1/conversations"),
        "user.conversation": lambda: person.ask(instance, "GET", f"/v1/conversations/{conversation}"),
        "user.create_conversation": lambda: person.ask(instance, "POST", "/v1/conversations", {}),
        "user.rename": lambda: person.ask(instance, "PUT", f"/v1/conversations/{conversation}", {"title": "新标题"}),
        "user.restore": lambda: person.ask(
            instance, "POST", f"/v1/conversations/{trash(person, instance)}/restore", {}
        ),
        "user.search": lambda: person.ask(instance, "GET", "/v1/search?q=AI"),
        "user.search_by_body": lambda: person.ask(instance, "POST", "/v1/search", {"q": "AI"}),
        "user.export": lambda: person.ask(instance, "GET", "/v1/me/export?format=markdown"),
        "user.export_file": lambda: person.ask(instance, "GET", "/v1/me/export/file?format=json"),
    }
    assert set(ask) == AI_TEXT
    for endpoint, opened in ask.items():
        answer = opened()
        text = answer.get_data(as_text=True)
        assert answer.status_code < 300, (endpoint, text)
        if answer.is_json and "turn" in answer.get_json():
            person.end(instance, answer.get_json()["turn"]["id"])
        assert unquote(answer.headers["X-AI-Label"]) == LABEL, endpoint
        assert LABEL in text, endpoint
        if endpoint == "user.stream":
            assert text.startswith(f": {LABEL}\n")
        elif endpoint == "user.messages":
            answers = [one for one in answer.get_json()["messages"] if one["role"] == "assistant"]
            assert answers
            assert all(one["label"] == LABEL for one in answers)
        elif endpoint == "user.export_file":
            answers = [one for one in json.loads(text)["messages"] if one["role"] == "assistant"]
            assert answers
            assert all(one["label"] == LABEL for one in answers)
        else:
            assert answer.get_json()["label"] == LABEL
    assert end["type"] == "end"


def test_what_an_operator_reads_carries_the_label(stacked: Stack, instance: Instance) -> None:
    person = Person("read").agree(instance)
    conversation = person.chat(instance, "一个问题")["conversation_id"]
    services = instance.app.extensions["yunliao"]
    services.operators.add("terminal", "alice", "owner", "a-password-of-hers")
    headers = {"Authorization": f"Bearer {services.operators.login('alice', 'a-password-of-hers').token}"}
    client = instance.app.test_client()
    number = person.call(instance, "GET", "/v1/me")["user"]["id"]
    user = client.post("/op/v1/users/find", json={"number": number}, headers=headers).get_json()["id"]
    for asked in ({}, {"conversation_id": conversation}):
        answer = client.post(f"/op/v1/users/{user}/read", json={"reason": "a test of labels", **asked}, headers=headers)
        assert unquote(answer.headers["X-AI-Label"]) == LABEL
        assert answer.get_json()["label"] == LABEL
    assert [one.get("label") for one in answer.get_json()["messages"]] == [None, LABEL]


def cut(stacked: Stack, person: Person, instance: Instance) -> str:
    """A turn that can be continued: its answer was stopped."""
    stacked.relay.holding = True
    turn: str = person.send(instance, "说来话长")["id"]
    person.call(instance, "POST", f"/v1/turns/{turn}/stop", {})
    assert person.end(instance, turn)["reason"] == "stopped"
    stacked.relay.holding = False
    return turn


def trash(person: Person, instance: Instance) -> str:
    gone: str = person.chat(instance, "要删的")["conversation_id"]
    person.call(instance, "DELETE", f"/v1/conversations/{gone}")
    return gone


CALLED = {
    "/wxa/msg_sec_check": "asks for a verdict; nobody reads the text",
    "/cgi-bin/message/custom/typing": "a sign of typing, without words",
    "/cgi-bin/message/custom/send": "an answer to customer service: labelled in every part, below",
}
"""Every call of WeChat's server API: some reach people."""


def test_every_call_that_reaches_people_carries_it() -> None:
    source = "".join(found.read_text("utf-8") for found in sorted((ROOT / "container/yunliao").rglob("*.py")))
    assert set(re.findall(r'"(/(?:cgi-bin|wxa)/[\w/]+)"', source)) <= set(CALLED)
    for text in ("短。", "很长的一段话。" * 2_000):
        for part in parts(text, LABEL):
            assert LABEL in part


# --- the mini-program -----------------------------------------------------------------------------------------------

WAYS_OUT = re.compile(
    r"\b(?:wx\.)?(setClipboardData|shareFileMessage|shareVideoMessage|showShareImageMenu|showShareMenu|updateShareMenu"
    r"|saveImageToPhotosAlbum|saveVideoToPhotosAlbum|saveFileToDisk|saveFile|writeFile|writeFileSync|appendFile|appendFileSync"
    r"|openDocument|addFileToFavorites|onShareAppMessage|onShareTimeline|onAddToFavorites|onCopyUrl|canvasToTempFilePath"
    r"|uploadFile|openCustomerServiceChat|navigateToMiniProgram|sendMail)\b"
)
KNOWN_WAYS = {
    ("components/markdown/runs.js", "setClipboardData"): "the one function `copy`: COPIES names who calls it with what",
    ("pages/chat/chat.js", "onShareAppMessage"): "an invitation: the service's name and no word of a chat",
    ("services/files.js", "writeFile"): "the exported file, which carries its labels itself",
    ("services/files.js", "appendFile"): "the exported file",
    ("services/files.js", "shareFileMessage"): "the exported file",
    ("services/files.js", "saveFileToDisk"): "the exported file",
}
"""Where text can leave the phone's screen, and why it is labelled, or no AI text."""
COPIES = {
    ("pages/chat/menu.js", "chat.copyText(key)"): "labelled: copyText",
    (
        "components/answer/answer.js",
        "this.chat.codeText(this.data.messageKey, event.currentTarget.dataset.index)",
    ): "labelled: codeText",
    ("components/markdown/runs.js", "url"): "an address: with a label in it, it would be another one",
    ("pages/document/document.js", "codeOf(this.data.b[event.currentTarget.dataset.index])"): "the operator's texts",
    ("pages/chat/chat.js", "event.currentTarget.dataset.id"): "the id of a request",
    ("pages/about/about.js", "contact"): "the operator's contact",
    ("pages/privacy/privacy.js", "this.data.receipt.words"): "what was erased, in numbers",
}


def sources() -> Iterator[tuple[str, str]]:
    folder = ROOT / "miniprogram"
    for found in sorted(folder.rglob("*.js")):
        name = found.relative_to(folder).as_posix()
        if not name.startswith(("miniprogram_npm/", "node_modules/")):
            yield name, re.sub(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", "", found.read_text("utf-8"), flags=re.DOTALL)


def test_every_way_out_of_the_phone_is_known() -> None:
    found = {(name, call) for name, source in sources() for call in WAYS_OUT.findall(source)}
    assert ("components/markdown/runs.js", "setClipboardData") in found  # so that the search finds what is there
    assert found <= set(KNOWN_WAYS), "a way on which AI text can leave: label it (core/label.js), then name it here"


def test_every_copy_is_labelled_or_no_ai_text() -> None:
    calls = re.compile(r"(?<![.\w])copy\(((?:[^()]|\([^()]*\))*), (?:lang|this\.data\.lang)\)")
    copying = [(name, source) for name, source in sources() if "/markdown/runs'" in source or name.endswith("/runs.js")]
    found = {(name, argument) for name, source in copying for argument in calls.findall(source) if argument != "data"}
    assert found <= set(COPIES)
    assert {place for place, why in COPIES.items() if why.startswith("labelled")} <= found
    chat = (ROOT / "miniprogram/stores/chat.js").read_text("utf-8")
    copy_text = chat[chat.index("copyText(key) {") : chat.index("codeText(key, block) {")]
    assert "return withLabel(this.plainText(key)" in copy_text
    code_text = chat[chat.index("codeText(key, block) {") :].partition("\n  }\n")[0]
    assert "return withCodeLabel(" in code_text


def test_nothing_of_a_chat_is_in_what_is_shared() -> None:
    chat = (ROOT / "miniprogram/pages/chat/chat.js").read_text("utf-8")
    shared = chat[chat.index("onShareAppMessage() {") :].partition("\n  },\n")[0]
    assert re.fullmatch(
        r"onShareAppMessage\(\) \{\s*return \{ title: this\.data\.session\.name \|\| '云聊', path: '/pages/chat/chat' \};",
        shared,
    )
