"""What a turn asks the model: its question, and the earlier exchanges that fit into the model's window."""

import msgspec

from yunliao.domain.context import DoesNotFit, build, build_continuation
from yunliao.domain.turn import ChatMessage, HistoryTurn, MessageBody, Turn
from yunliao.errors import ContextTooLong, NotFound
from yunliao.ports import Conversations, Message
from yunliao.services.people import Owner

HISTORY_MESSAGES = 60
"""Newest messages read for a context; more would rarely fit a window and cost a decryption each."""

_body = msgspec.json.Decoder(MessageBody)


def open_body(owner: Owner, message: Message) -> MessageBody:
    """The words of a stored message."""
    return _body.decode(owner.open(message.id, "body", message.sealed_body))


class Words(msgspec.Struct, frozen=True):
    """What a turn asks, known since it was sent here: nothing of it is read again. `first`: in a new conversation."""

    question: str
    first: bool


class Prompt(msgspec.Struct, frozen=True):
    """What to ask, and the `confirmed` text that the answer continues ("" for a new answer)."""

    messages: tuple[ChatMessage, ...]
    confirmed: str


class Asking:
    """Reads what a generation needs."""

    def __init__(self, *, conversations: Conversations, system_prompt: str, window: int, reserve: int) -> None:
        self._conversations = conversations
        self._system = system_prompt
        self._window = window
        self._reserve = reserve

    def question(self, turn: Turn, owner: Owner) -> str:
        """The user's words this turn answers. Raises `NotFound` when the message is gone (erased meanwhile)."""
        message = self._conversations.message(turn.user_id, turn.user_message_id)
        if message is None:
            raise NotFound
        return open_body(owner, message).text

    def prompt(self, turn: Turn, owner: Owner, question: str, *, shown: str = "", first: bool = False) -> Prompt:
        """The context, and the text that the generation goes on from: the answer of the turn this one continues, and
        what a dead owner had already shown. `first`: nothing came before it. Raises `ContextTooLong` when not even the
        question fits."""
        history, begun = ([], "") if first else self._history(turn, owner)
        confirmed = begun + shown
        room = {"window": self._window, "reserve": self._reserve}
        try:
            if confirmed:
                messages = build_continuation(self._system, history, question, confirmed, **room)
            else:
                messages = build(self._system, history, question, **room)
        except DoesNotFit:
            raise ContextTooLong from None
        return Prompt(messages, confirmed)

    def _history(self, turn: Turn, owner: Owner) -> tuple[list[HistoryTurn], str]:
        """Earlier exchanges, oldest first; blocked and unanswered ones are not among them. And what a continued answer
        has said so far: the answers that stand after the turn's own question, none of an earlier one."""
        newest = self._conversations.messages(turn.user_id, turn.conversation_id, before=None, limit=HISTORY_MESSAGES)
        exchanges: list[HistoryTurn] = []
        question = begun = ""
        own = False
        for message in reversed(newest):
            own = own or message.id == turn.user_message_id
            if message.state == "blocked" or message.id == turn.user_message_id:
                question = ""
                continue
            text = open_body(owner, message).text
            if own:
                begun += text if turn.kind == "continue" and message.role == "assistant" else ""
            elif message.role == "user":
                question = text
            elif question and text:
                exchanges.append(HistoryTurn(question=question, answer=text))
                question = ""
            elif text and exchanges:
                exchanges[-1] = HistoryTurn(question=exchanges[-1].question, answer=exchanges[-1].answer + text)
        return exchanges, begun
