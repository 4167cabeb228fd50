"""`dev.py screenshots`: the mini-program and the operators' console in their main states, over a local Cloud Run of
their own, as PNG files."""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from dev import operate, run, setup
from dev.trouble import Trouble

SETTINGS = {
    "YUNLIAO_MODELS": "demo-chat=演示模型,demo-dear=演示模型（大）",
    "YUNLIAO_PROVIDER": "某某科技有限公司",
    "YUNLIAO_CONTACT": "help@example.com",
    "YUNLIAO_OPERATORS_IN_MINIPROGRAM": "on",
    "YUNLIAO_PRICES": json.dumps(
        {
            "version": "2026-11",
            "models": {
                "demo-chat": {"input": 2_000_000, "cached": 500_000, "output": 8_000_000},
                "demo-dear": {"input": 20_000_000, "output": 200_000_000},
            },
            "plans": {"free": {"daily": 500_000}},
            "limits": {"user_day": 2_000_000},
        }
    ),
}
"""Of the service whose screens are taken: everything that a person can meet is there."""
OPERATOR = "alice"
"""Whose console is taken."""
LIMIT = 1800
"""Seconds after which taking the pictures is given up."""


def take(root: pathlib.Path, options: argparse.Namespace) -> int:
    """0 when every state has its picture."""
    if os.name == "nt":
        raise Trouble(
            "The container does not run on Windows itself: open a WSL terminal and run the same command there."
        )
    interpreter = setup.venv(root, "run")
    setup.node(root, required=True)
    out = pathlib.Path(options.out).resolve()
    children: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory(prefix="yunliao-pictures-") as folder:
        data = pathlib.Path(folder)
        service = argparse.Namespace(
            port=run.free_port(), instances=1, relay="", relay_key="", model="", store="", prices=""
        )
        service.env = [f"{name}={value}" for name, value in SETTINGS.items()]
        try:
            preview = run.start_preview(root, children)
            run.wait_ready(run.start_cloud_run(root, interpreter, data, service, preview, children), data)
            command = ["node", str(root / "tools" / "preview" / "screenshots.js"), "--out", str(out)]
            command += ["--url", f"http://127.0.0.1:{service.port}"]
            command += ["--desk"] if options.desk else []
            for name in ("only", "theme"):
                command += [f"--{name}", getattr(options, name)] if getattr(options, name) else []
            command += ["--operator", operate.account(root, interpreter, data, OPERATOR)]
            return subprocess.run(command, cwd=root, check=False, timeout=LIMIT).returncode
        except subprocess.TimeoutExpired:
            raise Trouble(f"The pictures were not done after {LIMIT} seconds. Those that were are in {out}.") from None
        except KeyboardInterrupt:
            return 130
        finally:
            run.stop(children)
