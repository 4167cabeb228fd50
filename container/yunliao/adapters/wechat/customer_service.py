"""Customer-service messages by `/cgi-bin/message/custom/*` of the open interface service (platform.md §4, §6).

The codes are those of the interface's public page; what is not listed is for the operator too.
"""

import contextlib

from yunliao.adapters.wechat.api import ApiFault, WechatApi
from yunliao.ports_letters import LetterRefused

SEND = "/cgi-bin/message/custom/send"
TYPING = "/cgi-bin/message/custom/typing"
TRIES = 2
DETAILS = {
    40001: "no valid token: switch on the open interface service, then make a new version",
    40003: "the openid is not of this mini-program",
    45002: "the message is too long",
    45015: "more than 48 hours since the person wrote",
    45047: "too many messages since the person last wrote",
    48001: "the account lacks the permission for this interface",
    85107: f"add {SEND} and {TYPING} to the permission list of cloud calls in the console",
}


class WechatLetters:
    """Implements `ports_letters.LetterBox`. Thread-safe."""

    def __init__(self, api: WechatApi) -> None:
        self._api = api

    def send(self, openid: str, text: str, *, from_appid: str = "") -> None:
        """See `ports_letters.LetterBox.send`. Only a call that surely did not arrive is repeated: a message that came
        twice would be worse than one that is seen in the mini-program only."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._api.post(SEND, body, from_appid=from_appid)
            except ApiFault as fault:
                if fault.outcome == "unreachable" and attempt < TRIES:
                    continue
                raise LetterRefused(fault.detail) from None
            code = answer.get("errcode", 0)
            if code == 0:
                return
            if code != -1 or attempt == TRIES:
                known = DETAILS.get(code) if isinstance(code, int) else None
                raise LetterRefused(f"custom/send answered {code}: {known or 'a code that is not documented'}")

    def typing(self, openid: str, *, from_appid: str = "") -> None:
        """See `ports_letters.LetterBox.typing`. The platform refuses a second one within seconds, which is fine."""
        with contextlib.suppress(ApiFault):
            self._api.post(TYPING, {"touser": openid, "command": "Typing"}, from_appid=from_appid)
