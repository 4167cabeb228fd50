"""A service that runs: is it ready, is it this one, and does it keep out whom it must.

Everything here is asked without any identity or secret, as a stranger on the internet would; nothing is changed by it
(the routes that would change something are asked in a way that a service must refuse).
"""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from doctor.finding import Finding, found

SECONDS = 20
LARGEST = 2 * 1024 * 1024
STRANGER = "oDoctor_0000000000000000000"
OPERATOR_PATHS = ("/operator", "/operator/v1/summary", "/admin", "/debug", "/console")
"""None of them may answer a stranger with data; where there is no such route, 404 is as good."""


class Answer:
    """Status and body; `data` is the body as JSON, or None."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status, self.body, self.headers = status, body, headers
        try:
            self.data: Any = json.loads(body)
        except ValueError:
            self.data = None

    @property
    def code(self) -> str:
        """The service's error code, if it is one."""
        error = self.data.get("error") if isinstance(self.data, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""


class Stranger:
    """Asks one address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        self.scheme, self.host = parts.scheme, parts.hostname or ""
        self._port, self._base = parts.port, parts.path.rstrip("/")

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Raises `OSError` (certificates too), `http.client.HTTPException`."""
        kind = http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.host, self._port, timeout=SECONDS)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, self._base + path, content, {**sent, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(LARGEST), dict(answer.headers))
        finally:
            connection.close()


def check(url: str, appid: str) -> Iterator[Finding]:
    """Findings of the service at `url`; `appid` is the mini-program's, which is no secret."""
    stranger = Stranger(url)
    local = stranger.host in ("127.0.0.1", "localhost", "::1")
    if stranger.scheme != "https" and not local:
        yield found("url-plain", url)
    try:
        alive = stranger.ask("GET", "/healthz")
    except ssl.SSLCertVerificationError as wrong:
        yield found("certificate-wrong", url, problem=wrong.verify_message)
        return
    except (OSError, http.client.HTTPException, ValueError) as wrong:
        yield found("url-unreachable", url, problem=type(wrong).__name__)
        return
    if alive.status != 200 or alive.data != {"alive": True}:
        yield found("url-not-yunliao", f"{url}/healthz", problem=f"HTTP {alive.status}")
        return
    try:
        working = yield from _ready(stranger, url)
        if working:
            yield from _closed(stranger, url, appid)
    except (OSError, http.client.HTTPException) as wrong:
        yield found("url-unreachable", url, problem=type(wrong).__name__)


def _ready(stranger: Stranger, url: str) -> Iterator[Finding]:
    """Findings; the value is whether the service's own routes are there to be tried."""
    answer = stranger.ask("GET", "/readyz")
    told = answer.data if isinstance(answer.data, dict) else {}
    settings = told.get("settings") or []
    for one in settings:
        fix_zh = f"{told.get('where_zh', '')} 填写 {one['name']}。{told.get('then_zh', '')}"
        fix = f"{told.get('where', '')}: {one['name']}. {told.get('then', '')}"
        problem = f"{one['name']} {one['problem_zh']} ({one['problem']})"
        yield found("not-ready", f"{url}/readyz", problem=problem, fix_zh=fix_zh, fix=fix)
    if answer.status != 200 and not settings:
        failing = [check for check in told.get("checks", []) if not check.get("ok")]
        problem = (
            "; ".join(f"{check.get('name')}: {check.get('detail')}" for check in failing) or f"HTTP {answer.status}"
        )
        fix_zh, fix = (
            "按说明处理后再试；数据库要在同一个 VPC 里。",
            "See to it and try again; the database must be in the same VPC.",
        )
        yield found("not-ready", f"{url}/readyz", problem=problem, fix_zh=fix_zh, fix=fix)
    return "settings" not in told  # type: ignore[return-value]  the value of `yield from`


def _closed(stranger: Stranger, url: str, appid: str) -> Iterator[Finding]:
    schema = stranger.ask("GET", "/openapi.json")
    if schema.status != 200 or not (
        isinstance(schema.data, dict) and str(schema.data.get("openapi", "")).startswith("3.")
    ):
        yield found("openapi-missing", f"{url}/openapi.json")
    if stranger.ask("GET", "/metrics").status == 200:
        yield found("metrics-open", f"{url}/metrics")
    for path in OPERATOR_PATHS:
        answer = stranger.ask("GET", path)
        if answer.status == 200 and answer.data is not None:
            yield found("operator-open", f"{url}{path}", path=path)
    for headers in ({}, {"X-Yunliao-Secret": ""}, {"X-Yunliao-Secret": "0" * 32}):
        if stranger.ask("POST", "/jobs/no-such-job", {}, headers).code != "identity_untrusted":
            yield found("jobs-open", f"{url}/jobs")
            break
    yield from _identity(stranger, url, appid)


def _identity(stranger: Stranger, url: str, appid: str) -> Iterator[Finding]:
    """Nobody, and somebody who only says who they are."""
    if stranger.ask("GET", "/v1/models").status == 200:
        yield found("user-open", f"{url}/v1/models")
    forged = {"X-WX-SOURCE": "wx_client", "X-WX-OPENID": STRANGER, "X-WX-APPID": appid}
    shared = {"X-WX-SOURCE": "wx_client", "X-WX-FROM-OPENID": STRANGER, "X-WX-FROM-APPID": appid}
    for headers in (forged, shared, {name.replace("-", "_"): value for name, value in forged.items()}):
        # A list that is the same for everybody: nobody's data is read, and no user is made by it.
        answer = stranger.ask("GET", "/v1/models", headers=headers)
        if answer.status == 200 or answer.code in ("consent_required", "suspended"):
            yield found("forged-identity", f"{url}/v1/models")
            break
    probe = stranger.ask("POST", "/wx/push", {"action": "CheckContainerPath"}, {"X-WX-SOURCE": "wx_unknown"})
    if probe.status == 200:
        yield found("push-open", f"{url}/wx/push")
