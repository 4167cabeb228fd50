"""What the upstream says to a question: the same words for the same number, so that every text can be checked."""

WORDS = (
    "云聊",
    "把",
    "每一句",
    "话",
    "都",
    "先",
    "检查",
    "再",
    "显示",
    "，",
    "停止",
    "就是",
    "停止",
    "。",
    "and",
    " English ",
    "词",
    "\n",
)

WARM = 60_000_000
"""Questions from this number on are asked before the count, for what is loaded with the first answers: they have short
ones, so that nobody waits for them."""
SHORT = 30
"""Tokens of a short answer at most."""


def question(number: int) -> str:
    """A question whose answer is `answer(number)`."""
    return f"第 {number} 题：请回答。"


def number_of(text: str) -> int:
    """The number in a question."""
    digits = "".join(letter for letter in text if letter.isdigit())
    return int(digits or 0)


def tokens(number: int, count: int) -> list[str]:
    """The answer in the pieces in which it is sent: `count`, or fewer."""
    count = min(count, SHORT) if number >= WARM else count
    return [WORDS[(number * 7 + place * 5) % len(WORDS)] for place in range(count)]


def answer(number: int, count: int) -> str:
    """The whole answer."""
    return "".join(tokens(number, count))
