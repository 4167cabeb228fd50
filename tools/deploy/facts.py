"""What the image is: how large by layers and wheels, and what the real server has imported when it is ready.

The page docs/image.md holds these facts between marks; tests/deploy/test_image.py compares them with an image that
was just built, and `python3 -m deploy` (in `tools`, as root) writes them anew.
"""

import csv
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from cloudrun.local import LocalCloudRun
from deploy.image import Image, size_of
from mongod import ReplicaSet

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs" / "image.md", ROOT / "docs" / "image.zh-CN.md")
MB = 1_000_000
LAYERS = (
    (r"FROM debian:", "Debian 12"),
    (r"RUN .*apt-get install .*python3 tzdata", "certificates, Python, zone data"),
    (r"COPY --from=wheels /venv", "wheels"),
    (r"COPY container/", "Yunliao"),
    (r"RUN python3 -m compileall -q /app", "Yunliao, compiled"),
)
"""What a step of the Dockerfile is called on the page; the rest is too small to name."""
PROBE = """
import sys
exec(compile(open("/app/gunicorn.conf.py").read(), "/app/gunicorn.conf.py", "exec"))
_ready = post_worker_init

def post_worker_init(worker):
    _ready(worker)
    names = sorted(sys.modules)
    standard = [name for name in names if name.partition(".")[0] in sys.stdlib_module_names]
    with open("/tmp/imported", "w") as told:
        told.write(" ".join(names) + "\\n" + " ".join(standard))
"""
"""The server's own configuration, and a note of what is imported when the worker is about to serve."""
STORES = ("mongodb", "sqlite")
OURS = {"yunliao", "wsgi"}
LAZY = ("yunliao.cli", "yunliao.services.backups", "yunliao.services.backup_file", "yunliao.services.after_restore")
"""What a server that serves has no need of."""


@dataclass(frozen=True)
class Imported:
    """Names of modules, sorted: those of other packages and of Python by their first part, ours whole."""

    packages: tuple[str, ...]
    standard: tuple[str, ...]
    own: tuple[str, ...]


def layers(image: Image) -> dict[str, int]:
    """Bytes of each named layer, "all" at the end."""
    found: dict[str, int] = {}
    for step, size in image.layers:
        name = next((name for pattern, name in LAYERS if re.match(pattern, step)), "other")
        found[name] = found.get(name, 0) + size
    return {**found, "all": size_of(image.root)}


def wheels(image: Image) -> dict[str, tuple[str, int]]:
    """Version and bytes of every installed distribution, by its name in lower case; bytes with what was compiled."""
    found = {}
    for folder in sorted(image.root.glob("venv/lib/python3*/site-packages/*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        with open(folder / "RECORD", newline="") as record:
            paths = [folder.parent / path for path, *_ in csv.reader(record)]
        compiled = [one for path in paths for one in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")]
        size = sum(os.lstat(path).st_size for path in {*paths, *compiled} if os.path.lexists(path))
        found[name.lower().replace("_", "-")] = (version, size)
    return found


@contextmanager
def _store(kind: str, folder: pathlib.Path) -> Iterator[tuple[str, dict[str, str]]]:
    if kind == "sqlite":
        yield "sqlite:////tmp/facts.db", {"YUNLIAO_TRIAL_STORE": "on"}
        return
    with ReplicaSet(folder / "mongod") as running:
        yield running.url("yunliao"), {}


def imported(image: Image, kind: str, folder: pathlib.Path) -> Imported:
    """What the image's server has imported when it begins to serve, with production settings and that store."""
    probe, note = image.root / "tmp/probe.conf.py", image.root / "tmp/imported"
    note.unlink(missing_ok=True)
    probe.write_text(PROBE)
    command = [word if word != "gunicorn.conf.py" else "/tmp/probe.conf.py" for word in image.cmd]
    with _store(kind, folder) as (url, more):
        env = {"YUNLIAO_ENV": "production", "YUNLIAO_GRACE_SECONDS": "1", **more}
        with LocalCloudRun(data=folder / "cloud", env=env, store_url=url, command=image.argv(command), folder=ROOT):
            names, standard = (line.split() for line in note.read_text().split("\n"))
    probe.unlink()
    note.unlink()
    ours = sorted(name for name in names if name.partition(".")[0] in OURS)
    others = sorted(_tops(names) - _tops(standard) - OURS - {"__main__", "__mp_main__"})
    public = sorted(name for name in _tops(standard) if not name.startswith("_"))
    return Imported(tuple(others), tuple(public), tuple(ours))


def _tops(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def blocks(image: Image, found: Mapping[str, Imported]) -> dict[str, list[str]]:
    """The rows of each block of the page."""
    sized = layers(image)
    rows = {
        "layers": ["| | MB |", "|---|---|", *(f"| {name} | {size / MB:.1f} |" for name, size in sized.items())],
        "wheels": ["| wheel | version | MB |", "|---|---|---|"],
    }
    for name, (version, size) in wheels(image).items():
        rows["wheels"].append(f"| `{name}` | {version} | {size / MB:.2f} |")
    for kind, one in found.items():
        rows[f"packages-{kind}"] = [", ".join(f"`{name}`" for name in one.packages)]
        rows[f"standard-{kind}"] = [", ".join(f"`{name}`" for name in one.standard)]
    return rows


def block(page: str, name: str) -> str:
    """What stands between the marks. Raises `KeyError`."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", page, re.DOTALL)
    if found is None:
        raise KeyError(name)
    return found[1]


CHINESE = {
    "certificates, Python, zone data": "证书、Python、时区数据",
    "wheels": "依赖包",
    "Yunliao": "云聊",
    "Yunliao, compiled": "云聊的编译产物",
    "other": "其他",
    "all": "合计",
}
"""What layers are called on the Chinese page."""


def write(rows: Mapping[str, list[str]]) -> None:
    """Put the blocks into the pages."""
    for path in PAGES:
        text = path.read_text("utf-8")
        for name, lines in rows.items():
            begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
            before, mark, rest = text.partition(begin)
            if not mark:
                raise KeyError(f"{path.name} lacks the block {name}")
            if name == "layers" and path.name.endswith(".zh-CN.md"):
                lines = [
                    re.sub(r"^\| (.+?) \|", lambda found: f"| {CHINESE.get(found[1], found[1])} |", one)
                    for one in lines
                ]
            text = before + begin + "\n".join(lines) + end + rest.partition(end.strip("\n"))[2]
        path.write_text(text, "utf-8")
