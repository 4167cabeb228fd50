"""What the demo model says: composed by plain rules, the same every time, and honest about being a demo."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from cloudrun.relay import texts

CHINESE = re.compile(r"[\u4e00-\u9fff]")
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[A-Za-z0-9_']+[ ]?|\s+|.", re.DOTALL)
GO_ON = re.compile(
    r"\s*(请|麻烦|please[, ]+)?(你)?(直接|就)?"
    r"(继续|接着|往下(写|说)|从.{0,20}(继续|接着)|continue\b|go on\b|carry on\b|keep going\b)",
    re.IGNORECASE,
)
LONG_PARTS = 20
Messages = Sequence[dict[str, Any]]
Text = tuple[str, str]


def tokens(text: str) -> list[str]:
    """The text in token-like pieces: one per Chinese character, word or sign. Joined they are the text."""
    return TOKEN.findall(text)


def text_of(message: dict[str, Any]) -> str:
    """The text of a message whose content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def answer(messages: Messages) -> str:
    """What to say to a conversation. A request to continue is answered with what is missing of the earlier answer."""
    last = len(messages) - 1
    while last >= 0 and messages[last].get("role") == "system":
        last -= 1
    if last < 0:
        return _say(texts.EMPTY, True)
    if messages[last].get("role") == "assistant":
        return _rest(messages[:last], text_of(messages[last]))
    if last > 0 and GO_ON.match(text_of(messages[last])) and messages[last - 1].get("role") == "assistant":
        return _rest(messages[: last - 1], text_of(messages[last - 1]))
    return _composed(text_of(messages[last]), messages[:last])


def reasoning(messages: Messages) -> str:
    """What model `demo-reasoner` thinks before it answers."""
    question = text_of(messages[-1]) if messages else ""
    return _say(texts.THOUGHT, _is_chinese(question), size=len(question))


def _is_chinese(text: str) -> bool:
    return bool(CHINESE.search(text)) or not re.search(r"[A-Za-z]", text)


def _say(text: Text, chinese: bool, **values: object) -> str:
    language = 0 if chinese else 1
    return text[language].format(demo=texts.DEMO[language], **values)


def _rest(before: Messages, said: str) -> str:
    whole = answer(before) if before else ""
    if said and whole.startswith(said) and len(whole) > len(said):
        return whole[len(said) :]
    return _say(texts.NOTHING_MORE, _is_chinese(said or whole))


def _composed(question: str, before: Messages) -> str:
    chinese, lowered = _is_chinese(question), question.lower()
    if any(words in lowered for words in _ECHO):
        said = [text_of(m) for m in before if m.get("role") == "user"]
        if not said:
            return _say(texts.FIRST, chinese)
        return _say(texts.ECHO, chinese, said=said[-1][:200], count=len(said))
    if any(words in lowered for words in _LONG):
        parts = [_say(texts.LONG_PART, chinese, n=n) for n in range(1, LONG_PARTS + 1)]
        return "".join(parts) + texts.DEMO[0 if chinese else 1]
    for words, text in _RULES:
        if any(word in lowered for word in words):
            return _say(text, chinese)
    value = arithmetic(question)
    if value is not None:
        return _say(texts.SUM, chinese, value=value)
    return _say(texts.GENERAL, chinese, short=" ".join(question.split())[:60])


_ECHO = ("说了什么", "说过什么", "上一句", "did i say", "i said before", "my last message")
_LONG = ("长文", "long text", "long answer", "long story", "long essay", "a long ")
_RULES: tuple[tuple[tuple[str, ...], Text], ...] = (
    (("介绍你自己", "介绍一下你", "自我介绍", "你是谁"), texts.INTRODUCTION),
    (("introduce yourself", "who are you", "about yourself"), texts.INTRODUCTION),
    (("你能做什么", "你会什么", "能帮我做什么", "what can you do", "help me with what"), texts.ABILITIES),
    (("代码", "程序", "python", "code"), texts.CODE),
    (("表格", "对比", "table", "compare"), texts.TABLE),
    (("诗", "poem"), texts.POEM),
    (("列表", "清单", "列出", "list"), texts.LIST),
    (("几号", "日期", "星期几", "几点", "天气"), texts.DATE),
    (("what day", "what date", "today", "what time", "weather"), texts.DATE),
    (("你好", "您好", "hello"), texts.INTRODUCTION),
)
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def arithmetic(question: str) -> str | None:
    """The value of a sum written in the question with + - * / and brackets, or None."""
    plain = question.replace("×", "*").replace("÷", "/").replace("（", "(").replace("）", ")")
    found = re.search(r"[-(\d][\d\s.+*/()-]{1,60}", plain)
    if not found or not re.search(r"\d\s*[-+*/]\s*[-(\d]", found[0]):
        return None
    try:
        value = _value(ast.parse(found[0].strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return str(int(value)) if value == int(value) else f"{value:.6g}"


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not a sum")
