"""What the model is given: the system prompt, as many of the newest exchanges as fit, and the question."""

from collections.abc import Sequence

from yunliao.domain.tokens import MESSAGE_TOKENS, estimate
from yunliao.domain.turn import ChatMessage, HistoryTurn


class DoesNotFit(ValueError):
    """System prompt and question alone are longer than the window."""


GO_ON = (
    "继续：你的上一条回答在中途断开了，请从断开处接着写，不要重复已经写过的内容，不要加任何开场白。"
    " Continue your previous answer exactly where it stopped. Do not repeat anything and add no preamble."
)
LEAST_OVERLAP = 8
"""Characters that must agree before the start of a continuation is taken for a repetition."""


def build(
    system: str, history: Sequence[HistoryTurn], question: str, *, window: int, reserve: int
) -> tuple[ChatMessage, ...]:
    """Messages of at most `window` - `reserve` tokens; `history` is oldest first.

    Newest exchanges are kept, each as a pair: there is never an answer without its question. Raises `DoesNotFit`
    when system prompt and question alone do not fit.
    """
    return _fit(system, history, (ChatMessage("user", question),), window - reserve)


def build_continuation(
    system: str, history: Sequence[HistoryTurn], question: str, partial: str, *, window: int, reserve: int
) -> tuple[ChatMessage, ...]:
    """As `build`, asking to go on with `partial`."""
    last = (ChatMessage("user", question), ChatMessage("assistant", partial), ChatMessage("user", GO_ON))
    return _fit(system, history, last, window - reserve)


def join_without_repetition(confirmed: str, continuation: str) -> int:
    """How many leading characters of `continuation` repeat `confirmed`: its whole, when the answer was started anew,
    else the longest end of it, of at least `LEAST_OVERLAP` characters."""
    if confirmed and continuation.startswith(confirmed):
        return len(confirmed)
    if confirmed.startswith(continuation) and len(continuation) >= LEAST_OVERLAP:
        return len(continuation)
    longest = min(len(confirmed), len(continuation))
    for length in range(longest, LEAST_OVERLAP - 1, -1):
        if confirmed.endswith(continuation[:length]):
            return length
    return 0


def _fit(
    system: str, history: Sequence[HistoryTurn], last: tuple[ChatMessage, ...], room: int
) -> tuple[ChatMessage, ...]:
    first = (ChatMessage("system", system),) if system else ()
    room -= sum(_cost(message) for message in (*first, *last))
    if room < 0:
        raise DoesNotFit
    kept: list[ChatMessage] = []
    for exchange in reversed(history):
        pair = (ChatMessage("user", exchange.question), ChatMessage("assistant", exchange.answer))
        room -= sum(_cost(message) for message in pair)
        if room < 0:
            break
        kept[:0] = pair
    return (*first, *kept, *last)


def _cost(message: ChatMessage) -> int:
    return estimate(message.content) + MESSAGE_TOKENS
