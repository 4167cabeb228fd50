"""A worker that only sends frames, through the container's own channel and middleware."""

import os
import threading

from flask import Flask
from flask_sock import Sock

from yunliao.web import channel as channels
from yunliao.web.channel import Channel, Closed, WholeFrames

app = Flask(__name__)
sock = Sock(app)
cut = threading.Event()

channels.SEND_SECONDS = float(os.environ.get("SEND_SECONDS", channels.SEND_SECONDS))


@sock.route("/frames")
def frames(server: object) -> None:
    channel = Channel(server)  # type: ignore[arg-type]
    number = 0
    while number < 600:
        together = min(1 + number % 7, 600 - number)
        channel.send(*(f"{one:06d}" + "字" * 6666 for one in range(number, number + together)))
        number += together
    channel.receive(60)  # until the client has them all


@sock.route("/unread")
def unread(server: object) -> None:
    channel = Channel(server)  # type: ignore[arg-type]
    try:
        while True:
            channel.send("字" * 6666, "字" * 6666)
    except Closed:
        cut.set()


@app.route("/cut")
def was_cut() -> str:
    return "cut" if cut.is_set() else "open"


app.wsgi_app = WholeFrames(app.wsgi_app)  # type: ignore[method-assign]
