"""Messages to the mini-program's customer service, answered by the same turn pipeline as everything else.

A message becomes a turn of its writer, in a conversation of theirs, under a client id made from the message: pushed
again, on whichever instance, it is the same turn (P3). What is sent back is the whole answer at its end: a message that
was sent cannot be taken back, so nothing goes out before the guard has passed all of it (P4). Each part bears the AI
label (P12) and is claimed in the store before it is sent, so that of several instances that follow the turn one sends.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable

from yunliao.domain.events import End, Retract, Text, decode_event
from yunliao.domain.letters import parts
from yunliao.domain.principal import Principal
from yunliao.domain.turn import Turn
from yunliao.errors import Busy, ClientIdConflict, ConsentRequired, YunliaoError
from yunliao.ports import Clock
from yunliao.ports_letters import Letter, LetterBox, LetterRefused
from yunliao.ports_once import Once
from yunliao.services.consents import Consents
from yunliao.services.conversations import ConversationService
from yunliao.services.listen import Listen
from yunliao.services.people import Owner
from yunliao.services.turns import TurnService

KEPT_MS = 24 * 3_600_000
"""How long a message is remembered as answered: the platform gives up pushing long before."""
HUMAN_MS = 12 * 3_600_000
"""How long the AI keeps silent after somebody asked for a human."""
CLIENT_ID = "cs-"
"""How the client ids of these turns begin."""
WAIT_SECONDS = 9.0
TYPING_EVERY = 2
"""Waits between two signs of typing, which last about fifteen seconds on the phone."""
LONGEST_SECONDS = 900.0
"""An answer that takes longer is read in the mini-program."""
BACK_WORDS = ("机器人", "智能客服", "AI")
"""Words that end the time of a human."""

AGREE_FIRST = (
    "请先打开小程序，阅读并同意用户协议，再来这里提问。\nPlease open the mini-program and accept the agreement first."
)
TEXT_ONLY = "这里只能读懂文字消息，请用文字描述。\nOnly text is understood here. Please write it down."
TO_HUMAN = "已为你转接人工客服，请稍候。回复“机器人”可回到智能客服。\nA human will answer you. Say AI to come back."
BACK = "智能客服已恢复，请说。\nThe assistant is back."
LATER = "暂时无法回答，请稍后再试，或打开小程序查看。\nNo answer is possible right now. Please try later."

log = logging.getLogger("yunliao.letters")


class CustomerService:
    """Takes letters. `taken` quickly, since the platform waits for it and pushes again after some seconds."""

    def __init__(
        self,
        *,
        consents: Consents,
        turns: TurnService,
        listen: Listen,
        conversations: ConversationService,
        box: LetterBox,
        once: Once,
        clock: Clock,
        spawn: Callable[[Callable[[], None]], None],
        appids: frozenset[str],
        label: str,
        human_words: frozenset[str],
    ) -> None:
        self._consents = consents
        self._turns = turns
        self._listen = listen
        self._conversations = conversations
        self._box = box
        self._once = once
        self._clock = clock
        self._spawn = spawn
        self._appids = appids
        self._label = label
        self._human_words = human_words

    def take(self, letter: Letter) -> bool:
        """Whether a human shall answer: then the platform is told so in the answer of the push. Raises
        `StoreUnavailable` and the other `Busy` errors: the platform pushes again then."""
        principal = self._writer(letter)
        if principal is None:
            return False
        if letter.kind != "text" or not letter.text.strip():
            self._notice(letter, principal, TEXT_ONLY)
            return False
        said = letter.text.strip()
        if said in self._human_words:
            now = self._clock.now_ms()
            self._once.claim(_place(principal), "human", now=now, expires_at=now + HUMAN_MS)
            self._notice(letter, principal, TO_HUMAN)
            return True
        if self._is_with_human(principal):
            if said not in BACK_WORDS:
                return True
            self._once.release(_place(principal))
            self._notice(letter, principal, BACK)
            return False
        self._ask(letter, principal, said)
        return False

    def taken(self, turn: Turn, owner: Owner) -> None:
        """A turn whose instance died was taken over here: with it the reply that is still to be sent."""
        if turn.client_id.startswith(CLIENT_ID):
            self._spawn(lambda: self._deliver(owner, turn.id))

    # --- parts ------------------------------------------------------------------------------------------------------

    def _writer(self, letter: Letter) -> Principal | None:
        appid = letter.appid
        if not appid and len(self._appids) == 1:
            (appid,) = self._appids
        if not letter.openid or not appid or (self._appids and appid not in self._appids):
            log.error("letter_unanswered detail=the push does not say which of YUNLIAO_APPIDS it belongs to")
            return None
        return Principal(openid=letter.openid, appid=appid)

    def _ask(self, letter: Letter, principal: Principal, said: str) -> None:
        client_id = CLIENT_ID + _digest(letter.key)[:40]
        try:
            owner = self._consents.admit(principal, fresh=True)
            owner, turn_id = self._consents.renewing(owner, lambda known: self._turn(known, client_id, said))
        except Busy as busy:
            if busy.code == "rate_limited":
                self._notice(letter, principal, f"{busy.zh}\n{busy.en}")
                return
            raise
        except ConsentRequired:
            self._notice(letter, principal, AGREE_FIRST)
            return
        except YunliaoError as refused:  # suspended, too long, still answering: in the words of docs/errors.md
            self._notice(letter, principal, f"{refused.zh}\n{refused.en}")
            return
        self._spawn(lambda: self._deliver(owner, turn_id))

    def _turn(self, owner: Owner, client_id: str, said: str) -> str:
        """The message's turn. The client id is the message's own, so what stands under it is this very message: only
        the conversation that was the newest then may be another one now."""
        known = self._turns.made_by(owner, client_id)
        if known is not None:
            return known.id
        try:
            return self._turns.send(owner, client_id, said, self._conversation(owner)).turn.id
        except ClientIdConflict:  # pushed to another instance at the same moment
            known = self._turns.made_by(owner, client_id)
            if known is None:
                raise
            return known.id

    def _conversation(self, owner: Owner) -> str | None:
        """The one that the writer used last: who writes here goes on with what was said in the mini-program."""
        newest = self._conversations.page(owner, None, 1).items
        return newest[0].id if newest else None

    def _deliver(self, owner: Owner, turn_id: str) -> None:
        """Wait for the end of the turn, whoever runs it, and send what it said."""
        principal = owner.principal
        try:
            text, end = self._answer(owner, turn_id)
            if end is None:
                pieces = [LATER]
            elif end.error is not None and not text:
                pieces = [f"{end.error.message}\n{end.error.message_en}"]
            else:
                pieces = parts(text, self._label)
            for number, piece in enumerate(pieces):
                if not self._first(f"reply/{turn_id}/{number}"):
                    return  # another instance sends it
                self._box.send(principal.openid, piece)
        except LetterRefused as refused:
            log.error("letter_not_sent turn=%s detail=%s", turn_id, refused.detail)
        except YunliaoError as failed:
            log.error("letter_not_sent turn=%s detail=%s", turn_id, failed.code)

    def _answer(self, owner: Owner, turn_id: str) -> tuple[str, End | None]:
        text, cursor, waits = "", 0, 0
        until = self._clock.monotonic() + LONGEST_SECONDS
        while self._clock.monotonic() < until:
            if waits % TYPING_EVERY == 0:
                self._box.typing(owner.principal.openid)
            waits += 1
            piece = self._listen.read(owner, turn_id, cursor, WAIT_SECONDS)
            cursor = piece.cursor
            for numbered in piece.events:
                event = decode_event(numbered.body)
                match event:
                    case Text():
                        text += event.delta
                    case Retract():
                        text = text[: event.keep]
                    case End():
                        return text, event
            if not piece.live:
                break
        return text, None

    def _notice(self, letter: Letter, principal: Principal, text: str) -> None:
        """A fixed sentence, once for each message."""
        if not self._first("letter/" + _digest(letter.key)):
            return

        def send() -> None:
            try:
                self._box.send(principal.openid, text)
            except LetterRefused as refused:
                log.error("letter_not_sent detail=%s", refused.detail)

        self._spawn(send)

    def _first(self, name: str) -> bool:
        now = self._clock.now_ms()
        return self._once.claim(name, secrets.token_hex(16), now=now, expires_at=now + KEPT_MS)

    def _is_with_human(self, principal: Principal) -> bool:
        now = self._clock.now_ms()
        return not self._once.claim(_place(principal), "look", now=now, expires_at=now)


def _place(principal: Principal) -> str:
    return "human/" + _digest(f"{principal.appid}:{principal.openid}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
