"""The image, built from the package by the Dockerfile's own steps, and a chat with what starts from it.

Needs what a container engine needs: Linux, root, and mmdebstrap for the base. Elsewhere these tests say that they did
not run. The linter needs none of it.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator

import pytest

from cloudrun.local import LocalCloudRun
from deploy.dockerfile import NotBuildable, command, stages
from deploy.facts import CHINESE, LAYERS, LAZY, MB, PAGES, STORES, Imported, block, imported, layers, wheels
from deploy.image import Builder, Image
from deploy.package import write
from mongod import ReplicaSet
from tests.e2e.phone import Phone, end_of, text_of

ROOT = pathlib.Path(__file__).parents[2]
LARGEST_MB = 245
"""docs/deploy.md says what it is; a start from nothing must first fetch all of it."""
TOLERANCE = 0.03
"""Security updates of Debian move the size a little."""
HELD_MB = 10
"""A layer above this is held to what the page says; the others are bound by the whole."""
ANEW = "Is it meant? Then write docs/image.md anew: PYTHONPATH=tools:container .venv/bin/python -m deploy"


def possible() -> bool:
    """Whether this machine lets a file system of another system be made and entered."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        return False
    return subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode == 0


needs_root = pytest.mark.skipif(not possible(), reason="building an image needs Linux, root and mmdebstrap")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """What a console makes of the upload."""
    folder = tmp_path_factory.mktemp("image")
    write(ROOT, folder / "package.zip")
    with zipfile.ZipFile(folder / "package.zip") as package:
        package.extractall(folder / "context")
    yield Builder(folder / "context", folder / "stages", {}).build()
    shutil.rmtree(folder / "stages")


def inside(image: Image, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(image.argv(list(words)), capture_output=True, text=True, check=False, env={})


def test_the_linter_has_nothing_to_say() -> None:
    linter = pathlib.Path(sys.executable).with_name("hadolint")
    said = subprocess.run([linter, "--failure-threshold", "style", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (said.returncode, said.stdout) == (0, "")


def test_the_port_is_the_same_wherever_it_is_written() -> None:
    last = stages(ROOT / "Dockerfile")[-1]
    assert ("EXPOSE", "8080") in last.steps
    assert any(instruction == "ENV" and "PORT=8080" in value for instruction, value in last.steps)
    assert json.loads((ROOT / "container.config.json").read_text())["containerPort"] == 8080
    assert [command(value) for instruction, value in last.steps if instruction == "CMD"] == [
        ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    ]


def test_a_command_that_signals_would_not_reach_is_refused() -> None:
    with pytest.raises(NotBuildable):
        command("gunicorn -c gunicorn.conf.py wsgi:app")


@needs_root
def test_what_runs_is_nobody_and_may_change_nothing(image: Image) -> None:
    assert inside(image, "id", "-u").stdout.strip() == "10001"
    for path in ("/app/yunliao", "/venv/lib", "/etc", "/usr/bin"):
        assert inside(image, "touch", f"{path}/mine").returncode != 0
    assert inside(image, "touch", "/tmp/mine").returncode == 0


@needs_root
def test_the_platform_finds_what_it_needs_in_it(image: Image) -> None:
    assert inside(
        image, "sh", "-c", "command -v sh update-ca-certificates || ls /usr/sbin/update-ca-certificates"
    ).stdout
    assert (image.root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100_000
    zone = "import zoneinfo; print(zoneinfo.ZoneInfo('Asia/Shanghai'))"
    assert inside(image, "python3", "-c", zone).stdout.strip() == "Asia/Shanghai"


@needs_root
def test_it_is_small_and_holds_no_tools_of_the_build(image: Image) -> None:
    used = subprocess.run(["du", "-sxm", image.root], capture_output=True, text=True, check=True)
    assert int(used.stdout.split()[0]) <= LARGEST_MB
    assert inside(image, "sh", "-c", "command -v pip pip3 gcc git curl").stdout == ""
    assert inside(image, "python3", "-m", "pip", "--version").returncode != 0
    compiled = list((image.root / "app/yunliao").rglob("*.pyc"))
    assert len(compiled) == len(list((image.root / "app/yunliao").rglob("*.py")))


@needs_root
def test_it_serves_a_chat_in_production_on_a_real_store(image: Image, tmp_path: pathlib.Path) -> None:
    env = {"YUNLIAO_ENV": "production", "YUNLIAO_GRACE_SECONDS": "5"}
    with (
        ReplicaSet(tmp_path / "mongod") as store,
        LocalCloudRun(instances=2, env=env, store_url=store.url("yunliao"), command=image.argv(), folder=ROOT) as cloud,
    ):
        phone = Phone(cloud.url, "first")
        phone.call("PUT", "/v1/me/consent", {"version": "latest", "overseas": True})
        turn = phone.send("你好，介绍一下你自己")["turn"]["id"]
        events = phone.until_end(turn)
        assert end_of(events)["reason"] == "complete"
        assert text_of(events)
        with open(f"/proc/{cloud.state()['instances'][0]['pid']}/status") as status:
            assert any(line.split()[1:2] == ["10001"] for line in status if line.startswith("Uid:"))


# --- the facts of docs/image.md ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def started(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Imported]:
    """What the image's server has imported when it begins to serve, by the store."""
    return {kind: imported(image, kind, tmp_path_factory.mktemp(kind)) for kind in STORES}


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@needs_root
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("kind", STORES)
def test_a_start_imports_what_the_page_says(started: dict[str, Imported], page: pathlib.Path, kind: str) -> None:
    text, found = page.read_text("utf-8"), started[kind]
    for block_name, names in (("packages", found.packages), ("standard", found.standard)):
        told, now = names_in(block(text, f"{block_name}-{kind}")), set(names)
        more, less = sorted(now - told), sorted(told - now)
        assert not more, f"a start imports {more} now: import it where it is used (CONTRIBUTING.md). {ANEW}"
        assert not less, f"a start imports {less} no more. {ANEW}"


@needs_root
def test_a_start_imports_nothing_that_is_not_used_by_it(started: dict[str, Imported]) -> None:
    stores = {"mongodb": "yunliao.adapters.store.mongo", "sqlite": "yunliao.adapters.store.sqlite"}
    for kind, found in started.items():
        assert "yunliao.bootstrap" in found.own and stores[kind] in found.own
        unused = [*LAZY, *(name for other, name in stores.items() if other != kind)]
        early = [name for name in found.own if any(name == one or name.startswith(f"{one}.") for one in unused)]
        assert early == [], f"with {kind}: import them in the function that uses them"
    assert not {"pymongo", "bson"} & set(started["sqlite"].packages)
    assert "sqlite3" not in started["mongodb"].standard


@needs_root
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_it_is_as_large_as_the_page_says(image: Image, page: pathlib.Path) -> None:
    told = dict(re.findall(r"^\| (.+?) \| ([\d.]+) \|$", block(page.read_text("utf-8"), "layers"), re.MULTILINE))
    chinese = page.name.endswith(".zh-CN.md")
    found = {CHINESE.get(name, name) if chinese else name: size for name, size in layers(image).items()}
    assert set(told) == set(found) and len(found) == len(LAYERS) + 2
    for name, size in found.items():
        if size > HELD_MB * MB:
            documented = float(told[name]) * MB
            grew = f"{name}: {documented / MB:.1f} MB on the page, {size / MB:.1f} MB now. {ANEW}"
            assert abs(size - documented) <= TOLERANCE * documented, grew


@needs_root
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_wheels_are_those_of_the_page_and_of_the_lock(image: Image, page: pathlib.Path) -> None:
    rows = re.findall(r"^\| `(\S+)` \| (\S+) \| [\d.]+ \|$", block(page.read_text("utf-8"), "wheels"), re.MULTILINE)
    found = {name: version for name, (version, _) in wheels(image).items()}
    assert dict(rows) == found, ANEW
    lock = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "container/requirements.txt").read_text(), re.MULTILINE))
    assert found.items() <= lock.items()
