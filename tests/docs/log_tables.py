"""The tables of docs/logs-and-metrics.md and its translation, as a test reads them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("logs-and-metrics.md", "logs-and-metrics.zh-CN.md")
TYPES = {
    "text": "text",
    "文本": "text",
    "object": "object",
    "对象": "object",
    "true or false": "flag",
    "真或假": "flag",
}
"""Every other type is a number of something."""


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def rows(text: str) -> dict[str, str]:
    """Field to kind of type, of the first table in it."""
    found = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE)
    return {name: TYPES.get(kind.strip(), "number") for name, kind in found}


def lines(page: str) -> dict[str, dict[str, str]]:
    """Every kind of line with its fields, those that all have among them."""
    logs = re.split(r"^## ", text_of(page), flags=re.MULTILINE)[1]
    common, *kinds = re.split(r"^### ", logs, flags=re.MULTILINE)
    every = rows(common)
    return {re.match(r"`(\w+)`", kind)[1]: every | rows(kind) for kind in kinds}  # type: ignore[index]


def metrics(page: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every metric with its type and labels."""
    found = re.findall(r"^\| `(yunliao_\w+)` \| (\w+) \| ([^|]*)\|", text_of(page), re.MULTILINE)
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in found}


def kind_of(value: object) -> str:
    """The kind of type of a value in a line."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    return "object" if isinstance(value, dict) else "text"
