"""The checkout as the checks see it: texts, JSON, and which files version control knows."""

import json
import pathlib
import subprocess
from typing import Any

from doctor.finding import Finding, found


class Tree:
    """Reads below `root`; what cannot be read or parsed becomes a finding once, and None to whoever asked."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.findings: list[Finding] = []
        self._json: dict[str, Any] = {}

    def text(self, name: str) -> str:
        """A file's text; "" if it is not there."""
        try:
            return (self.root / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def json(self, name: str) -> Any:
        """A JSON file's object; `{}` when it is missing or broken, which is told."""
        if name not in self._json:
            self._json[name] = self._parsed(name)
        return self._json[name]

    def _parsed(self, name: str) -> Any:
        text = self.text(name)
        if not text:
            return {}
        try:
            value = json.loads(text)
        except json.JSONDecodeError as wrong:
            self.findings.append(found("json-broken", name, line=wrong.lineno))
            return {}
        return value if isinstance(value, dict) else {}

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.root / name).is_file()

    def files(self, folder: str, *ends: str) -> list[pathlib.Path]:
        """Files below a folder, sorted."""
        every = sorted(path for path in (self.root / folder).rglob("*") if path.is_file())
        return [path for path in every if not ends or path.suffix in ends]

    def name(self, path: pathlib.Path) -> str:
        """A path as it is shown."""
        return path.relative_to(self.root).as_posix()

    def tracked(self, *names: str) -> list[str]:
        """Those of these files and folders that version control knows; empty without git."""
        command = ["git", "ls-files", "-z", "--", *names]
        try:
            listed = subprocess.run(command, cwd=self.root, capture_output=True, check=False)
        except OSError:
            return []
        return sorted(name for name in listed.stdout.decode().split("\0") if name)
