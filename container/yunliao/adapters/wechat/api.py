"""HTTP client of WeChat's server API: JSON in, JSON out, no token (the sidecar adds it: platform.md §4)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from yunliao.adapters.json_post import Answer, JsonPost, PostFailed

SEQID = "x-openapi-seqid"
"""Response header that only the open interface service sets (platform.md §4)."""
CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
TOTAL_SECONDS = 6.0
"""A check answers in about 0.1 s; the platform itself gives up after 30 s, which nobody waits for."""


class ApiFault(Exception):
    """The call brought no answer of the API. `outcome` is `unreachable`, `timeout`, `no_sidecar`, `operator`, `http` or
    `garbled`; `detail` is for the operator; `again` says whether a second try at once may help."""

    def __init__(self, outcome: str, detail: str, *, again: bool = False) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail
        self.again = again


class WechatApi:
    """Thread-safe; connections are kept open. Made without touching the network: the sidecar is not there yet while
    the container starts (platform.md §4)."""

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._http = JsonPost(base_url, connect=connect_seconds, read=read_seconds, total=total_seconds)

    def post(self, path: str, body: Mapping[str, Any], *, from_appid: str = "") -> dict[str, Any]:
        """POST `body` as UTF-8 JSON, never `\\u`-escaped (platform.md §5.1), and return the answer's object.

        `from_appid` acts for another mini-program under resource sharing (platform.md §4). Raises `ApiFault`.
        """
        target = path + (f"?from_appid={quote(from_appid, safe='')}" if from_appid else "")
        try:
            answer = self._http.send(target, body)
        except PostFailed as failed:
            raise _fault(failed) from None
        return _object(answer, path)

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()


def _fault(failed: PostFailed) -> ApiFault:
    match failed.outcome:
        case "timeout":
            return ApiFault("timeout", "WeChat's server API did not answer in time")
        case "unreachable":
            where = f"WeChat's server API cannot be reached ({failed.kind}): check YUNLIAO_WECHAT_API_URL"
            return ApiFault("unreachable", where, again=True)
    return ApiFault("garbled", f"no question or answer that makes sense ({failed.kind})")


def _object(answer: Answer, path: str) -> dict[str, Any]:
    if answer.status == 502:
        # platform.md §4: a path missing from the permission list shows as 85107 or as HTTP 502
        raise ApiFault("operator", f"HTTP 502: add {path} to the permission list of cloud calls in the console")
    if SEQID not in answer.headers:
        raise ApiFault(
            "no_sidecar",
            f"the answer has no {SEQID}, so it did not come through the open interface service. Switch that on in the "
            "console under cloud calls, then make a new version",
        )
    if answer.status != 200:
        raise ApiFault("http", f"WeChat's server API answered HTTP {answer.status}", again=answer.status >= 500)
    if not isinstance(answer.body, dict):
        raise ApiFault("garbled", "WeChat's server API answered with something that is not a JSON object", again=True)
    return answer.body
