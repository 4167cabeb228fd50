"""What is measured: each is started with its upstream, and says how a person asks it."""

import base64
import contextlib
import os
import pathlib
import secrets
import shutil
import sys
from dataclasses import dataclass, field

from bench.process import Process, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream relay {{ server 127.0.0.1:{upstream}; keepalive 1024; }}
  server {{
    listen 127.0.0.1:{port};
    location /healthz {{ return 200 'ok'; }}
    proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off;
    location / {{ proxy_pass http://relay; }}
  }}
}}
"""


@dataclass
class System:
    """`kind`: how it is asked (`openai`, `chat`, `socket`, `sse`, `poll`). `process` is what its cost is counted of."""

    name: str
    kind: str
    folder: pathlib.Path
    url: str = ""
    process: Process | None = None
    start_seconds: float = 0.0
    env: dict[str, str] = field(default_factory=dict)
    config: str = "gunicorn.conf.py"

    def start(self, chat_port: int, check_port: int) -> None:
        """Start it; ready when this returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {"PYTHONUNBUFFERED": "1", "UPSTREAM": f"http://127.0.0.1:{chat_port}", **self.env}
        command, where = self._command(port, chat_port, check_port, env)
        self.process = Process(command, env=env, folder=where, log=self.folder / "log")
        self.start_seconds = self.process.answers(self.url + "/healthz")

    def _command(
        self, port: int, chat_port: int, check_port: int, env: dict[str, str]
    ) -> tuple[list[str], pathlib.Path]:
        # The peers have an environment of their own: what they need is no part of Yunliao.
        peers = os.environ.get("YUNLIAO_BENCH_PYTHON", sys.executable)
        gunicorn = [peers, "-m", "gunicorn", "-k", "gevent", "-w", "1", "--worker-connections", "4000"]
        match self.name.split(",")[0]:
            case "nginx":
                conf = self.folder / "nginx.conf"
                conf.write_text(NGINX.format(folder=self.folder, upstream=chat_port, port=port))
                return [shutil.which("nginx") or "nginx", "-c", str(conf), "-p", str(self.folder)], self.folder
            case "naive Flask proxy":
                return [*gunicorn, "-b", f"127.0.0.1:{port}", "bench.peers.naive:app"], ROOT / "tools"
            case "hello":
                return [*gunicorn, "-b", f"127.0.0.1:{port}", "bench.peers.hello:app"], ROOT / "tools"
            case "tutorial backend":
                serve = [peers, "-m", "uvicorn", "--log-level", "error", "--port", str(port)]
                return [*serve, "bench.peers.tutorial:app"], ROOT / "tools"
        env |= {
            "YUNLIAO_ENV": "development",
            "YUNLIAO_RELAY_URL": f"http://127.0.0.1:{chat_port}/v1",
            "YUNLIAO_RELAY_KEY": "bench",
            "YUNLIAO_MODEL": "m",
            "YUNLIAO_MASTER_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "YUNLIAO_WECHAT_API_URL": f"http://127.0.0.1:{check_port}",
            "YUNLIAO_APPIDS": "wxbench",
            "YUNLIAO_RATE_LIMIT": "99999/minute",
            "YUNLIAO_MAX_LIVE": "2000",
            "YUNLIAO_METRICS_TOKEN": "",
            "PORT": str(port),
            "GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:{port}",
            **self.env,
        }
        env.setdefault("YUNLIAO_STORE_URL", f"sqlite:///{self.folder}/yunliao.db")
        return [sys.executable, "-m", "gunicorn", "-c", self.config, "wsgi:app"], ROOT / "container"

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.end()
            self.process = None

    def __enter__(self) -> "System":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.stop()
