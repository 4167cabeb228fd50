"""How the service is set up, for operators to read: models with their prices, and every setting without its secrets."""

from urllib.parse import urlsplit

import msgspec

from yunliao.domain.ledger.prices import Limits, ModelPrice, Plan
from yunliao.settings import SECRETS, VARIABLES, Settings
from yunliao.settings_guide import MEANINGS_ZH, THEN, THEN_ZH, WHERE, WHERE_ZH


class ModelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A model people may choose, which upstreams answer for it, and what it costs (micro-credits per 1,000,000
    tokens)."""

    id: str
    name: str
    default: bool
    domestic: bool
    overseas: bool
    relays: list[str]
    price: ModelPrice | None


class ModelsView(msgspec.Struct, frozen=True, kw_only=True):
    """Models in the operator's order, and the rest of the price table; without one nothing costs anything."""

    models: list[ModelRow]
    price_version: str | None
    plans: dict[str, Plan]
    limits: Limits | None


class SettingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A setting. `given`: whether the environment names it. `value`: what is in force, null for a secret."""

    name: str
    given: bool
    secret: bool
    required: bool
    value: str | None
    default: str
    meaning: str
    meaning_zh: str


class SettingsView(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, and where they are changed."""

    settings: list[SettingRow]
    where: str
    where_zh: str
    then: str
    then_zh: str


def models_of(settings: Settings) -> ModelsView:
    """The models and prices in force."""
    table = settings.prices
    rows = [
        ModelRow(
            id=choice.id,
            name=choice.name,
            default=choice.id == settings.model,
            domestic=choice.domestic,
            overseas=choice.overseas,
            relays=[relay.name for relay in settings.relays if choice.id in relay.models],
            price=table.models.get(choice.id) if table else None,
        )
        for choice in settings.models
    ]
    return ModelsView(
        models=rows,
        price_version=table.version if table else None,
        plans=table.plans if table else {},
        limits=table.limits if table else None,
    )


def settings_of(settings: Settings) -> SettingsView:
    """Every setting; of a secret only whether it is set."""
    rows = []
    for variable in VARIABLES:
        secret, given = variable.attribute in SECRETS, variable.name in settings.given
        text = settings.given.get(variable.name, "") or variable.default or ""
        rows.append(
            SettingRow(
                name=variable.name,
                given=given,
                secret=secret,
                required=variable.default is None,
                value=None if secret else _without_query(text),
                default=variable.default or "",
                meaning=variable.meaning.replace("**", "").replace("`", ""),
                meaning_zh=MEANINGS_ZH[variable.name],
            )
        )
    return SettingsView(settings=rows, where=WHERE, where_zh=WHERE_ZH, then=THEN, then_zh=THEN_ZH)


def _without_query(text: str) -> str:
    """An address may carry a key behind its question mark, though none should."""
    return text.partition("?")[0] if urlsplit(text).scheme in ("http", "https") else text
