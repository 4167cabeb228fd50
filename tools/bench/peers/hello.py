"""The least that gunicorn can serve: what a start costs without Yunliao."""

from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> dict[str, bool]:
    """Alive."""
    return {"alive": True}
