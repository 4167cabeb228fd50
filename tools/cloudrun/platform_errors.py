"""The platform's own errors, as a client of callContainer sees them (platform.md §1.4).

They are not answers of the container, so the local gateway sends them with status 599 and `X-Local-Errcode`.
"""

from __future__ import annotations

import json

from aiohttp import web

TEXTS = {
    102002: "请求超时",
    102005: "method not allowed, use GET, POST, PUT or DELETE",
    40097: "system error",
    -501000: "Path access permission error",
    -501001: "cloud system error",
    -501002: "cloud system timeout",
    -501003: "environment quota exceeded",
    -501004: "environment concurrency exceeded",
    -501023: "no permission",
    -601001: "cloud system error",
    -601003: "cloud system timeout",
    -601008: "network error",
    -601027: "environment not found",
    -601031: "EnvDbId [local-env], ServiceName [] not exist",
    -601034: "cloud run is not opened",
    -606001: "request body exceeds 100 KB",
    -606002: "response body exceeds 1 MB",
    -606003: "account in arrears",
    -606006: "unauthenticated access is refused",
    -405005: "exceed max poll retry",
    600000: "request:fail",
}
NOT_READY = "SERVICE_NOT_READY: the service is starting, connect ECONNREFUSED"
UPSTREAM = "upstream connect error or disconnect/reset before headers. reset reason: connection failure"


class PlatformError(Exception):
    """The platform, not the container, answers: `code` with `text`."""

    def __init__(self, code: int, text: str = "", *, status: int = 599) -> None:
        self.code, self.text, self.status = code, text or TEXTS.get(code, "cloud system error"), status
        super().__init__(self.text)

    def response(self, call_id: str, call: str) -> web.Response:
        """The error of a client's `call` as HTTP: `{"errCode", "errMsg", "callID"}`; errMsg has callId and trace."""
        message = f"{call}:fail Error: errCode: {self.code} | errMsg: {self.text} (callId: {call_id}) (trace: local)"
        body = json.dumps({"errCode": self.code, "errMsg": message, "callID": call_id}, ensure_ascii=False)
        headers = {"X-Local-Errcode": str(self.code), "X-Local-Call-Id": call_id, "Cache-Control": "no-store"}
        return web.Response(status=self.status, text=body, content_type="application/json", headers=headers)
