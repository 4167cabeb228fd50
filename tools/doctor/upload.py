"""What is uploaded: the files the image is built from, its Dockerfile, the size of the package."""

import json
import re
from collections.abc import Iterator

from doctor.finding import Finding, found
from doctor.tree import Tree

NEEDED = (
    "Dockerfile", ".dockerignore", "container.config.json", "project.config.json", "container/wsgi.py",
    "container/gunicorn.conf.py", "container/requirements.txt", "container/yunliao/first_start.py",
    "miniprogram/app.js", "miniprogram/app.json", "miniprogram/config.js", "cloudfunctions/timer/index.js",
    "cloudfunctions/chat/index.js",
)  # fmt: skip
LIMIT = 2 * 1024 * 1024
"""The console takes no more (platform.md §9.3)."""
HOLDS_SECRETS = re.compile(r"(^|/)(\.env[^/]*|master-keys|[^/]*\.(db|sqlite3?|pem|key))$")
KEY_LIKE = re.compile(r"\bsk-[A-Za-z0-9_-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----")


def check(tree: Tree) -> Iterator[Finding]:
    """Findings of the upload."""
    for name in NEEDED:
        if not tree.exists(name):
            yield found("file-missing", name, name=name)
    yield from _image(tree)
    yield from _lock(tree)
    yield from _package(tree)


def _image(tree: Tree) -> Iterator[Finding]:
    text = re.sub(r"\\\n", " ", tree.text("Dockerfile"))
    if not text:
        return
    last = text[text.rfind("\nFROM ") :]
    ports = re.findall(r"^EXPOSE\s+(\d+)", last, re.MULTILINE)
    environment = " ".join(re.findall(r"^ENV\s+(.*)", last, re.MULTILINE))
    listens = re.search(r"\bPORT=(\d+)", environment)
    port = listens[1] if listens else "80"
    for exposed in ports:
        if exposed != port:
            yield found("port-differs", "Dockerfile EXPOSE", here=exposed, image=port)
    console = tree.json("container.config.json").get("containerPort")
    if console is not None and str(console) != port:
        yield found("port-differs", "container.config.json containerPort", here=console, image=port)
    server = tree.text("container/gunicorn.conf.py")
    if server and not re.search(r"^bind\s*=.*environ.*PORT", server, re.MULTILINE):
        yield found("port-fixed", "container/gunicorn.conf.py")
    commands = re.findall(r"^CMD\s+(.*)", last, re.MULTILINE)
    if not commands or not _is_list(commands[-1]):
        yield found("image-shell-command", "Dockerfile CMD")
    users = re.findall(r"^USER\s+(\S+)", last, re.MULTILINE)
    if not users or users[-1].split(":")[0] in ("root", "0"):
        yield found("image-root", "Dockerfile USER")
    if "ca-certificates" not in text:
        yield found("image-certificates", "Dockerfile")
    if "TZ=UTC" not in environment or "tzdata" not in text:
        yield found("image-time-zone", "Dockerfile")


def _is_list(command: str) -> bool:
    try:
        return isinstance(json.loads(command), list)
    except json.JSONDecodeError:
        return False


def _lock(tree: Tree) -> Iterator[Finding]:
    joined = re.sub(r"\\\n", " ", tree.text("container/requirements.txt"))
    packages = [line for line in joined.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    bare = [line for line in packages if "--hash=" not in line]
    if bare:
        yield found("lock-unhashed", "container/requirements.txt", count=len(bare))


def _package(tree: Tree) -> Iterator[Finding]:
    tracked = tree.tracked("Dockerfile", ".dockerignore", "container.config.json", "container")
    names = tracked or [tree.name(path) for path in tree.files("container") if "__pycache__" not in path.parts]
    sizes = {name: (tree.root / name).stat().st_size for name in names if tree.exists(name)}
    if sum(sizes.values()) > LIMIT:
        largest = max(sizes, key=lambda name: sizes[name])
        yield found("package-large", "container/", size=f"{sum(sizes.values()):,}", largest=largest)
    for name in names:
        if HOLDS_SECRETS.search(name) or KEY_LIKE.search(tree.text(name)):
            yield found("package-secret", name)
