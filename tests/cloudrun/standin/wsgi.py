"""A plain WSGI container that shows what reached it, is slow, large, broken or streaming as asked, and has a socket."""

import json
import os
import signal
import threading
import time
from urllib.parse import parse_qs

import simple_websocket

counts = {"requests": 0}
lock = threading.Lock()
print("standin started", flush=True)


def seen(environ, body=b""):
    headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
    return {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "headers": headers,
        "length": len(body),
        "body": body.decode("utf-8", "replace")[:1000],
        "pid": os.getpid(),
        "environment": sorted(k for k in os.environ if k.startswith(("YUNLIAO_", "CBR_"))),
        "count": counts["requests"],
    }


def socket(environ):
    ws = simple_websocket.Server(environ, subprotocols=["b", "a"])
    try:
        while True:
            data = ws.receive()
            if isinstance(data, bytes):
                ws.send(data[::-1])
            elif data == "who":
                ws.send(json.dumps(seen(environ)))
            elif data.startswith("close "):
                ws.close(int(data.split()[1]), "because")
            elif data == "die":
                os.kill(os.getppid(), signal.SIGKILL)
                os._exit(9)
            else:
                ws.send(data)
    except simple_websocket.ConnectionClosed as closed:
        print("socket closed", int(closed.reason), flush=True)
    return [b""]


def drip(pieces, pause):
    try:
        for n in range(pieces):
            yield f"data: {n}\n\n".encode()
            time.sleep(pause)
    finally:
        print("drip ended", flush=True)


def application(environ, start_response):
    path, query = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])
    if path == "/v1/socket":
        return socket(environ)

    def asked(name, default):
        return float(query.get(name, [default])[0])

    body = environ["wsgi.input"].read()
    if path == "/healthz":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]
    with lock:
        counts["requests"] += 1
    if path == "/v1/refuse-socket":
        start_response("403 Forbidden", [])
        return [b"no"]
    if path == "/v1/stream":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return drip(int(asked("n", 3)), asked("pause", 0))
    if path == "/v1/big":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [b"x" * int(asked("n", 10))]
    if path == "/v1/die":
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(9)
    if "s" in query:
        print("slow request", flush=True)
        time.sleep(asked("s", 0))
    start_response(f"{int(asked('code', 200))} Status", [("Content-Type", "application/json"), ("X-Request-Id", "r1")])
    return [json.dumps(seen(environ, body)).encode()]


app = application
