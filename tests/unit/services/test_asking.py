"""What a turn asks: history in order, and a continuation that goes on with its own answer and no other."""

from typing import Any, Literal

import msgspec

from yunliao.domain.context import GO_ON
from yunliao.domain.principal import Principal
from yunliao.domain.turn import MessageBody, Turn
from yunliao.ports import Message
from yunliao.services.asking import Asking
from yunliao.services.people import Owner


class Plain:
    """A vault that seals nothing."""

    def open(self, key: bytes, blob: bytes, *, context: str) -> bytes:
        return blob


class History:
    """A conversation's messages, oldest first."""

    def __init__(self, *said: tuple[Literal["user", "assistant"], str]) -> None:
        self.kept = [
            Message(
                id=f"m{place}", user_id="user", conversation_id="c", turn_id=f"t{place}", role=role, created_at=place,
                sealed_body=msgspec.json.encode(MessageBody(text=text)),
            )
            for place, (role, text) in enumerate(said)
        ]  # fmt: skip

    def messages(self, user_id: str, conversation_id: str, *, before: Any, limit: int) -> list[Message]:
        return self.kept[::-1][:limit]


def asked(history: History, kind: Literal["send", "continue"], question: int, shown: str = "") -> tuple[list[str], str]:
    """What the model is told, and what the answer goes on from; the question is message number `question`."""
    asking = Asking(conversations=history, system_prompt="", window=16000, reserve=4000)  # type: ignore[arg-type]
    turn = Turn(
        id="t", user_id="user", conversation_id="c", client_id="client01", fingerprint=b"", kind=kind,
        user_message_id=f"m{question}",
    )  # fmt: skip
    owner = Owner("user", Principal(openid="", appid=""), b"", Plain())  # type: ignore[arg-type]
    prompt = asking.prompt(turn, owner, "问二", shown=shown)
    return [message.content for message in prompt.messages], prompt.confirmed


def test_a_question_comes_after_the_exchanges_before_it() -> None:
    history = History(("user", "问一"), ("assistant", "答一"), ("user", "问二"))
    assert asked(history, "send", 2) == (["问一", "答一", "问二"], "")


def test_a_continuation_goes_on_with_all_parts_of_its_answer() -> None:
    history = History(
        ("user", "问一"), ("assistant", "答一"), ("user", "问二"), ("assistant", "前半"), ("assistant", "再来")
    )
    said = ["问一", "答一", "问二", "前半再来又", GO_ON]
    assert asked(history, "continue", 2, shown="又") == (said, "前半再来又")


def test_an_answer_that_had_not_begun_is_not_continued_with_an_older_one() -> None:
    history = History(("user", "问一"), ("assistant", "答一"), ("user", "问二"), ("assistant", ""))
    assert asked(history, "continue", 2) == (["问一", "答一", "问二"], "")
