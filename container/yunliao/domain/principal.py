"""Who is calling, as the platform says it (P1)."""

import msgspec


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller the platform vouches for.

    `openid` and `appid` are those of the calling mini-program (`X-WX-OPENID`, or `X-WX-FROM-OPENID` under resource
    sharing: platform.md §3). `shared` says that the second form was used: server calls then need `from_appid`.
    `call_id` is the platform's id of this request, for logs; `trace` the caller's trace, if there is one
    (domain/trace.py). `overseas`: whether this person allowed processing outside mainland China; it travels with the
    turn, and only the stored consent ever sets it.
    """

    openid: str
    appid: str
    shared: bool = False
    call_id: str = ""
    trace: str = ""
    overseas: bool = False

    def __repr__(self) -> str:
        return f"Principal(appid={self.appid!r}, shared={self.shared})"
