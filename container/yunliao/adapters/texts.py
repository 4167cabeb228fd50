"""The operator's documents and starter cards, from the files that ship with the package."""

from importlib.resources import files

from yunliao.services.catalog import Starter

STARTERS = (
    Starter("介绍一下你自己", "用三句话介绍你自己"),
    Starter("写一封请假邮件", "帮我写一封简短得体的请假邮件，理由是感冒，请假一天"),
    Starter("解释一个概念", "用通俗的例子解释什么是复利"),
    Starter("Practise English", "Let's practise ordering coffee in English. You are the barista."),
)


class PackagedTexts:
    """Reads `yunliao/data/*.md` once, when asked."""

    def agreement(self) -> str:
        """The user agreement, Markdown."""
        return _read("agreement.md")

    def privacy(self) -> str:
        """The privacy notice, Markdown."""
        return _read("privacy.md")

    def starters(self) -> tuple[Starter, ...]:
        """Cards of the welcome screen."""
        return STARTERS


def _read(name: str) -> str:
    return (files("yunliao") / "data" / name).read_text(encoding="utf-8")
