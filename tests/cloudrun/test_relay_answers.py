"""What the demo model says, and that it says it the way an OpenAI-compatible relay does."""

import json

import pytest

from cloudrun.relay.answers import answer, arithmetic, tokens


def ask(*texts):
    roles = ("user", "assistant")
    return answer([{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("用三句话介绍你自己", "演示模型"),
        ("Introduce yourself in three sentences", "demo model"),
        ("你能做什么", "## "),
        ("What can you do?", "- "),
        ("写一段代码", "```python"),
        ("show me code", "```python"),
        ("列个表格", "|---|"),
        ("make a table", "|---|"),
        ("给我一个清单", "1. "),
        ("a list please", "1. "),
        ("写一首诗", "\n"),
        ("a poem", "\n"),
        ("今天几号", "没有时钟"),
        ("what day is it today", "no clock"),
        ("12*(3+4) 等于多少", "**84**"),
        ("what is 7 / 2", "**3.5**"),
        ("为什么天空是蓝的", "为什么天空是蓝的"),
        ("why is the sky blue", "why is the sky blue"),
    ],
)
def test_a_range_of_questions_in_both_languages(question, expected):
    said = ask(question)
    assert expected in said and said == ask(question)
    assert "演示" in said or "demo" in said


def test_three_sentences_are_three():
    assert ask("用三句话介绍你自己").count("。") == 3


@pytest.mark.parametrize("question", ["写一篇长文", "Write a long text"])
def test_a_long_text_is_long(question):
    assert len(tokens(ask(question))) > 1200


def test_it_remembers_the_conversation():
    assert "蓝色" in ask("我喜欢蓝色", "好的", "我刚才说了什么？")
    assert "第一句" in ask("我刚才说了什么？")
    assert "I like tea" in ask("I like tea", "ok", "what did I say before?")


@pytest.mark.parametrize("question", ["写一篇长文", "用三句话介绍你自己", "show me code"])
def test_a_continuation_joins_without_a_seam_wherever_it_was_cut(question):
    whole = ask(question)
    for cut in {1, 5, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
        assert ask(question, whole[:cut]) == whole[cut:]
        for request in ("继续", "请从中断处继续，不要重复", "Please continue exactly where you stopped."):
            assert ask(question, whole[:cut], request) == whole[cut:]


def test_a_continuation_after_the_end_says_that_there_is_no_more():
    assert "没有更多" in ask("你好", ask("你好"), "继续")


def test_the_tokens_are_the_text():
    text = ask("写一篇长文") + "😀\u200b mixed 中英 text\n\n`x`"
    assert "".join(tokens(text)) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1+1", "2"),
        ("-3 * -4", "12"),
        ("1/0", None),
        ("2026-11-21", "1994"),
        ("call 5", None),
        ("（1＋2）", None),
        ("6÷4", "1.5"),
        ("9" * 400 + "*9", None),
        ("((((1+1", None),
    ],
)
def test_sums(text, value):
    assert arithmetic(text) == value


def test_an_odd_request_is_still_answered():
    assert answer([{"role": "system", "content": "x"}]) and ask("") and answer([{"role": "user", "content": None}])
    parts = [{"type": "text", "text": "写一首诗"}]
    assert answer([{"role": "user", "content": parts}]) == ask("写一首诗")
    assert "{short}" in ask("{short} {0}")


@pytest.fixture
def relay(cloud, pool):
    def call(path="/v1/chat/completions", body=None, key="demo-key", method="POST"):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return pool.request(method, cloud.relay_url + path, json=body, headers=headers, retries=False, timeout=30)

    return call


def chat(text="用三句话介绍你自己", **more):
    return {"model": "demo-chat", "messages": [{"role": "user", "content": text}]} | more


def events(answer):
    lines = [line[6:] for line in answer.data.decode().splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_one_answer_streamed_and_whole_are_the_same(relay):
    whole = relay(body=chat()).json()
    streamed = events(relay(body=chat(stream=True, stream_options={"include_usage": True})))
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in streamed if c["choices"])
    assert text == whole["choices"][0]["message"]["content"] == ask("用三句话介绍你自己")
    assert streamed[-1]["usage"] == whole["usage"] and streamed[-1]["choices"] == []
    assert [c["choices"][0]["finish_reason"] for c in streamed[:-1]][-1] == "stop"
    assert whole["usage"]["completion_tokens"] == len(tokens(text))
    assert not [c for c in events(relay(body=chat(stream=True))) if "usage" in c]


def test_max_tokens_ends_with_length(relay):
    whole = relay(body=chat(max_tokens=5)).json()
    assert whole["choices"][0]["finish_reason"] == "length" and whole["usage"]["completion_tokens"] == 5


def test_the_reasoner_thinks_first(relay):
    streamed = events(relay(body=chat(model="demo-reasoner", stream=True)))
    fields = [next(iter(c["choices"][0]["delta"]), "") for c in streamed]
    assert "reasoning_content" in fields and fields.index("content", 1) > fields.index("reasoning_content")
    assert relay(body=chat(model="demo-reasoner")).json()["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0


def test_keys(cloud, relay):
    assert relay(body=chat(), key="").status == 401
    assert relay("/v1/models", key="", method="GET").status == 401
    cloud.relay(api_key="right")
    assert relay(body=chat(), key="wrong").json()["error"]["code"] == "invalid_api_key"
    assert relay(body=chat(), key="right").status == 200


def test_models_and_moderations(relay):
    assert [m["id"] for m in relay("/v1/models", method="GET").json()["data"]] == ["demo-chat", "demo-reasoner"]
    results = relay("/v1/moderations", {"input": ["fine", "a forbidden-demo"]}).json()["results"]
    assert [r["flagged"] for r in results] == [False, True]
    assert relay("/v1/moderations", {"input": "违禁演示词"}).json()["results"][0]["flagged"]


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": "x"}, [1], {"messages": [1]}])
def test_bad_requests_are_400(relay, body):
    assert relay(body=body).status == 400
