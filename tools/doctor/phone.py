"""The mini-program as DevTools opens it: who it is, where it calls, whether it is whole, small, and keeps no secret."""

import re
import shutil
import subprocess
from collections.abc import Iterator

from doctor.finding import Finding, found
from doctor.tree import Tree

LEAST_LIBRARY = (2, 32, 3)
LIMIT = 2 * 1024 * 1024
"""A package may have no more (platform.md §11)."""
KEY_LIKE = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}|YUNLIAO_[A-Z_]*(KEY|SECRET|TOKEN)|(?i:app_?secret)['\"]?\s*[:=]")
PARTS = ("js", "json", "wxml")


def check(tree: Tree) -> Iterator[Finding]:
    """Findings of the mini-program."""
    yield from _project(tree)
    yield from _pages(tree)
    yield from _libraries(tree)
    yield from _source(tree)


def _project(tree: Tree) -> Iterator[Finding]:
    project = tree.json("project.config.json")
    if not project:
        return
    appid = str(project.get("appid", ""))
    if appid == "touristappid":
        yield found("appid-tourist", "project.config.json appid")
    elif not re.fullmatch(r"wx[0-9a-f]{16}", appid):
        yield found("appid-form", "project.config.json appid")
    version = tuple(int(part) for part in re.findall(r"\d+", str(project.get("libVersion", "")))[:3])
    if version < LEAST_LIBRARY:
        yield found("library-old", "project.config.json libVersion", version=".".join(map(str, version)) or "-")
    for name, right in (("miniprogramRoot", "miniprogram/"), ("cloudfunctionRoot", "cloudfunctions/")):
        if project.get(name) != right:
            yield found("root-wrong", f"project.config.json {name}", name=name, right=right)
    for private in tree.tracked("project.private.config.json"):
        yield found("private-config", private, name=private)
    yield from _where(tree)


def _where(tree: Tree) -> Iterator[Finding]:
    """Which environment and service the mini-program calls."""
    config = tree.text("miniprogram/config.js")
    env = re.search(r"\benv:\s*['\"]([^'\"]*)['\"]", config)
    service = re.search(r"\bservice:\s*['\"]([^'\"]*)['\"]", config)
    if config and env and env[1] == "local-env":
        yield found("env-local", "miniprogram/config.js env")
    elif config and not (env and re.fullmatch(r"[a-z][a-z0-9-]{2,62}", env[1])):
        yield found("env-form", "miniprogram/config.js env")
    if config and not (service and re.fullmatch(r"[a-z][a-z0-9-]{1,30}", service[1])):
        yield found("env-form", "miniprogram/config.js service")


def _pages(tree: Tree) -> Iterator[Finding]:
    app = tree.json("miniprogram/app.json")
    pages = [str(page) for page in app.get("pages", [])]
    for package in app.get("subPackages", app.get("subpackages", [])):
        pages += [f"{package.get('root', '').strip('/')}/{page}" for page in package.get("pages", [])]
    for page in pages:
        for end in PARTS:
            if not tree.exists(f"miniprogram/{page}.{end}"):
                yield found("page-missing", "miniprogram/app.json", page=page, name=f"{page}.{end}")
    for key in ("themeLocation", "sitemapLocation"):
        if key in app and not tree.exists(f"miniprogram/{app[key]}"):
            yield found("file-missing", f"miniprogram/app.json {key}", name=f"miniprogram/{app[key]}")


def _libraries(tree: Tree) -> Iterator[Finding]:
    base = tree.root / "miniprogram"
    missing = False
    for path in tree.files("miniprogram", ".json"):
        if "miniprogram_npm" in path.parts:
            continue
        used = tree.json(tree.name(path)).get("usingComponents", {})
        for target in used.values() if isinstance(used, dict) else ():
            homes = (base / target.lstrip("/"), path.parent / target, base / "miniprogram_npm" / target)
            if not any(
                home.with_name(home.name + ".json").is_file() or (home / "index.json").is_file() for home in homes
            ):
                missing = True
                yield found("component-missing", tree.name(path), name=target)
    synced = tree.root / "tools" / "miniprogram-npm" / "sync.js"
    installed = (tree.root / "node_modules" / "tdesign-miniprogram").exists()
    if not missing and installed and synced.exists() and shutil.which("node"):
        told = subprocess.run(["node", str(synced), "--check"], cwd=tree.root, capture_output=True, check=False)
        if told.returncode:
            yield found("npm-out-of-step", "miniprogram/miniprogram_npm")


def _source(tree: Tree) -> Iterator[Finding]:
    every = tree.files("miniprogram")
    roots = [
        package.get("root", "").strip("/")
        for package in tree.json("miniprogram/app.json").get("subPackages", [])
        if package.get("root")
    ]
    main = [path for path in every if not any(path.is_relative_to(tree.root / "miniprogram" / root) for root in roots)]
    size = sum(path.stat().st_size for path in main)
    if size > LIMIT:
        largest = tree.name(max(main, key=lambda path: path.stat().st_size))
        yield found("mini-large", "miniprogram/", size=f"{size // 1024:,}", largest=largest)
    for path in every:
        if path.suffix in (".js", ".json", ".wxml", ".wxs") and KEY_LIKE.search(tree.text(tree.name(path))):
            yield found("mini-secret", tree.name(path))
