"""How the container is served. Nothing of the application is imported here: this file is read before the worker patches
the standard library for greenlets."""

import gc
import os
import time

_began = [time.monotonic()]
gc.disable()  # what is imported stays: looking for garbage among it would only make the start longer

bind = f"0.0.0.0:{os.environ.get('PORT', '80')}"
# One worker: greenlets hold a thousand listeners, and a turn's listeners find its events in the same process.
workers = 1
worker_class = "gevent"
worker_connections = 4000
# A heartbeat for this worker class, not a limit for requests; those have deadlines of their own.
timeout = 60
keepalive = 75
# Live answers get YUNLIAO_GRACE_SECONDS; the rest of the time is for closing sockets and the store.
graceful_timeout = int(float(os.environ.get("YUNLIAO_GRACE_SECONDS") or 20)) + 5
# Header names with underscores would collide with the platform's identity headers (platform.md §3.1).
header_map = "drop"
forwarded_allow_ips = ""
control_socket_disable = True
accesslog = None
errorlog = "-"
# Not warning: a refused request line or header would be repeated there with what people sent.
loglevel = "error"
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  memory, not disk: a heartbeat file
proc_name = "yunliao"


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    """From here the worker's own wish to end is watched, and garbage collected, though not among what is there now."""
    gc.freeze()
    gc.enable()
    from yunliao.adapters.json_lines import JsonLines
    from yunliao.adapters.logging import JsonTurnLog
    from yunliao.factory import drain_when

    JsonLines(JsonTurnLog()).install()
    services = worker.wsgi.extensions.get("yunliao")
    if services is not None:  # one that waits for its settings or its store has not started
        services.started(time.monotonic() - _began[0])
    drain_when(worker.wsgi, lambda: not worker.alive)


def child_exit(server, worker):  # type: ignore[no-untyped-def]
    """What comes after a worker that died is no cold start of the whole."""
    _began[0] = time.monotonic()


def worker_exit(server, worker):  # type: ignore[no-untyped-def]
    """Requests are done: let live turns finish."""
    from yunliao.factory import shut_down

    if getattr(worker, "wsgi", None) is not None:
        shut_down(worker.wsgi)
