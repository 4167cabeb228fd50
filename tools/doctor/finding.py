"""A finding: one mistake of one kind, at one place. Never holds a value of a setting."""

from dataclasses import dataclass
from typing import Any

from doctor.catalog import KINDS


@dataclass(frozen=True)
class Finding:
    """`place` is a file, a setting or an address; `about` fills the {blanks} of the kind's sentences."""

    kind: str
    place: str
    about: tuple[tuple[str, str], ...] = ()

    @property
    def level(self) -> str:
        """`error` keeps the service from working or makes it unsafe; `warning` costs something later."""
        return KINDS[self.kind].level

    def said(self) -> dict[str, Any]:
        """Everything as JSON: what, why and fix, in both languages."""
        kind, about = KINDS[self.kind], dict(self.about)
        texts = {
            name: getattr(kind, name).format(**about) for name in ("what_zh", "what", "why_zh", "why", "fix_zh", "fix")
        }
        return {"kind": self.kind, "level": kind.level, "place": self.place, **texts}

    def lines(self) -> str:
        """For a terminal, Chinese first."""
        told = self.said()
        mark = {"error": "✗ 错误 error", "warning": "! 提醒 warning"}[self.level]
        return (
            f"{mark}  [{self.kind}]  {self.place}\n"
            f"    {told['what_zh']}\n    {told['what']}\n"
            f"    为什么 why: {told['why_zh']} {told['why']}\n"
            f"    怎么改 fix: {told['fix_zh']}\n               {told['fix']}\n"
        )


def found(kind: str, place: object, **about: object) -> Finding:
    """A finding with its blanks filled."""
    return Finding(kind, str(place), tuple((name, str(value)) for name, value in about.items()))
