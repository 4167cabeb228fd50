"""Settings that are JSON or the path of a JSON file: reading the file."""

from pathlib import Path

MAX_FILE = 256 * 1024
"""Characters of the file."""


def read_json_file(path: str, opening: str, wrong: type[ValueError]) -> str:
    """Its text without a byte order mark. `opening` names what JSON could have started with. Raises `wrong`, saying
    nothing of the path."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(MAX_FILE + 1)
    except (OSError, ValueError):
        raise wrong(f"is neither JSON (starting with {opening}) nor the path of a readable file") from None
    if len(text) > MAX_FILE:
        raise wrong("names a file that is too large")
    return text.lstrip("\ufeff")
