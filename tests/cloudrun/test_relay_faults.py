"""Every way the demo relay can fail, seen from a raw HTTP client, and what it records meanwhile."""

import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest

from cloudrun.relay.answers import answer
from tests.cloudrun.support import PATIENCE, until

TEXT = answer([{"role": "user", "content": "你好"}])


class Answer:
    """A relay answer read to its end: the text received, whether the end was clean, and the raw bytes."""

    def __init__(self, response):
        self.status, self.headers, self.raw, self.clean = response.status, response.headers, b"", True
        try:
            while piece := response.read1(65536):
                self.raw += piece
        except (http.client.IncompleteRead, ConnectionError) as broken:
            self.raw += getattr(broken, "partial", b"")
            self.clean = False
        if response.chunked and response.chunk_left not in (None, 0):
            self.clean = False

    @property
    def lines(self):
        text = self.raw.decode("utf-8", "replace").replace("\r\n", "\n")
        return [line[6:] for line in text.split("\n") if line.startswith("data: ")]

    @property
    def chunks(self):
        found = []
        for line in self.lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    @property
    def text(self):
        return "".join(c["choices"][0]["delta"].get("content", "") for c in self.chunks if c.get("choices"))

    @property
    def finish(self):
        return [c["choices"][0]["finish_reason"] for c in self.chunks if c.get("choices")][-1:]

    @property
    def done(self):
        return "[DONE]" in self.lines


@pytest.fixture
def ask(cloud):
    connections = []

    def call(text="你好", model="demo-chat", read=True, headers=None, **more):
        address = urlsplit(cloud.relay_url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
        connections.append(connection)
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": text}]} | more
        sent = {"Authorization": "Bearer k", "Content-Type": "application/json"} | (headers or {})
        connection.request("POST", "/v1/chat/completions", json.dumps(body).encode(), sent)
        response = connection.getresponse()
        return Answer(response) if read else (connection, response)

    yield call
    for connection in connections:
        connection.close()


def last_request(cloud):
    return cloud.relay_requests()["requests"][-1]


def test_without_faults_it_is_whole(cloud, ask):
    got = ask()
    assert (got.text, got.clean, got.done, got.finish) == (TEXT, True, True, ["stop"])
    assert last_request(cloud)["ended"] == "complete"


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "rate_limit_exceeded"), (500, "demo_error"), (401, "invalid_api_key"), (400, "context_length_exceeded")],
)
def test_error_statuses_in_openais_form(cloud, ask, status, code):
    cloud.relay(status=status, times=1)
    got = ask()
    assert got.status == status and json.loads(got.raw)["error"]["code"] == code and "Retry-After" not in got.headers
    assert ask().text == TEXT


def test_retry_after(cloud, ask):
    cloud.relay(status=429, retry_after=1.5)
    assert ask().headers["Retry-After"] == "1.5"


def test_refused_connections_come_back(cloud, ask):
    cloud.relay(refuse=True, times=2)
    for _ in range(2):
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask()
    assert ask().text == TEXT and cloud.relay_requests()["total"] == 1


def test_a_kept_connection_is_refused_too(cloud, ask):
    connection, response = ask(read=False)
    Answer(response)
    cloud.relay(refuse=True)
    connection.request("POST", "/v1/chat/completions", b'{"messages": [{}]}', {"Authorization": "Bearer k"})
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.getresponse()


def test_a_hang_is_live_until_the_caller_leaves(cloud, ask):
    cloud.relay(hang=True)
    with pytest.raises(TimeoutError):
        address = urlsplit(cloud.relay_url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=0.3)
        try:
            body = b'{"stream": true, "messages": [{"role": "user", "content": "x"}]}'
            connection.request("POST", "/v1/chat/completions", body, {"Authorization": "Bearer k"})
            connection.getresponse()
        finally:
            connection.close()
    until(lambda: last_request(cloud)["disconnected"], "the relay saw the caller leave")
    assert last_request(cloud)["generated_tokens"] == 0


def test_a_stall_keeps_the_connection_open_and_a_stop_closes_it(cloud, ask):
    cloud.relay(stall_after_chunks=3)
    connection, response = ask(read=False)
    until(lambda: last_request(cloud)["ended"] == "stalled", "it stalled")
    assert last_request(cloud)["live"] and last_request(cloud)["text_chunks"] == 3
    response.close()
    connection.close()
    until(lambda: last_request(cloud)["disconnected"], "the relay saw the stop")
    assert last_request(cloud)["disconnected_after_tokens"] == 3 and cloud.relay_requests()["live"] == 0


def test_generation_ends_with_the_caller(cloud, ask):
    cloud.relay(tokens_per_second=20.0)
    connection, response = ask("写一篇长文", read=False)
    response.read1(10)
    response.close()
    connection.close()
    record = until(lambda: last_request(cloud)["disconnected"] and last_request(cloud), "the relay saw the stop")
    assert record["generated_tokens"] < 1000 and not record["live"]


@pytest.mark.parametrize("how", ["reset", "close", "end"])
@pytest.mark.parametrize("percent", [0, 10, 30, 50, 90, 100])
def test_a_cut_at_any_part_of_the_answer(cloud, ask, how, percent):
    cloud.relay(cut_at_percent=percent, cut_how=how, chunk_tokens=7)
    got = ask()
    assert got.text == TEXT[: len(TEXT) * percent // 100] and not got.done and got.finish in ([None], [])
    assert got.clean is (how == "end")
    assert last_request(cloud)["ended"] == "cut" and not last_request(cloud)["disconnected"]


@pytest.mark.parametrize("size", [0, 1, 199, 500, 1001])
def test_a_cut_after_exactly_n_bytes(cloud, ask, size):
    cloud.relay(cut_after_bytes=size, cut_how="close")
    got = ask()
    assert len(got.raw) == size and not got.clean


def test_an_error_inside_a_200_stream(cloud, ask):
    cloud.relay(error_after_chunks=2)
    got = ask()
    assert got.status == 200 and got.chunks[-1]["error"]["message"] and not got.done
    assert len([c for c in got.chunks if "choices" in c]) == 3 and got.clean


def test_empty_answers(cloud, ask):
    cloud.relay(empty="body", times=1)
    got = ask()
    assert (got.status, got.raw, got.clean) == (200, b"", True)
    cloud.relay(empty="stream", times=1)
    got = ask()
    assert (got.text, got.done, got.finish) == ("", True, ["stop"])
    cloud.relay(empty="body", times=1)
    assert ask(stream=False).raw == b""


def test_a_forged_end(cloud, ask):
    cloud.relay(forged_done_after_chunks=4)
    got = ask()
    assert got.done and got.clean and 0 < len(got.text) < len(TEXT) and got.finish == [None]


def test_missing_ends(cloud, ask):
    cloud.relay(no_done=True, times=1)
    got = ask()
    assert not got.done and got.finish == ["stop"] and got.text == TEXT
    cloud.relay(no_finish=True, times=1)
    got = ask()
    assert got.done and got.finish == [None] and got.text == TEXT
    cloud.relay(finish_reason="content_filter", times=1)
    assert ask().finish == ["content_filter"]


def test_malformed_json_in_the_middle(cloud, ask):
    cloud.relay(malformed_after_chunks=2)
    got = ask()
    assert got.text == TEXT and len(got.chunks) < len(got.lines) - 1


@pytest.mark.parametrize("size", [1, 2, 5])
def test_bytes_split_inside_characters_are_the_same_bytes(cloud, ask, size):
    plain = ask("a poem").raw
    cloud.relay(split_bytes=size)
    assert ask("a poem").raw.replace(b"-2", b"-1") == plain


def test_line_ends_comments_heartbeats_and_huge_lines(cloud, ask):
    cloud.relay(crlf=True, comments=True, huge_line_bytes=200_000, heartbeat_ms=5, first_token_ms=20)
    got = ask()
    assert got.text == TEXT and b"\r\n" in got.raw and got.raw.count(b": demo") == len(got.lines)
    assert b": keep-alive" in got.raw and max(map(len, got.lines)) > 200_000


def test_a_json_answer_to_a_stream_request(cloud, ask):
    cloud.relay(json_answer=True)
    got = ask()
    assert got.headers.get_content_type() == "application/json"
    assert json.loads(got.raw)["choices"][0]["message"]["content"] == TEXT


def test_usage_as_the_dialects_have_it(cloud, ask):
    cloud.relay(usage="always")
    assert "usage" in ask().chunks[-1]
    cloud.relay(usage="never")
    assert "usage" not in ask(stream_options={"include_usage": True}).chunks[-1]


def test_chunks_by_characters_and_fixed_texts(cloud, ask):
    cloud.relay(answer="一二三四五", reasoning="想", chunk_characters=2)
    got = ask()
    deltas = [c["choices"][0]["delta"] for c in got.chunks]
    assert [d["content"] for d in deltas if d.get("content")] == ["一二", "三四", "五"]
    assert [d["reasoning_content"] for d in deltas if "reasoning_content" in d] == ["想"]


def test_a_request_can_carry_its_own_switches(cloud, ask):
    assert ask(model="demo-chat+cut_at_percent=50+cut_how=end").text == TEXT[: len(TEXT) // 2]
    assert ask(headers={"X-Demo-Switches": json.dumps({"answer": "只这一句"})}).text == "只这一句"
    assert ask(model="demo-chat+hang=maybe").status == 400
    assert ask(model="demo-chat+nonsense").status == 400
    assert ask().text == TEXT


def test_a_fault_for_one_question_only(cloud, ask):
    cloud.relay(status=500, match="坏的")
    assert ask("坏的").status == 500
    assert ask().text == TEXT


def test_a_script_is_served_to_the_byte(cloud, ask):
    data = "data: 云".encode()
    steps = [
        {"text": ": hi\n\n"}, {"base64": base64.b64encode(data[:-1]).decode()}, {"pause_ms": 5},
        {"base64": base64.b64encode(data[-1:]).decode()}, {"end": "close"},
    ]  # fmt: skip
    cloud.control("relay/script", {"steps": steps})
    got = ask()
    assert got.raw == b": hi\n\n" + data and not got.clean
    assert ask().text == TEXT
    cloud.control("relay/script", {"steps": [{"text": "{}"}], "status": 418, "headers": {"Content-Type": "a/b"}})
    got = ask()
    assert (got.status, got.raw, got.headers["Content-Type"]) == (418, b"{}", "a/b")
    cloud.control("relay/script", {"steps": [{"text": "x"}], "framing": "close"})
    got = ask()
    assert got.raw == b"x" and "Transfer-Encoding" not in got.headers


@pytest.mark.parametrize("order", [{}, {"steps": [{"dance": 1}]}, {"steps": [{"base64": "?"}]}, {"steps": [[]]}])
def test_a_script_that_makes_no_sense_is_refused(cloud, order):
    with pytest.raises(ValueError, match="step"):
        cloud.control("relay/script", order)


def test_requests_are_recorded_without_bodies_unless_asked(cloud, ask):
    ask("我的秘密")
    seen = cloud.relay_requests()
    assert "秘密" not in json.dumps(seen, ensure_ascii=False)
    assert (seen["requests"][-1]["roles"], seen["requests"][-1]["characters"]) == (["user"], 4)
    cloud.relay(record_bodies=True)
    ask("可以记下")
    assert last_request(cloud)["body"]["messages"][0]["content"] == "可以记下"
    assert cloud.relay_requests()["total"] == 2
