"""Every documented table says what the code says."""

import inspect
import pathlib
import re

import pytest

from yunliao import cli, errors
from yunliao.services.backup_file import REFUSALS
from yunliao.settings import VARIABLES

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_configuration_table_is_complete(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", text, re.MULTILINE))
    required, empty = ("**required**", "empty") if page == "README.md" else ("**必填**", "空")
    expected = {
        variable.name: required if variable.default is None else f"`{variable.default}`" if variable.default else empty
        for variable in VARIABLES
    }
    assert rows == expected


def error_rows() -> set[tuple[str, str, str]]:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.YunliaoError)]
    return {
        (kind.code, str(kind.status), "yes" if kind.retryable else "no") for kind in classes if "code" in vars(kind)
    }


def test_the_error_table_is_complete() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \| (\d{3}) \| (yes|no) \|", text, re.MULTILINE))
    assert rows == error_rows()


def test_codes_are_unique_and_every_class_stands_in_the_drawn_tree() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.YunliaoError)]
    own = [kind.code for kind in classes if "code" in vars(kind)]
    assert len(own) == len(set(own))
    assert errors.__doc__ is not None
    for kind in classes:
        assert re.search(rf"\b{kind.__name__}\b", errors.__doc__), kind.__name__


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"


@pytest.mark.parametrize("page", ["backup.md", "backup.zh-CN.md"])
def test_everything_a_backup_is_refused_for_is_in_the_table(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE) == list(REFUSALS)
    for command in re.findall(r"python3 -m yunliao (\w+)", text):
        assert command in cli.COMMANDS
