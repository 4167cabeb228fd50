"""A Dockerfile as stages and steps, with build arguments filled in where Docker fills them in."""

import json
import pathlib
import re
from dataclasses import dataclass, field

from dockerfile_parse import DockerfileParser

KNOWN = {"ARG", "RUN", "COPY", "WORKDIR", "USER", "ENV", "EXPOSE", "CMD"}


class NotBuildable(Exception):
    """An instruction that this builder would do otherwise than Docker; the text names it."""


@dataclass
class Stage:
    """`base`: the name of an earlier stage, or an image. `steps`: (instruction, value) in order."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages(path: pathlib.Path) -> list[Stage]:
    """The stages of the file. Raises `NotBuildable`."""
    found: list[Stage] = []
    for line in DockerfileParser(path=str(path)).structure:
        instruction, value = line["instruction"], line["value"]
        if instruction == "COMMENT":
            continue
        if instruction == "FROM":
            base, _, name = re.fullmatch(r"(\S+)(\s+AS\s+(\S+))?", value, re.IGNORECASE).groups()  # type: ignore[union-attr]
            found.append(Stage(base, name or str(len(found))))
        elif instruction not in KNOWN:
            raise NotBuildable(f"{instruction} is not known here")
        else:
            found[-1].steps.append((instruction, value))
    return found


def command(value: str) -> list[str]:
    """The words of an exec form. Raises `NotBuildable` for the shell form, which signals do not reach."""
    try:
        words = json.loads(value)
    except json.JSONDecodeError:
        raise NotBuildable("CMD must be a JSON list, or a SIGTERM ends the shell and not the server") from None
    return [str(word) for word in words]


def variables(value: str) -> dict[str, str]:
    """NAME=value pairs of an ENV or ARG. Values with blanks are not used in our file, so they are not known here."""
    pairs = {}
    for word in value.split():
        name, sign, text = word.partition("=")
        if not sign:
            raise NotBuildable(f"{name} has no value")
        pairs[name] = text.strip('"')
    return pairs
