"""The operator's documents, from a folder of theirs or as packaged, and the starter cards."""

from importlib.resources import files
from pathlib import Path

from yunliao.errors import Misconfigured
from yunliao.services.catalog import Language, Name, Starter

MAX_CHARS = 50_000
"""Of one document: all four travel in one answer, which the platform limits to 1 MB (platform.md §1.3)."""

STARTERS = (
    Starter("介绍一下你自己", "用三句话介绍你自己"),
    Starter("写一封请假邮件", "帮我写一封简短得体的请假邮件，理由是感冒，请假一天"),
    Starter("解释一个概念", "用通俗的例子解释什么是复利"),
    Starter("Practise English", "Let's practise ordering coffee in English. You are the barista."),
)


class FolderTexts:
    """Reads the operator's `agreement.md`, `agreement.en.md`, `privacy.md` and `privacy.en.md` once, when asked; what
    the folder lacks is as packaged."""

    def __init__(self, folder: str = "") -> None:
        self._folder = Path(folder) if folder else None

    def text(self, name: Name, language: Language) -> str:
        """A document in Markdown. Raises `Misconfigured` for a file that is not words."""
        file = f"{name}.md" if language == "zh" else f"{name}.{language}.md"
        own = self._folder / file if self._folder else None
        if own is None or not own.is_file():
            return (files("yunliao") / "data" / file).read_text(encoding="utf-8")
        try:
            words = own.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError):
            raise Misconfigured(f"{file} in YUNLIAO_TEXTS_DIR cannot be read as UTF-8") from None
        if not words.strip() or len(words) > MAX_CHARS:
            raise Misconfigured(f"{file} in YUNLIAO_TEXTS_DIR must have 1 to {MAX_CHARS} characters")
        return words

    def starters(self) -> tuple[Starter, ...]:
        """Cards of the welcome screen."""
        return STARTERS
