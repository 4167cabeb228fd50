"""The operator's list of upstreams: `YUNLIAO_RELAYS`, JSON or the path of a JSON file (docs/relays.md).

Every mistake is told with the place of its field; no value is ever repeated, since one of them is a key.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from yunliao.json_file import read_json_file

MAX_RELAYS = 20
"""Names are labels of metrics, so there must not be many."""

Seconds = Annotated[float, Meta(ge=0.1, le=3600)]


class RelayModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an upstream calls a model, and the `name` people see (default: the public id)."""

    model: Annotated[str, Meta(min_length=1, max_length=200)]
    name: Annotated[str, Meta(max_length=60)] = ""


class RelayTimeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds; what is not given is as in `YUNLIAO_RELAY_*_SECONDS`."""

    connect: Seconds | None = None
    first_byte: Seconds | None = None
    silence: Seconds | None = None
    total: Seconds | None = None


class RelaySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One upstream. `models` maps a public id to what the upstream calls it. A smaller `priority` is asked first,
    equal ones by `weight`. `max_live`: answers at once, 0 = no limit. `domestic`: its servers are in mainland China.
    `moderation`: its `/moderations` is asked about questions and answers."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    url: Annotated[str, Meta(max_length=500)]
    models: Annotated[dict[str, RelayModel | str], Meta(min_length=1, max_length=100)]
    key: Annotated[str, Meta(max_length=500)] = ""
    key_env: str = ""
    dialect: Literal["", "openai", "azure", "deepseek", "qwen", "vllm", "llamacpp", "ollama", "litellm", "oneapi"] = ""
    done_is_enough: bool = False
    priority: Annotated[int, Meta(ge=1, le=100)] = 1
    weight: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    max_live: Annotated[int, Meta(ge=0, le=100_000)] = 0
    timeouts: RelayTimeouts = RelayTimeouts()
    moderation: bool = False
    domestic: bool = False

    def __repr__(self) -> str:
        return f"RelaySpec({self.name!r})"

    def upstream_names(self) -> dict[str, str]:
        """Public id -> the upstream's own name of the model."""
        return {public: model if isinstance(model, str) else model.model for public, model in self.models.items()}

    def shown_name(self, public: str) -> str:
        """What people see for a model."""
        model = self.models[public]
        return (model.name if isinstance(model, RelayModel) else "") or public


class RelaysWrong(ValueError):
    """What is wrong with the list, without any value of it."""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    relays: list[RelaySpec]


def parse_relays(value: str) -> tuple[RelaySpec, ...]:
    """The upstreams of a JSON text (a list, or `{"relays": […]}`), or of the file at this path.

    Raises `RelaysWrong`.
    """
    text = value if value.lstrip()[:1] in ("[", "{") else _file(value)
    try:
        if text.lstrip()[:1] == "[":
            relays = msgspec.json.decode(text, type=list[RelaySpec])
        else:
            relays = msgspec.json.decode(text, type=_File).relays
    except msgspec.ValidationError as error:
        raise RelaysWrong(_told(str(error))) from None
    except msgspec.DecodeError:
        raise RelaysWrong("is not valid JSON: look for a missing quote, comma or bracket") from None
    if not 1 <= len(relays) <= MAX_RELAYS:
        raise RelaysWrong(f"must list 1 to {MAX_RELAYS} upstreams")
    if len({relay.name for relay in relays}) != len(relays):
        raise RelaysWrong("has two upstreams with the same name: names must differ")
    for index, relay in enumerate(relays):
        _check(index, relay)
    return tuple(relays)


def with_keys(relays: tuple[RelaySpec, ...], environ: Mapping[str, str]) -> tuple[RelaySpec, ...]:
    """The same with every `key_env` looked up. Raises `RelaysWrong`."""
    found = []
    for index, relay in enumerate(relays):
        if relay.key_env:
            key = environ.get(relay.key_env, "").strip()
            if not key:
                raise RelaysWrong(f"names in [{index}].key_env an environment variable that is not set")
            if not _sendable(key):
                raise RelaysWrong(f"names in [{index}].key_env a key with characters that no HTTP header may have")
            relay = msgspec.structs.replace(relay, key=key)
        found.append(relay)
    return tuple(found)


def _file(path: str) -> str:
    text = read_json_file(path, "[ or {", RelaysWrong)
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("[", "{"):
        raise RelaysWrong("names a file that does not start with [ or {")
    return text


def _told(error: str) -> str:
    """A message of the decoder, with the place of the field. It holds no values; a field's name that does not look
    like one is left out, lest it be a misplaced key."""
    what, _, place = error.partition(" - at `$")
    what = re.sub(r"unknown field `(?![a-z_]{1,30}`)[^`]*`", "an unknown field", what)
    what = re.sub(r"^Invalid enum value .*", "is not one of the known dialects", what)
    where = re.sub(r"^\.relays", "", place.rstrip("`"))
    return f"is wrong at {where}: {what}" if where else f"is wrong: {what}"


def _check(index: int, relay: RelaySpec) -> None:
    parts = urlsplit(relay.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _sendable(relay.url):
        raise RelaysWrong(f"is wrong at [{index}].url: must be an http:// or https:// address")
    if parts.username or parts.password:
        raise RelaysWrong(f"is wrong at [{index}].url: must not hold a user or password")
    if relay.key and relay.key_env:
        raise RelaysWrong(f"is wrong at [{index}]: give key or key_env, not both")
    if not _sendable(relay.key):
        raise RelaysWrong(f"is wrong at [{index}].key: has characters that no HTTP header may have")
    if any(not re.fullmatch(r"[\w./:@-]{1,100}", public) for public in relay.models):
        raise RelaysWrong(f"is wrong at [{index}].models: ids have 1 to 100 letters, digits or . / : @ - _")


def _sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()
