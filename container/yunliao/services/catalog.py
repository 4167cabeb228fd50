"""What the mini-program shows before anybody has asked anything: models, names, notices, documents, starter cards."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

Name = Literal["agreement", "privacy"]
Language = Literal["zh", "en"]
TITLES: dict[tuple[Name, Language], str] = {
    ("agreement", "zh"): "用户协议",
    ("agreement", "en"): "User agreement",
    ("privacy", "zh"): "隐私说明",
    ("privacy", "en"): "Privacy notice",
}
"""Where a document has no heading of its own."""


class ModelView(msgspec.Struct, frozen=True):
    """A model people may choose. `domestic`: all servers that answer for it are in mainland China; `overseas`: none is,
    so that it needs the overseas consent."""

    id: str
    name: str
    default: bool
    domestic: bool = False
    overseas: bool = False


class Starter(msgspec.Struct, frozen=True):
    """A card on the welcome screen: its title, and the message it sends."""

    title: str
    prompt: str


class Provider(msgspec.Struct, frozen=True):
    """Who answers for the service (platform.md §12.1, 8)."""

    name: str
    filing: str
    contact: str


class Document(msgspec.Struct, frozen=True):
    """A text people agree to; `version` changes with every change of its words."""

    version: str
    title: str
    markdown: str


class ConfigView(msgspec.Struct, frozen=True):
    """Everything the mini-program needs to know of the operator's choices."""

    name: str
    ai_notice: str
    ai_label: str
    starters: tuple[Starter, ...]
    provider: Provider
    consent_version: str
    agreement: Document
    agreement_en: Document
    privacy: Document
    privacy_en: Document
    image_hosts: tuple[str, ...]


class Texts(Protocol):
    """Where the operator's documents and cards come from."""

    def text(self, name: Name, language: Language) -> str: ...
    def starters(self) -> tuple[Starter, ...]: ...


class Catalog:
    """Fixed for the life of the process."""

    def __init__(
        self,
        *,
        texts: Texts,
        models: tuple[ModelView, ...],
        name: str,
        ai_notice: str,
        ai_label: str,
        provider: Provider,
        image_hosts: tuple[str, ...],
    ) -> None:
        self._models = models
        words = {key: texts.text(*key) for key in TITLES}
        self.consent_version = _version("\0".join(words.values()))
        self.ai_label = ai_label
        self._config = ConfigView(
            name=name,
            ai_notice=ai_notice,
            ai_label=ai_label,
            starters=texts.starters(),
            provider=provider,
            consent_version=self.consent_version,
            agreement=_document(("agreement", "zh"), words),
            agreement_en=_document(("agreement", "en"), words),
            privacy=_document(("privacy", "zh"), words),
            privacy_en=_document(("privacy", "en"), words),
            image_hosts=image_hosts,
        )

    def models(self, *, overseas: bool) -> list[ModelView]:
        """The models people may choose, in the operator's order, with the default of somebody who did or did not allow
        overseas processing."""
        default = default_model(self._models, overseas=overseas)
        return [msgspec.structs.replace(model, default=model.id == default) for model in self._models]

    def config(self) -> ConfigView:
        """The operator's choices."""
        return self._config


def default_model(models: Sequence[ModelView], *, overseas: bool) -> str:
    """The operator's default; without permission to leave the country the first model that need not, if there is
    one."""
    first = next(model for model in models if model.default)
    if overseas or not first.overseas:
        return first.id
    return next((model.id for model in models if not model.overseas), first.id)


def _document(key: tuple[Name, Language], words: Mapping[tuple[Name, Language], str]) -> Document:
    markdown = words[key]
    heading = re.search(r"^#[ \t]+(.+?)[ \t#]*$", markdown, re.MULTILINE)
    return Document(_version(markdown), heading[1] if heading else TITLES[key], markdown)


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
