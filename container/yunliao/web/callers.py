"""The two ways a request says who is calling: the platform's headers, or a cloud function's signed claim (P1)."""

from typing import TYPE_CHECKING

from flask import request

from yunliao.domain.principal import Principal
from yunliao.errors import IdentityUntrusted
from yunliao.web.identity import checked, claims_a_person, marked, principal_of
from yunliao.web.validation import raw_body

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

HEADER = "X-Yunliao-Caller"


def caller(services: "Services") -> Principal:
    """Who made the request at hand. Raises `IdentityMissing`, `IdentityUntrusted`, `StoreUnavailable`."""
    settings = services.settings
    claim = request.headers.get(HEADER)
    if claim is None:
        if settings.public:
            # Nobody says that the public gateway takes forged identity headers away (platform.md §3.1).
            raise IdentityUntrusted("YUNLIAO_PUBLIC is on: only calls signed by a cloud function are heard here")
        return principal_of(request.headers, settings)
    if claims_a_person(request.headers):
        raise IdentityUntrusted(f"{HEADER} contradicts the platform's own headers")
    target = request.path + (f"?{request.query_string.decode('latin-1')}" if request.query_string else "")
    principal = services.signed_calls.verify(claim, method=request.method, target=target, body=raw_body())
    return marked(checked(principal, settings), request.headers)
