"""Settings: read once from the environment, checked as a whole, frozen; secrets are never printed.

`Settings.from_env(os.environ)` raises `SettingsError`, whose text has one line per mistake: the variable, what is
wrong, and an example. The value itself is never repeated, since it may be a secret. docs/configuration.md and the
READMEs show the same table (`DOCUMENTED`); a test compares them.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from yunliao.domain.cooldown import OFF, CooldownRule
from yunliao.domain.ledger.prices import PriceTable
from yunliao.prices import PricesWrong, check_models, parse_prices
from yunliao.relays import RelaySpec, RelaysWrong, parse_relays, with_keys

PREFIX = "YUNLIAO_"


class SettingsError(ValueError):
    """The environment does not make a working service; `problems` has one sentence per variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _Wrong(ValueError):
    """What is wrong with one value, without the value."""


class Rate(msgspec.Struct, frozen=True):
    """`count` turns in any `window_ms` milliseconds."""

    count: int
    window_ms: int
    text: str


class ModelChoice(msgspec.Struct, frozen=True):
    """A model people may choose: its public `id`, and the `name` shown. `domestic`: every upstream that serves it is in
    mainland China."""

    id: str
    name: str
    domestic: bool = False
    overseas: bool = False
    """None of them is: who did not allow overseas processing cannot use it."""


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _Wrong("must be an http:// or https:// address")
    if parts.username or parts.password:
        raise _Wrong("must not hold a user or password")
    return value.rstrip("/")


def _store(value: str) -> str:
    scheme, sep, rest = value.partition("://")
    if scheme in ("mongodb", "mongodb+srv") and sep:
        hosts = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")[2]
        if not all(
            re.fullmatch(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?", one) for one in hosts.split(",")
        ):
            raise _Wrong("names no server: mongodb://user:password@host:port/database, special characters as %XX")
    elif not value.startswith("sqlite:///") or value == "sqlite:///":
        raise _Wrong("must be mongodb://…, mongodb+srv://… or sqlite:///path")
    return value


def _folder(value: str) -> str:
    if not Path(value).is_dir():
        raise _Wrong("must be a folder that can be read")
    return value


def _keys(value: str) -> tuple[tuple[str, bytes], ...]:
    ring: list[tuple[str, bytes]] = []
    for item in value.split(","):
        key_id, sep, encoded = item.strip().partition(":")
        if not sep or not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", key_id):
            raise _Wrong("each key is id:base64, the id of 1 to 16 letters, digits, - or _")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise _Wrong(f"the key named {key_id} is not base64") from None
        if len(key) != 32:
            raise _Wrong(f"the key named {key_id} has {len(key)} bytes, 32 are needed")
        if len(set(key)) < 8:
            raise _Wrong(f"the key named {key_id} is not random: make one with `openssl rand -base64 32`")
        ring.append((key_id, key))
    if len({key_id for key_id, _ in ring}) != len(ring):
        raise _Wrong("two keys have the same id")
    return tuple(ring)


def _names(value: str) -> frozenset[str]:
    names = frozenset(part.strip() for part in value.split(",") if part.strip())
    if any(not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names):
        raise _Wrong("must be appids separated by commas")
    return names


def _rate(value: str) -> Rate:
    found = re.fullmatch(r"\s*(\d{1,5})\s*/\s*(\d{0,4})\s*(second|minute|hour|day)s?\s*", value)
    if not found or int(found[1]) < 1:
        raise _Wrong("must be a count per time")
    unit = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}[found[3]]
    return Rate(int(found[1]), int(found[2] or 1) * unit, value.strip())


def _cooldown(value: str) -> CooldownRule:
    if value.lower() == "off":
        return OFF
    found = re.fullmatch(r"\s*(\d{1,4})\s*/\s*(\d{0,4}\s*[a-z]+)\s*/\s*(\d{0,4}\s*[a-z]+)\s*", value)
    if not found or int(found[1]) < 1:
        raise _Wrong("must be count/time/time, or off")
    return CooldownRule(int(found[1]), _rate(f"1/{found[2]}").window_ms, _rate(f"1/{found[3]}").window_ms)


def _models(value: str) -> tuple[ModelChoice, ...]:
    choices = []
    for item in value.split(","):
        model, _, name = item.strip().partition("=")
        if not re.fullmatch(r"[\w./:@-]{1,100}", model):
            raise _Wrong("each model is id or id=name, separated by commas")
        choices.append(ModelChoice(model, name.strip() or model))
    return tuple(choices)


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise _Wrong("must be a number") from None
        if not low <= number <= high:
            raise _Wrong(f"must be from {low:g} to {high:g}")
        return number

    return parse


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"-?\d{1,12}", value) or not low <= int(value) <= high:
            raise _Wrong(f"must be a whole number from {low} to {high}")
        return int(value)

    return parse


def _switch(value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise _Wrong("must be on or off")
    return value.lower() == "on"


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise _Wrong("must be " + " or ".join(choices))
        return value

    return parse


def _secret(value: str) -> str:
    if len(value) < 16:
        raise _Wrong("is too short for a secret: at least 16 characters")
    return value


def _path_secret(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,100}", value):
        raise _Wrong("must be 16 to 100 letters, digits, - or _")
    return value


def _label(value: str) -> str:
    # GB 45438-2025 by way of platform.md §12: both elements must be in the words of the label.
    if not re.search(r"人工智能|AI", value) or not re.search(r"生成|合成", value) or len(value) > 60:
        raise _Wrong("must contain 人工智能 or AI, and 生成 or 合成, in at most 60 characters")
    return value


def _relays(value: str) -> tuple[RelaySpec, ...]:
    try:
        return parse_relays(value)
    except RelaysWrong as wrong:
        raise _Wrong(str(wrong)) from None


def _prices(value: str) -> PriceTable:
    try:
        return parse_prices(value)
    except PricesWrong as wrong:
        raise _Wrong(str(wrong)) from None


def _key(value: str) -> str:
    if len(value) > 500 or not value.isascii() or not value.isprintable():
        raise _Wrong("must be printable ASCII, as HTTP headers are, in at most 500 characters")
    return value


def _aes_key(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{43}", value):
        raise _Wrong("must be the 43 letters and digits of EncodingAESKey")
    return value


def _words(value: str) -> frozenset[str]:
    words = frozenset(part.strip() for part in re.split(r"[,，]", value) if part.strip())
    if any(len(word) > 20 or not word.isprintable() for word in words):
        raise _Wrong("must be printable words of at most 20 characters, separated by commas")
    return words


def _text(limit: int) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if len(value) > limit:
            raise _Wrong(f"must have at most {limit} characters")
        return value

    return parse


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(part.strip().lower() for part in value.split(",") if part.strip())
    if any(not re.fullmatch(r"[a-z0-9.-]{1,253}", host) for host in hosts):
        raise _Wrong("must be host names separated by commas")
    return hosts


class Variable(msgspec.Struct, frozen=True):
    """One environment variable: the attribute it sets, how it is read, and the row of the table that documents it."""

    name: str
    attribute: str
    parse: Callable[[str], Any]
    default: str | None
    example: str
    meaning: str


REQUIRED = None

VARIABLES: tuple[Variable, ...] = (
    Variable("PORT", "port", _integer(1, 65535), "80", "80", "port the container listens on"),
    Variable("YUNLIAO_ENV", "env", _one_of("development", "production"), "production", "production",
             "`production` refuses what is only fit for a trial"),
    Variable("YUNLIAO_RELAY_URL", "relay_url", _url, "", "https://api.example.com/v1",
             "address of the OpenAI-compatible relay; this or `YUNLIAO_RELAYS` is **required**"),
    Variable("YUNLIAO_RELAY_KEY", "relay_key", _key, "", "sk-…", "key of the relay (secret)"),
    Variable("YUNLIAO_RELAY_DOMESTIC", "relay_domestic", _switch, "off", "on",
             "`on`: the relay's servers are in mainland China"),
    Variable("YUNLIAO_RELAYS", "relays", _relays, "", "/app/relays.json",
             "several upstreams instead of one: JSON, or the path of a JSON file (docs/relays.md; secret)"),
    Variable("YUNLIAO_MODEL", "model", _text(100), "", "deepseek-chat",
             "model asked for by default; **required** with `YUNLIAO_RELAY_URL`, else the first one of `YUNLIAO_RELAYS`"),
    Variable("YUNLIAO_MODELS", "models", _models, "", "deepseek-chat=快速,deepseek-reasoner=深思",
             "models people may choose, `id=name`; empty: the default one only"),
    Variable("YUNLIAO_STORE_URL", "store_url", _store, REQUIRED, "mongodb://user:password@host:27017/yunliao?replicaSet=rs0",
             "where records are kept: a MongoDB replica set, or `sqlite:///path` for a trial (secret)"),
    Variable("YUNLIAO_TRIAL_STORE", "trial_store", _switch, "off", "on",
             "`on` lets production run on SQLite although a container's disk is lost with it"),
    Variable("YUNLIAO_MASTER_KEYS", "master_keys", _keys, REQUIRED, "k1:<openssl rand -base64 32>",
             "key ring `id:base64,…`, 32 bytes each; the first one writes, all read (secret)"),
    Variable("YUNLIAO_WECHAT_API_URL", "wechat_api_url", _url, "http://api.weixin.qq.com", "http://api.weixin.qq.com",
             "WeChat server API, called without a token through the open interface service"),
    Variable("YUNLIAO_APPIDS", "appids", _names, "", "wx0123456789abcdef",
             "appids that may call, separated by commas; needed in production"),
    Variable("YUNLIAO_RATE_LIMIT", "rate_limit", _rate, "5/minute", "5/minute", "messages a user may send"),
    Variable("YUNLIAO_MAX_LIVE", "max_live", _integer(1, 2000), "200", "200", "answers one instance runs at once"),
    Variable(
        "YUNLIAO_MAX_LIVE_TOTAL",
        "max_live_total",
        _integer(0, 100000),
        "0",
        "0",
        "answers all instances run at once; 0: no bound besides that of each instance",
    ),
    Variable("YUNLIAO_MAX_QUEUE", "max_queue", _integer(0, 10000), "400", "400", "turns that may wait for a place"),
    Variable("YUNLIAO_QUEUE_SECONDS", "queue_seconds", _number(1, 600), "60", "60", "longest wait for a place, seconds"),
    Variable("YUNLIAO_MAX_TEXT", "max_text_chars", _integer(100, 20000), "4000", "4000", "characters of one message"),
    Variable("YUNLIAO_CONTEXT_TOKENS", "context_tokens", _integer(1000, 2_000_000), "16000", "16000",
             "tokens the model reads at once"),
    Variable("YUNLIAO_ANSWER_TOKENS", "answer_tokens", _integer(100, 100_000), "4000", "4000", "tokens of one answer"),
    Variable("YUNLIAO_SYSTEM_PROMPT", "system_prompt", _text(8000), "你是云聊助手，回答准确、简洁、友善。", "你是…",
             "what the model is told first"),
    Variable("YUNLIAO_CHECKS_PER_MINUTE", "checks_per_minute", _integer(1, 100_000_000), "4000", "4000",
             "msgSecCheck calls a minute that WeChat grants this appid; more only after WeChat has raised it"),
    Variable("YUNLIAO_CHECKS_PER_DAY", "checks_per_day", _integer(1, 10_000_000_000), "2000000", "2000000",
             "msgSecCheck calls a day that WeChat grants this appid"),
    Variable("YUNLIAO_RELAY_CONNECT_SECONDS", "relay_connect", _number(0.1, 60), "5", "5", "limit to connect, seconds"),
    Variable("YUNLIAO_RELAY_FIRST_BYTE_SECONDS", "relay_first_byte", _number(0.1, 600), "60", "60",
             "limit to the first byte of an answer, seconds"),
    Variable("YUNLIAO_RELAY_SILENCE_SECONDS", "relay_silence", _number(0.1, 600), "30", "30",
             "longest silence within an answer, seconds"),
    Variable("YUNLIAO_RELAY_TOTAL_SECONDS", "relay_total", _number(1, 3600), "300", "300",
             "longest time of a whole answer, seconds"),
    Variable("YUNLIAO_RELAY_HEDGE_SECONDS", "relay_hedge", _number(0, 600), "0", "8",
             "silence after which a second upstream is asked as well, seconds; `0`: never"),
    Variable("YUNLIAO_RELAY_MODERATION", "relay_moderation", _switch, "off", "on",
             "`on` also asks the relay's `/v1/moderations`"),
    Variable("YUNLIAO_WORDS_FILE", "words_file", _text(500), "", "/app/words.txt", "word list of your own, one a line"),
    Variable("YUNLIAO_LEASE_SECONDS", "lease_seconds", _number(0.5, 60), "6", "6",
             "time after which a silent instance's answers are taken over, seconds"),
    Variable("YUNLIAO_GRACE_SECONDS", "grace_seconds", _number(0, 600), "20", "20",
             "time live answers get to finish after SIGTERM, seconds"),
    Variable("YUNLIAO_EVENT_HOURS", "event_hours", _number(0.1, 168), "6", "6", "hours an ended turn's events are kept"),
    Variable("YUNLIAO_JOBS_SECRET", "jobs_secret", _secret, "", "<openssl rand -hex 16>",
             "shared secret of `/jobs/{name}`; empty: jobs refused (secret)"),
    Variable("YUNLIAO_PUSH_SECRET", "push_secret", _path_secret, "", "<openssl rand -hex 16>",
             "last part of the message push's path, `/wx/push/<secret>`; empty: `/wx/push` (secret)"),
    Variable("YUNLIAO_METRICS_TOKEN", "metrics_token", _secret, "", "<openssl rand -hex 16>",
             "bearer token of `/metrics`; needed in production, else metrics are refused (secret)"),
    Variable("YUNLIAO_NAME", "name", _text(40), "云聊", "云聊", "name people see"),
    Variable("YUNLIAO_AI_NOTICE", "ai_notice", _label, "内容由人工智能（AI）生成，请注意甄别", "内容由人工智能（AI）生成",
             "notice always visible in the chat"),
    Variable("YUNLIAO_AI_LABEL", "ai_label", _label, "AI 生成", "AI 生成", "label on every answer and copy"),
    Variable("YUNLIAO_PROVIDER", "provider", _text(100), "", "某某科技有限公司", "provider shown on the about page"),
    Variable("YUNLIAO_FILING", "filing", _text(100), "", "网信算备…号", "algorithm filing number shown"),
    Variable("YUNLIAO_CONTACT", "contact", _text(100), "", "help@example.com", "contact shown"),
    Variable("YUNLIAO_IMAGE_HOSTS", "image_hosts", _hosts, "", "img.example.com", "hosts images may be shown from"),
    Variable("YUNLIAO_PRICES", "prices", _prices, "", "/app/prices.json",
             "prices, plans and limits of credits: JSON, or the path of a JSON file (docs/credits.md); empty: nothing costs anything"),
    Variable("YUNLIAO_TEXTS_DIR", "texts_dir", _folder, "", "/app/texts",
             "folder with your own agreement and privacy texts (docs/privacy.md); what is missing there is as packaged"),
    Variable("YUNLIAO_KEYS_URL", "keys_url", _store, "", "mongodb://user:password@keys-host:27017/yunliao_keys?replicaSet=rs0",
             "where halves of data keys are kept, apart from backups (docs/privacy.md); empty: beside the records (secret)"),
    Variable("YUNLIAO_HISTORY_DAYS", "history_days", _integer(0, 36500), "0", "365",
             "days messages are kept; `0`: until their owner deletes them"),
    Variable("YUNLIAO_VERDICT_DAYS", "verdict_days", _integer(180, 3650), "200", "365",
             "days moderation verdicts are kept, without text; the law wants six months"),
    Variable("YUNLIAO_COOLDOWN", "cooldown", _cooldown, "5/10minute/30minute", "5/10minute/30minute",
             "blocked messages / within / then a break of so long; `off`: never"),
    Variable("YUNLIAO_OPERATORS_IN_MINIPROGRAM", "operators_in_miniprogram", _switch, "off", "on",
             "`on` lets operators who were bound by a one-time code work from inside the mini-program"),
    Variable("CBR_ENV_ID", "platform_env", _text(100), "", "prod-1a2b3c", "set by Cloud Run: callers of another environment are refused"),
    Variable("YUNLIAO_FUNCTION_SECRET", "function_secret", _secret, "", "<openssl rand -hex 32>",
             "shared with the cloud function `chat`, which signs who is calling; empty: signed calls refused (secret)"),
    Variable("YUNLIAO_PUBLIC", "public", _switch, "off", "on",
             "`on` for a service whose 公网访问 is on: identity headers are not believed, only signed calls"),
    Variable("YUNLIAO_CUSTOMER_SERVICE", "customer_service", _switch, "off", "on",
             "`on`: messages to the mini-program's customer service are answered (docs/customer-service.md)"),
    Variable("YUNLIAO_PUSH_TOKEN", "push_token", _secret, "", "<openssl rand -hex 16>",
             "token of a message push over a public domain; empty: signed pushes refused (secret)"),
    Variable("YUNLIAO_PUSH_AES_KEY", "push_aes_key", _aes_key, "", "43 letters and digits",
             "EncodingAESKey of the same (secret)"),
    Variable("YUNLIAO_HUMAN_WORDS", "human_words", _words, "人工,转人工,人工客服", "人工,转人工",
             "messages to customer service that ask for a human, separated by commas"),
)  # fmt: skip

SECRETS = frozenset(
    {"relay_key", "relays", "store_url", "master_keys", "jobs_secret", "metrics_token", "push_secret", "keys_url"}
    | {"function_secret", "push_token", "push_aes_key"}
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The validated settings; see `VARIABLES` for meaning and units."""

    port: int
    env: Literal["development", "production"]
    relay_url: str
    relay_key: str
    relay_domestic: bool
    relays: tuple[RelaySpec, ...]
    model: str
    models: tuple[ModelChoice, ...]
    store_url: str
    trial_store: bool
    master_keys: tuple[tuple[str, bytes], ...]
    wechat_api_url: str
    appids: frozenset[str]
    rate_limit: Rate
    max_live: int
    max_live_total: int
    checks_per_minute: int
    checks_per_day: int
    max_queue: int
    queue_seconds: float
    max_text_chars: int
    context_tokens: int
    answer_tokens: int
    system_prompt: str
    relay_connect: float
    relay_first_byte: float
    relay_silence: float
    relay_total: float
    relay_hedge: float
    relay_moderation: bool
    words_file: str
    lease_seconds: float
    grace_seconds: float
    event_hours: float
    jobs_secret: str
    push_secret: str
    metrics_token: str
    name: str
    ai_notice: str
    ai_label: str
    provider: str
    filing: str
    contact: str
    image_hosts: tuple[str, ...]
    texts_dir: str
    keys_url: str
    platform_env: str
    function_secret: str
    public: bool
    push_token: str
    push_aes_key: str
    customer_service: bool
    human_words: frozenset[str]
    prices: PriceTable | None = None
    history_days: int = 0
    verdict_days: int = 200
    cooldown: CooldownRule = OFF
    operators_in_miniprogram: bool = False
    heartbeat_seconds: float = 10.0
    given: dict[str, str] = {}
    """What the environment says, by variable; of a secret no more than that it is there (an empty text)."""

    def __repr__(self) -> str:
        shown = (
            f"{name}=***" if name in SECRETS else f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__
        )
        return f"Settings({', '.join(shown)})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Settings of an environment. Raises `SettingsError` naming every mistake at once."""
        problems: list[str] = []
        values: dict[str, Any] = {}
        for variable in VARIABLES:
            raw = environ.get(variable.name, "").strip()
            if not raw and variable.default is REQUIRED:
                problems.append(f"{variable.name} is missing: {variable.meaning}. Example: {variable.example}")
                continue
            raw = raw or variable.default or ""
            try:
                values[variable.attribute] = variable.parse(raw) if raw else _empty(variable)
            except _Wrong as wrong:
                problems.append(f"{variable.name} {wrong}. Example: {variable.example}")
        problems += _relay_problems(values, problems)
        known = {variable.name for variable in VARIABLES} | {relay.key_env for relay in values.get("relays", ())}
        for name in sorted(environ):
            if name.startswith(PREFIX) and name not in known:
                problems.append(f"{name} is not a setting of Yunliao: check the spelling. Known: docs/configuration.md")
        if not problems:
            problems = _whole(values) + _key_problems(values, environ)
        if problems:
            raise SettingsError(problems)
        given = {
            variable.name: "" if variable.attribute in SECRETS else environ[variable.name].strip()
            for variable in VARIABLES
            if environ.get(variable.name, "").strip()
        }
        whole = cls(**_with_relays(values, environ), given=given)
        if whole.prices is not None:
            try:
                check_models(whole.prices, [choice.id for choice in whole.models])
            except PricesWrong as wrong:
                raise SettingsError([f"YUNLIAO_PRICES {wrong}. Example: /app/prices.json"]) from None
        return whole


def _empty(variable: Variable) -> Any:
    """What an empty optional variable means: the empty value of its kind."""
    empties: dict[Callable[[str], Any], Any] = {
        _names: frozenset(),
        _words: frozenset(),
        _models: (),
        _hosts: (),
        _relays: (),
        _prices: None,
    }
    return empties.get(variable.parse, "")


def _relay_problems(values: Mapping[str, Any], problems: list[str]) -> list[str]:
    """What is missing of the upstreams, as far as nothing was said of it yet."""
    if values.get("relays") or any(problem.startswith("YUNLIAO_RELAYS ") for problem in problems):
        if values.get("relay_url") and values.get("relays"):
            return ["YUNLIAO_RELAY_URL and YUNLIAO_RELAYS exclude each other: keep one. Example: /app/relays.json"]
        return []
    missing = {
        "YUNLIAO_RELAY_URL": (
            "relay_url",
            "address of the relay (or YUNLIAO_RELAYS for several)",
            "https://api.example.com/v1",
        ),
        "YUNLIAO_MODEL": ("model", "model asked for by default", "deepseek-chat"),
    }
    return [
        f"{name} is missing: {meaning}. Example: {example}"
        for name, (attribute, meaning, example) in missing.items()
        if values.get(attribute) == "" and not any(problem.startswith(f"{name} ") for problem in problems)
    ]


def _key_problems(values: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    try:
        with_keys(values["relays"], environ)
    except RelaysWrong as wrong:
        return [f"YUNLIAO_RELAYS {wrong}. Example: /app/relays.json"]
    return []


def _with_relays(values: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """One upstream or several, from here on they look the same; and the models people may choose among."""
    if not values["relays"]:
        models = values["models"] or (ModelChoice(values["model"], values["model"]),)
        only = RelaySpec(
            name="relay",
            url=values["relay_url"],
            key=values["relay_key"],
            models={choice.id: choice.id for choice in models},
            moderation=values["relay_moderation"],
            domestic=values["relay_domestic"],
        )
        relays: tuple[RelaySpec, ...] = (only,)
    else:
        relays = with_keys(values["relays"], environ)
        models = values["models"] or tuple(
            ModelChoice(public, relay.shown_name(public))
            for public, relay in {public: relay for relay in reversed(relays) for public in relay.models}.items()
        )
    overseas = {public for relay in relays if not relay.domestic for public in relay.models}
    home = {public for relay in relays if relay.domestic for public in relay.models}
    choices = tuple(
        ModelChoice(choice.id, choice.name, choice.id not in overseas, choice.id not in home) for choice in models
    )
    return {**values, "relays": relays, "models": choices, "model": values["model"] or choices[0].id}


def _whole(values: Mapping[str, Any]) -> list[str]:
    """Mistakes that show only when variables are seen together."""
    problems = []
    if values["env"] == "production":
        if not values["appids"]:
            problems.append("YUNLIAO_APPIDS is missing: production must know who may call. Example: wx0123456789abcdef")
        if values["store_url"].startswith("sqlite:") and not values["trial_store"]:
            problems.append(
                "YUNLIAO_STORE_URL is SQLite, whose file is lost with the container: use a durable store, or say "
                "YUNLIAO_TRIAL_STORE=on for a trial. Example: YUNLIAO_TRIAL_STORE=on"
            )
    models = {choice.id for choice in values["models"]}
    if models and values["model"] and values["model"] not in models:
        problems.append("YUNLIAO_MODELS does not list YUNLIAO_MODEL: add it. Example: deepseek-chat=快速")
    offered = {public for relay in values["relays"] for public in relay.models}
    if offered and not models <= offered:
        problems.append(
            "YUNLIAO_MODELS lists a model that no upstream of YUNLIAO_RELAYS has. Example: deepseek-chat=快速"
        )
    if offered and values["model"] and values["model"] not in offered:
        problems.append("YUNLIAO_MODEL is a model that no upstream of YUNLIAO_RELAYS has. Example: deepseek-chat")
    if values["keys_url"] and values["keys_url"] == values["store_url"]:
        problems.append(
            "YUNLIAO_KEYS_URL is YUNLIAO_STORE_URL: leave it empty, or name another place, which backups leave out. "
            "Example: mongodb://user:password@keys-host:27017/yunliao_keys?replicaSet=rs0"
        )
    if values["answer_tokens"] * 2 > values["context_tokens"]:
        problems.append("YUNLIAO_ANSWER_TOKENS is more than half of YUNLIAO_CONTEXT_TOKENS. Example: 4000 of 16000")
    return problems
