"""A worker that only sends frames, through the container's own channel."""

import os
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, Response

from yunliao.web import channel as channels
from yunliao.web import socket
from yunliao.web.channel import Channel, Closed

app = Flask(__name__)
cut = threading.Event()

channels.SEND_SECONDS = float(os.environ.get("SEND_SECONDS", channels.SEND_SECONDS))


def over_a_socket(talk: Callable[[Channel], None]) -> Response:
    """`talk` has its say on a thread of its own, while the channel is attended to."""
    answer = socket.accepted()

    def run(environ: dict[str, Any]) -> None:
        environ["gunicorn.socket"].sendall(answer)
        channel = Channel(environ["gunicorn.socket"].dup())
        channel.serve(lambda: until_closed(channel), lambda: None)
        threading.Thread(target=talk, args=(channel,), daemon=True).start()

    return socket.opened(run)


def until_closed(channel: Channel) -> bool:
    try:
        return channel.receive() is None  # any word is the last
    except Closed:
        return False


@app.route("/frames", websocket=True)
def frames() -> Response:
    return over_a_socket(many)


def many(channel: Channel) -> None:
    number = 0
    while number < 600:
        together = min(1 + number % 7, 600 - number)
        channel.send(*(f"{one:06d}{'字' * 6666}".encode() for one in range(number, number + together)))
        number += together


@app.route("/unread", websocket=True)
def unread() -> Response:
    return over_a_socket(deaf)


def deaf(channel: Channel) -> None:
    text = ("字" * 6666).encode()
    try:
        while True:
            channel.send(text, text)
    except Closed:
        cut.set()


@app.route("/cut")
def was_cut() -> str:
    return "cut" if cut.is_set() else "open"


app.wsgi_app = socket.Upgrades(app.wsgi_app)  # type: ignore[method-assign]
