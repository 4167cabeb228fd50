"""A phone as the gateway sees it: calls over the callContainer link, a socket by ticket, SSE over the function link."""

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import websocket

LIMIT = 60.0
"""Seconds until a test gives up waiting: generous, since nothing here is timed."""


class Refused(Exception):
    """The service's error body."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status} {error.get('code')}")
        self.status = status
        self.error = error
        self.code = error.get("code", "")


class Platform(Exception):
    """A platform error of the gateway."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code


class Phone:
    """One local user."""

    def __init__(self, url: str, user: str, *, agree: bool = True) -> None:
        """`agree`: this user accepts the agreement first, as the mini-program has everybody do."""
        self.url = url
        self.user = user
        self.host = url.removeprefix("http://")
        if agree:
            self.agree()

    def agree(self, *, overseas: bool = True) -> dict[str, Any]:
        """Accept the current texts."""
        view: dict[str, Any] = self.call("PUT", "/v1/me/consent", {"version": "latest", "overseas": overseas})
        return view

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The JSON answer. Raises `Refused`, `Platform`."""
        sent = {"X-WX-SERVICE": "yunliao", "X-Local-User": self.user, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.host, timeout=LIMIT)
        try:
            connection.request(method, path, json.dumps(body).encode() if body is not None else None, sent)
            response = connection.getresponse()
            answer = json.loads(response.read() or b"null")
        finally:
            connection.close()
        if response.status == 599:
            raise Platform(answer["errCode"], answer["errMsg"])
        if isinstance(answer, dict) and "error" in answer:
            raise Refused(response.status, answer["error"])
        assert response.status < 400, (response.status, answer)
        return answer

    def send(self, text: str, *, wait: float = 0, **more: Any) -> dict[str, Any]:
        """Send a message; the answer of POST /v1/turns."""
        body = {"client_id": uuid.uuid4().hex, "text": text, **more}
        answer: dict[str, Any] = self.call("POST", f"/v1/turns?wait={wait}", body)
        return answer

    def poll(self, turn: str, after: int = 0, wait: float = 5) -> dict[str, Any]:
        """One look at the events."""
        answer: dict[str, Any] = self.call("GET", f"/v1/turns/{turn}/events?after={after}&wait={wait}")
        return answer

    def until_end(self, turn: str, after: int = 0) -> list[dict[str, Any]]:
        """Poll to the terminal event; survives platform errors as the mini-program does."""
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            try:
                answer = self.poll(turn, after)
            except (Platform, ConnectionError, http.client.HTTPException):
                time.sleep(0.2)
                continue
            except Refused as refused:
                if not refused.error.get("retryable"):
                    raise
                time.sleep(0.2)
                continue
            events += answer["events"]
            after = answer["cursor"]
            if not answer["live"]:
                return events
        raise AssertionError(f"no terminal event within {LIMIT} s; got {[event['type'] for event in events]}")

    def ask(self, text: str, **more: Any) -> list[dict[str, Any]]:
        """Send and wait for the end: all events."""
        turn = self.send(text, **more)["turn"]["id"]
        return self.until_end(turn)

    def sse(self, turn: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events over SSE until the server ends the stream; closing the iterator closes the connection."""
        connection = http.client.HTTPConnection(self.host, timeout=LIMIT)
        try:
            headers = {"X-Local-Link": "function", "X-Local-User": self.user, "Last-Event-ID": str(after)}
            connection.request("GET", f"/v1/turns/{turn}/stream", headers=headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            with response:
                for line in response:
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])
        finally:
            connection.close()

    def socket(self) -> "Socket":
        """A socket with the ticket handed in and the welcome received."""
        ticket = self.call("POST", "/v1/tickets", {})["ticket"]
        return Socket(self.host, self.user, ticket)

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """The newest page of a conversation."""
        found: list[dict[str, Any]] = self.call("GET", f"/v1/conversations/{conversation}/messages?limit=50")[
            "messages"
        ]
        return found


class Socket:
    """A connectContainer socket."""

    def __init__(self, host: str, user: str, ticket: str) -> None:
        self.raw = websocket.create_connection(f"ws://{host}/v1/socket?local_user={user}", timeout=LIMIT)
        self.put({"op": "hello", "ticket": ticket})
        self.welcome = self.take()

    def put(self, frame: Any) -> None:
        """Send a frame."""
        self.raw.send(json.dumps(frame))

    def take(self) -> dict[str, Any]:
        """The next frame."""
        frame: dict[str, Any] = json.loads(self.raw.recv())
        return frame

    def events(self, turn: str, after: int) -> Iterator[dict[str, Any]]:
        """Resume a turn and give its events to the end."""
        self.put({"op": "resume", "turn": turn, "after": after})
        while True:
            frame = self.take()
            if frame["op"] == "event" and frame["turn"] == turn:
                yield frame["event"]
                if frame["event"]["type"] == "end":
                    return
            elif frame["op"] == "error":
                raise Refused(0, frame["error"])

    def close(self) -> None:
        """Leave."""
        self.raw.close()


def text_of(events: list[dict[str, Any]]) -> str:
    """What the screen shows after these events."""
    text = ""
    for event in events:
        if event["type"] == "text":
            text += event["delta"]
        elif event["type"] == "retract":
            text = text[: event["keep"]]
    return text


def end_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The terminal event; there must be exactly one, at the end, and the numbers must have no gap."""
    seqs = [event["seq"] for event in events]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), seqs
    ends = [event for event in events if event["type"] == "end"]
    assert len(ends) == 1, [event["type"] for event in events]
    assert events[-1] is ends[0]
    return ends[0]
