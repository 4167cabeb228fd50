"""Who is calling, from the platform's headers alone (P1; platform.md §3 and §3.1)."""

import re

from werkzeug.datastructures import Headers

from yunliao.domain.principal import Principal
from yunliao.errors import IdentityMissing, IdentityUntrusted
from yunliao.settings import Settings

OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")
APPID = re.compile(r"[A-Za-z0-9_-]{3,64}")
CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def principal_of(headers: Headers, settings: Settings) -> Principal:
    """The caller. Raises `IdentityMissing` for a genuine call without an openid (the client may exclude credentials),
    `IdentityUntrusted` for what cannot have come from an allowed mini-program."""
    if not headers.get("X-WX-SOURCE"):
        raise IdentityUntrusted("X-WX-SOURCE is missing: the call did not come through WeChat")
    _check_environment(headers, settings)
    shared = bool(headers.get("X-WX-FROM-OPENID") or headers.get("X-WX-FROM-APPID"))
    openid = headers.get("X-WX-FROM-OPENID" if shared else "X-WX-OPENID", "")
    appid = headers.get("X-WX-FROM-APPID" if shared else "X-WX-APPID", "")
    if shared and headers.get("X-WX-OPENID"):
        # Under resource sharing the platform leaves X-WX-OPENID out: both together were put together by somebody else.
        raise IdentityUntrusted("X-WX-OPENID and X-WX-FROM-OPENID contradict each other")
    if not openid:
        raise IdentityMissing
    if not OPENID.fullmatch(openid):
        raise IdentityUntrusted("the openid is not of the platform's form")
    if not APPID.fullmatch(appid):
        raise IdentityUntrusted("the appid is missing or not of the platform's form")
    if settings.appids and appid not in settings.appids:
        raise IdentityUntrusted("the appid is not in YUNLIAO_APPIDS")
    return Principal(openid=openid, appid=appid, shared=shared, call_id=call_id(headers))


def same_person(headers: Headers, principal: Principal) -> bool:
    """Whether a socket's handshake, where it carries an identity at all, is the ticket's (iOS 高性能+ carries none)."""
    openid = headers.get("X-WX-FROM-OPENID") or headers.get("X-WX-OPENID")
    return not openid or openid == principal.openid


def call_id(headers: Headers) -> str:
    """The platform's id of this request, for logs; "" when there is none or it is not of its form."""
    found = headers.get("X-WX-CALL-ID", "")
    return found if CALL_ID.fullmatch(found) else ""


def _check_environment(headers: Headers, settings: Settings) -> None:
    environment = headers.get("X-WX-ENV", "")
    if settings.platform_env and environment and environment != settings.platform_env:
        raise IdentityUntrusted("X-WX-ENV is not this environment (CBR_ENV_ID)")
