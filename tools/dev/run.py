"""Starts the local Cloud Run with the container behind it, and the mini-program preview; stops both on Ctrl-C."""

import argparse
import os
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import threading

from dev import setup
from dev.trouble import Trouble

READY_SECONDS = 90


def run(root: pathlib.Path, options: argparse.Namespace) -> int:
    """Until Ctrl-C; 0 then. Raises `Trouble` when something cannot start."""
    if os.name == "nt":
        raise Trouble(
            "The container's server (gunicorn) does not run on Windows itself. Open a WSL terminal (wsl --install), "
            "go to this folder and run the same command there; chat and setup work from either side."
        )
    check(options)
    interpreter = setup.venv(root, "run")
    has_node = setup.node(root, required=False)
    data = pathlib.Path(options.keep).resolve()
    data.mkdir(parents=True, exist_ok=True)
    children: list[subprocess.Popen[str]] = []
    # A terminal that closes, or a supervisor that ends us, must not leave servers behind.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        if options.store == "mongodb":
            options.store = start_mongodb(root, interpreter, data, children)
        preview = start_preview(root, children) if has_node else ""
        cloud_run = start_cloud_run(root, interpreter, data, options, preview, children)
        wait_ready(cloud_run, data)
        announce(options, data, bool(preview))
        while cloud_run.poll() is None:
            try:
                cloud_run.wait(1)
            except subprocess.TimeoutExpired:
                continue
        raise Trouble(f"The local Cloud Run ended by itself. What it said is in {data}.")
    except KeyboardInterrupt:
        print("\nstopping…", flush=True)
        return 0
    finally:
        stop(children)


def check(options: argparse.Namespace) -> None:
    """Mistakes that can be told before anything is started."""
    if not 1 <= options.port <= 65535:
        raise Trouble("--port must be from 1 to 65535, e.g. --port 8790")
    if not 1 <= options.instances <= 8:
        raise Trouble("--instances must be from 1 to 8, e.g. --instances 3")
    if options.relay and not options.model:
        raise Trouble("--relay needs --model NAME too: which model should that server use?")
    if options.prices and not pathlib.Path(options.prices).is_file():
        raise Trouble("--prices names no file: give a price table, e.g. docs/prices.example.json")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", options.port))
        except OSError:
            raise Trouble(
                f"Port {options.port} is in use. Is Yunliao running already? If not, choose another: "
                f"python3 dev.py run --port {options.port + 1}"
            ) from None


def start_mongodb(
    root: pathlib.Path, interpreter: pathlib.Path, data: pathlib.Path, children: list[subprocess.Popen[str]]
) -> str:
    """The address of a local MongoDB for trials, whose files are in the data folder and stay there."""
    command = [str(interpreter), "-m", "mongod", "--folder", str(data / "mongodb")]
    started = subprocess.Popen(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root / "tools")}, text=True, stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    children.append(started)
    assert started.stdout is not None
    said = started.stdout.read() if not (line := started.stdout.readline()).startswith("ready ") else ""
    if not line.startswith("ready "):
        raise Trouble(f"The local MongoDB did not start. {(line + said).removeprefix('failed ').strip()}")
    return line.removeprefix("ready ").strip()


def free_port() -> int:
    """A port of loopback that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_preview(root: pathlib.Path, children: list[subprocess.Popen[str]]) -> str:
    """Its address; empty when the checkout has no preview."""
    server = root / "tools" / "preview" / "server.js"
    if not server.exists():
        return ""
    port = free_port()
    command = ["node", str(server), "--port", str(port), "--source", str(root / "miniprogram"), "--gateway", ""]
    children.append(subprocess.Popen(command, cwd=root, text=True, start_new_session=True, stdout=subprocess.DEVNULL))
    return f"http://127.0.0.1:{port}"


def start_cloud_run(
    root: pathlib.Path,
    interpreter: pathlib.Path,
    data: pathlib.Path,
    options: argparse.Namespace,
    preview: str,
    children: list[subprocess.Popen[str]],
) -> "subprocess.Popen[str]":
    """The process of the gateway and all that is behind it."""
    command = [str(interpreter), "-m", "cloudrun", "--port", str(options.port), "--instances", str(options.instances)]
    command += ["--data", str(data)]
    if options.relay:
        command += ["--relay-url", options.relay, "--relay-key", options.relay_key, "--model", options.model]
    elif options.model:
        command += ["--model", options.model]
    if options.store:
        command += ["--env", f"YUNLIAO_STORE_URL={options.store}"]
    if options.prices:
        command += ["--env", f"YUNLIAO_PRICES={pathlib.Path(options.prices).resolve()}"]
    for setting in getattr(options, "env", ()):
        command += ["--env", setting]
    if preview:
        command += ["--preview", preview]
    environment = {**os.environ, "PYTHONPATH": str(root / "tools"), "PYTHONUNBUFFERED": "1"}
    started = subprocess.Popen(
        command, cwd=root, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    children.append(started)
    return started


def wait_ready(cloud_run: "subprocess.Popen[str]", data: pathlib.Path) -> None:
    """Until the line that says so; what came before is shown when it never comes."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert cloud_run.stdout is not None
        for line in cloud_run.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said: list[str] = []
    while True:
        try:
            line = lines.get(timeout=READY_SECONDS)
        except queue.Empty:
            line = None
        if line is None:
            last = "".join(said[-15:])
            raise Trouble(f"The service did not start. Its last words:\n{last}\nMore is in {data}.")
        said.append(line)
        if line.startswith("ready "):
            return


def announce(options: argparse.Namespace, data: pathlib.Path, preview: bool) -> None:
    """The ready line, and what to try next."""
    here = f"http://127.0.0.1:{options.port}"
    port = "" if options.port == 8787 else f" --port {options.port}"
    print(f"ready {here}", flush=True)
    if preview:
        print(f"  打开小程序   open the mini-program:  {here}")
    print(f'  在终端聊天   chat in a terminal:     python3 dev.py chat "用三句话介绍你自己"{port}')
    print(f"  运营台       operators' console:     {here}/op/console")
    print("               its first account:      python3 dev.py operate operators add alice --role owner")
    print(f"  数据与日志   data and logs:          {data}")
    print("  停止         stop:                   Ctrl-C", flush=True)
    if not options.relay:
        print("  回答来自演示模型 answers come from the demo model; your own: --relay URL --relay-key KEY --model NAME")
    sys.stdout.flush()


def stop(children: list["subprocess.Popen[str]"]) -> None:
    """End what was started, kindly first."""
    # One after the other: what was started last leans on what was started before, the containers on the store.
    for child in reversed(children):
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
