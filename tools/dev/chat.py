"""A chat in the terminal, through the gateway as a phone would: callContainer link, long-poll."""

import argparse
import http.client
import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from dev.trouble import Trouble

TEXT_LINK = {"X-WX-SERVICE": "yunliao", "Content-Type": "application/json"}
AGREED = (
    "已代测试用户同意用户协议与隐私说明（见 /v1/config）。 "
    "The agreement and the privacy notice (/v1/config) were accepted for the test user."
)
HELP = "/stop 停止回答 · /new 新会话 · /history 历史 · /quit 退出"


class Gateway:
    """Calls of one local user."""

    def __init__(self, port: int, user: str) -> None:
        self._port = port
        self._headers = {**TEXT_LINK, "X-Local-User": user}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The JSON answer. Raises `Trouble` with the service's own sentence."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body).encode() if body is not None else None, self._headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        except OSError:
            raise Trouble(
                f"Nothing answers on port {self._port}. Start Yunliao in another terminal first: python3 dev.py run"
            ) from None
        except ValueError:
            raise Trouble(f"Port {self._port} is answered by something that is not Yunliao. Use --port.") from None
        finally:
            connection.close()
        if "errCode" in answer:
            raise Trouble(f"平台错误 platform error {answer['errCode']}: {answer.get('errMsg', '')}")
        if "error" in answer:
            error = answer["error"]
            wait = f" ({error['retry_after']} s)" if error.get("retry_after") else ""
            raise Trouble(f"{error['message']}{wait}\n{error.get('message_en', '')}\n[{error['code']}]")
        return answer

    def agree(self) -> None:
        """Before the first message the texts are accepted, overseas processing included: the user of a local Cloud Run
        is a test user."""
        consent = self.call("GET", "/v1/me")["consent"]
        if consent["version"] != consent["current"]:
            self.call("PUT", "/v1/me/consent", {"version": consent["current"], "overseas": True})
            print(AGREED, file=sys.stderr)


class Conversation:
    """What the terminal remembers: which conversation and which turn."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.id: str | None = None

    def say(self, text: str) -> bool:
        """Send, and print the answer as it comes; True when it completed. Ctrl-C stops the answer."""
        body = {"client_id": uuid.uuid4().hex, "text": text}
        if self.id:
            body["conversation_id"] = self.id
        answer = self.gateway.call("POST", "/v1/turns?wait=3", body)
        self.id = answer["turn"]["conversation_id"]
        self._turn = answer["turn"]["id"]
        try:
            return self._follow(self._turn, answer)
        except KeyboardInterrupt:
            self.stop()
            rest = f"/v1/turns/{self._turn}/events?after={self._cursor}&wait=5"
            return self._follow(self._turn, self.gateway.call("GET", rest))

    def stop(self) -> None:
        """Stop the answer that is coming."""
        if self._turn:
            self.gateway.call("POST", f"/v1/turns/{self._turn}/stop", {})

    _turn = ""

    def _follow(self, turn: str, answer: dict[str, Any]) -> bool:
        while True:
            for event in answer["events"]:
                self._cursor = event["seq"]
                ended = self._show(event)
                if ended is not None:
                    return ended
            answer = self.gateway.call("GET", f"/v1/turns/{turn}/events?after={answer['cursor']}&wait=10")

    _cursor = 0

    @staticmethod
    def _show(event: dict[str, Any]) -> bool | None:
        match event["type"]:
            case "queued":
                print(f"\r排队中，前面还有 {event['position'] - 1} 位…", file=sys.stderr)
            case "text":
                print(_plain(event["delta"]), end="", flush=True)
            case "reasoning":
                print(f"\033[2m{_plain(event['delta'])}\033[0m" if sys.stderr.isatty() else "", end="", file=sys.stderr)
            case "retract":
                print("\n[已撤回 taken back]")
            case "end":
                print()
                if event["reason"] == "complete":
                    return True
                error = event.get("error") or {}
                said = f"[{event['reason']}] {error.get('message', '')} {error.get('message_en', '')}"
                print(said.rstrip(), file=sys.stderr)
                return event["reason"] in ("length", "stopped")
        return None

    def history(self) -> None:
        """Print this conversation's messages."""
        if not self.id:
            print("还没有消息。No messages yet.")
            return
        for message in self.gateway.call("GET", f"/v1/conversations/{self.id}/messages?limit=50")["messages"]:
            who = "我" if message["role"] == "user" else "云聊"
            at = time.strftime("%H:%M", time.localtime(message["created_at"] / 1000))
            print(f"{at} {who}: {_plain(message['text'])}")


def _plain(text: str) -> str:
    """Text that cannot command the terminal: an answer is somebody else's bytes."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", text)


def chat(options: argparse.Namespace) -> int:
    """One message, or an interactive chat until /quit."""
    conversation = Conversation(Gateway(options.port, options.user))
    conversation.gateway.agree()
    if options.message is not None:
        return 0 if conversation.say(options.message) else 1
    print(f"云聊 · {HELP}")
    answering: threading.Thread | None = None
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt):
            if answering:
                answering.join()
            return 0
        busy = answering is not None and answering.is_alive()
        if line in ("/quit", "/exit"):
            return 0
        if busy and line and line != "/stop":
            print("还在回答，输入 /stop 可停止。Still answering; /stop ends it.", file=sys.stderr)
        elif line.startswith("/"):
            _guarded(partial(_command, conversation, line, busy))
        elif line:
            # On a thread of its own, so that /stop can be typed while the answer comes.
            answering = threading.Thread(target=_guarded, args=(partial(conversation.say, line),), daemon=True)
            answering.start()
            if not sys.stdin.isatty():
                answering.join()


def _command(conversation: Conversation, line: str, busy: bool) -> None:
    match line:
        case "/stop":
            if busy:
                conversation.stop()
            else:
                print("没有正在进行的回答。Nothing is being answered.")
        case "/new":
            conversation.id = None
            print("新会话 New conversation")
        case "/history":
            conversation.history()
        case _:
            print(HELP)


def _guarded(action: Callable[[], object]) -> None:
    try:
        action()
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
