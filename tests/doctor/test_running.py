"""The doctor in front of running services: a closed one gets no finding, every open door gets one."""

import contextlib
import datetime
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cloudrun.instances import free_port
from doctor import examine
from tests.web.fake_app import fake_app
from yunliao.first_start import Starting
from yunliao.services.health import Check

APPID = "wxallowed1"
CLOSED = {"YUNLIAO_PUBLIC": "on", "YUNLIAO_METRICS_TOKEN": "a-token-of-sixteen"}
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(app: Any, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The application on a port of its own."""
    server: WSGIServer = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project.config.json").write_text(json.dumps({"appid": APPID}))
    return tmp_path


def answers(**paths: tuple[int, Any]) -> Wsgi:
    """A closed service, but for these endpoints (`/` is written as `__`)."""
    app, _ = fake_app(**CLOSED)

    def other(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        found = paths.get(environ["PATH_INFO"].lstrip("/").replace("/", "__"))
        if found is None:
            return app(environ, start)
        start(f"{found[0]} Status", [("Content-Type", "application/json")])
        return [json.dumps(found[1]).encode()]

    return other


def kinds(root: Path, app: Any) -> list[str]:
    with served(app) as url:
        return [one.kind for one in examine.service(root, url + "/")]


def test_a_closed_service_has_no_finding_at_all(root: Path) -> None:
    app, services = fake_app(**CLOSED)
    assert kinds(root, app) == []
    assert not services.turns.logs


@pytest.mark.parametrize(
    ("kind", "app"),
    [
        ("forged-identity", lambda: fake_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen")[0]),
        ("push-open", lambda: fake_app(YUNLIAO_METRICS_TOKEN="a-token-of-sixteen")[0]),
        ("metrics-open", lambda: fake_app(YUNLIAO_PUBLIC="on", YUNLIAO_ENV="development")[0]),
        ("user-open", lambda: answers(v1__models=(200, {"models": []}))),
        ("jobs-open", lambda: answers(**{"jobs__no-such-job": (404, {"error": {"code": "not_found"}})})),
        ("operator-open", lambda: answers(operator__v1__summary=(200, {"turns": 1}))),
        ("openapi-missing", lambda: answers(**{"openapi.json": (200, {})})),
        ("url-not-yunliao", lambda: answers(healthz=(200, {"ok": True}))),
        ("not-ready", lambda: Starting({}).app),
    ],
)
def test_each_open_door_is_found(root: Path, kind: str, app: Callable[[], Any]) -> None:
    assert kind in kinds(root, app())


def test_what_is_missing_is_named_with_its_place_in_the_console(root: Path) -> None:
    with served(Starting({"YUNLIAO_MODEL": "canary-model"}).app) as url:
        findings = examine.service(root, url)
    told = examine.report(findings, as_json=False)
    assert {one.kind for one in findings} == {"not-ready"}
    assert "YUNLIAO_MASTER_KEYS" in told and "服务设置 → 环境变量" in told
    assert "canary" not in told


def test_a_store_that_is_away_is_named(root: Path) -> None:
    app, services = fake_app(**CLOSED)
    services.health.ready = lambda: [Check("store", False, "mongodb: no answer")]
    with served(app) as url:
        (only,) = examine.service(root, url)
    assert only.kind == "not-ready"
    assert "mongodb: no answer" in only.said()["what"]


def test_nobody_there(root: Path) -> None:
    (only,) = examine.service(root, f"http://127.0.0.1:{free_port()}")
    assert only.kind == "url-unreachable"
    assert [one.kind for one in examine.service(root, "http://yunliao.invalid")] == ["url-plain", "url-unreachable"]


def test_a_certificate_nobody_trusts(root: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "own.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    with served(fake_app(**CLOSED)[0], context) as url:
        assert [one.kind for one in examine.service(root, url)] == ["certificate-wrong"]
