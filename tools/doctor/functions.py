"""The cloud functions' folders: whole, with the trigger and the permissions that the platform reads."""

from collections.abc import Iterator

from doctor.finding import Finding, found
from doctor.tree import Tree

FUNCTIONS = ("timer", "chat")
FILES = ("index.js", "package.json", "config.json")


def check(tree: Tree) -> Iterator[Finding]:
    """Findings of the functions."""
    for name in FUNCTIONS:
        folder = f"cloudfunctions/{name}"
        for file in FILES:
            if not tree.exists(f"{folder}/{file}") and file != "index.js":
                yield found("function-broken", folder, name=name, file=file)
        wanted = str(tree.json(f"{folder}/package.json").get("dependencies", {}).get("wx-server-sdk", ""))
        if tree.exists(f"{folder}/package.json") and not wanted[:1].isdigit():
            yield found("function-library", f"{folder}/package.json", name=name)
    triggers = tree.json("cloudfunctions/timer/config.json").get("triggers", [])
    if tree.exists("cloudfunctions/timer/config.json") and not _one_timer(triggers):
        yield found("function-trigger", "cloudfunctions/timer/config.json")


def _one_timer(triggers: object) -> bool:
    """Exactly one trigger, 7 fields (platform.md §10)."""
    if not isinstance(triggers, list) or len(triggers) != 1 or not isinstance(triggers[0], dict):
        return False
    only = triggers[0]
    return only.get("type") == "timer" and bool(only.get("name")) and len(str(only.get("config", "")).split()) == 7
