"""Who is calling, from the platform's headers alone (P1; platform.md §3 and §3.1).

Two spellings that could smuggle a second identity in are closed elsewhere and tested end to end: names with underscores
are dropped by the server (`header_map` in gunicorn.conf.py), and a header sent twice arrives joined by a comma, which
no rule here accepts for an identity.
"""

import re

import msgspec
from werkzeug.datastructures import Headers

from yunliao.domain.principal import Principal
from yunliao.domain.trace import trace_of
from yunliao.errors import IdentityMissing, IdentityUntrusted
from yunliao.settings import Settings

OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")
APPID = re.compile(r"[A-Za-z0-9_-]{3,64}")
SOURCE = re.compile(r"[A-Za-z0-9_., -]{1,200}")
"""Names of triggers, chained with commas (platform.md §3); new ones may come, so only the form is checked."""
CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def principal_of(headers: Headers, settings: Settings) -> Principal:
    """The caller. Raises `IdentityMissing` for a genuine call without an openid (the client may exclude credentials),
    `IdentityUntrusted` for what cannot have come from an allowed mini-program."""
    _check_source(headers)
    _check_environment(headers, settings)
    openid, appid, shared = _claimed(headers)
    return checked(marked(Principal(openid=openid, appid=appid, shared=shared), headers), settings)


def marked(principal: Principal, headers: Headers) -> Principal:
    """The same with the request's marks for logs."""
    trace = trace_of(headers.get("traceparent", ""))
    return msgspec.structs.replace(principal, call_id=call_id(headers), trace=trace)


def checked(principal: Principal, settings: Settings) -> Principal:
    """The same, if openid and appid are of the platform's form and the appid may call. Raises `IdentityMissing`,
    `IdentityUntrusted`."""
    openid, appid = principal.openid, principal.appid
    if not openid:
        raise IdentityMissing
    if not OPENID.fullmatch(openid):
        raise IdentityUntrusted("the openid is not of the platform's form")
    if not APPID.fullmatch(appid):
        raise IdentityUntrusted("the appid is missing or not of the platform's form")
    if settings.appids and appid not in settings.appids:
        raise IdentityUntrusted("the appid is not in YUNLIAO_APPIDS")
    return principal


def same_person(headers: Headers, principal: Principal) -> bool:
    """Whether a socket's handshake, where it carries an identity at all, is the ticket's (iOS 高性能+ carries none:
    platform.md §2). Contradicting headers are nobody's."""
    try:
        openid, appid, _ = _claimed(headers)
    except IdentityUntrusted:
        return False
    return not openid or (openid == principal.openid and appid in ("", principal.appid))


def call_id(headers: Headers) -> str:
    """The platform's id of this request, for logs; "" when there is none or it is not of its form."""
    found = headers.get("X-WX-CALL-ID", "")
    return found if CALL_ID.fullmatch(found) else ""


def claims_a_person(headers: Headers) -> bool:
    """Whether the platform's headers name a caller, in either form."""
    return any(headers.get(f"X-WX-{form}OPENID") for form in ("", "FROM-"))


def through_wechat(headers: Headers) -> bool:
    """Whether WeChat's link delivered the request: the presence of X-WX-SOURCE says so (platform.md §3.1)."""
    return bool(headers.get("X-WX-SOURCE"))


def by_a_client(headers: Headers) -> bool:
    """Whether a mini-program made the call (callContainer, which any of its users can do with any path): by the trigger
    that the platform names, or by the header that only such a call has (platform.md §3)."""
    source = headers.get("X-WX-SOURCE", "")
    return bool(headers.get("X-WX-SERVICE")) or any(name in source for name in ("wx_client", "wx_devtools"))


def _claimed(headers: Headers) -> tuple[str, str, bool]:
    """openid, appid and whether they are those of resource sharing (资源复用), in which the platform leaves X-WX-OPENID
    out: both forms together were put together by somebody else."""
    shared = bool(headers.get("X-WX-FROM-OPENID") or headers.get("X-WX-FROM-APPID"))
    if not shared:
        return headers.get("X-WX-OPENID", ""), headers.get("X-WX-APPID", ""), False
    if headers.get("X-WX-OPENID"):
        raise IdentityUntrusted("X-WX-OPENID contradicts X-WX-FROM-OPENID and X-WX-FROM-APPID")
    return headers.get("X-WX-FROM-OPENID", ""), headers.get("X-WX-FROM-APPID", ""), True


def _check_source(headers: Headers) -> None:
    if not through_wechat(headers):
        raise IdentityUntrusted("X-WX-SOURCE is missing: the call did not come through WeChat")
    if not SOURCE.fullmatch(headers["X-WX-SOURCE"]):
        raise IdentityUntrusted("X-WX-SOURCE is not of the platform's form")


def _check_environment(headers: Headers, settings: Settings) -> None:
    # Only a different environment is a proof: whether every kind of WeChat traffic names one is not documented.
    environment = headers.get("X-WX-ENV", "")
    if settings.platform_env and environment and environment != settings.platform_env:
        raise IdentityUntrusted("X-WX-ENV is not this environment (CBR_ENV_ID)")
