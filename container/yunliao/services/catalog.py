"""What the mini-program shows before anybody has asked anything: models, names, notices, documents, starter cards."""

import hashlib
from typing import Protocol

import msgspec


class ModelView(msgspec.Struct, frozen=True):
    """A model people may choose. `domestic`: all servers that answer for it are in mainland China."""

    id: str
    name: str
    default: bool
    domestic: bool = False


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
    agreement: Document
    privacy: Document
    image_hosts: tuple[str, ...]


class Texts(Protocol):
    """Where the operator's documents and cards come from."""

    def agreement(self) -> str: ...
    def privacy(self) -> str: ...
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
        agreement, privacy = texts.agreement(), texts.privacy()
        self.consent_version = _version(agreement + privacy)
        self.ai_label = ai_label
        self._config = ConfigView(
            name=name,
            ai_notice=ai_notice,
            ai_label=ai_label,
            starters=texts.starters(),
            provider=provider,
            agreement=Document(_version(agreement), "用户协议 User agreement", agreement),
            privacy=Document(_version(privacy), "隐私说明 Privacy notice", privacy),
            image_hosts=image_hosts,
        )

    def models(self) -> list[ModelView]:
        """The models people may choose, in the operator's order."""
        return list(self._models)

    def config(self) -> ConfigView:
        """The operator's choices."""
        return self._config


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
