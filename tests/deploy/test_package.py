"""The upload for the console: small, only what production needs, the same bytes whoever makes it."""

import pathlib
import shutil
import subprocess
import zipfile

import pytest

from deploy.package import LIMIT, PackageTrouble, members, write

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A small checkout of another age, in another place."""
    root = tmp_path / "another"
    for name in members(ROOT):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_the_bytes_do_not_depend_on_who_makes_it(tmp_path: pathlib.Path, checkout: pathlib.Path) -> None:
    (checkout / "container/yunliao/__pycache__").mkdir()
    (checkout / "container/yunliao/__pycache__/left.pyc").write_bytes(b"left over")
    (checkout / "container/notes.txt").write_text("not under version control")
    windows = checkout / "container/wsgi.py"
    windows.write_bytes(windows.read_bytes().replace(b"\n", b"\r\n"))
    assert write(ROOT, tmp_path / "a.zip") == write(checkout, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_it_holds_what_the_dockerfile_copies_and_nothing_else(tmp_path: pathlib.Path) -> None:
    size, _, files = write(ROOT, tmp_path / "a.zip")
    assert size < LIMIT
    with zipfile.ZipFile(tmp_path / "a.zip") as package:
        names = package.namelist()
        assert package.testzip() is None
    assert len(names) == len(set(names)) == files
    assert {"Dockerfile", "container.config.json", "container/wsgi.py", "container/yunliao/factory.py"} <= set(names)
    console = {f"container/yunliao/console/{name}" for name in ("index.html", "console.css", "main.js", "icon.svg")}
    assert console <= set(names)
    unwanted = (
        "__pycache__",
        ".pyc",
        "tests/",
        "docs/",
        "miniprogram/",
        "requirements.in",
        ".env",
        ".db",
        "node_modules",
    )
    assert not [name for name in names if any(part in name for part in unwanted)]


def test_a_file_that_is_gone_is_named(tmp_path: pathlib.Path, checkout: pathlib.Path) -> None:
    (checkout / "container/wsgi.py").unlink()
    with pytest.raises(PackageTrouble, match=r"container/wsgi\.py"):
        write(checkout, tmp_path / "a.zip")
    shutil.rmtree(checkout / ".git")
    with pytest.raises(PackageTrouble, match="Clone it anew"):
        write(checkout, tmp_path / "a.zip")


def test_too_large_a_package_is_refused_and_not_left_behind(tmp_path: pathlib.Path, checkout: pathlib.Path) -> None:
    (checkout / "container/large.bin").write_bytes(bytes(LIMIT))
    subprocess.run(["git", "add", "-A"], cwd=checkout, check=True)
    with pytest.raises(PackageTrouble, match="see what grew"):
        write(checkout, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
