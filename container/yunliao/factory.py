"""Makes the application: services, planes, error handlers, sockets; and ends it."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.routing import BaseConverter, Rule

from yunliao.errors import RequestTooLarge
from yunliao.settings import Settings
from yunliao.web import console, desk, failures, open, operator, platform, socket, user
from yunliao.web.no_room import NoRoom
from yunliao.web.sockets import Sockets
from yunliao.web.validation import MAX_BODY

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

WATCH_SECONDS = 0.2
GOODBYE_SECONDS = 3.0
"""Longest wait for the sockets' goodbyes when everything else is done; the server does not wait for sockets."""


class RecordIdConverter(BaseConverter):
    """What may stand for an id in a path; anything else is no route at all."""

    regex = "[A-Za-z0-9_]{1,64}"


class OperatorIdConverter(BaseConverter):
    """Ids as operators meet them: users' and cases' have - as well, operators' names a dot."""

    regex = "[A-Za-z0-9_.-]{1,120}"


def create_app(settings: Settings, services: "Services | None" = None) -> Flask:
    """The WSGI application. Without `services` they are built from `settings`."""
    if services is None:
        from yunliao.bootstrap import build_services  # tests bring their own services

        services = build_services(settings)
    app = Flask("yunliao", static_folder=None)
    # One more than allowed, so that a body without a length that is too long is seen to be so and not cut.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY + 1
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_rule_class = WrittenWhenAsked
    app.url_map.converters["id"] = RecordIdConverter
    app.url_map.converters["operator"] = OperatorIdConverter
    app.url_map.merge_slashes = False  # a path is right or not found: a redirect would lose a POST
    leaving = Leaving(services, Sockets())
    app.extensions["yunliao"] = services
    app.extensions["yunliao.leaving"] = leaving
    for plane in (platform, operator, desk, console, open):
        app.register_blueprint(plane.plane(services))
    app.register_blueprint(user.plane(services, leaving=leaving.done.is_set))
    socket.install(app, services, leaving.sockets)
    failures.install(app, services.turn_log.fault)

    @app.before_request
    def measure() -> None:
        if (request.content_length or 0) > MAX_BODY:
            raise RequestTooLarge("the body is too large")

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in failures.marks(failures.request_id()).items():
            response.headers.setdefault(name, value)
        return response

    app.wsgi_app = socket.Upgrades(NoRoom(app.wsgi_app, services))  # type: ignore[method-assign]
    return app


class WrittenWhenAsked(Rule):
    """A route whose builder of addresses is made when somebody asks for one: nobody does here, and making those of all
    routes took a twentieth of the start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        make = super()._compile_builder

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return make(append_unknown)(rule, **values)

        return build


class Leaving:
    """How an instance goes: no new turns, sockets elsewhere, live turns get their grace time, the rest is left to be
    taken over. The time runs from the server's first sign, while it still answers the requests it has."""

    def __init__(self, services: "Services", sockets: Sockets) -> None:
        self.sockets = sockets
        self.done = threading.Event()
        self._services = services
        self._begun = threading.Lock()

    def begin(self) -> None:
        """Returns when every live turn has ended or was let go; a second caller waits for the first."""
        grace = self._services.settings.grace_seconds
        if not self._begun.acquire(blocking=False):
            self.done.wait(grace + 5)
            return
        threading.Thread(target=self.sockets.restart, daemon=True).start()
        self._services.drain(grace)
        self.done.set()


def drain_when(app: Flask, leaving: Callable[[], bool]) -> None:
    """Watch for the server's wish to end, and leave as soon as it shows."""

    def watch() -> None:
        while not leaving():
            time.sleep(WATCH_SECONDS)
        if "yunliao.leaving" in app.extensions:
            app.extensions["yunliao.leaving"].begin()

    threading.Thread(target=watch, daemon=True).start()


def shut_down(app: Flask) -> None:
    """Requests are done: finish leaving, release everything. One that never began (first_start.py) has nothing."""
    if "yunliao.starting" in app.extensions:
        app.extensions["yunliao.starting"].close()
    if "yunliao.leaving" in app.extensions:
        leaving: Leaving = app.extensions["yunliao.leaving"]
        leaving.begin()
        leaving.sockets.gone(GOODBYE_SECONDS)
        app.extensions["yunliao"].close()
