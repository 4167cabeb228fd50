"""A worker that only sends frames, through the container's own channel and middleware."""

from flask import Flask
from flask_sock import Sock

from yunliao.web.channel import Channel, WholeFrames

app = Flask(__name__)
sock = Sock(app)


@sock.route("/frames")
def frames(server: object) -> None:
    channel = Channel(server)  # type: ignore[arg-type]
    for number in range(600):
        channel.send(f"{number:06d}" + "字" * 6666)


app.wsgi_app = WholeFrames(app.wsgi_app)  # type: ignore[method-assign]
