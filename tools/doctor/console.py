"""The settings as they will be typed into the console, from a file of NAME=value lines. Values are never shown.

Without `.venv` the commonest mistakes are found by rules of this page; with it the service's own reading of its
settings is asked as well, so that nothing is accepted here that would be refused there.
"""

import ast
import base64
import binascii
import difflib
import ipaddress
import itertools
import json
import os
import pathlib
import re
import subprocess
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from doctor.finding import Finding, found
from doctor.tree import Tree

SECRETS = (
    "YUNLIAO_JOBS_SECRET",
    "YUNLIAO_METRICS_TOKEN",
    "YUNLIAO_FUNCTION_SECRET",
    "YUNLIAO_RELAY_KEY",
    "YUNLIAO_PUSH_TOKEN",
    "YUNLIAO_PUSH_SECRET",
)
PLACEHOLDER = re.compile(r"…|\.\.\.|<|>|(?i:your|example|placeholder|changeme|xxxx|你的|填写)")
GUESSED = re.compile(r"(?i)password|passw0rd|secret|123456|abcdef0|qwerty|letmein|yunliao")
OVERSEAS = re.compile(
    r"(^|\.)(openai\.com|anthropic\.com|googleapis\.com|openrouter\.ai|mistral\.ai|groq\.com|x\.ai|together\.xyz|cohere\.(ai|com)"
    r"|fireworks\.ai|deepinfra\.com|perplexity\.ai|huggingface\.co)$"
)
ASK = """
import json, os, sys
from yunliao.settings import Settings, SettingsError
from yunliao.settings_guide import explain
try:
    Settings.from_env(os.environ)
    print("[]")
except SettingsError as wrong:
    told = explain(wrong.problems)
    print(json.dumps([[m.name, m.state, m.problem, m.problem_zh, m.meaning, m.example] for m in told]))
"""


def read(path: pathlib.Path) -> tuple[dict[str, str], list[Finding]]:
    """NAME=value lines; blank lines and # comments are skipped."""
    findings: list[Finding] = []
    values: dict[str, str] = {}
    try:
        lines = path.read_bytes().decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}, [found("settings-unreadable", path.name, line=1)]
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, sign, value = text.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not sign or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            findings.append(found("settings-unreadable", path.name, line=number))
            continue
        if name in values:
            findings.append(found("setting-twice", f"{path.name} {name}", name=name))
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            findings.append(found("setting-quoted", f"{path.name} {name}", name=name))
            value = value[1:-1]
        values[name] = value
    return values, findings


def check(tree: Tree, path: pathlib.Path) -> Iterator[Finding]:
    """Findings of the settings file at `path`."""
    values, findings = read(path)
    yield from findings
    yield from _file(tree, path)
    if not values and findings:
        return
    own = list(_own(tree, values, path.name))
    yield from own
    told = {finding.place for finding in own}
    for finding in _by_the_service(tree, values, path.name):
        if finding.place not in told:
            yield finding
    yield from _meaning(tree, values, path.name)


def variables(tree: Tree) -> dict[str, tuple[bool, str, str]]:
    """Name -> (required, example, meaning), from the source: before setup it cannot be imported."""
    table: dict[str, tuple[bool, str, str]] = {}
    try:
        source = ast.parse(tree.text("container/yunliao/settings.py"))
    except SyntaxError:
        return table
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Variable" and node.args:
            texts = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
            required = isinstance(node.args[3], ast.Name) and node.args[3].id == "REQUIRED"
            table[str(texts[0])] = (required, str(texts[4]), str(texts[5]))
    return table


def _file(tree: Tree, path: pathlib.Path) -> Iterator[Finding]:
    resolved = path.resolve()
    if resolved.is_relative_to(tree.root.resolve()):
        name = resolved.relative_to(tree.root.resolve()).as_posix()
        if tree.tracked(name):
            yield found("settings-tracked", path.name, name=name)
    if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
        yield found("settings-readable", path.name, name=path.name)


def _own(tree: Tree, values: Mapping[str, str], where: str) -> Iterator[Finding]:
    known = variables(tree)
    production = values.get("YUNLIAO_ENV", "production") == "production"
    several = bool(values.get("YUNLIAO_RELAYS"))
    required = [name for name, (needed, _, _) in known.items() if needed]
    required += [] if several else ["YUNLIAO_RELAY_URL", "YUNLIAO_MODEL"]
    required += ["YUNLIAO_APPIDS"] if production else []
    for name in required:
        if not values.get(name):
            _, example, meaning = known.get(name, (True, "", ""))
            yield found("setting-missing", f"{where} {name}", name=name, meaning=meaning, example=example)
    extra = {str(key) for key in re.findall(r'"key_env"\s*:\s*"([^"]+)"', values.get("YUNLIAO_RELAYS", ""))}
    for name in values:
        if name.startswith("YUNLIAO_") and known and name not in known and name not in extra:
            near = difflib.get_close_matches(name, known, 1, 0.6)
            advice = f"是不是 {near[0]}？ Did you mean {near[0]}?" if near else "删去这一行。 Leave the line out."
            yield found("setting-unknown", f"{where} {name}", name=name, near=advice)
    for name, value in values.items():
        if (
            name in known
            and value
            and PLACEHOLDER.search(value)
            and name in (*SECRETS, "YUNLIAO_STORE_URL", "YUNLIAO_MASTER_KEYS")
        ):
            yield found("secret-example", f"{where} {name}", name=name)
    yield from _keys(values, where)


def _keys(values: Mapping[str, str], where: str) -> Iterator[Finding]:
    ring = values.get("YUNLIAO_MASTER_KEYS", "")
    if ring and not PLACEHOLDER.search(ring):
        for item in ring.split(","):
            try:
                key = base64.b64decode(item.partition(":")[2], validate=True)
            except (binascii.Error, ValueError):
                continue  # the service's own reading tells it
            if len(key) == 32 and _guessable(key):
                yield found("key-weak", f"{where} YUNLIAO_MASTER_KEYS", name="YUNLIAO_MASTER_KEYS")
                break
    seen: dict[str, str] = {}
    for name in SECRETS:
        value = values.get(name, "")
        if not value or PLACEHOLDER.search(value):
            continue
        if name != "YUNLIAO_RELAY_KEY" and (len(set(value)) < 8 or GUESSED.search(value)):
            yield found("secret-weak", f"{where} {name}", name=name)
        if value in seen:
            yield found("secret-shared", f"{where} {name}", name=name, other=seen[value])
        seen.setdefault(value, name)


def _guessable(key: bytes) -> bool:
    """Whether no random source would give these bytes: few different ones, text, or an even progression."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    return len(set(key)) < 12 or len(steps) < 4 or all(32 <= byte < 127 for byte in key)


def _by_the_service(tree: Tree, values: Mapping[str, str], where: str) -> Iterator[Finding]:
    python = tree.root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        return
    environment = {**values, "PYTHONPATH": str(tree.root / "container"), "PATH": os.environ.get("PATH", "")}
    told = subprocess.run([str(python), "-c", ASK], env=environment, capture_output=True, text=True, check=False)
    try:
        mistakes = json.loads(told.stdout)
    except json.JSONDecodeError:
        return  # packages are missing: dev.py setup has not run
    for name, state, problem, problem_zh, meaning, example in mistakes:
        if state == "missing":
            yield found("setting-missing", f"{where} {name}", name=name, meaning=meaning, example=example)
        elif state == "unknown":
            yield found("setting-unknown", f"{where} {name}", name=name, near=f"{problem_zh} {problem}")
        else:
            yield found(
                "setting-wrong", f"{where} {name}", name=name, problem=f"{problem} · {problem_zh}", example=example
            )


def _meaning(tree: Tree, values: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Settings that are well-formed and yet not what their owner means."""
    if values.get("YUNLIAO_ENV") == "development":
        yield found("env-development", f"{where} YUNLIAO_ENV")
    appid = str(tree.json("project.config.json").get("appid", ""))
    allowed = [one.strip() for one in values.get("YUNLIAO_APPIDS", "").split(",") if one.strip()]
    if allowed and appid.startswith("wx") and appid not in allowed:
        yield found("appid-not-allowed", f"{where} YUNLIAO_APPIDS")
    yield from _store(tree, values.get("YUNLIAO_STORE_URL", ""), where)
    yield from _relay(values, where)
    if values.get("YUNLIAO_WECHAT_API_URL", "http://api.weixin.qq.com").rstrip("/") != "http://api.weixin.qq.com":
        yield found("wechat-api-changed", f"{where} YUNLIAO_WECHAT_API_URL")
    port = re.search(r"\bPORT=(\d+)", tree.text("Dockerfile"))
    if values.get("PORT") and port and values["PORT"] != port[1]:
        yield found("port-differs", f"{where} PORT", here=values["PORT"], image=port[1])
    if re.fullmatch(r"[\d.]+", values.get("YUNLIAO_GRACE_SECONDS", "")) and float(values["YUNLIAO_GRACE_SECONDS"]) > 25:
        yield found("grace-long", f"{where} YUNLIAO_GRACE_SECONDS")
    yield from _links(values, where)
    if not values.get("YUNLIAO_JOBS_SECRET"):
        yield found("jobs-closed", f"{where} YUNLIAO_JOBS_SECRET")
    for name, example in (
        ("YUNLIAO_PROVIDER", "某某科技有限公司"),
        ("YUNLIAO_FILING", "网信算备…号"),
        ("YUNLIAO_CONTACT", "help@example.com"),
    ):
        if not values.get(name):
            yield found("provider-unnamed", f"{where} {name}", name=name, example=example)


def _links(values: Mapping[str, str], where: str) -> Iterator[Finding]:
    """By which links the service is reached."""
    if values.get("YUNLIAO_CUSTOMER_SERVICE", "").lower() == "on" and not (
        values.get("YUNLIAO_PUSH_SECRET") or values.get("YUNLIAO_PUSH_TOKEN")
    ):
        yield found("push-unlocked", f"{where} YUNLIAO_PUSH_SECRET")
    if values.get("YUNLIAO_PUBLIC", "").lower() == "on":
        yield found("public-chat", f"{where} YUNLIAO_PUBLIC")
        if not values.get("YUNLIAO_FUNCTION_SECRET") and not values.get("YUNLIAO_JOBS_SECRET"):
            yield found("public-deaf", f"{where} YUNLIAO_FUNCTION_SECRET")


def _store(tree: Tree, url: str, where: str) -> Iterator[Finding]:
    place, console = f"{where} YUNLIAO_STORE_URL", tree.json("container.config.json")
    if url.startswith("sqlite:"):
        yield found("store-trial", place)
        most, least = console.get("maxNum", 1), console.get("minNum", 1)
        if isinstance(most, int) and most > 1:
            yield found("instances-many", "container.config.json maxNum", most=most)
        if least == 0:
            yield found("instances-none", "container.config.json minNum", least=least)
        return
    if console.get("minNum") == 0:
        yield found("instances-cold", "container.config.json minNum")
    if url.startswith("mongodb://"):
        if "replicaSet=" not in url:
            yield found("store-no-set", place)
        hosts = re.split(r"[/?]", url.removeprefix("mongodb://"), maxsplit=1)[0].rpartition("@")[2]
        if any(_here(host.rpartition(":")[0] or host) for host in hosts.split(",")):
            yield found("store-here", place)


def _relay(values: Mapping[str, str], where: str) -> Iterator[Finding]:
    url = values.get("YUNLIAO_RELAY_URL", "")
    place = f"{where} YUNLIAO_RELAY_URL"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return
    if not host:
        return
    if _here(host):
        yield found("relay-here", place)
    elif parts.scheme == "http" and not _private(host):
        yield found("relay-plain", place)
    if OVERSEAS.search(host):
        if values.get("YUNLIAO_RELAY_DOMESTIC", "").lower() == "on":
            yield found("relay-not-domestic", f"{where} YUNLIAO_RELAY_DOMESTIC")
        else:
            yield found("relay-overseas", place)


def _here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "[::1]", "::1", "0.0.0.0")


def _private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        return "." not in host or host.endswith((".internal", ".local"))
