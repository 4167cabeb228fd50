"""What answers before the service can work: it says what is missing and does nothing else.

Three things can stand in the way. Settings that are missing or wrong, and master keys that do not open what the store
holds: both need a person, who finds on `/readyz` and in the mini-program which ones and where they go. A store that
cannot be reached: that heals by itself, so it is tried again for as long as it takes, whenever somebody asks. Meanwhile
no route of any plane exists but `/healthz` and `/readyz`, and with wrong settings not even the store is opened.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask, Response, g

from yunliao.errors import Misconfigured, StoreUnavailable, YunliaoError
from yunliao.factory import create_app
from yunliao.services.health import Check
from yunliao.settings import Settings, SettingsError
from yunliao.settings_guide import THEN, THEN_ZH, WHERE, WHERE_ZH, Mistake, explain, explain_later
from yunliao.web import failures

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

AGAIN_SECONDS = 2.0
"""Least time between two tries: each one may take as long as the driver waits for a server."""
PATIENCE_SECONDS = 3.0
"""How long a request waits for a try that is under way: a person had better see an answer late than an error."""

UNKNOWN_ZH = "设置与已保存的数据不符，详情在服务日志里"
UNKNOWN = "the settings and what is stored do not fit together; the service's log says more"

Build = Callable[[Settings], "Services"]


class Report(msgspec.Struct, frozen=True):
    """The answer of `/readyz` until the service works. No value of a setting is in it."""

    ready: bool
    checks: list[Check]
    settings: list[Mistake]
    where: str
    where_zh: str
    then: str
    then_zh: str


class Starting:
    """Tries to make the service of an environment. `app` is what the server calls: the service's own application, or
    one that explains until it can hand everything over to that."""

    def __init__(self, environ: Mapping[str, str], build: Build | None = None) -> None:
        self._build = build or _build
        self._failure: YunliaoError | None = None
        self._mistakes: list[Mistake] = []
        self._settings: Settings | None = None
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._tried = 0.0
        self._real: Flask | None = None
        self._closed = False
        try:
            self._settings = Settings.from_env(environ)
        except SettingsError as mistakes:
            self._mistakes = explain(mistakes.problems)
            self._fail(Misconfigured("; ".join(mistakes.problems)), mistakes.problems)
        self.app = self._waiting()
        if self._settings:
            self._try()
        if self._real is not None:
            self.app = self._real

    @property
    def ready(self) -> bool:
        """Whether the service itself answers."""
        return self._real is not None

    def close(self) -> None:
        """The server ends: what is made from now on is released at once."""
        with self._lock:
            self._closed = True

    def _try(self) -> None:
        """One try; on success the application in front changes."""
        assert self._settings is not None  # noqa: S101  only called with settings
        try:
            services = self._build(self._settings)
        except YunliaoError as failed:
            self._mistakes = [] if isinstance(failed, StoreUnavailable) else explain_later(failed.detail)
            self._fail(failed, [failed.detail or failed.en])
            return
        real = create_app(self._settings, services)
        with self._lock:
            if self._closed:
                services.close()
                return
            self.app.extensions.update(real.extensions)
            self._failure = None
            self._real = real

    def _fail(self, failed: YunliaoError, said: list[str]) -> None:
        if self._failure is None or self._failure.detail != failed.detail:
            for line in said:  # once, not with every try
                sys.stderr.write(f"yunliao: {line}\n")
            sys.stderr.flush()
        self._failure = failed
        self._tried = time.monotonic()

    def _heal(self) -> None:
        """Try again in the background where that can help, and wait for it a moment."""
        if self._settings is None:
            return
        with self._lock:
            due = self._idle.is_set() and not self._closed and time.monotonic() - self._tried >= AGAIN_SECONDS
            if due:
                self._idle.clear()
        if due:
            threading.Thread(target=self._try_once, daemon=True).start()
        self._idle.wait(PATIENCE_SECONDS)

    def _try_once(self) -> None:
        try:
            self._try()
        finally:
            self._idle.set()

    def _waiting(self) -> Flask:
        """The application that only explains. Every path and verb but two is an error, whatever comes with it."""
        app = Flask("yunliao", static_folder=None)
        waiting = app.wsgi_app

        def chosen(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if self._real is None and environ.get("PATH_INFO") != "/healthz":
                self._heal()
            return (self._real.wsgi_app if self._real else waiting)(environ, start_response)

        app.wsgi_app = chosen  # type: ignore[method-assign]
        app.extensions["yunliao.starting"] = self

        @app.get("/healthz")
        def healthz() -> Response:
            return Response(b'{"alive":true}', content_type="application/json")

        @app.get("/readyz")
        def readyz() -> Response:
            return Response(msgspec.json.encode(self.report()), 503, content_type="application/json")

        @app.errorhandler(Exception)
        def anything(error: Exception) -> Response:
            g.allowed = None
            return failures.answer(self._told())

        @app.after_request
        def finish(response: Response) -> Response:
            response.headers["X-Request-Id"] = failures.request_id()
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response

        return app

    def report(self) -> Report:
        """What stands in the way."""
        failure = self._failure
        if isinstance(failure, StoreUnavailable):
            check = Check("store", False, failure.detail or failure.en)
        else:
            check = Check("settings", False, "; ".join(mistake.line for mistake in self._mistakes) or UNKNOWN)
        return Report(False, [check], self._mistakes, WHERE, WHERE_ZH, THEN, THEN_ZH)

    def _told(self) -> YunliaoError:
        """The error of every other route, in words that a page of the mini-program can show."""
        if isinstance(self._failure, StoreUnavailable):
            return StoreUnavailable(retry_after=int(AGAIN_SECONDS) + 1)
        told = Misconfigured()
        zh = [mistake.line_zh for mistake in self._mistakes] or [UNKNOWN_ZH]
        en = [mistake.line for mistake in self._mistakes] or [UNKNOWN]
        told.zh = "\n".join(["服务还没有配置完成，请管理员处理：", *zh, f"填写位置：{WHERE_ZH}。{THEN_ZH}"])
        told.en = "\n".join(["The service is not fully configured. For the operator:", *en, f"Where: {WHERE}. {THEN}"])
        return told


def _build(settings: Settings) -> "Services":
    from yunliao.bootstrap import build_services  # with wrong settings no adapter is even imported

    return build_services(settings)
