"""What differs between upstreams that all call themselves OpenAI-compatible (docs/relays.md has the table).

Reading is the same for all of them: the decoders take every known form. A dialect only says how to ask, and whether an
end without a reason is to be believed.
"""

from typing import Literal
from urllib.parse import urlsplit

import msgspec

Name = Literal["openai", "azure", "deepseek", "qwen", "vllm", "llamacpp", "ollama", "litellm", "oneapi"]


class Dialect(msgspec.Struct, frozen=True):
    """`key_header`: where the key goes. `usage_option`: whether `stream_options` is asked for at first; an upstream
    that refuses it is asked without. `done_is_enough`: whether `[DONE]` without a reason is a proper end."""

    name: Name
    key_header: Literal["authorization", "api-key"] = "authorization"
    usage_option: bool = True
    done_is_enough: bool = False


DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect("openai"),
        Dialect("azure", key_header="api-key"),
        Dialect("deepseek"),
        Dialect("qwen"),
        Dialect("vllm"),
        Dialect("llamacpp"),
        Dialect("ollama"),
        Dialect("litellm"),
        Dialect("oneapi"),
    )
}


def guess(url: str) -> Dialect:
    """The dialect of an address for which none is configured."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if "api-version=" in parts.query or host.endswith((".openai.azure.com", ".cognitiveservices.azure.com")):
        return DIALECTS["azure"]
    if host.endswith("deepseek.com"):
        return DIALECTS["deepseek"]
    if "dashscope" in host:
        return DIALECTS["qwen"]
    return DIALECTS["openai"]
