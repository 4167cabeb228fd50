"""The cases of tests/fixtures/relay, read as its README says."""

import json
from pathlib import Path

import msgspec

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "relay"


class Case(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A body in some dialect, and what has to come of it."""

    case: str
    end: str
    dialect: str = ""
    status: int = 200
    text: str = ""
    reasoning: str = ""
    usage: tuple[int, int, int, int] | None = None
    cut: bool = False
    done_is_enough: bool = False
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.dialect}: {self.case}"


def read_cases() -> list[Case]:
    """All of them."""
    cases = []
    for path in sorted(FOLDER.glob("*.txt")):
        first, *sections = path.read_bytes().split(b"\n=== ")
        assert first.startswith(b"# After "), f"{path.name} does not say after what it was written"
        for section in sections:
            head, _, body = section.partition(b"\n")
            fields = json.loads(head)
            cases.append(msgspec.convert({**fields, "dialect": path.stem, "body": b""}, Case))
            cases[-1].body = body
    return cases


CASES = read_cases()
