"""What is measured: each is started with its upstream, and says how a person asks it."""

import base64
import contextlib
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

from bench.process import Process, free_port

DIRECT = "direct"
NAIVE = "naive Flask proxy"
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
LITELLM = """
model_list:
  - model_name: m
    litellm_params: {{model: openai/m, api_base: "http://127.0.0.1:{upstream}/v1", api_key: bench}}
litellm_settings: {{telemetry: false}}
general_settings: {{dangerously_permit_weak_or_unset_master_key: true}}
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
    health: str = "/healthz"

    def start(self, chat_port: int, check_port: int) -> None:
        """Start it; ready when this returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {"PYTHONUNBUFFERED": "1", "UPSTREAM": f"http://127.0.0.1:{chat_port}", **self.env}
        command, where = self._command(port, chat_port, check_port, env)
        self.process = Process(command, env=env, folder=where, log=self.folder / "log")
        self.start_seconds = self.process.answers(self.url + self.health)

    def _command(
        self, port: int, chat_port: int, check_port: int, env: dict[str, str]
    ) -> tuple[list[str], pathlib.Path]:
        peers = _peers()
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
            case "LiteLLM":
                conf = self.folder / "litellm.yaml"
                conf.write_text(LITELLM.format(upstream=chat_port))
                env["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network
                serve = [str(pathlib.Path(peers).with_name("litellm")), "--config", str(conf), "--num_workers", "1"]
                return [*serve, "--host", "127.0.0.1", "--port", str(port)], self.folder
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
            # The machine is measured: WeChat's own 4,000 checks a minute would be the limit long before it.
            "YUNLIAO_CHECKS_PER_MINUTE": "100000000",
            "YUNLIAO_CHECKS_PER_DAY": "10000000000",
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


def yunliao(folder: pathlib.Path, kind: str, store_url: str = "", database: str = "") -> System:
    """Yunliao, asked by that transport, on MongoDB in a database of its own, or on SQLite without a `store_url`."""
    one = System(f"Yunliao, {'MongoDB' if store_url else 'SQLite'}, {kind}", kind, folder)
    if store_url:
        one.env["YUNLIAO_STORE_URL"] = store_url.replace("/bench", f"/{database}")
    return one


def everything(
    folder: pathlib.Path, store_url: str, ports: tuple[int, int], database: str = "streaming"
) -> list[System]:
    """What takes turns: the upstream itself, the peers, and Yunliao by every transport on both stores."""
    found = [System(DIRECT, "openai", folder / "direct", url=f"http://127.0.0.1:{ports[0]}")]
    if shutil.which("nginx"):
        found.append(System("nginx, bare proxy", "openai", folder / "nginx"))
    found.append(System(NAIVE, "chat", folder / "naive"))
    if installed("uvicorn"):
        found.append(System("tutorial backend", "chat", folder / "tutorial"))
    if installed("litellm"):
        found.append(System("LiteLLM", "openai", folder / "litellm", health="/health/liveliness"))
    found.append(yunliao(folder / "sqlite", "socket"))
    found += [yunliao(folder / kind, kind, store_url, f"{database}_{kind}") for kind in ("socket", "sse", "poll")]
    return found


def missing() -> list[str]:
    """What is not measured on this machine, as sentences for the table."""
    said = []
    if not shutil.which("nginx"):
        said.append("nginx is not installed here (`apt install nginx-light`): its row is missing.")
    if not installed("uvicorn"):
        said.append("FastAPI and uvicorn are not installed here: the tutorial backend's row is missing.")
    if not installed("litellm"):
        said.append("LiteLLM is not installed in `.venv-bench`: its row is missing.")
    return said


def installed(module: str) -> bool:
    """Whether the peers' interpreter has it."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([_peers(), "-c", code], check=False).returncode == 0


def _peers() -> str:
    """The interpreter of what Yunliao is compared with: what they need is no part of Yunliao."""
    return os.environ.get("YUNLIAO_BENCH_PYTHON", sys.executable)
