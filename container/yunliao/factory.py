"""Makes the application: services, planes, error handlers, sockets."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, g

from yunliao.settings import Settings
from yunliao.web import failures, open, platform, socket, user
from yunliao.web.channel import WholeFrames
from yunliao.web.validation import MAX_BODY

if TYPE_CHECKING:
    from yunliao.bootstrap import Services

WATCH_SECONDS = 0.2


def create_app(settings: Settings, services: "Services | None" = None) -> Flask:
    """The WSGI application. Without `services` they are built from `settings`."""
    if services is None:
        from yunliao.bootstrap import build_services  # tests bring their own services

        services = build_services(settings)
    app = Flask("yunliao", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.extensions["yunliao"] = services
    sockets = app.extensions["yunliao.sockets"] = socket.Sockets()
    for plane in (user, platform, open):
        app.register_blueprint(plane.plane(services))
    socket.install(app, services, sockets)
    failures.install(app, services.turn_log.fault)

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = failures.request_id()
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @app.before_request
    def begin() -> None:
        g.pop("request_id", None)

    app.wsgi_app = WholeFrames(app.wsgi_app)  # type: ignore[method-assign]
    return app


def drain_when(app: Flask, leaving: Callable[[], bool]) -> None:
    """Watch for the server's wish to end: refuse new turns and send sockets elsewhere as soon as it shows."""
    services: Services = app.extensions["yunliao"]
    sockets: socket.Sockets = app.extensions["yunliao.sockets"]

    def watch() -> None:
        while not leaving():
            time.sleep(WATCH_SECONDS)
        services.engine.draining = True
        sockets.restart()

    threading.Thread(target=watch, daemon=True).start()


def shut_down(app: Flask) -> None:
    """Let live turns finish within the grace time, leave the rest to be taken over, release everything."""
    services: Services = app.extensions["yunliao"]
    services.drain(services.settings.grace_seconds)
    services.close()
